"""Reading names: the table of cases, the closed vocabulary, and text of any kind."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naming import FIELDS, VOCABULARY, parse_name
from naming.vocabulary import CRITERIA, SCHEDULES, STRUCTS


def _cases():
    """The table's lines, as parameters."""
    cases = []
    for line in Path(__file__).with_name("names.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            parts = [part.strip() for part in line.split("|")]
            cases.append(pytest.param(*(parts + [""] * 4)[:4], id=parts[0]))
    return cases


@pytest.mark.parametrize(("name", "name_format", "fields", "reason"), _cases())
def test_a_name_of_the_table(name, name_format, fields, reason):
    parsed = parse_name(name)
    assert parsed.format == name_format, parsed.reason
    assert reason in parsed.reason
    if fields.startswith("~"):
        assert parsed.fields is None
        assert len(parsed.readings) > 1
    elif fields:
        expected = dict(pair.split("=") for pair in fields.split())
        assert {key: str(parsed.fields[key]) for key in expected} == expected
    if name_format == "custom":
        assert parsed.readings == ()


def test_every_old_name_of_the_closed_vocabulary_has_exactly_its_reading():
    space = itertools.product(
        STRUCTS, SCHEDULES, CRITERIA, VOCABULARY.architectures, VOCABULARY.datasets
    )
    names = set()
    for values in space:
        parsed = parse_name("_".join(values))
        assert parsed.format == "legacy"
        assert tuple(parsed.fields[field] for field in FIELDS[:5]) == values
        names.add(parsed.name)
    assert len(names) == 12_600


@given(st.text(max_size=200))
def test_any_text_has_a_format(text):
    parsed = parse_name(text)
    assert parsed.format in ("legacy", "current", "custom")
    assert (parsed.format == "custom") == (parsed.readings == ())


@pytest.mark.parametrize(
    "hostile", ["_" * 100_000, "rsst_x_l1_" + "a_" * 500 + "b", "rsst_" + "9" * 5000, "\x00", ""]
)
def test_hostile_names_are_read_quickly(hostile):
    parse_name(hostile)


@given(
    st.tuples(
        st.sampled_from(STRUCTS),
        st.sampled_from(SCHEDULES),
        st.sampled_from(CRITERIA),
        st.from_regex(r"[a-z]{3,8}net[0-9]?", fullmatch=True),
        st.sampled_from(sorted(VOCABULARY.datasets)),
    )
)
def test_an_unknown_architecture_on_a_known_dataset_has_one_reading(values):
    fields = parse_name("_".join(values)).fields
    assert tuple(fields[field] for field in FIELDS[:5]) == values


def test_a_vocabulary_is_extended_without_touching_the_shared_one():
    more = VOCABULARY.extended(["my_net"], ["my_data"])
    name = "rsst_x_l1_my_net_my_data"
    assert parse_name(name, vocabulary=more).fields["arch"] == "my_net"
    assert parse_name(name).fields is None

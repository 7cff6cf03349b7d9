"""Reading names: the table of cases, the closed vocabulary, and text of any kind."""

import itertools
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naming import FIELDS, VOCABULARY, parse_name
from naming.rsst import CRITERIA, SCHEDULES, STRUCTS


def _cases():
    """The table's lines, as parameters."""
    cases = []
    for line in Path(__file__).with_name("names.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            parts = [part.strip() for part in line.split("|", 3)]
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
    else:
        assert (parsed.reason == "") == (len(parsed.readings) == 1)


def test_the_first_three_readings_are_named_and_how_many_more():
    three = "ambiguous: a on b_c_d or a_b on c_d or a_b_c on d"
    assert parse_name("rsst_x_l1_a_b_c_d").reason == three
    five = "ambiguous: a on b_c_d_e_f or a_b on c_d_e_f or a_b_c on d_e_f or 2 more"
    assert parse_name("rsst_x_l1_a_b_c_d_e_f").reason == five


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (" rsst_x_l1_res18_cifar10", "near-miss: white space around the name"),
        ("rsst_x_l1_res18_cifar10\n", "near-miss: white space around the name"),
        ("RSST_x_l1_res18_cifar10", "near-miss: wrong case: our names are in lower case"),
        ("rsst_x_l1_res18_cifar10\nb", "near-miss: trailing text '\\nb'"),
        (
            "rsst_a_b_sched_x_reg_1.0_crit_l1_rate_0.2_0108_1600\nb",
            "near-miss: trailing text '\\nb'",
        ),
        (
            "rsst_a\nb_c_sched_x_reg_1.0_crit_l1_rate_0.2_0230_1600",
            "near-miss: after 'rsst_': expected ARCH_DATASET, found 'a\\nb_c'",
        ),
        ("rsst_" + "a" * 1020, "not-ours: 1025 characters long"),
        ("rsst_" + "a" * 1019, "not-ours: not an RSST name"),
    ],
)
def test_names_that_the_table_cannot_hold(name, reason):
    parsed = parse_name(name)
    assert (parsed.name, parsed.format, parsed.readings) == (name, "custom", ())
    assert parsed.reason.startswith(reason)


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


def _seconds(name, vocabulary):
    """The processor time that one parse takes, the least of several."""
    times = []
    for _ in range(9):
        start = time.process_time()
        parse_name(name, vocabulary=vocabulary)
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize(
    ("template", "name_format"),
    [
        ("rsst_x_l1_{}", "legacy"),
        ("rsst_x_l1_{}\n", "custom"),
        ("rsst_l1_x_{}_cifar10", "custom"),
        ("rsst_{}_sched_x_reg_1.0_crit_l1_rate_0.2_0108_1600", "current"),
        ("rsst_{}_sched_x_reg_1.0_crit_l1_rate_0.2_0108_160", "custom"),
        ("rsst_{}_reg_1.0_rate_0.2_0108_1600", "custom"),
    ],
)
def test_a_name_four_times_as_long_costs_not_much_more_than_four_times_as_much(
    template, name_format
):
    # Every beginning of the text is a known architecture, and no rest of it a known dataset.
    vocabulary = VOCABULARY.extended(["_".join("a" * count) for count in range(1, 512)])
    short, long = (template.format("a_" * count + "z") for count in (120, 480))
    assert parse_name(long, vocabulary=vocabulary).format == name_format
    assert _seconds(long, vocabulary) < 10 * _seconds(short, vocabulary)

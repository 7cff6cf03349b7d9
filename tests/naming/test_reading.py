"""Reading names: the table of cases, the closed vocabulary, and text of any kind."""

import itertools
import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naming import FIELDS, VOCABULARY, parse_name
from naming.style import is_timestamp
from naming.values import integer, number, one_of, word
from naming.vocabulary import CRITERIA, SCHEDULES, STRUCTS


def one_of_three(value):
    return one_of(value, CRITERIA[:3])


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
    else:
        assert (parsed.reason == "") == (len(parsed.readings) == 1)


def test_the_first_three_readings_are_told_and_how_many_more():
    three = "ambiguous: a on b_c_d or a_b on c_d or a_b_c on d"
    assert parse_name("rsst_x_l1_a_b_c_d").reason == three
    five = "ambiguous: a on b_c_d_e_f or a_b on c_d_e_f or a_b_c on d_e_f or 2 more"
    assert parse_name("rsst_x_l1_a_b_c_d_e_f").reason == five


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (" rsst_x_l1_res18_cifar10", "near-miss: white space around the name"),
        ("rsst_x_l1_res18_cifar10\n", "near-miss: white space around the name"),
        ("RSST_x_l1_res18_cifar10", "near-miss: wrong case, our names have small letters only"),
        ("rsst_x_l1_res18_cifar10\nb", "near-miss: trailing text '\\nb' behind a name of the old"),
        (
            "rsst_a_b_sched_x_reg_1.0_crit_l1_rate_0.2_0108_1600\nb",
            "near-miss: trailing text '\\nb' behind a name of the new format",
        ),
        (
            "rsst_a\nb_c_sched_x_reg_1.0_crit_l1_rate_0.2_0230_1600",
            "near-miss: 'a\\nb_c' is not an architecture and a dataset",
        ),
        ("rsst_" + "a" * 1020, "not-ours: 1025 characters long"),
        ("rsst_" + "a" * 1019, "not-ours: a name of another kind"),
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


def test_a_vocabulary_is_extended_without_touching_the_shared_one():
    more = VOCABULARY.extended(["my_net"], ["my_data"])
    name = "rsst_x_l1_my_net_my_data"
    assert parse_name(name, vocabulary=more).fields["arch"] == "my_net"
    assert parse_name(name).fields is None
    assert parse_name("rsst_x_l1_a_my_data", vocabulary=more).fields["dataset"] == "my_data"
    both = VOCABULARY.extended(datasets=["data", "my_data"])
    assert parse_name("rsst_x_l1_a_my_data", vocabulary=both).fields["dataset"] == "my_data"
    assert more.family("my_net") == "other"
    assert VOCABULARY.extended(["res18"]).family("res18") == "cnn"


@pytest.mark.parametrize(
    ("text", "timestamp_format", "is_one"),
    [
        ("0229_2359", "%m%d_%H%M", True),
        ("0230_2359", "%m%d_%H%M", False),
        ("20230229_000000", "%Y%m%d_%H%M%S", False),
        ("240229", "%y%m%d", True),
        ("230229", "%y%m%d", False),
        ("31_23", "%d_%H", True),
        ("20260108_14305", "%Y%m%d_%H%M%S", False),
        ("01--08", "%m--%d", True),
        ("2026_26", "%Y_%y", True),
        ("0108_1430_", "%m%d_%H%M", False),
        ("٠١٠٨_1430", "%m%d_%H%M", False),
        ("01:08T14.30-59", "%m:%dT%H.%M-%S", True),
        ("01:08T14x30-59", "%m:%dT%H.%M-%S", False),
    ],
)
def test_times(text, timestamp_format, is_one):
    assert is_timestamp(text, timestamp_format) is is_one


@pytest.mark.parametrize(
    ("parse", "value", "result"),
    [
        (number, 0.15, 0.15),
        (number, " +1e-5 ", 1e-05),
        (number, ".5", 0.5),
        (number, "5.", 5.0),
        (number, -0.0, 0.0),
        (number, Fraction(1, 4), 0.25),
        (integer, 3.0, 3),
        (integer, "3.0", 3),
        (integer, 10**17 + 1, 10**17 + 1),
        (word, "res18", "res18"),
        (one_of_three, "l1", "l1"),
    ],
)
def test_values(parse, value, result):
    assert (parse(value), str(parse(value))) == (result, str(result))


@pytest.mark.parametrize(
    ("parse", "value", "words"),
    [
        (number, True, "not a number"),
        (number, None, "not a number"),
        (number, "1_000", "not a number"),
        (number, "٣", "not a number"),
        (number, 10**400, "not a number that a float can hold"),
        (number, "1e999", "not a finite number"),
        (number, float("nan"), "not a finite number"),
        (integer, 0.5, "not a whole number"),
        (integer, True, "not a number"),
        (word, "", "not a word"),
        (word, "two words", "not a word"),
        (word, "two\nlines", "not a word"),
        (word, 7, "not a word"),
        (one_of_three, "l3", "not one of remain, magnitude, l1"),
    ],
)
def test_values_that_are_none(parse, value, words):
    with pytest.raises(ValueError, match=f"^{words}$"):
        parse(value)


def _seconds(name, vocabulary):
    """The processor time that one parse takes, the least of several."""
    times = []
    for _ in range(5):
        start = time.process_time()
        parse_name(name, vocabulary=vocabulary)
        times.append(time.process_time() - start)
    return min(times)


def test_a_name_four_times_as_long_costs_little_more_than_four_times_as_much():
    # Every beginning of the text is a known architecture, and no rest of it a known dataset.
    archs = ["_".join("a" * count) for count in range(1, 512)]
    vocabulary = VOCABULARY.extended(archs)
    short, long = ("rsst_x_l1_" + "a_" * count + "z" for count in (120, 480))
    assert parse_name(long, vocabulary=vocabulary).format == "legacy"
    assert _seconds(long, vocabulary) < 10 * _seconds(short, vocabulary)


@pytest.mark.parametrize(
    ("type_name", "value", "result"),
    [
        ("float16", 0.1, 0.1),
        ("float32", 0.15, 0.15),
        ("float32", 1e-5, 1e-5),
        ("float64", 0.15, 0.15),
        ("longdouble", 0.15, 0.15),
        ("float32", 1 / 3, 0.33333334),
        ("int64", 3, 3.0),
        ("uint8", 3, 3.0),
    ],
)
def test_a_number_of_numpy_is_the_one_that_it_shows(type_name, value, result):
    numpy = pytest.importorskip("numpy")
    assert number(getattr(numpy, type_name)(value)) == result
    assert integer(numpy.uint64(2**53 + 1)) == 2**53 + 1
    with pytest.raises(ValueError, match="not a finite number"):
        number(numpy.float32("nan"))


class Percent(float):
    """A float that shows something else than it is."""

    def __str__(self):
        return "{:.0f}".format(self * 100)


class Labelled(float):
    """A float that cannot be made of a float alone."""

    def __new__(cls, value, label):
        return super().__new__(cls, value)

    __str__ = float.__repr__


@pytest.mark.parametrize("value", [Fraction(3, 20), Percent(0.15), Labelled(0.15, "rate")])
def test_a_number_that_shows_something_else_is_taken_as_it_is(value):
    assert number(value) == 0.15

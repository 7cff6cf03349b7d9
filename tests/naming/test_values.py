"""Argument values in any type, made canonical."""

from fractions import Fraction

import pytest

from naming.rsst import CRITERIA
from naming.values import integer, number, one_of, word


def one_of_three(value):
    return one_of(value, CRITERIA[:3])


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
def test_values_that_are_not_valid(parse, value, words):
    with pytest.raises(ValueError, match=f"^{words}$"):
        parse(value)


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

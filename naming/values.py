"""Argument values in whatever type they come, made canonical.

The same argument is a float in the training script, an integer when W&B gives it back, and text
on a command line: `1`, `1.0` and `"1.0"` are one value and must come out as one.
"""

from __future__ import annotations

import math
import numbers
import re
from typing import Iterable

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DIGITS = re.compile(r"[+-]?\d+", re.ASCII)
_NO = frozenset(["", "0", "none", "false", "null"])


def number(value: object) -> float:
    """A finite float; ValueError for anything else, booleans and `nan` included.

    >>> number(1), number("0.150"), number("1e-5")
    (1.0, 0.15, 1e-05)
    """
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.strip()):
            raise ValueError("not a number")
        value = float(value)
    # Asking an abstract class is slow, and nearly all values are one of these two.
    if type(value) not in (float, int):
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise ValueError("not a number")
        value = _as_written(value)
    try:
        result = float(value)  # type: ignore[arg-type]
    except OverflowError:
        raise ValueError("not a number that a float can hold") from None
    if not math.isfinite(result):
        raise ValueError("not a finite number")
    return result + 0.0  # -0.0 becomes 0.0


def _as_written(value: numbers.Real) -> object:
    """The number that a value of another type shows, where that is the value.

    `numpy.float32(0.15)` is the float nearest to 0.15 in its type, and shows `0.15`; converted
    to a Python float it would be 0.15000000596046448.
    """
    text = str(value)
    if not _NUMBER.fullmatch(text):
        return value
    try:
        return float(text) if type(value)(float(text)) == value else value  # type: ignore[call-arg]
    except (TypeError, ValueError, OverflowError):
        return value


def integer(value: object) -> int:
    """A whole number; ValueError for anything else.

    >>> integer(3.0), integer("3"), integer("9007199254740993")  # which no float can hold
    (3, 3, 9007199254740993)
    """
    if isinstance(value, (int, numbers.Integral)) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return int(value)
    result = number(value)
    if not result.is_integer():
        raise ValueError("not a whole number")
    return int(result)


def is_word(value: object) -> bool:
    """Whether this is text that can stand in a name: printable, without white space."""
    return isinstance(value, str) and value.isprintable() and value != "" and " " not in value


def word(value: object) -> str:
    """Text that can stand in a name; ValueError for anything else."""
    if not is_word(value):
        raise ValueError("not a word")
    return str(value)


def part(value: object) -> object:
    """A number, a truth or a word that can stand between two `_` of a name.

    >>> part("80"), part(0.1), part("1e-4"), part("adam-w"), part(True)
    (80, 0.1, 0.0001, 'adam-w', True)
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        if "_" in value:
            raise ValueError("not a single word")
        return word(value)
    if isinstance(value, numbers.Integral) or _DIGITS.fullmatch(str(value).strip()):
        return integer(value)
    return number(value)


def one_of(value: object, allowed: Iterable[str]) -> str:
    """A word of a closed set."""
    if value not in tuple(allowed):
        raise ValueError("not one of " + ", ".join(allowed))
    return str(value)


def flag(value: object) -> bool:
    """Whether a switch is on, given as a boolean, a path or text.

    >>> [flag(v) for v in (None, "None", "False", "false", "null", "", 0)]
    [False, False, False, False, False, False, False]
    >>> flag(True), flag("weights/vit.pth"), flag("True")
    (True, True, True)
    """
    if isinstance(value, str):
        return value.strip().lower() not in _NO
    return bool(value)


def chosen_name(value: object) -> str | None:
    """The name that `--exp_name` gives, exactly as it is; None if it was not given.

    `0`, `null` and `False` are names: a person typed them. What an absent argument leaves in a
    config is None, or the text that Python prints for it.

    >>> chosen_name("0"), chosen_name("null"), chosen_name(20260108)
    ('0', 'null', '20260108')
    >>> [chosen_name(v) for v in (None, "None", "", False)]
    [None, None, None, None]
    """
    if value is None or value is False or value in ("", "None"):
        return None
    return str(value)

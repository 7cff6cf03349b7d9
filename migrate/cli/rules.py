"""Rules as people write them, in the configuration file and as options, parsed into values."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, tzinfo
from functools import partial

from migrate.cli.config_file import (
    ConfigFile,
    Reader,
    each,
    read,
    read_table,
    shown,
    table,
    text,
    unknown,
)
from migrate.client.paths import parse_path
from migrate.errors import InputError, scrub
from migrate.mapping.rows import REVIEW_CODES, RuleSource
from migrate.mapping.rules import Rule, Side, Where, comparable
from migrate.text import did_you_mean
from naming import KEYS, RSST, VOCABULARY, Style
from naming.scheme import INTEGER, NUMBER, PART, Field, Kind

SIDES: tuple[Side, Side] = ("name", "config")
FAMILIES = tuple(dict.fromkeys([*VOCABULARY.architectures.values(), "other"]))
_ALLOWED = {NUMBER: "number", INTEGER: "whole number", PART: "number, or a word without _"}


def file_rules(config: ConfigFile, style: Style) -> Iterator[Rule]:
    """The rules of a configuration file.

    Args:
        config: The file, with the options in place of what it says.
        style: Its own. Rules may supply its extra parts, which --extra may leave out, and those
            that are in force.

    Raises:
        InputError: Naming the rule, the key, and what is allowed.
    """
    readers: dict[str, Reader] = {
        "where": partial(_where, config.timezone or UTC),
        "assume": partial(_values, (style, config.style)),
        "set": partial(_values, (style, config.style)),
        "prefer": partial(one_of, SIDES),
    }
    for number, values in enumerate(config.rule, 1):
        place = f"{config.name}: rule {number}"
        given = read(place, partial(read_table, readers), values)
        rule = Rule(
            given.get("where", Where()),
            RuleSource(file=config.name, number=number),
            given.get("assume", {}),
            given.get("set", {}),
            given.get("prefer"),
        )
        if not (rule.assume or rule.replace or rule.prefer):
            raise InputError(f"{place} supplies nothing: give it assume, set or prefer.")
        yield rule


def parse_regex(typed: str | re.Pattern[str]) -> re.Pattern[str]:
    """A regular expression; ValueError says what is wrong with it."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of syntax that may change
            return re.compile(typed)
    except (re.error, RecursionError, OverflowError, ValueError) as error:
        raise ValueError(f"{shown(typed)} is not a valid regular expression: {error}") from None


def supplied(styles: Sequence[Style], typed: str, value: object) -> tuple[str, object]:
    """A config key, of which a field's name (`reg`) is as good, and the value for it.

    Args:
        styles: Their extra parts may be supplied, too.
        typed: The key, or the field.
        value: Text as typed, or a value in whatever type it came.

    Raises:
        ValueError: It is not a key that names are made of, or the key cannot have this value.

    >>> supplied([], "reg", "1")
    ('reg_granularity_prune', 1.0)
    """
    kinds = {**RSST.kinds, **dict(part for style in styles for part in style.parts.values())}
    key = KEYS.get(typed, typed)
    if key not in kinds:
        raise ValueError(unknown(typed, dict.fromkeys([*kinds, *KEYS])))
    kind, field = kinds[key], RSST.by_key.get(key)
    try:
        canonical = kind.parse(value)
        if field is not None and not field.is_sensible(canonical):
            raise ValueError
    except ValueError:
        raise ValueError(f"{shown(value)} is not a valid {typed}: {allowed(kind, field)}") from None
    return key, canonical


def allowed(kind: Kind, field: Field | None) -> str:
    """What can be written as a value of a kind, or of a field with a range."""
    if kind.words:
        return f"write one of {', '.join(kind.words)}"
    if kind not in _ALLOWED:
        return "write a word without white space"
    if field is None or field.least is None:
        return f"write a {_ALLOWED[kind]}"
    upwards = f"of at least {field.least}"
    reach = upwards if field.most is None else f"between {field.least} and {field.most}"
    return f"write a {_ALLOWED[kind]} {reach}"


def option_rules(
    assume: Sequence[str] | Mapping[str, object], prefer: str | None, style: Style
) -> Iterator[Rule]:
    """`--assume` and `--prefer`, which are rules for any run; InputError where one is not valid.

    Args:
        assume: `KEY=VALUE`, of a config key or a field; or keys to values.
        prefer: The side to take where name and config disagree.
        style: Its extra parts may be assumed, too.
    """
    assumed: dict[str, object] = {}
    for typed, value in assume.items() if isinstance(assume, Mapping) else map(_pair, assume):
        option = f"--assume {typed}={value}"
        key, canonical = read(scrub(option), partial(supplied, [style], typed), value)
        if assumed.setdefault(key, canonical) != canonical:
            raise InputError(f"--assume gives {key} two values.")
        yield Rule(Where(), RuleSource(option=option), assume={key: canonical})
    if prefer is not None:
        source = RuleSource(option=f"--prefer {prefer}")
        yield Rule(Where(), source, prefer=read(source.option, partial(one_of, SIDES), prefer))


def _pair(typed: str) -> tuple[str, str]:
    key, equals, value = typed.partition("=")
    if not equals:
        raise InputError(f"--assume {scrub(typed)}: write KEY=VALUE, as in rate=0.15.")
    return key.strip(), value


def _where(timezone: tzinfo, value: object) -> Where:
    values = table(value)
    for key, asked in values.items():
        if asked == []:  # without it the rule would be for every run
            raise ValueError(f"{key}: the list is empty, so that no run matches")
    moment = partial(_moment, timezone)
    readers: dict[str, Reader] = {key: each(partial(_compared, key)) for key in values}
    readers |= {
        "project": each(lambda value: str(parse_path(text(value)))),
        "runs": each(text),
        "name": lambda value: parse_regex(text(value)),
        "before": moment,
        "after": moment,
        "family": each(partial(one_of, FAMILIES)),
        "state": each(text),
        "reason": each(partial(one_of, REVIEW_CODES)),
    }
    given = read_table(readers, values)
    return Where.of(
        {
            key: frozenset(asked) if isinstance(asked, tuple) else asked
            for key, asked in given.items()
        }
    )


def one_of(known: Sequence[str], value: object) -> str:
    """One of some words; ValueError names them all, and the nearest."""
    word: str = text(value)
    if word not in known:
        nearest = did_you_mean(word, known, "")
        words = "; ".join(filter(None, [", ".join(known), nearest]))
        raise ValueError(f"{shown(word)} is not one of {words}")
    return word


def _moment(timezone: tzinfo, value: object) -> datetime:
    """A time, aware; a date is its first moment."""
    moment = value
    with suppress(ValueError):
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if not isinstance(moment, datetime):
        raise ValueError(f"{shown(value)} is not a time: write 2025-09-01 or 2025-09-01T14:30:00Z")
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone)


def _compared(key: str, value: object) -> object:
    if not isinstance(value, str | bool | int | float):
        raise ValueError(f"{shown(value)} is neither a string nor a number")
    return comparable(key, value)


def _values(styles: Sequence[Style], value: object) -> Mapping[str, object]:
    values: dict[str, object] = {}
    for typed, given in table(value).items():
        if isinstance(given, list | dict):
            raise ValueError(f"{typed}: {shown(given)} is not a single value")
        key, canonical = supplied(styles, typed, given)
        if key in values:
            raise ValueError(f"{key} is given twice")
        values[key] = canonical
    return values

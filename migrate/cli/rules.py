"""Rules as people write them, in the configuration file and as options, parsed into values."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, tzinfo

from migrate.cli.config_file import ConfigFile, Table, sentence, shown, unknown
from migrate.client.paths import parse_path
from migrate.errors import InputError, scrub
from migrate.mapping.rows import REVIEW_CODES, RuleSource
from migrate.mapping.rules import WHERE_KEYS, Rule, Side, Where, comparable
from naming import KEYS, RSST, VOCABULARY, Style
from naming.scheme import INTEGER, NUMBER, PART, Field, Kind

SIDES: tuple[Side, Side] = ("name", "config")
FAMILIES = tuple(dict.fromkeys([*VOCABULARY.architectures.values(), "other"]))
_ALLOWED = {NUMBER: "number", INTEGER: "whole number", PART: "number, or a word without _"}
_TABLES = ("where", "assume", "set", "prefer")


def file_rules(config: ConfigFile, timezone: tzinfo, style: Style) -> Iterator[Rule]:
    """The rules of a configuration file.

    Args:
        config: The file.
        timezone: The zone of dates without one.
        style: Its extra parts may be supplied, too.

    Raises:
        InputError: Naming the rule, the key, and what is allowed.
    """
    lines = config.rule_lines
    if len(lines) != len(config.rules):  # `rule = [{…}]`, or the words within another text
        lines = (0,) * len(config.rules)
    for number, (table, line) in enumerate(zip(config.rules, lines, strict=True), 1):
        table.only(_TABLES)
        prefer = table.text("prefer")
        rule = Rule(
            _where(table.table("where"), timezone),
            RuleSource(file=config.name, number=number, line=line),
            _values(table.table("assume"), style),
            _values(table.table("set"), style),
            None if prefer is None else _side(prefer, f"{table.place}: prefer"),
        )
        if not (rule.assume or rule.replace or rule.prefer):
            raise InputError(f"{table.place} supplies nothing: give it assume, set or prefer.")
        yield rule


def parse_regex(text: str) -> re.Pattern[str]:
    """A regular expression; ValueError says what is wrong with it."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of what a later Python may read else
            return re.compile(text)
    except (re.error, RecursionError, OverflowError, ValueError) as error:
        raise ValueError(f"{shown(text)} is not a valid regular expression: {error}") from None


def supplied(typed: str, value: object, style: Style) -> tuple[str, object]:
    """A value for a run, with its config key; a field's name (`reg`) is as good as its key.

    Args:
        typed: The key, or the field.
        value: Text as typed, or a value in whatever type it came.
        style: Its extra parts may be supplied, too.

    Raises:
        ValueError: It is not a key that names are made of, or the key cannot have this value.

    >>> supplied("reg", "1", Style())
    ('reg_granularity_prune', 1.0)
    """
    kinds = {**RSST.kinds, **dict(style.parts.values())}
    key = KEYS.get(typed, typed)
    if key not in kinds:
        raise ValueError(unknown(typed, [*kinds, *(name for name in KEYS if name not in kinds)]))
    kind, field = kinds[key], RSST.by_key.get(key)
    try:
        canonical = kind.parse(value)
        if field is not None and not field.is_sensible(canonical):
            raise ValueError
    except ValueError:
        raise ValueError(
            f"{shown(value)} is not a valid {typed}: {_allowed(kind, field)}"
        ) from None
    return key, canonical


def allowed(key: str) -> str:
    """What can be written as a value of an argument."""
    return _allowed(RSST.kinds.get(key, PART), RSST.by_key.get(key))


def _allowed(kind: Kind, field: Field | None) -> str:
    """What the values of a kind, or of a field with a range, may be."""
    if kind.words:
        return f"write one of {', '.join(kind.words)}"
    if kind not in _ALLOWED:
        return "write a word without white space"
    if field is None or field.least is None:
        return f"write a {_ALLOWED[kind]}"
    upwards = f"of at least {field.least}"
    reach = upwards if field.most is None else f"between {field.least} and {field.most}"
    return f"write a {_ALLOWED[kind]} {reach}"


def parse_assume(pair: str) -> tuple[str, str]:
    """`--assume KEY=VALUE` in its two parts; InputError where it has not got two."""
    key, equals, text = pair.partition("=")
    if not equals:
        raise InputError(f"--assume {scrub(pair)}: write KEY=VALUE, as in rate=0.15.")
    return key.strip(), text


def option_rules(
    assume: Iterable[tuple[str, object]], prefer: str | None, style: Style
) -> Iterator[Rule]:
    """`--assume` and `--prefer`, which are rules for any run.

    Args:
        assume: Config key or field, and value.
        prefer: The side to take where name and config disagree.
        style: Its extra parts may be assumed, too.

    Raises:
        InputError: One of them is not valid.
    """
    assumed: dict[str, object] = {}
    for typed, value in assume:
        option = f"--assume {typed}={value}"
        try:
            key, canonical = supplied(typed, value, style)
        except ValueError as error:
            raise InputError(f"{scrub(option)}: {sentence(str(error))}") from None
        if assumed.setdefault(key, canonical) != canonical:
            raise InputError(f"--assume gives {key} two values.")
        yield Rule(Where(), RuleSource(option=option), assume={key: canonical})
    if prefer is not None:
        source = RuleSource(option=f"--prefer {prefer}")
        yield Rule(Where(), source, prefer=_side(prefer, source.option))


def _where(table: Table, timezone: tzinfo) -> Where:
    for key, value in table.values.items():
        if value == []:  # without it the rule would be for every run
            table.fail(key, "the list is empty, so that no run matches")
    name = table.text("name")
    try:
        pattern = None if name is None else parse_regex(name)
    except ValueError as error:
        table.fail("name", str(error))
    return Where(
        projects=frozenset(_projects(table)),
        runs=frozenset(table.texts("runs")),
        name=pattern,
        before=_moment(table, "before", timezone),
        after=_moment(table, "after", timezone),
        families=_of(table, "family", FAMILIES),
        states=frozenset(table.texts("state")),
        reasons=_of(table, "reason", REVIEW_CODES),
        values={
            key: frozenset(_compared(table, key)) for key in table.values if key not in WHERE_KEYS
        },
    )


def _projects(table: Table) -> Iterator[str]:
    for path in table.texts("project"):
        try:
            yield str(parse_path(path))
        except InputError as error:
            raise InputError(f"{table.place}: project: {error}") from None


def _of(table: Table, key: str, known: tuple[str, ...]) -> frozenset[str]:
    words = table.texts(key)
    for word in words:
        if word not in known:
            table.fail(key, f"{shown(word)} is not one of {', '.join(known)}")
    return frozenset(words)


def _moment(table: Table, key: str, timezone: tzinfo) -> datetime | None:
    """A time, aware; a date is its first moment."""
    value = table.values.get(key)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = value
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if moment is not None and not isinstance(moment, datetime):
        table.fail(key, f"{shown(value)} is not a time: write 2025-09-01 or 2025-09-01T14:30:00Z")
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=timezone)


def _compared(table: Table, key: str) -> Iterator[object]:
    value = table.values[key]
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str | bool | int | float):
            table.fail(key, f"{shown(item)} is neither a text nor a number")
        yield comparable(key, item)


def _values(table: Table, style: Style) -> Mapping[str, object]:
    values = {}
    for typed, value in table.values.items():
        if isinstance(value, list | dict):
            table.fail(typed, f"{shown(value)} is not a single value")
        try:
            key, canonical = supplied(typed, value, style)
        except ValueError as error:
            raise InputError(f"{table.place}: {sentence(str(error))}") from None
        if key in values:
            raise InputError(f"{table.place}: {key} is given twice.")
        values[key] = canonical
    return values


def _side(text: str, place: str) -> Side:
    for side in SIDES:
        if text == side:
            return side
    raise InputError(f"{place}: {shown(text)} is neither name nor config.")

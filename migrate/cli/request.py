"""What was asked for: options as they were typed, parsed into values. Needs no typer."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, Literal

from migrate.cli.training_flags import read_style
from migrate.client.paths import parse_filters
from migrate.errors import InputError, scrub
from migrate.mapping.mapping import Options
from migrate.mapping.projects import Which
from migrate.mapping.rows import RuleSource
from migrate.mapping.rules import Rule, Where
from naming import GUIDE_STYLE, KEYS, RSST, VOCABULARY, zone

NOT_ABOUT_THE_PLAN = ("--base-url", "--against", "--include-running")


@dataclass(frozen=True, slots=True)
class Request:
    """The options that audit, report and rename share, as they were typed."""

    base_url: str | None = None
    against: str | None = None
    filters: str | None = None
    match: str | None = None
    include_running: bool = False
    timezone: str = "UTC"
    timestamp_format: str = GUIDE_STYLE.timestamp_format
    extra: str = ""
    cnn_exponents: bool = False
    assume: list[str] | None = None
    prefer: Literal["name", "config"] | None = None
    arch: list[str] | None = None
    dataset: list[str] | None = None

    def options(self) -> Options:
        """What the options say about the mapping; InputError where one is not valid."""
        if self.prefer not in (None, "name", "config"):  # in a notebook: typer sees to it elsewhere
            raise InputError(f"--prefer {self.prefer!r}: write name or config.")
        style = read_style(self.timestamp_format, self.extra, self.cnn_exponents)
        try:
            timezone = zone(self.timezone)
        except ValueError as error:
            raise InputError(f"--timezone: {error}.") from None
        return Options(
            style=style,
            timezone=timezone,
            vocabulary=VOCABULARY.extended(self.arch or (), self.dataset or ()),
            include_running=self.include_running,
            rules=tuple(self._rules()),
        )

    def _rules(self) -> Iterator[Rule]:
        """`--assume` and `--prefer`, which are rules for any run."""
        assumed: dict[str, object] = {}
        for pair in self.assume or ():
            key, value = parse_assume(pair)
            if assumed.setdefault(key, value) != value:
                raise InputError(f"--assume gives {key} two values.")
            yield Rule(Where(), RuleSource(option=f"--assume {pair}"), assume={key: value})
        if self.prefer is not None:
            source = RuleSource(option=f"--prefer {self.prefer}")
            yield Rule(Where(), source, prefer=self.prefer)

    def which(self) -> Which:
        """`--filters` and `--match`; InputError where one is not valid."""
        filters = None if self.filters is None else parse_filters(self.filters)
        try:
            with warnings.catch_warnings(action="ignore"):  # of what a later Python may read else
                return Which(filters, re.compile(self.match) if self.match else None)
        except (re.error, RecursionError, OverflowError, ValueError) as error:
            raise InputError(
                f"--match {scrub(repr(self.match))} is not a valid regular expression: {error}."
            ) from None

    def words(self, *, about_the_plan: bool = True) -> list[str]:
        """The options given, for another command: all, or those that rename takes with --plan."""
        words: list[str] = []
        for name, value in self._given():
            if about_the_plan or name in NOT_ABOUT_THE_PLAN:
                for part in value if isinstance(value, list) else [value]:
                    words += [name] if part is True else [name, part]
        return words

    def about_the_plan(self) -> list[str]:
        """The options given that decide what a plan holds."""
        return [name for name, _ in self._given() if name not in NOT_ABOUT_THE_PLAN]

    def _given(self) -> Iterator[tuple[str, Any]]:
        for option in fields(self):
            value = getattr(self, option.name)
            if value not in (option.default, []):
                yield f"--{option.name.replace('_', '-')}", value


def choices(option: str, typed: Sequence[str], known: Sequence[str]) -> frozenset[str]:
    """The values of a repeatable option (`status`) that takes one of a few words.

    Raises:
        InputError: A word is not among the known ones; the nearest of those is named.
    """
    for word in typed:
        if word not in known:
            near = get_close_matches(word, known, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise InputError(
                f"--{option}: {word!r} is not a known {option}{meant} (known: {', '.join(known)})."
            )
    return frozenset(typed)


def parse_assume(pair: str) -> tuple[str, object]:
    """`--assume KEY=VALUE`, with a field's name (`reg`) as good as its key.

    Raises:
        InputError: It is malformed, its key is not one that names are made of, or its value is
            not one that the key can have.
    """
    typed, equals, text = pair.partition("=")
    key = KEYS.get(typed.strip(), typed.strip())
    if not equals or key not in RSST.kinds:
        raise InputError(
            f"--assume {pair!r}: write KEY=VALUE, with KEY one of {', '.join(RSST.kinds)}."
        )
    try:
        return key, RSST.kinds[key].parse(text)
    except ValueError:
        raise InputError(f"--assume {pair!r}: {text!r} is not a valid {typed.strip()}.") from None

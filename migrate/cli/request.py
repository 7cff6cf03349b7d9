"""What was asked for: options as they were typed, parsed into values. Needs no typer."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Literal

from migrate.cli.training_flags import read_style
from migrate.client.paths import parse_filters
from migrate.errors import InputError, scrub
from migrate.mapping.mapping import Rules
from migrate.mapping.projects import Which
from naming import CONFIG_KEYS, GUIDE_STYLE, KEYS, VOCABULARY, read_fields, zone


@dataclass(frozen=True, slots=True)
class Request:
    """The options that audit, report and rename share, as they were typed."""

    base_url: str | None = None
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

    def rules(self) -> Rules:
        """What the options say about the mapping; InputError where one is not valid."""
        if self.prefer not in (None, "name", "config"):  # in a notebook: typer sees to it elsewhere
            raise InputError(f"--prefer {self.prefer!r}: write name or config.")
        style = read_style(self.timestamp_format, self.extra, self.cnn_exponents)
        try:
            timezone = zone(self.timezone)
        except ValueError as error:
            raise InputError(f"--timezone: {error}.") from None
        return Rules(
            style=style,
            timezone=timezone,
            assume=parse_assume(self.assume or ()),
            prefer=self.prefer,
            vocabulary=VOCABULARY.extended(self.arch or (), self.dataset or ()),
            include_running=self.include_running,
        )

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

    def about_the_plan(self) -> list[str]:
        """The options given that decide what a plan holds."""
        return [
            f"--{option.name.replace('_', '-')}"
            for option in fields(self)
            if option.name not in ("base_url", "include_running")
            and getattr(self, option.name) not in (option.default, [])
        ]


def choices(option: str, typed: Sequence[str], known: Sequence[str]) -> frozenset[str]:
    """The values of a repeatable option that takes one of a few words.

    Raises:
        InputError: A word is not among the known ones; the nearest of those is named.
    """
    for word in typed:
        if word not in known:
            near = get_close_matches(word, known, 1)
            meant = f"did you mean {near[0]}? Known are" if near else "known are"
            raise InputError(f"{option} {word!r}: {meant} {', '.join(known)}.")
    return frozenset(typed)


def parse_assume(pairs: Sequence[str]) -> dict[str, object]:
    """`--assume KEY=VALUE`, with a field's name (`reg`) as good as its key.

    Raises:
        InputError: A pair is malformed, its key is not one that names are made of, or its value is
            not one that the key can have.
    """
    assumed: dict[str, object] = {}
    for pair in pairs:
        typed, equals, value = pair.partition("=")
        key = KEYS.get(typed.strip(), typed.strip())
        if not equals or key not in CONFIG_KEYS or key == "exp_name":
            keys = ", ".join(known for known in CONFIG_KEYS if known != "exp_name")
            raise InputError(f"--assume {pair!r}: write KEY=VALUE, with KEY one of {keys}.")
        alone: dict[str, object] = {key: value}
        if key == "vit_prune_target":
            alone["vit_structured"] = True
        if read_fields(alone).invalid:
            raise InputError(f"--assume {pair!r}: {value!r} is not a valid {typed.strip()}.")
        if assumed.get(key, value) != value:
            raise InputError(f"--assume gives {key} two values.")
        assumed[key] = value
    return assumed

"""What was asked for: options as they were typed, parsed into values. Needs no typer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC
from typing import Any, Literal

from migrate.cli.config_file import config_file
from migrate.cli.rules import file_rules, option_rules, parse_assume, parse_regex
from migrate.cli.training_flags import read_style, read_words, read_zone
from migrate.client.paths import parse_filters
from migrate.errors import InputError
from migrate.mapping.mapping import Options
from migrate.mapping.projects import Which
from migrate.text import did_you_mean
from naming import VOCABULARY


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks for, with what the configuration file says, as values.

    Attributes:
        paths: The PATHs, at least one.
        options: How to map them.
        which: The runs to choose.
        known_archs: The architectures that were declared as known.
        known_datasets: The datasets that were declared as known.
    """

    paths: tuple[str, ...]
    options: Options
    which: Which
    known_archs: tuple[str, ...]
    known_datasets: tuple[str, ...]


NOT_ABOUT_THE_PLAN = ("--base-url", "--against", "--include-running", "--config")


@dataclass(frozen=True, slots=True)
class Request:
    """The options that audit, report and rename share, as they were typed; None: not given."""

    base_url: str | None = None
    against: str | None = None
    filters: str | None = None
    match: str | None = None
    include_running: bool = False
    timezone: str | None = None
    timestamp_format: str | None = None
    extra: str | None = None
    cnn_exponents: bool = False
    assume: list[str] | None = None
    prefer: Literal["name", "config"] | None = None
    known_arch: list[str] | None = None
    known_dataset: list[str] | None = None
    config: str | None = None

    def asked(self, paths: Sequence[str]) -> Asked:
        """What the options, these PATHs and the configuration file say together.

        Raises:
            InputError: One of them is not valid, or there is no PATH.
        """
        config = config_file(self.config)
        paths = tuple(paths or config.projects)
        if not paths:
            raise InputError(
                f"Give a project as entity/project, or list some as `projects` in {config.name}."
            )
        archs = (*config.known_archs, *read_words("--known-arch", self.known_arch or ()))
        datasets = (
            *config.known_datasets,
            *read_words("--known-dataset", self.known_dataset or ()),
        )
        style = read_style(config, self.timestamp_format, self.extra, self.cnn_exponents)
        timezone = read_zone(config, self.timezone) or UTC
        options = Options(
            style=style,
            timezone=timezone,
            vocabulary=VOCABULARY.extended(archs, datasets),
            include_running=self.include_running,
            # Of two rules that give the same value the later one wins: options over the file.
            rules=(
                *file_rules(config, timezone, style),
                *option_rules(map(parse_assume, self.assume or ()), self.prefer, style),
            ),
        )
        return Asked(paths, options, self.which(), archs, datasets)

    def which(self) -> Which:
        """`--filters` and `--match`; InputError where one is not valid."""
        filters = None if self.filters is None else parse_filters(self.filters)
        try:
            return Which(filters, parse_regex(self.match) if self.match else None)
        except ValueError as error:
            raise InputError(f"--match {error}.") from None

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
            near = did_you_mean(word, known, "")
            meant = f"; {near}" if near else ""
            raise InputError(
                f"--{option}: {word!r} is not a known {option}{meant} (known: {', '.join(known)})."
            )
    return frozenset(typed)

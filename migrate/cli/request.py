"""What was asked for: options as they were typed, parsed into values. Needs no typer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC
from pathlib import Path
from typing import Any, Literal, NamedTuple

from migrate.cli.config_file import config_file, read, read_path, with_options
from migrate.cli.rules import file_rules, option_rules, parse_regex
from migrate.client.paths import ProjectPath, parse_filters
from migrate.errors import InputError
from migrate.mapping.mapping import Options
from migrate.mapping.projects import Which


class Asked(NamedTuple):
    """What a call asks for, with what the configuration file says, as values."""

    paths: tuple[Path | ProjectPath, ...]
    options: Options
    which: Which
    known_archs: tuple[str, ...]
    known_datasets: tuple[str, ...]


NOT_ABOUT_THE_PLAN = ("--base-url", "--against", "--include-running", "--config")


@dataclass(frozen=True, slots=True)
class Request:
    """The PATHs and options that several commands share, as they were typed; None: not given.

    `migrate.plan()` gives Python values where there are such.
    """

    paths: list[str] | None = None
    base_url: str | None = None
    against: str | None = None
    filters: str | Mapping[str, object] | None = None
    match: str | re.Pattern[str] | None = None
    include_running: bool = False
    timezone: str | None = None
    timestamp_format: str | None = None
    extra: str | None = None
    cnn_exponents: bool = False
    assume: list[str] | Mapping[str, object] | None = None
    prefer: Literal["name", "config"] | None = None
    known_arch: list[str] | None = None
    known_dataset: list[str] | None = None
    config: str | None = None

    def asked(self) -> Asked:
        """What these and the configuration file say together.

        Raises:
            InputError: One of them is not valid, or there is no PATH.
        """
        file = config_file(self.config)
        config = with_options(file, self)
        paths = tuple(map(read_path, self.paths or ())) or config.projects
        if not paths:
            raise InputError(
                f"Give a project as entity/project, or list some as `projects` in {config.name}."
            )
        options = Options(
            style=config.style,
            timezone=config.timezone or UTC,
            vocabulary=config.vocabulary,
            include_running=self.include_running,
            # Of two rules that give the same value the later one wins: options over the file.
            rules=(
                *file_rules(config, file.style),
                *option_rules(self.assume or (), self.prefer, config.style),
            ),
        )
        filters, match = self.filters, self.match
        which = Which(
            None if filters is None else parse_filters(filters),
            read("--match", parse_regex, match) if match else None,
        )
        return Asked(paths, options, which, config.known_archs, config.known_datasets)

    def words(self, *, about_the_plan: bool = True) -> list[str]:
        """What was given, for another command: all, or the options that go with --plan."""
        words = [*(self.paths or ())] if about_the_plan else []
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
            if option.name != "paths" and value not in (option.default, []):
                yield f"--{option.name.replace('_', '-')}", value

"""From a source to rows: list the projects, map them, keep what was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migrate.client.runs import Run
from migrate.client.source import Source
from migrate.console import Progress, no_progress
from migrate.errors import InputError
from migrate.mapping.made_with import made_with
from migrate.mapping.mapping import Options, Survey
from migrate.mapping.rows import Row
from migrate.mapping.rules import idle_rules


@dataclass(frozen=True, slots=True)
class Which:
    """The runs that were asked for.

    Attributes:
        filters: Those that match W&B filters; None for all.
        match: Those whose old name matches this (anywhere, as `search`); None for all.
        statuses: Those whose row has one of these; empty for all.
        codes: Those whose row has a reason of one of these codes; empty for all.
    """

    filters: Mapping[str, object] | None = None
    match: re.Pattern[str] | None = None
    statuses: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()

    def given(self) -> dict[str, object]:
        """Option to value, as JSON has it; None or empty where it was not given."""
        return {
            "filters": self.filters,
            "match": self.match and self.match.pattern,
            "status": sorted(self.statuses),
            "reason": sorted(self.codes),
        }

    def has(self, row: Row) -> bool:
        """Whether a row is asked for, as far as the row can tell."""
        return (
            (self.match is None or bool(self.match.search(row.old_name)))
            and (not self.statuses or row.status in self.statuses)
            and (not self.codes or not self.codes.isdisjoint(row.codes))
        )


@dataclass(frozen=True, slots=True)
class Mapped:
    """A project.

    Attributes:
        survey: All of it, without rules.
        rows: A row for each of its runs, with the rules of the options.
        chosen: Those that were asked for.
        idle: The places of the rules that match none of its runs in review, and whether each
            matches others.
        absent: The arguments of extra parts that none of its runs has.
        made_with: The options and the rules in force.
    """

    project: Source
    survey: Survey
    rows: list[Row]
    chosen: list[Row]
    idle: Mapping[int, bool]
    absent: frozenset[str]
    made_with: Mapping[str, Any]


def read_projects(
    projects: Sequence[Source],
    options: Options,
    which: Which,
    progress: Progress = no_progress,
) -> list[Mapped]:
    """List and map the projects.

    Every project is listed whole, whatever part of it is asked for: a new name must be free in
    all of it. With filters a second, light listing says which runs pass.

    Raises:
        InputError: A project is named twice, or the server refuses the filters.
        ServerError: A listing failed.
    """
    if len({project.key for project in projects}) != len(projects):
        raise InputError("A project is named twice.")
    mapped = []
    made = made_with(options, which.given())
    for project in projects:
        runs = list_runs(project, progress)
        survey = Survey(runs, options, project.taken)
        rows = survey.with_rules(survey.options.rules)
        chosen = [row for row in rows if which.has(row)]
        if which.filters is not None:
            with progress(f"Filtering {project.key}") as bar:
                passing = project.matching(which.filters, bar)
            chosen = [row for row in chosen if row.key.run_id in passing]
        idle = idle_rules(options.rules, runs, survey.rows, options.vocabulary)
        there = {
            key for run in runs for key, value in (run.config or {}).items() if value is not None
        }
        absent = frozenset(key for key, _ in options.style.parts.values() if key not in there)
        mapped.append(Mapped(project, survey, rows, chosen, idle, absent, made))
    return mapped


def list_runs(project: Source, progress: Progress = no_progress) -> list[Run]:
    """Every run of a project."""
    runs: list[Run] = []
    with progress(f"Listing {project.key}") as bar:
        for page in project.pages(bar.note):
            runs.extend(page.runs)
            bar.advance(len(runs), page.total)
        bar.advance(len(runs), len(runs))
    return runs

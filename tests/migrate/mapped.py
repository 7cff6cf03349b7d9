"""A project mapped in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from migrate.client.runs import Run
from migrate.mapping.mapping import Options, Survey
from migrate.mapping.rows import Row


def map_runs(
    runs: Sequence[Run], options: Options | None = None, taken: Iterable[str] = ()
) -> list[Row]:
    """The rows of a project with the rules of the options."""
    survey = Survey(runs, options or Options(), taken)
    return survey.with_rules(survey.options.rules)

"""What a report that people read says besides its rows. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from migrate.client.runs import ProjectKey
from migrate.console import command_line
from migrate.mapping.rows import Row

if TYPE_CHECKING:
    from migrate.mapping.references import References

PLAN = "rsst-plan.csv"
"""What the page names the plan that it saves."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rows come from.

    Attributes:
        app_url: Where people see the server's pages; never with a slash at the end.
        read_at: When the rows were read.
        projects: What was read, and how many runs are there: of some there may be no row.
        references: What else goes by the names, where it was looked for.
        made_with: The options and the rules that the rows were made with.
        rename: The command for a plan that was saved as `PLAN`.
    """

    app_url: str
    read_at: datetime
    projects: Mapping[ProjectKey, int] = field(default_factory=dict)
    references: Sequence[References] | None = None
    made_with: Mapping[str, Any] | None = None
    rename: str = command_line("rename", "--plan", PLAN)

    def parts(self, rows: Iterable[Row]) -> list[tuple[str, int, int]]:
        """The projects that have more runs than rows: `entity/project`, rows, runs."""
        counts = Counter(row.key.where for row in rows)
        return [
            (str(project), counts[project], runs)
            for project, runs in self.projects.items()
            if counts[project] < runs
        ]

"""Rows in, an audit out: what is in a project, and what needs attention. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from migrate.client.runs import ProjectKey
from migrate.mapping.kinds import Kind
from migrate.mapping.rows import OLD, STATUSES, Reason, Row
from migrate.report.words import clause
from naming import advise

_NEEDS_ATTENTION = ("review", "hold")


class ReasonCount(NamedTuple):
    """How many runs of a status have a reason."""

    status: str
    reason: Reason
    runs: int

    @property
    def text(self) -> str:
        """The reason in words."""
        return clause(self.reason)


class Pair(NamedTuple):
    """How many runs there are of an architecture on a dataset; None where it is not known."""

    arch: str | None
    dataset: str | None
    runs: int


class SharedName(NamedTuple):
    """A name that several runs of a project (`entity/project`) bear."""

    project: str
    name: str
    run_ids: tuple[str, ...]


class Picked(NamedTuple):
    """A custom name, and the guide's advice on it."""

    project: str
    run_id: str
    name: str
    advice: tuple[str, ...]


class Week(NamedTuple):
    """How many runs of an ISO week (`2026-W02`, by created_at in UTC) have which format."""

    week: str
    legacy: int
    current: int
    custom: int


@dataclass(frozen=True, slots=True)
class Audit:
    """What is in a project, or in several together.

    Attributes:
        project: `entity/project`, or `all` for several.
        runs: How many runs there are.
        statuses: Status to the number of runs, every status there.
        reasons: Why runs need attention (review, hold), most frequent first.
        pairs: Runs by architecture and dataset, most frequent first.
        shared: Names that several runs bear.
        picked: Custom names that the guide advises against.
        gaps: The kinds of runs that lack a value.
        weeks: Runs by week and format of the name.
    """

    project: str
    runs: int
    statuses: dict[str, int]
    reasons: tuple[ReasonCount, ...]
    pairs: tuple[Pair, ...]
    shared: tuple[SharedName, ...]
    picked: tuple[Picked, ...]
    gaps: tuple[Kind, ...]
    weeks: tuple[Week, ...]

    @property
    def old_names(self) -> int:
        """How many runs still have an old name, whatever can be done about it."""
        return sum(self.statuses[status] for status in OLD)

    def to_dict(self) -> dict[str, object]:
        """The audit as plain data, for JSON."""
        return {
            "project": self.project,
            "runs": self.runs,
            "statuses": self.statuses,
            "reasons": [{**count._asdict(), "reason": count.text} for count in self.reasons],
            "pairs": [pair._asdict() for pair in self.pairs],
            "shared": [name._asdict() for name in self.shared],
            "picked": [run._asdict() for run in self.picked],
            "gaps": [_gap(kind) for kind in self.gaps],
            "weeks": [week._asdict() for week in self.weeks],
        }


def _gap(kind: Kind) -> dict[str, object]:
    """A kind of runs that lack a value, and what other runs of the kind have."""
    return {
        "key": kind.key,
        **(kind.group._asdict() if kind.group else {}),
        "runs": len(kind.cases),
        "others": [{"value": value, "runs": runs} for value, runs in kind.others],
        "suggested": kind.suggested,
    }


def audit(project: str, rows: Sequence[Row], kinds: Iterable[Kind] = ()) -> Audit:
    """Sum up the rows of a project, or of several projects together.

    Args:
        project: `entity/project`, or `all` for several.
        rows: The rows.
        kinds: The kinds of those in review.
    """
    statuses = Counter(row.status for row in rows)
    reasons = Counter(
        # Which of the states it is does not matter here: a count for all that are not over.
        (row.status, Reason("running") if reason.code == "running" else reason)
        for row in rows
        if row.status in _NEEDS_ATTENTION
        for reason in row.reasons
    )
    pairs = Counter((_word(row, "arch"), _word(row, "dataset")) for row in rows)
    return Audit(
        project=project,
        runs=len(rows),
        statuses={status: statuses[status] for status in STATUSES},
        reasons=tuple(ReasonCount(*key, runs) for key, runs in reasons.most_common()),
        pairs=tuple(Pair(arch, dataset, runs) for (arch, dataset), runs in pairs.most_common()),
        shared=_shared(rows),
        picked=tuple(_picked(rows)),
        gaps=tuple(kind for kind in kinds if kind.problem.code == "missing" and kind.group),
        weeks=_weeks(rows),
    )


def _word(row: Row, field: str) -> str | None:
    value = row.fields.get(field)
    return None if value is None else str(value)


def _shared(rows: Iterable[Row]) -> tuple[SharedName, ...]:
    bearers: dict[tuple[ProjectKey, str], list[str]] = defaultdict(list)
    for row in rows:
        bearers[row.key.where, row.old_name].append(row.key.run_id)
    shared = [
        SharedName(str(project), name, tuple(ids))
        for (project, name), ids in bearers.items()
        if len(ids) > 1
    ]
    return tuple(sorted(shared, key=lambda name: (-len(name.run_ids), name.name)))


def _picked(rows: Iterable[Row]) -> Iterable[Picked]:
    for row in rows:
        if row.status == "custom":
            advice = tuple(advice.text for advice in advise(row.old_name))
            near_miss = tuple(clause(why) for why in row.reasons if why.code == "near-miss")
            if advice or near_miss:
                yield Picked(str(row.key.where), row.key.run_id, row.old_name, near_miss or advice)


def _weeks(rows: Iterable[Row]) -> tuple[Week, ...]:
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.created_at is not None:
            year, week, _ = row.created_at.isocalendar()
            name_format = "legacy" if row.status in OLD else row.status
            counted[f"{year:04}-W{week:02}"][name_format] += 1
    return tuple(
        Week(week, counts["legacy"], counts["current"], counts["custom"])
        for week, counts in sorted(counted.items())
    )

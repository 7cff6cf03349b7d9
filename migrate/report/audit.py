"""Rows in, an audit out: what is in a project, and what needs attention. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from migrate.client.runs import ProjectKey
from migrate.mapping.kinds import Group, Kind
from migrate.mapping.rows import OLD, STATUSES, Reason, Row
from migrate.report.words import clause
from naming import advise

_NEEDS_ATTENTION = ("review", "hold")


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many runs of a status have a reason."""

    status: str
    reason: Reason
    runs: int

    @property
    def text(self) -> str:
        """The reason in words."""
        return clause(self.reason)


@dataclass(frozen=True, slots=True)
class Pair:
    """How many runs there are of an architecture on a dataset; None where it is not known."""

    arch: str | None
    dataset: str | None
    runs: int


@dataclass(frozen=True, slots=True)
class SharedName:
    """A name that several runs of a project (`entity/project`) bear."""

    project: str
    name: str
    run_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picked:
    """A custom name, and the guide's advice on it."""

    project: str
    run_id: str
    name: str
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A config key that runs of a kind lack, and what other runs of this kind have.

    Attributes:
        key: The config key.
        group: Their struct, family (or architecture, where no family has it) and schedule.
        runs: How many runs lack it.
        others: The values that other runs have with how many have it, the most frequent first.
        suggested: The value that all the others have; None where they have none, or several.
    """

    key: str
    group: Group
    runs: int
    others: tuple[tuple[object, int], ...]
    suggested: object

    def to_dict(self) -> dict[str, object]:
        """The gap as plain data, for JSON."""
        others = [{"value": value, "runs": runs} for value, runs in self.others]
        found = {"key": self.key, **self.group._asdict(), "runs": self.runs}
        return {**found, "others": others, "suggested": self.suggested}


@dataclass(frozen=True, slots=True)
class Week:
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
        gaps: Config keys that are missing, by kind of run.
        weeks: Runs by week and format of the name.
    """

    project: str
    runs: int
    statuses: dict[str, int]
    reasons: tuple[ReasonCount, ...]
    pairs: tuple[Pair, ...]
    shared: tuple[SharedName, ...]
    picked: tuple[Picked, ...]
    gaps: tuple[Gap, ...]
    weeks: tuple[Week, ...]

    @property
    def old_names(self) -> int:
        """How many runs still have an old name, whatever can be done about it."""
        return sum(self.statuses[status] for status in OLD)

    def to_dict(self) -> dict[str, object]:
        """The audit as plain data, for JSON."""
        reasons = [
            {"status": count.status, "reason": count.text, "runs": count.runs}
            for count in self.reasons
        ]
        return {**asdict(self), "reasons": reasons, "gaps": [gap.to_dict() for gap in self.gaps]}


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
        gaps=tuple(_gaps(kinds)),
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


def _gaps(kinds: Iterable[Kind]) -> Iterable[Gap]:
    for kind in kinds:
        if kind.problem.code == "missing" and kind.key is not None and kind.group is not None:
            yield Gap(kind.key, kind.group, len(kind.cases), kind.others, kind.suggested)


def _weeks(rows: Iterable[Row]) -> tuple[Week, ...]:
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.created_at is not None:
            year, week, _ = row.created_at.isocalendar()
            name_format = "legacy" if row.status in OLD else row.status
            counted[f"{year}-W{week:02d}"][name_format] += 1
    return tuple(
        Week(week, counts["legacy"], counts["current"], counts["custom"])
        for week, counts in sorted(counted.items())
    )

"""Kinds of what keeps runs in review: what one answer can settle, and what speaks for one. Pure.

A kind is a problem with the fields that decide its answer. A missing number is decided by struct,
family and schedule, a wrong word by the word itself, a conflict by its field and the two sides. So
a run with several problems is of several kinds, and each of them is asked about once.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from migrate.client.runs import ProjectKey
from migrate.mapping.mapping import Survey
from migrate.mapping.rows import Reason, Row
from migrate.mapping.rules import Subject
from migrate.text import with_blanks_visible
from naming import KEYS, RSST, Vocabulary
from naming.scheme import Field

Code = Literal[
    "missing", "invalid", "conflict", "ambiguous", "too-long", "unseen", "new-name", "stuck"
]


class Group(NamedTuple):
    """Runs that are likely to share their numbers.

    Attributes:
        arch: The architecture of runs of the family `other`, which is a group by itself; else None.
        schedule: Where the new names of their struct have one; else None.
    """

    struct: str
    family: str
    arch: str | None
    schedule: str | None


class Problem(NamedTuple):
    """What a run is in review for, as far as one answer can settle it.

    Attributes:
        code: What it is. `unseen` and `new-name` are the two cases of `invalid` that a shorter or
            plainer word settles; `stuck` is what no rule does.
        data: `missing`: (config key,). `invalid`: (config key, value as Python writes it).
            `conflict`: for each field (field, in the name, in the config); of several fields the
            name's sides are None, since the config is then another run's, whatever the name says.
            `ambiguous`: the text that can be split in several ways, `arch_dataset`.
            `too-long`, `unseen`, `new-name`: (config key, value) of the word to replace.
            `stuck`: what is wrong, as `Reason` has it for `invalid`.
    """

    code: Code
    data: tuple[Any, ...]

    @property
    def reason(self) -> str:
        """The code of the reason that it comes from."""
        return "invalid" if self.code in ("unseen", "new-name", "stuck") else self.code


class Case(NamedTuple):
    """A run of a kind: as rules see it, and its row with the rules so far."""

    subject: Subject
    row: Row


@dataclass(frozen=True, slots=True)
class Kind:
    """A problem, and all the runs for which one answer settles it.

    Attributes:
        group: Their group, where it decides the answer; else None.
        where: What the runs have in common for a rule's `where`, by its keys.
        cases: The runs, in order of creation.
        others: The values that other runs of the same groups have, the most frequent first.
    """

    problem: Problem
    group: Group | None
    where: tuple[tuple[str, object], ...]
    cases: tuple[Case, ...]
    others: tuple[tuple[object, int], ...] = ()

    @property
    def identity(self) -> tuple[object, ...]:
        """What it is known by from one answer to the next."""
        return self.problem, self.group, self.where

    @property
    def key(self) -> str | None:
        """The config key that a value settles it for; None where it takes something else."""
        if self.problem.code == "conflict" and len(self.problem.data) == 1:
            return KEYS[self.problem.data[0][0]]
        if self.problem.code in ("conflict", "ambiguous", "stuck"):
            return None
        return str(self.problem.data[0])

    @property
    def is_about_a_word(self) -> bool:
        """Whether another architecture or dataset settles it."""
        return self.problem.code in ("too-long", "unseen", "new-name")

    @property
    def suggested(self) -> object:
        """The value that all the other runs have; None where they have none, or several."""
        return self.others[0][0] if len(self.others) == 1 else None

    @property
    def projects(self) -> tuple[ProjectKey, ...]:
        """The projects of its runs."""
        return tuple(dict.fromkeys(case.row.key.where for case in self.cases))


class Kinds:
    """Finds the kinds of some projects; what their other runs have is counted once."""

    def __init__(self, surveys: Mapping[ProjectKey, Survey]) -> None:
        self._surveys = surveys
        self._counted: dict[tuple[ProjectKey, str], Mapping[Group, Counter[object]]] = {}

    def find(self, rows: Iterable[Row]) -> list[Kind]:
        """The kinds of what keeps rows of these projects in review, those with most runs first."""
        found: dict[tuple[Any, ...], list[Case]] = defaultdict(list)
        for row in rows:
            if row.status != "review":
                continue
            survey = self._surveys[row.key.where]
            case = Case(survey.subjects[row.key], row)
            vocabulary = survey.options.vocabulary
            for problem in _ready(row, vocabulary):
                group = group_of(row, vocabulary) if _by_group(problem) else None
                where = tuple(_where(problem, group, case.subject))
                found[problem, group, where].append(case)
        kinds = [
            Kind(problem, group, where, tuple(cases), self._others(problem, cases))
            for (problem, group, where), cases in found.items()
        ]
        return sorted(kinds, key=lambda kind: (-len(kind.cases), str(kind.identity)))

    def _others(self, problem: Problem, cases: Sequence[Case]) -> tuple[tuple[object, int], ...]:
        field = _field(problem)
        if field is None:
            return ()
        groups = {
            (where, group_of(case.row, self._surveys[where].options.vocabulary, but=field.name))
            for case in cases
            for where in [case.row.key.where]
        }
        counts: Counter[object] = Counter()
        for where, group in groups:
            if group is not None:
                counts += self._count(where, field.name).get(group, Counter())
        return tuple(sorted(counts.items(), key=lambda item: (-item[1], str(item[0]))))

    def _count(self, where: ProjectKey, field: str) -> Mapping[Group, Counter[object]]:
        """What the runs of each group have for a field, by what they say themselves."""
        if (where, field) not in self._counted:
            survey, counts = self._surveys[where], defaultdict[Group, Counter[object]](Counter)
            for row in survey.rows:
                if (value := row.fields.get(field)) is not None:
                    group = group_of(row, survey.options.vocabulary, but=field)
                    if group is not None:
                        counts[group][value] += 1
            self._counted[where, field] = counts
        return self._counted[where, field]


def problems(row: Row) -> Iterator[Problem]:
    """What a row is in review for."""
    for reason in row.reasons:
        match reason.code:
            case "missing":
                yield from (Problem("missing", (key,)) for key in reason.data)
            case "conflict":
                several = len(reason.data) > 1
                data = [(field, None if several else a, b) for field, a, b in reason.data]
                yield Problem("conflict", tuple(data))
            case "ambiguous":
                yield Problem("ambiguous", ("_".join(reason.data[0]),))
            case "too-long":
                yield Problem("too-long", _longest_word(row))
            case "invalid":
                yield from _invalid(row, reason)


def _invalid(row: Row, reason: Reason) -> Iterator[Problem]:
    for what, *value in reason.data:
        if what == "unseen":
            words = [(key, row.fields.get(key)) for key in ("arch", "dataset")]
            seen = [word for word in words if with_blanks_visible(str(word[1])) != str(word[1])]
            yield Problem("unseen", seen[0]) if seen else Problem("stuck", (what,))
        elif what == "new-name":  # as where a dataset ends like an extra part: `data_seed_1`
            yield Problem("new-name", ("dataset", row.fields.get("dataset")))
        else:
            yield Problem("stuck" if what in ("config", "createdAt") else "invalid", (what, *value))


def _longest_word(row: Row) -> tuple[str, object]:
    """The architecture or the dataset: only these are long, and written as they come."""
    words = [(key, row.fields.get(key)) for key in ("arch", "dataset")]
    return max(words, key=lambda word: len(str(word[1])))


def _ready(row: Row, vocabulary: Vocabulary) -> Iterator[Problem]:
    """The problems of a row that can be asked about now.

    What decides other answers comes before them, and what cannot be settled stands alone.
    """
    found = [*problems(row)]
    stuck = [problem for problem in found if problem.code == "stuck"]
    if stuck or group_of(row, vocabulary) is not None:
        yield from stuck or found
    else:
        yield from (problem for problem in found if not _by_group(problem))


def _by_group(problem: Problem) -> bool:
    """Whether the group decides the answer: what a number is for a CNN it is not for a ViT."""
    field = _field(problem)
    return field is not None and field.kind.type is not str


def _field(problem: Problem) -> Field | None:
    """The field that lacks a value, or has a wrong one."""
    return RSST.by_key.get(problem.data[0]) if problem.code in ("missing", "invalid") else None


def group_of(row: Row, vocabulary: Vocabulary, *, but: str = "") -> Group | None:
    """The group of a row; None where the row's problems leave open which it is.

    `but` is a field by which runs are not told apart: the one that is asked about.
    """
    group = _group(row.fields, vocabulary, but)
    for reason in row.reasons:
        if reason.code == "conflict":
            in_config = {field: value for field, _, value in reason.data}
            if _group({**row.fields, **in_config}, vocabulary, but) != group:
                return None
    return group


def _group(fields: Mapping[str, object], vocabulary: Vocabulary, but: str) -> Group | None:
    struct, arch, schedule = (fields.get(field) for field in ("struct", "arch", "schedule"))
    template = RSST.new.get(str(struct))
    if template is None or arch is None:
        return None
    if but == "schedule" or "schedule" not in template.fields:
        schedule = None
    elif schedule is None:
        return None
    family = vocabulary.family(str(arch))
    return Group(
        str(struct),
        family,
        str(arch) if family == "other" else None,
        None if schedule is None else str(schedule),
    )


def _where(problem: Problem, group: Group | None, subject: Subject) -> Iterator[tuple[str, object]]:
    """What a rule's `where` can ask of a run, so that it is about this kind."""
    if group is not None:
        yield "struct", subject.value("struct")
        arch = subject.value("arch")
        if arch is None:
            yield "name", f"{literal('_' + _split_text(subject))}$"
        else:
            family = subject.family
            yield ("arch", arch) if family == "other" else ("family", family)
        if group.schedule is not None:
            yield "RST_schedule", subject.value("schedule")
    match problem.code:
        case "invalid":
            yield problem.data[0], subject.value(problem.data[0])
        case "conflict":
            for field, in_name, _ in problem.data:
                yield KEYS[field], subject.value(KEYS[field])
                if in_name is not None:
                    yield "name", _in_old_name(field, in_name)
        case "ambiguous":
            yield "name", f"{literal('_' + problem.data[0])}$"
        case "too-long" | "unseen" | "new-name":
            yield problem.data[0], subject.value(problem.data[0])
    if problem.reason in subject.row.codes:
        yield "reason", problem.reason


def _split_text(subject: Subject) -> str:
    """The part of an ambiguous name in which arch and dataset stand."""
    return next((p.data[0] for p in problems(subject.row) if p.code == "ambiguous"), "")


def _in_old_name(field: str, value: str) -> str:
    """A regular expression of old names that have a value for a field."""
    place = RSST.old.fields.index(field)
    before = "^" if place == 0 else "_"
    return f"{before}{literal(value)}{'$' if field == RSST.old.fields[-1] else '_'}"


def literal(text: str) -> str:
    r"""A regular expression of just this text, with no more backslashes than it needs.

    >>> literal("x^2"), literal("tiny-imagenet")
    ('x\\^2', 'tiny-imagenet')
    """
    return re.sub(r"[.^$*+?{}\[\]|()\\]", r"\\\g<0>", text)

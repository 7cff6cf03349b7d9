"""Answers to the questions that a project leaves open, and the rules that they make. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from migrate.client.runs import ProjectKey, RunKey
from migrate.mapping.kinds import Kind, Kinds, problems
from migrate.mapping.mapping import Survey
from migrate.mapping.rows import Row
from migrate.mapping.rules import Rule, Where, comparable
from migrate.text import UNSEEN


@dataclass(frozen=True, slots=True)
class Effect:
    """What an answer does: the rule that it makes, and what it changes in the rows.

    Attributes:
        settled: The rows that leave review by it.
        open: Those of the kind that stay in review.
        fails: Whether all of the kind still have its problem.
    """

    rule: Rule
    settled: tuple[Row, ...]
    open: tuple[Row, ...]
    fails: bool

    @property
    def example(self) -> Row | None:
        """A run that can be renamed now; None where there is none."""
        return next((row for row in self.settled if row.new_name is not None), None)


def answer_of(kind: Kind, value: object, key: str | None = None) -> Rule:
    """The answer that a canonical value makes, for a kind that takes one: a rule about any run.

    It is for the kind's own config key unless another is given; of an ambiguous name it is the
    architecture.
    """
    if kind.problem.code == "ambiguous":
        return Rule(assume={"arch": value})
    values = {key or str(kind.key): value}
    return Rule(assume=values) if kind.problem.code == "missing" else Rule(replace=values)


def readings(kind: Kind) -> list[tuple[str, str]]:
    """The first readings of an ambiguous name, as (arch, dataset)."""
    reasons = kind.cases[0].row.reasons
    return [pair for reason in reasons if reason.code == "ambiguous" for pair in reason.data[:-1]]


class Settling:
    """What is open in some projects, with the rules so far.

    Attributes:
        rows: The rows that were asked for, as the rules leave them.
    """

    def __init__(
        self,
        surveys: Mapping[ProjectKey, Survey],
        chosen: Collection[RunKey],
        rules: Sequence[Rule],
        finder: Kinds | None = None,
    ) -> None:
        self._surveys, self._chosen = surveys, chosen
        self._finder = finder or Kinds(surveys)
        self.rules = tuple(rules)
        self._all = {
            where: {row.key: row for row in survey.with_rules(self.rules)}
            for where, survey in surveys.items()
        }
        self.rows = [
            row for rows in self._all.values() for row in rows.values() if row.key in chosen
        ]

    @cached_property
    def kinds(self) -> list[Kind]:
        """What keeps some of the rows in review, those with the most runs first."""
        return self._finder.find(self.rows)

    @property
    def in_review(self) -> int:
        """How many rows are in review."""
        return sum(row.status == "review" for row in self.rows)

    def with_rules(self, rules: Sequence[Rule]) -> Settling:
        """The same projects with other rules."""
        return Settling(self._surveys, self._chosen, rules, self._finder)

    def effect(self, kind: Kind, answer: Rule) -> Effect:
        """What an answer to a kind would do."""
        rule, after = self._rule(kind, answer)
        settled = [
            row
            for row in after.values()
            if row.status != "review" and self._row(row.key).status == "review"
        ]
        of_kind = [after[case.row.key] for case in kind.cases]
        stays = [row for row in of_kind if row.status == "review"]
        fails = all(_still(kind, row) for row in of_kind)
        return Effect(rule, tuple(settled), tuple(stays), fails)

    def _rule(self, kind: Kind, answer: Rule) -> tuple[Rule, dict[RunKey, Row]]:
        """The rule that an answer makes, and the rows of the kind's projects with it.

        It is as readable as it can be without touching runs of other kinds; where what the runs
        have in common is not enough to tell them from others, it names them one by one.
        """
        keys = {case.row.key for case in kind.cases}
        projects = frozenset(map(str, kind.projects))
        if (where := _in_common(kind, projects)) is not None:
            rule = replace(answer, where=where)
            after = self._with(rule, kind.projects)
            if keys == {key for key, row in after.items() if touched(self._row(key), row)}:
                return rule, after
        one_by_one = Where(project=projects, runs=frozenset(key.run_id for key in keys))
        rule = replace(answer, where=one_by_one)
        return rule, self._with(rule, kind.projects)

    def _row(self, key: RunKey) -> Row:
        """A run's row as it is now."""
        return self._all[key.where][key]

    def _with(self, rule: Rule, projects: Sequence[ProjectKey]) -> dict[RunKey, Row]:
        """The rows of some projects, with one rule more."""
        rules = (*self.rules, rule)
        rows = (row for where in projects for row in self._surveys[where].with_rules(rules))
        return {row.key: row for row in rows}


def touched(before: Row, after: Row) -> bool:
    """Whether a rule made a difference to a run; another's name may give it another ordinal."""

    def what(row: Row) -> tuple[object, ...]:
        return row.settled, row.fields, [p for p in problems(row) if p.code != "too-long"]

    return what(before) != what(after)


def _still(kind: Kind, row: Row) -> bool:
    """Whether the row has the problem of a kind, maybe with another value."""
    code, data = kind.problem
    return any(
        problem.code == code and (code not in ("missing", "invalid") or problem.data[0] == data[0])
        for problem in problems(row)
    )


def _in_common(kind: Kind, projects: frozenset[str]) -> Where | None:
    """What the runs of a kind have in common; None where a person could not see all of it."""
    asked: dict[str, object] = {"project": projects}
    for key, value in kind.where:
        if isinstance(value, str) and UNSEEN.search(value):
            return None
        is_name = key == "name"
        asked[key] = re.compile(str(value)) if is_name else frozenset([comparable(key, value)])
    return Where.of(asked)

"""Rules: values for the runs that cannot be renamed by what they say themselves. Pure.

Rules are for runs in review alone: a project is mapped without them first, so no rule changes a run
that needs nothing. They are read from the top, and for each value the last one that gives it wins,
as in `.gitignore`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, NamedTuple

from migrate.client.runs import Run
from migrate.mapping.rows import Row, RuleSource
from naming import KEYS, RSST, SWITCH_KEYS, Vocabulary
from naming.values import flag, number

Side = Literal["name", "config"]


class Subject:
    """What a rule looks at: a run, and its row as it is without rules."""

    def __init__(self, run: Run, row: Row, vocabulary: Vocabulary) -> None:
        self.run, self.row, self._vocabulary = run, row, vocabulary
        self._values: dict[str, object] = {}

    @property
    def family(self) -> str | None:
        """The family of its architecture; None where that is not known."""
        arch = self.value("arch")
        return None if arch is None else self._vocabulary.family(str(arch))

    def value(self, name: str) -> object:
        """What the config says of a field or a config key; where it lacks it, what the name says.

        It is `comparable`, or None.
        """
        if name not in self._values:
            value = (self.run.config or {}).get(KEYS.get(name, name))
            if value is None or name in _OF_SEVERAL_KEYS:
                value = self.row.fields.get(_FIELDS.get(name, name))
            self._values[name] = None if value is None else comparable(name, value)
        return self._values[name]


_FIELDS = {key: name for name, key in KEYS.items()}
_OF_SEVERAL_KEYS = RSST.by_name.keys() - KEYS.keys()


def comparable(name: str, value: object) -> object:
    """A value of a field or config key in the form in which it is compared: 1, 1.0 and "1" are one.

    >>> comparable("rate", "0.150"), comparable("arch", "res18"), comparable("pretrained", "False")
    (0.15, 'res18', False)
    """
    if name in SWITCH_KEYS:
        return flag(value)
    try:
        return number(value)
    except ValueError:
        return str(value)


@dataclass(frozen=True, slots=True)
class Where:
    """Which runs a rule is for: those that match all of it. What is None or empty matches any.

    The attributes are the keys of the configuration file, but for `values`.

    Attributes:
        project: `entity/project`, or the project alone.
        reason: Codes, of which the run has one without rules.
        name: What the old name matches (anywhere, as `search`).
        before: Created earlier than this; aware.
        after: Created at this time or later; aware.
        runs: Their ids.
        values: Field or config key to the values that it may have, each `comparable`.
    """

    project: frozenset[str] = frozenset()
    family: frozenset[str] = frozenset()
    state: frozenset[str] = frozenset()
    reason: frozenset[str] = frozenset()
    name: re.Pattern[str] | None = None
    before: datetime | None = None
    after: datetime | None = None
    runs: frozenset[str] = frozenset()
    values: Mapping[str, frozenset[object]] = field(default_factory=dict)

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> Where:
        """By the keys of the configuration file, with the values that the attributes have."""
        values = {key: value for key, value in asked.items() if key not in WHERE_KEYS}
        return cls(**{key: asked[key] for key in asked if key in WHERE_KEYS}, values=values)

    def matches(self, subject: Subject) -> bool:
        """Whether a run is one of them."""
        # Asked for every rule and run: first what most rules ask.
        for name, allowed in self.values.items():
            if subject.value(name) not in allowed:
                return False
        run, created_at = subject.run, subject.run.created_at
        return (
            (not self.family or subject.family in self.family)
            and (not self.state or run.state in self.state)
            and (not self.reason or not self.reason.isdisjoint(subject.row.codes))
            and (not self.runs or run.key.run_id in self.runs)
            and (
                not self.project
                or run.key.project in self.project
                or str(run.key.where) in self.project
            )
            and (self.before is None or (created_at is not None and created_at < self.before))
            and (self.after is None or (created_at is not None and created_at >= self.after))
            and (self.name is None or self.name.search(run.name) is not None)
        )


WHERE_KEYS = tuple(key.name for key in fields(Where) if key.name != "values")
"""What `where` can ask, by its keys in the file, besides fields and config keys."""


def where_table(where: Where) -> dict[str, object]:
    """What `where` asks, by the keys of the configuration file."""
    asked = {**{key: getattr(where, key) for key in WHERE_KEYS}, **where.values}
    written = {key: _written(value) for key, value in asked.items()}
    return {key: value for key, value in written.items() if value is not None}


def _written(asked: object) -> object:
    """As a person would write it: one value alone, several as a list; None where it asks nothing.

    A number that is compared is 3 and not 3.0.
    """
    if isinstance(asked, re.Pattern):
        return asked.pattern
    if not isinstance(asked, frozenset):
        return asked
    whole = (int(v) if isinstance(v, float) and v.is_integer() else v for v in asked)
    ordered = sorted(whole, key=str)
    return ordered[0] if len(ordered) == 1 else ordered or None


@dataclass(frozen=True, slots=True)
class Rule:
    """Values for the runs that `where` is about.

    Attributes:
        assume: Config key to the value for runs that lack it.
        replace: Config key to the value to use in place of what the run says (`set` in the file).
        prefer: Which side to take where name and config disagree.
    """

    where: Where = Where()
    source: RuleSource = field(default_factory=RuleSource)
    assume: Mapping[str, object] = field(default_factory=dict)
    replace: Mapping[str, object] = field(default_factory=dict)
    prefer: Side | None = None


class Supplied(NamedTuple):
    """A value, and the rule that gives it."""

    value: object
    source: RuleSource


@dataclass(frozen=True, slots=True)
class Decided:
    """What the rules give for one run: config key to value.

    A value may be in both where the rule that assumes it comes after the one that sets it: then
    it is assumed for a run that lacks it, and set for another.
    """

    assume: Mapping[str, Supplied] = field(default_factory=dict)
    replace: Mapping[str, Supplied] = field(default_factory=dict)
    prefer: Supplied | None = None


NOTHING = Decided()


class RuleBook:
    """Rules, made ready to be asked about many runs.

    There may be very many runs, but they are matched by a few sets of rules and need a few
    vocabularies: each is made once.
    """

    def __init__(self, rules: Sequence[Rule], vocabulary: Vocabulary) -> None:
        self._rules, self._vocabulary = rules, vocabulary
        self._decided: dict[tuple[int, ...], Decided] = {}
        self._vocabularies: dict[tuple[object, ...], Vocabulary] = {}

    def decide(self, subject: Subject) -> Decided:
        """What the rules that match a run give: of each value the last."""
        matched = tuple(
            place for place, rule in enumerate(self._rules) if rule.where.matches(subject)
        )
        if matched not in self._decided:
            self._decided[matched] = _decide(self._rules[place] for place in matched)
        return self._decided[matched]

    def words(self, subject: Subject, decided: Decided) -> Vocabulary:
        """The vocabulary with what rules write in place of a run's architecture and dataset.

        Such a word is of the family of what it stands for.
        """
        archs, datasets = (
            (str(decided.replace[key].value),) if key in decided.replace else ()
            for key in ("arch", "dataset")
        )
        if not (archs or datasets):
            return self._vocabulary
        added = archs, datasets, subject.family or "other"
        if added not in self._vocabularies:
            self._vocabularies[added] = self._vocabulary.extended(*added)
        return self._vocabularies[added]


def _decide(rules: Iterable[Rule]) -> Decided:
    assume: dict[str, Supplied] = {}
    replace: dict[str, Supplied] = {}
    prefer = None
    for rule in rules:
        for key, value in rule.assume.items():
            _put(assume, key, Supplied(value, rule.source))
        for key, value in rule.replace.items():
            _put(replace, key, Supplied(value, rule.source))
            for same in same_value(key):
                assume.pop(same, None)
        if rule.prefer is not None:
            prefer = Supplied(rule.prefer, rule.source)
    return Decided(assume, replace, prefer)


def _put(values: dict[str, Supplied], key: str, supplied: Supplied) -> None:
    """Add a value, in place of one for a key that says the same."""
    for same in same_value(key):
        if same != key:
            values.pop(same, None)
    values[key] = supplied


def same_value(key: str) -> tuple[str, ...]:
    """The config keys that say the same as this one, which is one of them.

    >>> same_value("rate"), same_value("mamba_pretrained")
    (('rate',), ('pretrained', 'vit_pretrained', 'vit_pretrained_21k', 'mamba_pretrained'))
    """
    field = RSST.by_key.get(key)
    return field.keys if field is not None and key in field.keys else (key,)


def idle_rules(
    rules: Iterable[Rule], runs: Iterable[Run], rows: Iterable[Row], vocabulary: Vocabulary
) -> dict[int, bool]:
    """The rules that match no run in review: the place of each, and whether it matches others.

    The rows are those without rules, of all runs of a project, in any order.
    """
    of_run = {row.key: row for row in rows}
    subjects = [Subject(run, of_run[run.key], vocabulary) for run in runs]
    in_review = [subject for subject in subjects if subject.row.status == "review"]
    others = [subject for subject in subjects if subject.row.status != "review"]
    return {
        place: any(map(rule.where.matches, others))
        for place, rule in enumerate(rules)
        if not any(map(rule.where.matches, in_review))
    }

"""Where a saved view or an automation goes by run names: a spec and names in, findings out. Pure.

A view's spec is JSON that W&B's web client writes, undocumented and versioned. So it is walked as
a whole, and what is known is picked out wherever it stands; of anything else nothing is expected.
The shapes are those of wandb-workspaces 0.4 (`expr.py`, `reports/v2/internal.py`) and, for
automations, of wandb (`wandb/_filters`, `wandb/automations/events.py`).

Regular expressions are RE2's, as W&B's documentation says of its search box: they take linear
time, whoever wrote them, and all of a project together no more than a minute.
"""

from __future__ import annotations

import operator
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import re2

from migrate.client.runs import ProjectKey

What = Literal["filter", "search", "grouping", "sort", "override"]
Operator = Literal["=", "!=", "in", "not in", "contains", "regex", "<", "<=", ">", ">=", "search"]
Skipped = Literal["disabled", "unknown", "pattern", "too-many", "elsewhere", "unreadable"]

# An operator as views and as automations write it. wandb-workspaces knows the comparisons and the
# lists; the others are what the web client may offer for a text.
_OPERATORS: dict[str, Operator] = {
    "=": "=", "==": "=", "!=": "!=", "IN": "in", "NIN": "not in",
    "CONTAINS": "contains", "REGEX": "regex", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
    "$eq": "=", "$ne": "!=", "$in": "in", "$nin": "not in", "$contains": "contains",
    "$regex": "regex", "$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">=",
}  # fmt: skip
_COMPARE: dict[Operator, Callable[[str, str], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "contains": operator.contains,
}
_NAME = "displayName"  # what W&B's API calls the run name
_MOST = 200  # conditions, and findings, of one view: no person makes more
_MOST_SECONDS = 60.0  # for regular expressions: `(a?b?){900}c` takes 20 ms a name, usual ones 2 µs
_MOST_BYTES = 1 << 20  # of one regular expression: re2 keeps 128 of them


class PatternError(ValueError):
    """A regular expression that RE2 does not take, or not in time."""


class Place(NamedTuple):
    """What a finding is about: a run set or a panel, by its title; neither is the whole view."""

    kind: Literal["run set", "panel", ""] = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the run name, or on name and id (`search`).

    Attributes:
        values: With what it compares: one value, but for `in` and `not in`.
        negated: The opposite is meant.
        regex: Of a search: its text is a regular expression. None where the view does not say;
            then the text may be either.
    """

    operator: Operator
    values: tuple[str, ...]
    negated: bool = False
    regex: bool | None = None

    def test(self) -> Callable[[str], bool]:
        """What decides whether a name passes; raises PatternError."""
        accepts = self._accepts()
        if self.negated != (self.operator in ("!=", "not in")):
            return lambda name: not accepts(name)
        return accepts

    def _accepts(self) -> Callable[[str], bool]:
        if self.operator == "search":
            return _search(self.values[0], self.regex)
        if self.operator == "regex":
            return _matches(self.values[0])
        if self.operator in _COMPARE:
            compare, value = _COMPARE[self.operator], self.values[0]
            return lambda name: compare(name, value)
        return frozenset(self.values).__contains__


def _matches(pattern: str) -> Callable[[str], bool]:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_BYTES
    try:
        compiled = re2.compile(pattern, options=options)
    except (re2.error, ValueError) as error:  # ValueError: half a surrogate pair
        raise PatternError from error
    return lambda name: compiled.search(name.encode("utf-8", "replace")) is not None


def _search(query: str, regex: bool | None) -> Callable[[str], bool]:
    if regex is False:
        return lambda name: query in name
    try:
        matches = _matches(query)
    except PatternError:
        if regex:
            raise
        return lambda name: query in name
    return matches if regex else lambda name: query in name or matches(name)


class Names:
    """The run names of a project, today's and the plan's, both by run id."""

    def __init__(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        self.before, self.after = before, after
        self.changed = frozenset(run for run, name in before.items() if after[run] != name)
        self._distinct = {*before.values(), *after.values()}
        self._counted: dict[Condition, tuple[int, int] | None] = {}
        self._seconds_left = _MOST_SECONDS

    def counts(self, condition: Condition) -> tuple[int, int] | None:
        """How many runs pass, before and after; None where they are the same ones.

        Raises:
            PatternError: The condition's regular expression is not valid, or takes too long.
        """
        if condition not in self._counted:
            self._counted[condition] = self._count(condition)
        return self._counted[condition]

    def _count(self, condition: Condition) -> tuple[int, int] | None:
        test = condition.test()
        if condition.operator in ("regex", "search"):
            test = self._in_time(test)
        passes = {name for name in self._distinct if test(name)}
        ids = {run for run in self.before if test(run)} if condition.operator == "search" else set()
        before = ids | {run for run, name in self.before.items() if name in passes}
        after = ids | {run for run, name in self.after.items() if name in passes}
        return None if before == after else (len(before), len(after))

    def _in_time(self, test: Callable[[str], bool]) -> Callable[[str], bool]:
        """The same, until the time for regular expressions is used up; then PatternError."""

        def timed(text: str) -> bool:
            if self._seconds_left < 0:
                raise PatternError
            started = time.perf_counter()
            passed = test(text)
            self._seconds_left -= time.perf_counter() - started
            return passed

        return timed


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a view or an automation that changes with the names, or hides the new ones.

    Attributes:
        condition: Of a filter or a search.
        overrides: Of an override: the runs that get a new name, each with what is shown instead.
        counts: How many runs the condition alone matches, before and after.
    """

    what: What
    place: Place
    condition: Condition | None = None
    overrides: tuple[tuple[str, str], ...] = ()
    counts: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A finding, and where it was found: in a workspace, report, draft or automation (`kind`)."""

    kind: str
    view_id: str
    name: str
    url: str
    finding: Finding


@dataclass(slots=True)
class References:
    """What was found in the views and automations of a project.

    Attributes:
        renames: How many runs the plan renames.
        seen: How many views were looked at, by kind.
        hidden: How many this key may not see, by kind, as far as the server says.
        failed: Why those of a kind could not be read, by kind.
        skipped: What was left out, by reason.
    """

    project: ProjectKey
    renames: int
    listed: list[Reference] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    hidden: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: Counter[Skipped] = field(default_factory=Counter)


def find_in_view(spec: object, names: Names, project: ProjectKey) -> Found:
    """What changes in a saved view or a report of this project.

    The spec is any JSON value. Run sets that show another project are left out.
    """
    found = Found(names)
    # Not by recursion: a spec may be nested as deep as JSON can be.
    waiting: list[tuple[object, Place]] = [(spec, Place())]
    while waiting:
        node, place = waiting.pop()
        inner: list[tuple[object, Place]] = []
        if isinstance(node, list):
            inner = [(item, place) for item in node]
        elif isinstance(node, dict):
            if isinstance(node.get("viewType"), str):
                place = Place("panel", _title(node))
            found.look_at(node, place)
            for key, value in node.items():
                if key == "runSets" and isinstance(value, list):
                    inner += found.run_sets(value, project)
                else:
                    inner.append((value, place))
        waiting += [pair for pair in reversed(inner) if isinstance(pair[0], dict | list)]
    return found


def find_in_automation(run_filter: object, names: Names) -> Found:
    """What changes in an automation by its filter of runs: any JSON value, in W&B's language."""
    found = Found(names)
    waiting = [run_filter]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += reversed(node)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in ("display_name", _NAME):
                    for condition in _mongo_conditions(value):
                        found.condition(condition, Place(), "filter")
            waiting += [value for key, value in reversed(node.items()) if key[:1] == "$"]
    return found


class Found:
    """What was found in one view or automation, each once, and what was left out, by reason."""

    def __init__(self, names: Names) -> None:
        self.findings: dict[Finding, None] = {}
        self.skipped: Counter[Skipped] = Counter()
        self._names = names
        self._conditions = 0

    def look_at(self, node: dict[str, Any], place: Place) -> None:
        """One object, wherever it stands."""
        if "op" in node and _is_name(node.get("key")):
            disabled = node.get("disabled") is True
            self.condition(_condition(node["op"], node.get("value")), place, "filter", disabled)
        grouping = node.get("grouping")
        grouped = isinstance(grouping, list) and any(map(_is_name, grouping))
        if self._names.changed:
            if grouped or _is_name(node.get("groupBy")):
                self._add(Finding("grouping", place))
            if any(map(_is_name, _sort_keys(node.get("sort")))):
                self._add(Finding("sort", place))
        shown = node.get("customRunNames")
        if isinstance(shown, dict):
            self._overrides(shown, place)

    def run_sets(self, run_sets: list[Any], project: ProjectKey) -> Iterator[tuple[object, Place]]:
        """The run sets that show this project, to be walked; looks at the search of each."""
        for run_set in run_sets:
            if not isinstance(run_set, dict):
                continue
            if _shows_another(run_set.get("project"), project):
                self.skipped["elsewhere"] += 1
                continue
            place = Place("run set", _text(run_set.get("name")))
            search = run_set.get("search")
            if isinstance(search, dict) and (query := _text(search.get("query"))):
                regex = search["isRegex"] if isinstance(search.get("isRegex"), bool) else None
                self.condition(Condition("search", (query,), regex=regex), place, "search")
            yield run_set, place

    def condition(
        self, condition: Condition | None, place: Place, what: What, disabled: bool = False
    ) -> None:
        """A condition on the name; None for one in a form that is not known."""
        self._conditions += 1
        if condition is None:
            self.skipped["unknown"] += 1
            return
        if self._conditions > _MOST:
            self.skipped["too-many"] += 1
            return
        try:
            counts = self._names.counts(condition)
        except PatternError:
            self.skipped["pattern"] += 1
            return
        if counts is not None and disabled:
            self.skipped["disabled"] += 1
        elif counts is not None:
            self._add(Finding(what, place, condition, counts=counts))

    def _overrides(self, shown: dict[str, object], place: Place) -> None:
        hidden = tuple(
            (run, text)
            for run, text in shown.items()
            if run in self._names.changed
            and isinstance(text, str)
            and text not in ("", self._names.after[run])
        )
        if hidden:
            self._add(Finding("override", place, overrides=hidden))

    def _add(self, finding: Finding) -> None:
        if len(self.findings) < _MOST:
            self.findings[finding] = None
        elif finding not in self.findings:
            self.skipped["too-many"] += 1


def _is_name(key: object) -> bool:
    """Whether a key, as filters, groupings and sorts have it, is the run name."""
    if isinstance(key, dict):
        return key.get("section") == "run" and key.get("name") == _NAME
    return key in (_NAME, f"run:{_NAME}")


def _condition(written: object, value: object) -> Condition | None:
    """A condition; None where operator or value is not of a known form."""
    known = _OPERATORS.get(written) if isinstance(written, str) else None
    values = [_value(item) for item in value] if isinstance(value, list) else [_value(value)]
    if known is None or None in values:
        return None
    texts = tuple(text for text in values if text is not None)
    if known in ("=", "!=") and isinstance(value, list):  # as wandb's `Eq` has it
        known = "in" if known == "=" else "not in"
    return Condition(known, texts) if known in ("in", "not in") or len(texts) == 1 else None


def _mongo_conditions(value: object) -> Iterator[Condition | None]:
    """The conditions on one field: `"x"`, `{"$contains": "x"}`, `{"$not": {"$regex": "x"}}`."""
    negated = False
    while isinstance(value, dict) and list(value) == ["$not"]:
        negated, value = not negated, value["$not"]
    written = value if isinstance(value, dict) else {"$eq": value}
    for key, operand in written.items():
        found = _condition(key, operand)
        yield found and Condition(found.operator, found.values, negated)


def _value(value: object) -> str | None:
    """A value as the text that names are compared with; None for what is not a value."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value)


def _sort_keys(sort: object) -> Iterator[object]:
    """The keys of a sort: of `{"keys": [{"key": …}]}`, or of the older `{"key": …}`."""
    if isinstance(sort, dict):
        keys = sort.get("keys")
        for item in keys if isinstance(keys, list) else [sort]:
            yield item.get("key") if isinstance(item, dict) else None


def _shows_another(shown: object, project: ProjectKey) -> bool:
    """Whether a run set names a project, and it is not this one."""
    if not isinstance(shown, dict):
        return False
    entity, name = shown.get("entityName") or project.entity, shown.get("name") or project.project
    return (entity, name) != project


def _title(panel: dict[str, Any]) -> str:
    config = panel.get("config")
    title = config.get("chartTitle") if isinstance(config, dict) else None
    return _text(title) or _text(panel["viewType"])


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

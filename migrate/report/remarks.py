"""What there is to remark on the rules, known names and extra parts, once the runs were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from migrate.mapping.mapping import Options
from migrate.mapping.rows import Row, RuleSource, number_of_runs
from migrate.mapping.rules import WHERE_KEYS, Rule
from migrate.report.kinds import FAMILY_NAMES
from migrate.report.words import source_text
from naming import KEYS, RSST, Vocabulary

_MOST_VALUES = 3


def on_idle(rules: Sequence[Rule], idle: Sequence[Mapping[int, int]]) -> Iterator[str]:
    """Rules that do nothing: those that match no run, and those that match no run in review.

    Args:
        rules: The rules.
        idle: For each project the places of its idle rules, and how many runs these match.
    """
    everywhere = {
        place: sum(found[place] for found in idle)
        for place in range(len(rules))
        if all(place in found for found in idle)
    }
    yield from on_unused(rules[place] for place, runs in everywhere.items() if not runs)
    others = []
    for place, runs in everywhere.items():
        source = rules[place].source
        line = f"line {source.line}, " if source.line else ""
        if runs:
            others.append(f"{source_text(source)} ({line}{number_of_runs(runs)})")
    if others:
        yield (
            "rules are for runs in review; these match only others, so they do nothing: "
            + "; ".join(others)
        )


def on_unused(rules: Iterable[Rule]) -> Iterator[str]:
    """Rules that match no run; a key that was meant to be another is often why.

    Several are one remark: when all is renamed, most rules match no run any more.
    """
    plain: list[RuleSource] = []
    for rule in rules:
        if (meant := _meant(rule)) or not rule.source.number:
            yield f"{source_text(rule.source)} is unused: it matches no run{meant}"
        else:
            plain.append(rule.source)
    if len(plain) == 1:
        yield f"{source_text(plain[0])} is unused: it matches no run"
    elif plain:
        numbers = ", ".join(str(source.number) for source in plain)
        yield f"rules {numbers} of {plain[0].file} are unused: they match no run"


def _meant(rule: Rule) -> str:
    for key in rule.where.values:
        if near := get_close_matches(key, WHERE_KEYS, 1, 0.8):
            return f" (no {key} in a config; did you mean {near[0]}?)"
    return ""


def on_assumed(
    rows: Iterable[Row], without_rules: Sequence[Row], vocabulary: Vocabulary
) -> Iterator[str]:
    """Values that an option assumes for runs of a family, where other runs speak against them.

    They do where runs of the family have another value, or only runs of other families have it.

    Args:
        rows: The rows of a project, with rules.
        without_rules: The same, without.
        vocabulary: Knows the families.
    """
    assumed: Counter[tuple[str, object, str]] = Counter()
    for row in rows:
        for part in row.settled:
            if part.kind == "assumed" and part.source.option and part.key in KEYS.values():
                assumed[part.key, part.value, _family(row, vocabulary)] += 1
    for (key, value, family), runs in assumed.items():
        field = RSST.by_key[key].name
        here: Counter[object] = Counter()
        elsewhere: Counter[str] = Counter()
        for row in without_rules:
            if (own := row.fields.get(field)) is not None:
                other = _family(row, vocabulary)
                here[own] += other == family
                elsewhere[other] += other != family and own == value
        what = f"{key}={value} is assumed for {_of_family(runs, family)}"
        if others := [(own, count) for own, count in (+here).most_common(_MOST_VALUES)]:
            if {own for own, _ in others} != {value}:
                (first, count), *more = others
                having = [f"{_of_family(count, family, 'other ')} {_has(count)} {first}"]
                having += [f"{count} {_has(count)} {own}" for own, count in more]
                yield f"{what}; {', '.join(having)}"
        elif +elsewhere:
            having = [_of_family(count, other) for other, count in (+elsewhere).most_common()]
            yield f"{what}; only {' and '.join(having)} have it"


def _family(row: Row, vocabulary: Vocabulary) -> str:
    return vocabulary.family(str(row.fields.get("arch")))


def _of_family(count: int, family: str, other: str = "") -> str:
    runs = "run" if count == 1 else "runs"
    if family in FAMILY_NAMES:
        return f"{count} {other}{FAMILY_NAMES[family]} {runs}"
    return f"{count} {other}{runs} of unlisted architectures"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def on_known(
    what: str, names: Sequence[str], known: Collection[str], rows: Iterable[Row]
) -> Iterator[str]:
    """Names of an `arch` or `dataset` that need not be declared as known, or that no run has."""
    if not names:
        return
    there = {row.fields.get(what) for row in rows}
    noun = {"arch": "architecture"}.get(what, what)
    for name in names:
        if name in known:
            yield f"{name} is a known {noun} already"
        elif name not in there:
            yield f"no run has the {noun} {name}"


def on_extras(options: Options, absent: Sequence[Collection[str]]) -> Iterator[str]:
    """Arguments of extra parts that no run has, and no rule supplies.

    Args:
        options: What the user decided.
        absent: For each project the arguments that none of its runs has.
    """
    for key, _ in options.style.parts.values():
        supplied = any(key in (*rule.assume, *rule.replace) for rule in options.rules)
        if not supplied and all(key in here for here in absent):
            yield f"no run has the argument {key}"

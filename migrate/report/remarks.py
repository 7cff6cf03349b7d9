"""What there is to remark on the rules, known names and extra parts, once the runs were read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from migrate.mapping.mapping import Options
from migrate.mapping.rows import Row, RuleSource
from migrate.mapping.rules import WHERE_KEYS, Rule
from migrate.report.kinds import FAMILY_NAMES
from migrate.report.words import source_text
from migrate.text import counted
from naming import KEYS, RSST, Vocabulary

_MOST_VALUES = 3
_UNUSED = ("is unused: it matches no run", "are unused: they match no run")
_DOES_NOTHING = (
    "does nothing: it matches only runs that are not in review",
    "do nothing: they match only runs that are not in review",
)


def on_idle(rules: Sequence[Rule], idle: Sequence[Mapping[int, bool]]) -> Iterator[str]:
    """Rules that match no run, and rules that match only runs which are not in review.

    Several are one remark: when all is renamed, most rules match no run in review any more.

    Args:
        rules: The rules.
        idle: For each project the places of its idle rules, and whether these match other runs.
    """
    remarks: dict[tuple[str, bool, str], list[RuleSource]] = defaultdict(list)
    for place, rule in enumerate(rules):
        if all(place in found for found in idle):
            matches_others = any(found[place] for found in idle)
            meant = "" if matches_others else _meant(rule)
            remarks[rule.source.option, matches_others, meant].append(rule.source)
    for (_, matches_others, meant), sources in remarks.items():
        singular, plural = _DOES_NOTHING if matches_others else _UNUSED
        if len(sources) == 1 or sources[0].option:  # an option may be given twice
            yield f"{source_text(sources[0])} {singular}{meant}"
        else:
            numbers = ", ".join(str(source.number) for source in sources)
            yield f"rules {numbers} of {sources[0].file} {plural}{meant}"


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
        rows: The chosen rows of a project, with rules.
        without_rules: All of its rows, without.
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
                has = "has" if count == 1 else "have"
                having = [f"{_of_family(count, family, 'other ')} {has} {first}"]
                having += [f"{counted(count, 'has', 'have')} {own}" for own, count in more]
                yield f"{what}; {', '.join(having)}"
        elif +elsewhere:
            having = [_of_family(count, other) for other, count in (+elsewhere).most_common()]
            yield f"{what}; only {' and '.join(having)} have it"


def _family(row: Row, vocabulary: Vocabulary) -> str:
    return vocabulary.family(str(row.fields.get("arch")))


def _of_family(count: int, family: str, other: str = "") -> str:
    if family in FAMILY_NAMES:
        return counted(count, f"{other}{FAMILY_NAMES[family]} run")
    return f"{counted(count, f'{other}run')} of unlisted architectures"


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

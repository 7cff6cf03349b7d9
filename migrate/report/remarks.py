"""What there is to remark on the rules and the known names of a call, once the runs were read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches

from migrate.mapping.rows import Row
from migrate.mapping.rules import Rule
from migrate.report.words import source_text


def on_unused(rules: Iterable[Rule]) -> Iterator[str]:
    """Rules that match no run; a key that was meant to be another is often why."""
    for rule in rules:
        yield f"{source_text(rule.source)} is unused: it matches no run{_meant(rule)}"


def _meant(rule: Rule) -> str:
    words = ("project", "runs", "name", "before", "after", "family", "state", "reason")
    for key in rule.where.values:
        if near := get_close_matches(key, words, 1, 0.8):
            return f" (no {key} in a config; did you mean {near[0]}?)"
    return ""


def on_known(
    what: str, names: Sequence[str], known: Collection[str], rows: Iterable[Row]
) -> Iterator[str]:
    """Names that need not be declared as known, or that no run has.

    Args:
        what: What they are: `arch` or `dataset`.
        names: The names that were declared.
        known: Those that are known without it.
        rows: The rows of every project that was read.
    """
    if not names:
        return
    there = {row.fields.get(what) for row in rows}
    noun = {"arch": "architecture"}.get(what, what)
    for name in names:
        if name in known:
            yield f"{name} is a known {noun} already"
        elif name not in there:
            yield f"no run has the {noun} {name}"

"""What a new name adds to the old one, and what it drops, by the run's fields.

A field that both names have may stand in different places, which is no change; a comparison of
the two texts would show it as removed in one place and added in another. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from migrate.mapping.rows import Settled
from naming import IN_OLD_NAMES, RSST

Span = tuple[int, int]
"""Where a part of a name begins and where it ends, in code points."""


class Piece(NamedTuple):
    """A piece of a name: whether the run's other name lacks it, and what supplied its value."""

    text: str
    own: bool = False
    settled: Settled | None = None


def marked(
    old_name: str, new_name: str, fields: Mapping[str, object], settled: Iterable[Settled] = ()
) -> tuple[list[Piece], list[Piece]]:
    """Both names of a run in pieces; in one each where its fields are not known.

    >>> fields = {"struct": "rsst", "schedule": "x", "criteria": "l1", "arch": "a", "dataset": "b"}
    >>> new = "rsst_a_b_sched_x_reg_0.5_crit_l1_rate_0.2_0108_1430"
    >>> old_pieces, new_pieces = marked("rsst_x_l1_a_b", new, fields)
    >>> [piece.text for piece in new_pieces if piece.own]
    ['reg_0.5', 'rate_0.2_0108_1430']
    """
    in_old = {field: str(fields[field]) for field in IN_OLD_NAMES if fields.get(field) is not None}
    here = _places(old_name, in_old)
    there = _places(new_name, _in_new(in_old))
    both = here.keys() & there.keys()
    dropped = _between(old_name, [here[field] for field in here if field in both])
    added = _between(new_name, [there[field] for field in there if field in both])
    supplied = _settled_places(new_name, fields, settled)
    return _pieces(old_name, dropped, []), _pieces(new_name, added, supplied)


def _settled_places(
    new_name: str, fields: Mapping[str, object], settled: Iterable[Settled]
) -> list[tuple[Span, Settled]]:
    """Where in a new name the values stand that rules supplied."""
    texts = {
        field: field if value is True else str(value)
        for field, value in fields.items()
        if value not in (None, False)
    }
    places = _places(new_name, _in_new(texts))
    found = []
    for part in settled:
        field = RSST.by_key[part.key].name if part.key in RSST.by_key else part.key
        if field in places:
            found.append((places[field], part))
    return found


def _pieces(name: str, own: Sequence[Span], settled: Sequence[tuple[Span, Settled]]) -> list[Piece]:
    """A name cut where its own parts, and those that rules supplied, begin and end."""
    cuts = sorted({0, len(name), *chain.from_iterable([*own, *(span for span, _ in settled)])})
    return [
        Piece(
            name[start:end],
            any(first <= start < last for first, last in own),
            next((part for (first, last), part in settled if first <= start < last), None),
        )
        for start, end in pairwise(cuts)
    ]


def _in_new(values: Mapping[str, str]) -> dict[str, str]:
    """The texts that these fields are in a new name, in its order."""
    struct = values.get(RSST.chosen_by, "")
    if struct not in RSST.new:
        return {}
    texts = {RSST.chosen_by: struct}  # a word of the template, which no part of it stands for
    for part in RSST.new[struct].parts:
        if part.name in values:
            texts[part.name] = part.mark.removeprefix(struct).lstrip("_") + values[part.name]
    return texts


def _places(name: str, texts: Mapping[str, str]) -> dict[str, Span]:
    """Where the fields stand in a name, in order; one that is not found is left out."""
    found = {}
    whole = f"_{name}_"
    at = 0
    for field, text in texts.items():
        start = whole.find(f"_{text}_", at)  # in `name` the text itself
        if start >= 0:
            found[field] = (start, start + len(text))
            at = start + 1 + len(text)
    return found


def _between(name: str, kept: Sequence[Span]) -> list[Span]:
    """What is not kept, without the `_` around it; nothing where nothing is kept."""
    if not kept:
        return []
    starts = [0, *(end for _, end in kept)]
    ends = [*(start for start, _ in kept), len(name)]
    return [
        (start + found.start(), start + found.end())
        for start, end in zip(starts, ends, strict=True)
        if (found := re.search(r"[^_](.*[^_])?", name[start:end], re.DOTALL))
    ]

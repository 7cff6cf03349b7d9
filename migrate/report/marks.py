"""What a new name adds to the old one, and what it drops: by the run's fields.

A field that both names have may stand in different places, which is no change; a comparison of
the two texts would show it as removed in one place and added in another. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from migrate.mapping.rows import Settled
from naming import IN_OLD_NAMES, RSST

Span = tuple[int, int]
"""Where a part of a name begins and where it ends, in code points."""


class Marks(NamedTuple):
    """What differs between two names of a run.

    Attributes:
        dropped: The parts of the old name that are not in the new one.
        added: The parts of the new name that are not in the old one.
    """

    dropped: tuple[Span, ...] = ()
    added: tuple[Span, ...] = ()


def marks(old_name: str, new_name: str, fields: Mapping[str, object]) -> Marks:
    """What differs between two names of a run; nothing where its fields are not known.

    >>> fields = {"struct": "rsst", "schedule": "x", "criteria": "l1", "arch": "a", "dataset": "b"}
    >>> new = "rsst_a_b_sched_x_reg_0.5_crit_l1_rate_0.2_0108_1430"
    >>> [new[start:end] for start, end in marks("rsst_x_l1_a_b", new, fields).added]
    ['reg_0.5', 'rate_0.2_0108_1430']
    """
    in_old = [
        (field, str(fields[field])) for field in IN_OLD_NAMES if fields.get(field) is not None
    ]
    here = _places(old_name, in_old)
    there = _places(new_name, _in_new(dict(in_old)))
    both = here.keys() & there.keys()
    if not both:
        return Marks()
    return Marks(
        _between(old_name, [here[field] for field in here if field in both]),
        _between(new_name, [there[field] for field in there if field in both]),
    )


def settled_places(
    new_name: str, fields: Mapping[str, object], settled: Iterable[Settled]
) -> list[tuple[Span, Settled]]:
    """Where in a new name the values stand that rules supplied.

    >>> from migrate.mapping.rows import RuleSource
    >>> part = Settled("assumed", "rate", 0.2, None, RuleSource(option="--assume rate=0.2"))
    >>> fields = {"struct": "rsst", "arch": "a", "dataset": "b", "rate": 0.2}
    >>> new = "rsst_a_b_sched_x_reg_0.5_crit_l1_rate_0.2_0108_1430"
    >>> [new[start:end] for (start, end), _ in settled_places(new, fields, [part])]
    ['rate_0.2']
    """
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


def pieces(name: str, spans: Iterable[Span]) -> list[tuple[str, bool]]:
    """A name cut into its pieces, each with whether it is marked.

    >>> pieces("a_b_reg_1.0", [(4, 11)])
    [('a_b_', False), ('reg_1.0', True)]
    """
    cut: list[tuple[str, bool]] = []
    at = 0
    for start, end in spans:
        cut += [(name[at:start], False), (name[start:end], True)]
        at = end
    return [piece for piece in (*cut, (name[at:], False)) if piece[0]]


def _in_new(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """The parts of a new name that an old one has as well, in order."""
    struct = values.get(RSST.chosen_by, "")
    if struct not in RSST.new:
        return []
    parts = [(RSST.chosen_by, struct)]  # a word of the template, which no part of it stands for
    for part in RSST.new[struct].parts:
        if part.name in values:
            mark = part.mark.removeprefix(struct).lstrip("_")
            parts.append((part.name, mark + values[part.name]))
    return parts


def _places(name: str, parts: Iterable[tuple[str, str]]) -> dict[str, Span]:
    """Where the parts stand in a name, one after the other; one that is not found is left out."""
    found = {}
    whole = f"_{name}_"
    at = 0
    for field, text in parts:
        start = whole.find(f"_{text}_", at)  # in `name` the text itself
        if start >= 0:
            found[field] = (start, start + len(text))
            at = start + 1 + len(text)
    return found


def _between(name: str, kept: Sequence[Span]) -> tuple[Span, ...]:
    """What is not kept, without the `_` around it; `kept` is in order."""
    starts = [0, *(end for _, end in kept)]
    ends = [*(start for start, _ in kept), len(name)]
    spans = []
    for start, end in zip(starts, ends, strict=True):
        text = name[start:end]
        if text.strip("_"):
            begin = start + len(text) - len(text.lstrip("_"))
            spans.append((begin, end - len(text) + len(text.rstrip("_"))))
    return tuple(spans)

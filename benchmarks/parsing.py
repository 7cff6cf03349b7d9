"""Reading names: `parse_name` against one compiled expression of the same grammar, the floor.

And against guessit, a field's own reader of names, on its own kind of input. The floor only
matches: it splits no architecture from its dataset, converts no number, and says nothing about a
name that is nearly right.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from guessit import guessit

from migrate.sandbox.sample import arguments
from naming import CRITERIA, SCHEDULES, VOCABULARY, experiment_name, legacy_name, parse_name

TIMES = 5
_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"


def _any(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_WHAT = rf"(?:{_any(list(VOCABULARY.architectures))})_(?:{_any(list(VOCABULARY.datasets))})"
FLOOR = re.compile(
    rf"(?:rsst_{_WHAT}_sched_(?:{_any(SCHEDULES)})_reg_{_NUMBER}(?:_exp\d+)?|refill_{_WHAT}"
    rf"_fill_{_NUMBER})_crit_(?:{_any(CRITERIA)})_rate_{_NUMBER}(?:_pretrained)?"
    rf"(?:_struct_(?:head|mlp|both))?_\d{{4}}_\d{{4}}(?:_\d+)?"
    rf"|(?:rsst|refill)_(?:{_any(SCHEDULES)})_(?:{_any(CRITERIA)})_{_WHAT}"
)
_FILMS = [
    f"The.{word}.S{n:02d}E{n:02d}.{n}080p.WEB-DL.DDP5.1.H.264-GRP.mkv"
    for n, word in enumerate(("Wire", "Office", "Crown", "Expanse") * 5, 1)
]


def names() -> list[str]:
    """Old and new names in turn, all of which the floor matches."""
    made: list[str] = []
    for arch in VOCABULARY.architectures:
        for number, dataset in enumerate(sorted(VOCABULARY.datasets)):
            given = arguments(arch, dataset, RST_schedule=SCHEDULES[number % len(SCHEDULES)])
            at = datetime(2026, 1, 8, tzinfo=UTC) + timedelta(minutes=7 * len(made))
            made += [legacy_name(given) or "", experiment_name(given, at=at)]
    return made


def _measure(read: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        for text in texts:
            read(text)
        taken.append((time.perf_counter() - start) / len(texts) * 1e6)
    return taken


def lines() -> Iterator[str]:
    """The table."""
    known = names()
    assert all(FLOOR.fullmatch(name) for name in known)
    ways: list[tuple[str, Callable[[str], object], Sequence[str]]] = [
        ("one expression", FLOOR.fullmatch, known),
        ("parse_name", parse_name, known),
        ("guessit, on films", guessit, _FILMS),
    ]
    yield "reading a name        us/name   names/s   ratio   spread"
    base = None
    for what, read, texts in ways:
        taken = _measure(read, texts)
        each = statistics.median(taken)
        base = base or each
        spread = f"{min(taken) / each:.2f}-{max(taken) / each:.2f}"
        yield f"{what:18s} {each:10.1f} {1e6 / each:9,.0f} {each / base:7.1f}   {spread}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())

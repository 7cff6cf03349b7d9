"""The numbers behind the HTML report's charts: an audit in, places and heights out. Pure.

The template draws them as SVG that is stretched to its place, so that all measures are runs and
weeks. What there is too much of in the matrix is summed up in a last line or column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate
from math import ceil, sqrt
from typing import NamedTuple

from migrate.report.audit import Pair, Week

FORMATS = ("legacy", "current", "custom")
SHADES = 5
_FEWEST_WEEKS = 20  # so that a single week is a bar and not a block
_TICKS = 4
_MOST_ARCHS, _MOST_DATASETS = 14, 8


def share(runs: int, whole: int) -> str:
    """A percentage for people: never 0 % of something, nor 100 % of less than everything.

    >>> share(1, 20000), share(19999, 20000), share(1, 3), share(0, 0)
    ('<1%', '>99%', '33%', '0%')
    """
    if 0 < 100 * runs < whole:
        return "<1%"
    if 99 * whole < 100 * runs < 100 * whole:
        return ">99%"
    return f"{round(100 * runs / whole) if whole else 0}%"


def stacked(counts: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """Counts one on the other: each with where it begins.

    >>> stacked({"legacy": 3, "current": 0, "custom": 2})
    [('legacy', 0, 3), ('current', 3, 0), ('custom', 3, 2)]
    """
    starts = accumulate(counts.values(), initial=0)
    return [(name, at, count) for (name, count), at in zip(counts.items(), starts, strict=False)]


class Bar(NamedTuple):
    """The runs of one week by format, and which week of the timeline it is."""

    first_day: date
    place: int
    counts: dict[str, int]


class Timeline(NamedTuple):
    """Runs by week and format of the name.

    Attributes:
        bars: The weeks that have runs.
        weeks: How many weeks there is room for.
        top: How many runs there is room for in a week.
        ticks: The first days of the quarters of the chart, as far as there are runs.
    """

    bars: list[Bar]
    weeks: int
    top: int
    ticks: list[date]


def timeline(weeks: Sequence[Week]) -> Timeline | None:
    """The weeks from the first to the last; None where there are none."""
    if not weeks:
        return None
    days = [date.fromisoformat(week.week) for week in weeks]
    bars = [
        Bar(day, (day - days[0]).days // 7, {name: getattr(week, name) for name in FORMATS})
        for day, week in zip(days, weeks, strict=True)
    ]
    number = bars[-1].place + 1
    apart = ceil(max(number, _FEWEST_WEEKS) / _TICKS)
    ticks = [days[0] + timedelta(weeks=place) for place in range(0, number, apart)]
    top = _round_up(max(sum(bar.counts.values()) for bar in bars))
    return Timeline(bars, apart * _TICKS, top, ticks)


def _round_up(number: int) -> int:
    """The next even number of one or two digits and zeros, so that its half is whole, too.

    >>> [_round_up(n) for n in (1, 2, 7, 31, 144, 1999)]
    [2, 2, 8, 32, 160, 2000]
    """
    unit = 2 * int(10 ** max(0, len(str(number)) - 2))
    return ceil(number / unit) * unit


Heading = str | int | None
"""A heading of the matrix: a name, None for "not known", or how many others it sums up."""


class Matrix(NamedTuple):
    """Runs by architecture and dataset, both most frequent first.

    Attributes:
        datasets: The headings of the columns.
        lines: For each architecture its heading, and the runs on each dataset.
        most: The most runs in a cell that has a name on both sides: sums of others, and what is
            not known, would flatten the scale of all others.
    """

    datasets: list[Heading]
    lines: list[tuple[Heading, list[int]]]
    most: int


def matrix(pairs: Sequence[Pair]) -> Matrix:
    """The most frequent architectures and datasets; the others summed up, the unknown last."""
    archs = _headings([(pair.arch, pair.runs) for pair in pairs], _MOST_ARCHS)
    datasets = _headings([(pair.dataset, pair.runs) for pair in pairs], _MOST_DATASETS)
    runs: Counter[tuple[Heading, Heading]] = Counter()
    for pair in pairs:
        runs[_heading(archs, pair.arch), _heading(datasets, pair.dataset)] += pair.runs
    named = [count for key, count in runs.items() if all(isinstance(word, str) for word in key)]
    lines = [(arch, [runs[arch, dataset] for dataset in datasets]) for arch in archs]
    return Matrix(datasets, lines, max(named, default=1))


def shade(count: int, most: int) -> int:
    """From 0, no runs, to SHADES; by the square root, to tell small counts apart beside large ones.

    >>> [shade(count, 100) for count in (0, 1, 10, 50, 100, 1000)]
    [0, 1, 2, 4, 5, 5]
    """
    return ceil(SHADES * min(1.0, sqrt(count / most)))


def _headings(counts: Sequence[tuple[str | None, int]], most: int) -> list[Heading]:
    totals: Counter[str | None] = Counter()
    for name, runs in counts:
        totals[name] += runs
    names = [name for name, _ in totals.most_common() if name is not None]
    # Never "1 others": that one fits as well as the heading that says so.
    shown = names if len(names) <= most + 1 else names[:most]
    others = [len(names) - len(shown)] if len(names) > len(shown) else []
    return [*shown, *others, *([None] if None in totals else [])]


def _heading(headings: Sequence[Heading], name: str | None) -> Heading:
    """The heading that a name belongs to: its own, or that of the others."""
    if name in headings:
        return name
    return next(heading for heading in headings if isinstance(heading, int))

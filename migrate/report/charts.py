"""The geometry of the HTML report's charts: an audit in, plain numbers for the template out.

Pure. Horizontal measures are percentages, so that a chart is as wide as its page and its text
is not scaled; vertical ones are pixels. What there is too much of is summed up in a last part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import ceil, sqrt

from migrate.report.audit import Audit, Pair, ReasonCount, Week

FORMATS = ("legacy", "current", "custom")
PLOT_HEIGHT = 150
SHADES = 5
_MOST_BARS = 208  # four years of weeks; of more, several weeks share a bar
_FEWEST_SLOTS = 20  # so that a single week is a bar and not a block
_MOST_ARCHS, _MOST_DATASETS = 14, 8


def percent(part: float, whole: float) -> str:
    """A share, as SVG takes lengths.

    >>> percent(1, 3)
    '33.333%'
    """
    return f"{100 * part / whole:.3f}%" if whole else "0%"


@dataclass(frozen=True, slots=True)
class Segment:
    """One status in the bar of all runs."""

    status: str
    runs: int
    x: str
    width: str
    share: str


@dataclass(frozen=True, slots=True)
class Bar:
    """The runs of one week, or of a few: counts in the order of FORMATS, drawn from below."""

    first_day: date
    counts: tuple[int, int, int]
    x: str
    width: str
    boxes: tuple[tuple[str, float, float], ...]
    """Format, y and height of each count that is not zero."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Runs by time and format of the name. `ticks` are x and text, `lines` y and number."""

    bars: tuple[Bar, ...]
    weeks_a_bar: int
    ticks: tuple[tuple[str, str], ...]
    lines: tuple[tuple[float, int], ...]


Heading = str | int | None
"""A heading of the matrix: a name, None for "not known", or how many others it sums up."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The runs of an architecture on a dataset: `shade` is from 0, no runs, to SHADES."""

    runs: int
    shade: int


@dataclass(frozen=True, slots=True)
class Line:
    """The runs of an architecture: in all, and on each dataset of the matrix."""

    arch: Heading
    total: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Runs by architecture and dataset, both most frequent first."""

    datasets: tuple[Heading, ...]
    lines: tuple[Line, ...]


def segments(audit: Audit) -> tuple[Segment, ...]:
    """The statuses side by side."""
    found, x = [], 0
    for status, runs in audit.statuses.items():
        width = percent(runs, audit.runs)
        found.append(Segment(status, runs, percent(x, audit.runs), width, _share(runs, audit.runs)))
        x += runs
    return tuple(found)


def _share(runs: int, whole: int) -> str:
    """A percentage for people: never 0 % of something, nor 100 % of less than everything.

    >>> _share(1, 20000), _share(19999, 20000), _share(1, 3), _share(0, 0)
    ('<1%', '>99%', '33%', '0%')
    """
    if 0 < 100 * runs < whole:
        return "<1%"
    if 99 * whole < 100 * runs < 100 * whole:
        return ">99%"
    return f"{round(100 * runs / whole) if whole else 0}%"


def timeline(weeks: Sequence[Week]) -> Timeline:
    """The weeks from the first to the last, those without runs too."""
    counted = {_monday(week): (week.legacy, week.current, week.custom) for week in weeks}
    if not counted:
        return Timeline((), 1, (), ())
    first = min(counted)
    total = (max(counted) - first).days // 7 + 1
    step = ceil(total / _MOST_BARS)
    number = ceil(total / step)
    sums = [[0, 0, 0] for _ in range(number)]
    for monday, counts in counted.items():
        bucket = sums[(monday - first).days // 7 // step]
        for place, count in enumerate(counts):
            bucket[place] += count
    top = _round_up(max(map(sum, sums)))
    slots = max(number, _FEWEST_SLOTS)
    bars = tuple(
        Bar(
            first + timedelta(weeks=step * place),
            (counts[0], counts[1], counts[2]),
            percent(place + 0.1, slots),
            percent(0.8, slots),
            _boxes(counts, top),
        )
        for place, counts in enumerate(sums)
    )
    apart = ceil(slots / 4)
    ticks = tuple((bar.x, bar.first_day.isoformat()) for bar in bars[::apart])
    lines = tuple((PLOT_HEIGHT * (1 - n / top), n) for n in ([top] if top < 2 else [top // 2, top]))
    return Timeline(bars, step, ticks, lines)


def _monday(week: Week) -> date:
    year, number = week.week.split("-W")
    return date.fromisocalendar(int(year), int(number), 1)


def _round_up(number: int) -> int:
    """The next even number of one or two digits and zeros, so that its half is whole, too.

    >>> [_round_up(n) for n in (1, 2, 7, 31, 144, 1999)]
    [1, 2, 8, 32, 160, 2000]
    """
    if number < 2:
        return 1
    unit = 2 * int("1" + "0" * max(0, len(str(number)) - 2))
    return ceil(number / unit) * unit


def _boxes(counts: Sequence[int], top: int) -> tuple[tuple[str, float, float], ...]:
    edges = [PLOT_HEIGHT * (1 - sum(counts[:place]) / top) for place in range(len(counts) + 1)]
    return tuple(
        (name, round(above, 2), round(below - above, 2))
        for name, (below, above), count in zip(FORMATS, pairwise(edges), counts, strict=True)
        if count
    )


def matrix(pairs: Sequence[Pair]) -> Matrix:
    """The most frequent architectures and datasets; the others summed up, the unknown last."""
    archs = _headings([(pair.arch, pair.runs) for pair in pairs], _MOST_ARCHS)
    datasets = _headings([(pair.dataset, pair.runs) for pair in pairs], _MOST_DATASETS)
    runs: Counter[tuple[Heading, Heading]] = Counter()
    for pair in pairs:
        runs[_heading(archs, pair.arch), _heading(datasets, pair.dataset)] += pair.runs
    # Sums of others, and what is not known, would flatten the scale of all that has a name.
    named = [
        count
        for (arch, dataset), count in runs.items()
        if isinstance(arch, str) and isinstance(dataset, str)
    ]
    most = max(named, default=1)
    lines = []
    for arch in archs:
        counts = [runs[arch, dataset] for dataset in datasets]
        cells = tuple(Cell(count, _shade(count, most)) for count in counts)
        lines.append(Line(arch, sum(counts), cells))
    return Matrix(tuple(datasets), tuple(lines))


def _shade(count: int, most: int) -> int:
    """The square root, so that small counts can be told apart next to a large one.

    >>> [_shade(count, 100) for count in (0, 1, 10, 50, 100, 1000)]
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


def reasons(audit: Audit) -> tuple[tuple[ReasonCount, str], ...]:
    """Every reason that needs attention, most frequent first, with the width of its bar."""
    most = max((reason.runs for reason in audit.reasons), default=0)
    return tuple((reason, percent(reason.runs, most)) for reason in audit.reasons)

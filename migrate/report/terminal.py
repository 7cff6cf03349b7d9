"""Rows and audits on a terminal: tables that fit it, names that can be read whole."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TypeVar

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.table import Table
from rich.text import Text

from migrate.mapping.rows import OLD, Row, count_by_status, number_of_runs
from migrate.report.audit import Audit, Gap, Pair
from migrate.report.words import reason_text
from migrate.text import shortened, visible

# Colours of the 16 that every terminal theme makes readable on its own background.
_STYLES = {"rename": "green", "review": "yellow", "hold": "magenta", "current": "cyan"}
_DIFFERENT, _HEADING, _DIM = (Style.parse(one) for one in ("bold underline", "bold", "dim"))
_GAP = 2
_NO_EDGE = 10_000
_MOST = 12
_MOST_PARTS = 400  # a comparison takes the square of them
Line = TypeVar("Line")
Pieces = list[Segment]


def print_report(console: Console, rows: Sequence[Row], *, every: bool = False) -> None:
    """Print a table of the rows that matter (`every`: all of them) and a line that counts."""
    shown = [row for row in rows if every or row.status in OLD]
    if shown:
        # No Table of rich's: it takes most of a millisecond a row, and shows none before the last.
        several = len({row.key.where for row in rows}) > 1
        widths = _widths(console, shown)
        words = ("run", "created", "status", "old name / new name, or the reason why not")
        _print_row(console, [[[Segment(word, _HEADING)]] for word in words], widths)
        for row in shown:
            _print_row(console, _report_cells(row, several), widths)
        console.print()
    console.print(Text(count_line(rows)))


def _widths(console: Console, rows: Sequence[Row]) -> list[int]:
    """Of the columns: the names have what run, date and status, and the gaps, leave of a line."""
    # In a pipe or a file names stay in one piece, for whoever looks for them; COLUMNS breaks them.
    edge = console.width if console.is_terminal or "COLUMNS" in os.environ else _NO_EDGE
    runs = max(len("run"), *(cell_len(visible(row.key.run_id)) for row in rows))
    runs = min(runs, max(20, edge // 4))  # an id may have 128 characters
    statuses = max(len("status"), *(len(row.status) for row in rows))
    left = [runs, len("2026-01-08"), statuses]
    return [*left, max(24, edge - sum(left) - _GAP * len(left))]


def _report_cells(row: Row, several: bool) -> list[list[Pieces]]:
    """For each column the texts that stand in it, one below the other."""
    style = Style.parse(_STYLES.get(row.status, "none"))
    created = row.created_at.strftime("%Y-%m-%d") if row.created_at else "-"
    texts = [[Segment(visible(str(row.key.where)), _DIM)]] if several else []
    if row.new_name is None:
        texts.append([Segment(visible(row.old_name))])
    else:
        old, new = _marked(row.old_name, row.new_name)
        texts += [old, [Segment("→ "), *new]]
    if row.reasons:
        texts.append([Segment(visible(reason_text(row.reasons)), style)])
    left = [Segment(visible(row.key.run_id)), Segment(created, _DIM), Segment(row.status, style)]
    return [*([[one]] for one in left), texts]


def _print_row(console: Console, cells: Sequence[Sequence[Pieces]], widths: Sequence[int]) -> None:
    columns = [
        [line for text in texts for line in _lines(text, width)]
        for texts, width in zip(cells, widths, strict=True)
    ]
    segments = []
    for line in zip_longest(*columns, fillvalue=[]):
        blank = 0
        for pieces, width in zip(line, widths, strict=True):
            if pieces:
                segments += [Segment(" " * blank), *pieces]
                blank = 0
            blank += width + _GAP - sum(piece.cell_length for piece in pieces)
        segments.append(Segment.line())
    console.print(Segments(segments), crop=False, end="")


def _lines(pieces: Pieces, width: int) -> list[Pieces]:
    """The pieces in lines of at most `width`."""
    broken = _broken("".join(piece.text for piece in pieces), width)
    if len(broken) == 1:
        return [pieces]
    lines: list[Pieces] = []
    left = list(reversed(pieces))
    for room in map(len, broken):
        line: Pieces = []
        while room:
            text, style, _ = left.pop()
            if len(text) > room:
                left.append(Segment(text[room:], style))
            line.append(Segment(text[:room], style))
            room -= len(line[-1].text)
        lines.append(line)
    return lines


def _marked(old: str, new: str) -> tuple[Pieces, Pieces]:
    """Both names, the parts that the other has not got in bold and underlined."""
    old_parts = re.findall(r"[^_]+|_", visible(old))
    new_parts = re.findall(r"[^_]+|_", visible(new))
    if max(len(old_parts), len(new_parts)) > _MOST_PARTS:
        return [Segment("".join(old_parts), _DIFFERENT)], [Segment("".join(new_parts), _DIFFERENT)]
    marked: tuple[Pieces, Pieces] = [], []
    matcher = SequenceMatcher(None, old_parts, new_parts, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        style = None if tag == "equal" else _DIFFERENT
        marked[0].append(Segment("".join(old_parts[old_from:old_to]), style))
        marked[1].append(Segment("".join(new_parts[new_from:new_to]), style))
    return marked


def _broken(text: str, width: int) -> list[str]:
    """The text in lines of at most `width`, broken behind a space or a `_` where there is one."""
    lines: list[str] = []
    at, left = 0, cell_len(text)
    while left > width and at < len(text):
        room = text[at : at + width]
        # The first piece is empty where a mark without a width of its own begins.
        piece = next(filter(None, chop_cells(room, width)), room)
        breaks = [piece.rfind(mark) + 1 for mark in " _"]
        cut = next((end for end in breaks if end > len(piece) // 2), len(piece))
        lines.append(piece[:cut])
        at += cut
        left -= cell_len(piece[:cut])
    return [*lines, text[at:]]


def count_line(rows: Sequence[Row]) -> str:
    """`80 runs: 42 rename, 9 review, …`."""
    return f"{number_of_runs(len(rows))}: {count_by_status(rows)}".removesuffix(": ")


def print_audit(console: Console, found: Audit) -> None:
    """Print an audit; that of several projects together leaves single names to theirs."""
    console.print(Text(f"{visible(found.project)}: {number_of_runs(found.runs)}", "bold"))
    console.print(Text(", ".join(f"{n} {status}" for status, n in found.statuses.items())))
    _section(
        console,
        "What needs a person",
        [(str(one.runs), one.status, one.text) for one in found.reasons],
    )
    _pairs(console, found.pairs)
    _section(
        console,
        "Missing in the configs, and what would settle it (check before use)",
        [(str(gap.runs), gap.assume, _grounds(gap)) for gap in found.gaps],
    )
    if found.project == "all":
        return
    _section(
        console,
        "Names that several runs share",
        [(str(len(one.run_ids)), one.name, _ids(one.run_ids)) for one in found.shared],
    )
    _section(
        console,
        "Names that people picked, with the guide's advice",
        [(one.run_id, one.name, "; ".join(one.advice)) for one in found.picked],
    )


def _grounds(gap: Gap) -> str:
    if not gap.alike:
        return "no one value to suggest"
    if gap.alike == 1:
        return "suggested: the one other run of that kind has it"
    return f"suggested: the {gap.alike} other runs of that kind have it"


def _ids(run_ids: Sequence[str]) -> str:
    return " ".join([*run_ids[:3], *(["…"] if len(run_ids) > 3 else [])])


def _section(console: Console, title: str, lines: Sequence[tuple[str, str, str]]) -> None:
    if not lines:
        return
    shown = [[visible(cell) for cell in cells] for cells in _most(lines, _MOST)]
    first, second, third = (max(map(cell_len, column)) for column in zip(*shown, strict=True))
    room = max(24, console.width - first - 4)  # a run id may be wider than the terminal
    second = min(second, max(room - third, room // 2))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for number, name, words in shown:
        table.add_row(Text(number), _wrapped(name, second), _wrapped(words, room - second))
    console.print()
    console.print(Text(title, "bold"))
    console.print(table)
    _more(console, len(lines) - len(shown))


def _pairs(console: Console, pairs: Sequence[Pair]) -> None:
    """The matrix of architectures and datasets: as many datasets as fit, the others as one."""
    if not pairs:
        return
    cells: Counter[tuple[str, str]] = Counter()
    by_arch: Counter[str] = Counter()
    by_dataset: Counter[str] = Counter()
    for pair in pairs:
        arch, dataset = (visible(word or "(not known)") for word in (pair.arch, pair.dataset))
        cells[arch, dataset] += pair.runs
        by_arch[arch] += pair.runs
        by_dataset[dataset] += pair.runs
    archs = _most(by_arch.most_common(), _MOST * 2)
    label = min(max(cell_len(arch) for arch, _ in archs), max(24, console.width // 5))
    others = f"{len(by_dataset)} more"
    room = console.width - label - len(others) - len(str(sum(by_arch.values()))) - 8
    columns: dict[str, str] = {}
    for dataset, _ in by_dataset.most_common():
        heading = shortened(dataset, 24)
        room -= cell_len(heading) + 2
        if room < 0:
            break
        columns[dataset] = heading
    left = len(by_dataset) - len(columns)
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    headings = [*columns.values(), *([f"{left} more"] if left else []), "all"]
    for heading in headings:
        table.add_column(Text(heading), justify="right", no_wrap=True)
    for arch, total in archs:
        counts = [cells[arch, dataset] for dataset in columns]
        if left:
            counts.append(total - sum(counts))
        if cell_len(arch) > label:
            pieces = re.findall("[^_]*_|[^_]+", arch)
            arch = "".join(shortened(piece, label // 2) for piece in pieces)
        table.add_row(_wrapped(arch, label), *(str(count or "·") for count in counts), str(total))
    console.print()
    console.print(Text("Runs by architecture and dataset", "bold"))
    console.print(table)
    _more(console, len(by_arch) - len(archs))


def _wrapped(text: str, width: int) -> Text:
    return Text("\n".join(_broken(text, width)))


def _most(lines: Sequence[Line], count: int) -> Sequence[Line]:
    """The first of the lines; all of them where only one would be left out."""
    return lines if len(lines) <= count + 1 else lines[:count]


def _more(console: Console, count: int) -> None:
    if count > 0:
        console.print(Text(f"… and {count} more; --json has them all", "dim"))

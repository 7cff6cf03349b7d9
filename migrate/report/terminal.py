"""Rows and audits on a terminal: tables that fit it, names that can be read whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.table import Table
from rich.text import Text

from migrate.client.runs import RunKey
from migrate.console import print_table
from migrate.mapping.kinds import Kind
from migrate.mapping.rows import OLD, Row
from migrate.report.audit import Audit, Pair
from migrate.report.kinds import group_text, others_text
from migrate.report.marks import Piece, marked
from migrate.report.words import count_by_status, reason_text, settled_text
from migrate.text import counted, shortened, visible
from naming import parse_name

# Colours of the 16 that every terminal theme makes readable on its own background.
_STYLES = {"rename": "green", "review": "yellow", "hold": "magenta", "current": "cyan"}
_DIFFERENT, _HEADING, _DIM = map(Style.parse, ("bold underline", "bold", "dim"))
_INDENT, _ARROW = Segment("    "), Segment("  → ")
_MOST, _MOST_WORD_LINES, _LEAST_WORDS = 12, 3, 8
_LONG_WORD, _CUT_WORD = 24, 16  # none of our own words is long
Line = TypeVar("Line")
Pieces = list[Segment]


def print_report(console: Console, rows: Sequence[Row], shown: Sequence[Row] | None = None) -> None:
    """Print the runs with an old name, or those to be shown, and a line that counts them all."""
    several = len({row.key.where for row in rows}) > 1
    if shown is None:
        shown = [row for row in rows if row.status in OLD]
    for row in shown:
        style = Style.parse(_STYLES.get(row.status, "none"))
        created = row.created_at.strftime("%Y-%m-%d") if row.created_at else "-"
        heading = [*_run(row.key, several), Segment(f"  {created}", _DIM)]
        lines = [[*heading, Segment(f"  {row.status}", style)]]
        if row.new_name is None:
            lines.append([_INDENT, Segment(visible(row.old_name))])
            if row.reasons:
                lines.append([_INDENT, Segment(_reasons(row), style)])
        else:
            lines += _names(row.old_name, row.new_name, row.fields)
        if row.settled:
            lines.append([_INDENT, Segment(visible(settled_text(row.settled)), _DIM)])
        _print_lines(console, lines)
    if shown:
        console.print()
    console.print(Text(count_line(rows)))


def print_renames(console: Console, renames: Sequence[tuple[RunKey, str, str, str]]) -> None:
    """Print runs with their old and new names and what was settled, in words; and their number."""
    several = len({key.where for key, *_ in renames}) > 1
    for key, old_name, new_name, settled in renames:
        parsed = parse_name(new_name)
        fields = (parsed.fields or {}) if parsed.format == "current" else {}
        below = [[_INDENT, Segment(visible(settled), _DIM)]] if settled else []
        _print_lines(console, [_run(key, several), *_names(old_name, new_name, fields), *below])
    console.print()
    console.print(Text(counted(len(renames), "run")))


def _run(key: RunKey, several: bool) -> Pieces:
    """The run's id, with its project where there are several."""
    project = [Segment(visible(f"{key.where}/"), _DIM)] if several else []
    return [*project, Segment(visible(key.run_id), _HEADING)]


def _names(old: str, new: str, fields: Mapping[str, object]) -> list[Pieces]:
    """Both names, with what is not in the other one in bold and underlined."""
    old_pieces, new_pieces = marked(old, new, fields)
    return [[_INDENT, *_shown(old_pieces)], [_ARROW, *_shown(new_pieces)]]


def _shown(pieces: Iterable[Piece]) -> Pieces:
    return [Segment(visible(piece.text), _DIFFERENT if piece.own else None) for piece in pieces]


def _reasons(row: Row) -> str:
    """The reasons; of a run that is held, its state as well, where it has not begun to run."""
    state = f" ({row.state})" if "running" in row.codes and row.state != "running" else ""
    return visible(reason_text(row.reasons) + state)


def _print_lines(console: Console, lines: Iterable[Pieces]) -> None:
    """Print the lines of one run.

    Long lines are left to the terminal to wrap, so that a name stays in one piece for whoever
    copies it, or looks for it in a pipe. (A Table of rich's takes most of a millisecond a row,
    and shows none before the last.)
    """
    segments = [segment for line in lines for segment in (*line, Segment.line())]
    console.print(Segments(segments), crop=False, end="")


def count_line(rows: Sequence[Row]) -> str:
    """`80 runs: 42 rename, 9 review, …`."""
    return f"{counted(len(rows), 'run')}: {count_by_status(rows)}".removesuffix(": ")


def print_audit(console: Console, found: Audit) -> None:
    """Print an audit; that of several projects together leaves single names to theirs."""
    console.print(Text(f"{visible(found.project)}: {counted(found.runs, 'run')}", "bold"))
    console.print(Text(", ".join(f"{n} {status}" for status, n in found.statuses.items())))
    _section(
        console,
        "Needs attention",
        [(str(count.runs), count.status, count.text) for count in found.reasons],
    )
    _pairs(console, found.pairs)
    _section(
        console,
        "Missing config values, and what other runs of the kind have",
        [(str(len(kind.cases)), str(kind.key), _grounds(kind)) for kind in found.gaps],
    )
    if found.project == "all":
        return
    _section(
        console,
        "Names that several runs share",
        [(str(len(name.run_ids)), name.name, _ids(name.run_ids)) for name in found.shared],
        of_names=True,
    )
    _section(
        console,
        "Custom names, with the guide's advice",
        [(run.run_id, run.name, "; ".join(run.advice)) for run in found.picked],
        of_names=True,
    )


def _grounds(kind: Kind) -> str:
    return f"{group_text(kind.group) if kind.group else ''}: {others_text(kind.others)}"


def _ids(run_ids: Sequence[str]) -> str:
    return " ".join([*run_ids[:3], *(["…"] if len(run_ids) > 3 else [])])


def _section(
    console: Console,
    title: str,
    lines: Sequence[tuple[str, str, str]],
    *,
    of_names: bool = False,
) -> None:
    """A heading and three columns below it; nothing where there are no lines.

    What is cut to fit is other people's: names in the second column, long words in the third. A
    key is cut only where it would leave the third column no room.
    """
    if not lines:
        return
    shown = [[visible(cell) for cell in cells] for cells in _most(lines, _MOST)]
    first, second, third = (max(map(cell_len, column)) for column in zip(*shown, strict=True))
    room = max(24, console.width - first - 4)  # a run id may be wider than the terminal
    second = min(second, max(room - third, room // 2) if of_names else room - _LEAST_WORDS)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for number, name, words in shown:
        fitting = _with_words_cut(words, _MOST_WORD_LINES * (room - second))
        table.add_row(Text(number), Text(shortened(name, second)), Text(fitting))
    _print_table(console, title, table, len(lines) - len(shown))


def _with_words_cut(text: str, width: int) -> str:
    """The text; where it is wider than this, its long words are cut."""
    if cell_len(text) <= width:
        return text
    return " ".join(
        shortened(word, _CUT_WORD) if cell_len(word) > _LONG_WORD else word
        for word in text.split(" ")
    )


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
    label = min(max(cell_len(arch) for arch, _ in archs), max(24, console.width // 3))
    headings = _headings(by_dataset, console.width - label)
    others = len(by_dataset) - len(headings)

    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for heading in [*headings.values(), *([f"{others} more"] if others else []), "all"]:
        table.add_column(Text(heading), justify="right", no_wrap=True)
    for arch, total in archs:
        counts = [cells[arch, dataset] for dataset in headings]
        if others:
            counts.append(total - sum(counts))
        cells_shown = (str(count or "·") for count in (*counts, total))
        table.add_row(Text(shortened(arch, label)), *cells_shown)
    _print_table(console, "Runs by architecture and dataset", table, len(by_arch) - len(archs))


def _headings(by_dataset: Counter[str], width: int) -> dict[str, str]:
    """Dataset to its heading, for as many as fit beside the columns `N more` and `all`."""
    runs = sum(by_dataset.values())
    room = width - len(f"{len(by_dataset)} more") - len(str(runs)) - 8
    headings = {}
    for dataset, _ in by_dataset.most_common():
        heading = shortened(dataset, 24)
        room -= cell_len(heading) + 2
        if room < 0:
            break
        headings[dataset] = heading
    return headings


def _print_table(console: Console, title: str, table: Table, more: int) -> None:
    console.print()
    console.print(Text(title, "bold"))
    print_table(console, table)
    if more > 0:
        console.print(Text(f"… and {more} more; --json has them all", "dim"))


def _most(lines: Sequence[Line], count: int) -> Sequence[Line]:
    """The first of the lines; all of them where only one would be left out."""
    return lines if len(lines) <= count + 1 else lines[:count]

"""Rows and audits on a terminal: tables that fit it, names that can be read whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from rich.cells import cell_len
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from migrate.audit import Audit, Pair
from migrate.rows import STATUSES, Row
from migrate.text import visible

# Colours of the 16 that every terminal theme makes readable on its own background.
_STYLES = {"rename": "green", "review": "yellow", "hold": "magenta", "current": "cyan"}
_DIFFERENT = "bold underline"
_SHOWN = ("rename", "review", "hold")
_MOST = 12


def print_report(console: Console, rows: Sequence[Row], *, every: bool = False) -> None:
    """Print a table of the rows that matter (`every`: all of them) and a line that counts."""
    shown = [row for row in rows if every or row.status in _SHOWN]
    if shown:
        several = len({(row.entity, row.project) for row in rows}) > 1
        table = Table(box=None, pad_edge=False, expand=False, show_header=True)
        table.add_column("run", no_wrap=True)
        table.add_column("created", no_wrap=True)
        table.add_column("status", no_wrap=True)
        table.add_column("old name / new name, or the reason why not", overflow="fold", ratio=1)
        width = _name_width(console, shown)
        for row in shown:
            table.add_row(*_report_cells(row, several, width))
        console.print(table)
        console.print()
    console.print(Text(count_line(rows)))


def _name_width(console: Console, rows: Sequence[Row]) -> int:
    """What the columns of run, date and status, and the gaps, leave of a line."""
    runs = max(len("run"), *(cell_len(visible(row.run_id)) for row in rows))
    statuses = max(len("status"), *(len(row.status) for row in rows))
    return max(24, console.width - runs - 10 - statuses - 6)


def _report_cells(row: Row, several: bool, width: int) -> tuple[Text | Group, ...]:
    style = _STYLES.get(row.status, "")
    created = row.created_at.strftime("%Y-%m-%d") if row.created_at else "-"
    run = visible(row.run_id)
    lines = [Text(visible(f"{row.entity}/{row.project}"), "dim")] if several else []
    if row.new_name is None:
        lines.append(_wrapped(Text(visible(row.old_name)), width))
    else:
        old, new = marked(row.old_name, row.new_name)
        lines += [_wrapped(old, width), _wrapped(Text("→ ") + new, width)]
    if row.reason:
        lines.append(_wrapped(Text(visible(row.reason), style), width))
    return Text(run), Text(created, "dim"), Text(row.status, style), Group(*lines)


def marked(old: str, new: str) -> tuple[Text, Text]:
    """Both names, the parts that the other has not got in bold and underlined."""
    old_parts = re.findall(r"[^_]+|_", visible(old))
    new_parts = re.findall(r"[^_]+|_", visible(new))
    old_text, new_text = Text(), Text()
    matcher = SequenceMatcher(None, old_parts, new_parts, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        style = "" if tag == "equal" else _DIFFERENT
        old_text.append("".join(old_parts[old_from:old_to]), style)
        new_text.append("".join(new_parts[new_from:new_to]), style)
    return old_text, new_text


def _wrapped(text: Text, width: int) -> Text:
    """The text in lines of at most `width`, broken behind a `_` where there is one."""
    lines = []
    while text.cell_len > width:
        piece = text.plain[:width]
        at = max(piece.rfind("_"), piece.rfind(" ")) + 1
        at = at if at > width // 2 else width
        lines.append(text[:at])
        text = text[at:]
    return Text("\n").join([*lines, text])


def count_line(rows: Sequence[Row]) -> str:
    """`80 runs: 42 rename, 9 review, …`."""
    counts = Counter(row.status for row in rows)
    told = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])
    return f"{len(rows)} run{'' if len(rows) == 1 else 's'}{': ' if told else ''}{told}"


def print_audit(console: Console, found: Audit) -> None:
    """Print an audit."""
    console.print(Text(f"{visible(found.project)}: {found.runs} runs", "bold"))
    console.print(Text(", ".join(f"{n} {status}" for status, n in found.statuses.items())))
    _section(
        console,
        "What needs a person",
        [(str(one.runs), one.status, one.reason) for one in found.reasons],
    )
    _pairs(console, found.pairs)
    _section(
        console,
        "Missing in the configs, and how to settle it",
        [(str(gap.runs), gap.key, gap.assume) for gap in found.gaps],
    )
    _section(
        console,
        "Names that several runs share",
        [(str(len(one.run_ids)), one.name, " ".join(one.run_ids[:3])) for one in found.shared],
    )
    _section(
        console,
        "Names that people picked, with the guide's advice",
        [(one.run_id, one.name, "; ".join(one.advice)) for one in found.picked],
    )


def _section(console: Console, title: str, lines: Sequence[tuple[str, str, str]]) -> None:
    if not lines:
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for cells in lines[:_MOST]:
        table.add_row(*(Text(visible(cell)) for cell in cells))
    console.print()
    console.print(Text(title, "bold"))
    console.print(table)
    _more(console, len(lines) - _MOST)


def _pairs(console: Console, pairs: Iterable[Pair]) -> None:
    """The matrix of architectures and datasets, as many datasets as fit."""
    by_arch: Counter[str] = Counter()
    by_dataset: Counter[str] = Counter()
    cells: Counter[tuple[str, str]] = Counter()
    for pair in pairs:
        arch, dataset = visible(pair.arch or "-"), visible(pair.dataset or "-")
        by_arch[arch] += pair.runs
        by_dataset[dataset] += pair.runs
        cells[arch, dataset] += pair.runs
    columns: list[str] = []
    room = console.width - 24 - 7
    for dataset, _ in by_dataset.most_common():
        if room < len(dataset) + 2:
            break
        room -= len(dataset) + 2
        columns.append(dataset)
    table = Table(box=None, pad_edge=False)
    table.add_column("", overflow="fold", max_width=24)
    for heading in (*columns, "all"):
        table.add_column(Text(heading), justify="right", no_wrap=True)
    for arch, total in by_arch.most_common(_MOST * 2):
        counts = [cells[arch, dataset] for dataset in columns]
        table.add_row(Text(arch), *(str(count or "·") for count in counts), str(total))
    console.print()
    console.print(Text("Runs by architecture and dataset", "bold"))
    console.print(table)
    _more(console, len(by_arch) - _MOST * 2)


def _more(console: Console, count: int) -> None:
    if count > 0:
        console.print(Text(f"… and {count} more; --json has them all", "dim"))

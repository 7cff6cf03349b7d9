"""The journals in this folder: what `undo` and `resume` show where none is given."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.text import Text

from migrate.cli.carry_out import COMMAND
from migrate.console import Output
from migrate.errors import InputError
from migrate.mapping.rows import number_of_runs
from migrate.rename.journal import FORMAT, JournalState, read
from migrate.rename.plan import Direction
from migrate.text import visible

_FIRST_BYTES = 65_536


def list_journals(output: Output, direction: Direction) -> int:
    """Print the journals in this folder, the newest first, and which of them it can do more for."""
    command = COMMAND[direction]
    found, damaged = _find()
    for path, state in found:
        header = state.header
        projects = ", ".join(header.projects[:3]) + (", …" if len(header.projects) > 3 else "")
        words = [projects, header.time, number_of_runs(len(state.plan)), state_words(state)]
        lines = [str(path), "    " + "  ".join(words)]
        if _is_for(state, direction):
            lines.append(f"    {shlex.join(['rsst-migrate', command, str(path)])}")
        for line in lines:
            output.out.print(Text(visible(line)), soft_wrap=True)
    for error in damaged:
        output.tell(f"{error}")
    if not found and not damaged:
        output.say("There is no journal in this folder. Name one that is elsewhere.")
    elif not any(_is_for(state, direction) for _, state in found):
        output.say(f"There is nothing to {command} in this folder.")
    return 0


def _find() -> tuple[list[tuple[Path, JournalState]], list[InputError]]:
    """The journals in this folder, the newest first; and what is wrong with others."""
    found, damaged = [], []
    for path in Path().glob("*.jsonl"):
        try:
            with path.open("rb") as file:
                # By our own ending it is a journal, whatever happened to its first line.
                ours = path.name.endswith(".journal.jsonl")
                if not ours and FORMAT.encode() not in file.readline(_FIRST_BYTES):
                    continue
        except OSError:
            continue
        try:
            found.append((path, read(path)))
        except InputError as error:
            damaged.append(error)
    return sorted(found, key=lambda both: both[1].header.time, reverse=True), damaged


def state_words(state: JournalState) -> str:
    """How far a rename, or its undo, has come."""
    plan, renamed = len(state.plan), len(state.renamed)
    if not state.complete:
        return "nothing was renamed"
    if state.last == "undo":
        left = len(state.sent)
        return f"undo unfinished: {left} of {plan} to put back" if left else "undone"
    if state.open:
        return f"rename unfinished: {renamed} of {plan} renamed"
    return f"{renamed} of {plan} renamed"


def _is_for(state: JournalState, direction: Direction) -> bool:
    """Whether `resume` (direction rename) or `undo` has something to do."""
    if direction == "undo":
        return bool(state.sent)
    return state.complete and len(state.renamed) < len(state.plan)

"""What the shell completes when Tab is pressed: quickly, or nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from glob import escape, iglob
from pathlib import Path

SECONDS = 3.0
# zsh evaluates the completions, so names with other characters are left to be typed.
_PLAIN = re.compile(r"[A-Za-z0-9_.+-][A-Za-z0-9_.+/-]*")


def paths(incomplete: str) -> list[str]:
    """The account's projects as entity/project; nothing on any error, or after SECONDS.

    What begins like a path is completed with folders.
    """
    if incomplete.startswith("."):
        folders = iglob(f"{escape(incomplete)}*/")  # noqa: PTH207 - a Path has no ./
        return _beginning(incomplete, sorted(folders))
    from migrate.client.background import in_background

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the user is in the middle of a line
    with suppress(Exception):
        found = in_background(lambda: _projects(incomplete)).result(SECONDS)
        if found:
            return found
    os._exit(0)  # without waiting for wandb to clean up


def _projects(incomplete: str) -> list[str]:
    from migrate.client.server import connect

    return _beginning(incomplete, connect().project_paths(incomplete))


def journals(incomplete: str) -> list[str]:
    """The journals in this folder; elsewhere the shell's own completion finds them."""
    return _beginning(incomplete, sorted(path.name for path in Path().glob("*.journal.jsonl")))


def among(words: Sequence[str]) -> Callable[[str], list[str]]:
    """Completes with one of some words."""
    return lambda incomplete: _beginning(incomplete, words)


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete) and _PLAIN.fullmatch(word)]

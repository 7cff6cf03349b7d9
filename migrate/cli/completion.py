"""What the shell completes when Tab is pressed: quickly, or nothing."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from glob import escape, iglob
from itertools import islice
from pathlib import Path

SECONDS = 3.0
_MOST_ENTITIES, _MOST_PROJECTS = 10, 200
# zsh evaluates the completions, so names with other characters are left to be typed.
_PLAIN = re.compile(r"[A-Za-z0-9_.+-][A-Za-z0-9_.+/-]*")


def paths(incomplete: str) -> list[str]:
    """The account's projects as entity/project; nothing on any error, or after SECONDS.

    What begins like a path is completed with folders.
    """
    if incomplete.startswith("."):
        folders = iglob(f"{escape(incomplete)}*/")  # noqa: PTH207 - a Path has no ./
        return _beginning(incomplete, sorted(folders))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the user is in the middle of a line
    found: list[str] = []

    def ask() -> None:
        found.extend(_beginning(incomplete, _projects(incomplete)))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(SECONDS)
    if thread.is_alive() or not found:
        os._exit(0)  # without waiting for wandb to clean up
    return found


def _projects(incomplete: str) -> Iterator[str]:
    from migrate.client.sign_in import sign_in

    api = sign_in().api
    entity, slash, _ = incomplete.partition("/")
    entities = [entity]
    if not slash:
        own = dict.fromkeys([api.default_entity, api.viewer.username, *api.viewer.teams])
        entities = [name for name in own if name and name.startswith(entity)]
    for name in entities[:_MOST_ENTITIES]:
        for project in islice(api.projects(name), _MOST_PROJECTS):
            yield f"{name}/{project.name}"


def journals(incomplete: str) -> list[str]:
    """The journals in this folder; elsewhere the shell's own completion finds them."""
    return _beginning(incomplete, sorted(path.name for path in Path().glob("*.journal.jsonl")))


def formats(incomplete: str) -> list[str]:
    """The values of --format."""
    from migrate.report.files import FORMATS

    return _beginning(incomplete, FORMATS)


def among(words: Sequence[str]) -> Callable[[str], list[str]]:
    """Completes with one of some words."""
    return lambda incomplete: _beginning(incomplete, words)


def _beginning(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete) and _PLAIN.fullmatch(word)]

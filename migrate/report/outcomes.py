"""What became of renames, in words."""

from __future__ import annotations

from collections.abc import Iterable

from migrate.client.runs import BEING_WRITTEN, SYNCED
from migrate.text import counted, few, visible

_WORDS = {
    "done": "done",
    "altered": "altered: the server made it {}",
    "gone": "gone: the run no longer exists",
    "drifted": "drifted: is now {} (renamed by somebody else meanwhile)",
    "read-only": "read-only: this key may not rename it",
    "running": "running: it is {}, and its process may write its name back",
    "held": "left alone: {}",
    "refused": "refused: {}",
    "unanswered": "not confirmed: {}",
    "reverted": "drifted: was renamed, but has its previous name again",
    "not-verified": "not verified: {}",
    "not-reached": "not reached",
}
_HELD = {
    BEING_WRITTEN: "a process is writing the log",
    SYNCED: "synced, so on W&B already",
}
_STOPS = {
    "interrupted": "interrupted",
    "refused": "W&B refused the last {count} rename requests, which included runs from every part "
    "of the plan. Last error: {text}",
    "silent": "W&B does not take renames now. Last error: {text}",
    "altered": "W&B altered every name in the first document, for example to {text}",
    "unread": "run names cannot be read: {text}",
    "gone": "{text}",
    "journal": "{text}",
    "service": "{text}",
    "fault": "a fault of rsst-migrate: {text}",
}
_MOST_LINES, _MOST_IDS = 50, 5


def outcome_words(code: str, text: str) -> str:
    """What became of a run: its outcome's code, and words with its data."""
    return _WORDS[code].format(visible(_HELD.get(text, text) if code == "held" else text))


def outcome_lines(outcomes: Iterable[tuple[str, str, str]]) -> list[str]:
    """What became of runs, each with its id, code and text; equal words stand in one line.

    >>> outcome_lines([("a", "refused", "no"), ("b", "gone", ""), ("c", "refused", "no")])
    ['2 runs: refused: no (a, c)', 'b: gone: the run no longer exists']
    """
    groups: dict[str, list[str]] = {}
    for run_id, code, text in outcomes:
        groups.setdefault(outcome_words(code, text), []).append(run_id)
    lines = [
        f"{visible(run_ids[0])}: {words}"
        if len(run_ids) == 1
        else f"{counted(len(run_ids), 'run')}: {words} ({visible(few(run_ids, _MOST_IDS))})"
        for words, run_ids in groups.items()
    ]
    if len(lines) <= _MOST_LINES:
        return lines
    left_out = sum(map(len, list(groups.values())[_MOST_LINES:]))
    return [*lines[:_MOST_LINES], f"… and {counted(left_out, 'run')} more"]


def summary_words(*, runs: int, done: int, had: int, unread: int, verb: str, source: str) -> str:
    """How many names are as they were to be.

    Args:
        runs: How many there were to do.
        done: How many of them were read at the end.
        had: How many of those needed nothing.
        unread: How many were confirmed, and could not be read at the end.
        verb: `renamed` or `put back`.
        source: Where they were read.

    >>> summary_words(runs=3, done=2, had=1, unread=0, verb="renamed", source="the server")
    '2 of 3 runs renamed, read back from the server (1 had the name already).'
    >>> summary_words(runs=3, done=0, had=0, unread=2, verb="renamed", source="the server")
    '2 of 3 runs renamed; 2 of them were confirmed, but could not be read back from the server.'
    """
    line = f"{done + unread} of {counted(runs, 'run')} {verb}"
    if unread:
        line += f"; {unread} of them were confirmed, but could not be read back from {source}"
    else:
        line += f", read back from {source}"
    return line + (f" ({had} had the name already)." if had else ".")


def stop_words(code: str, text: str, count: int) -> str:
    """Why the work was broken off."""
    return _STOPS[code].format(text=visible(text), count=count)

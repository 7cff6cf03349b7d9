"""What became of renames, in words."""

from __future__ import annotations

from migrate.text import visible

_WORDS = {
    "done": "done",
    "altered": "altered: the server made it {}",
    "gone": "gone: there is no such run any more",
    "drifted": "drifted: is now {}",
    "read-only": "read-only: this key may not rename it",
    "running": "running: it is {}, and its process may write its name back",
    "held": "left alone: it is {}",
    "refused": "refused: {}",
    "unanswered": "unanswered: {}",
    "reverted": "drifted: was renamed, but has its previous name again",
    "not-verified": "not verified: {}",
    "not-reached": "not reached",
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


def outcome_words(code: str, text: str) -> str:
    """What became of a run: its outcome's code, and words with its data."""
    return _WORDS[code].format(visible(text))


def stop_words(code: str, text: str, count: int) -> str:
    """Why the work was broken off."""
    return _STOPS[code].format(text=visible(text), count=count)

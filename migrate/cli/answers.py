"""What is typed at a question of `settle`, parsed into an answer. Pure."""

from __future__ import annotations

from typing import Final, Literal

from migrate.cli.rules import supplied
from migrate.mapping.kinds import Kind
from migrate.mapping.rules import Rule, Side
from migrate.mapping.settling import answer_of, readings
from naming import Style

Command = Literal["skip", "every", "back", "quit", "help"]

_COMMANDS: Final[dict[str, Command]] = {
    "s": "skip",
    "e": "every",
    "b": "back",
    "q": "quit",
    "?": "help",
}
_SIDES: Final[dict[str, Side]] = {"n": "name", "name": "name", "c": "config", "config": "config"}


def read_reply(kind: Kind, typed: str, style: Style) -> Rule | Command:
    """What a typed line means as the reply to a question about a kind.

    Raises:
        ValueError: It is not an answer; says what is.
    """
    typed = typed.strip()
    if command := _COMMANDS.get(typed.lower()):
        return command
    if not typed and kind.suggested is not None:
        return answer_of(kind, kind.suggested)
    if kind.problem.code == "conflict":
        if side := _SIDES.get(typed.lower()):
            return Rule(prefer=side)
        if kind.key is None or not typed:
            raise ValueError("Enter n for what the name says, or c for what the config says")
    if kind.problem.code == "ambiguous":
        return answer_of(kind, _architecture(kind, typed))
    if not typed and kind.is_about_a_word:
        raise ValueError(f"Enter another {kind.key}")
    if not typed:
        raise ValueError("Not all other runs have the same value: enter one")
    key, text = kind.key or "", typed
    if kind.is_about_a_word and typed.startswith(("arch=", "dataset=")):
        key, _, text = typed.partition("=")
    _, value = supplied([style], key, text)
    return answer_of(kind, value, key)


def _architecture(kind: Kind, typed: str) -> str:
    """The architecture of a reading, by its number or by itself."""
    shown = readings(kind)
    if typed.isdecimal() and 1 <= int(typed) <= len(shown):
        return shown[int(typed) - 1][0]
    text = str(kind.problem.data[0])
    if not text.startswith(f"{typed}_") or len(text) == len(typed) + 1:
        raise ValueError(
            f"Enter the number of a reading, or the architecture that {text} begins with"
        )
    return typed

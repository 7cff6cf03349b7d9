"""A command line of the training script, as far as it names the run.

Read with argparse, as the training script reads it: what is pasted means here what it means there.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import NoReturn

from migrate.cli.config_file import ConfigFile, with_options
from migrate.errors import InputError
from naming import CONFIG_KEYS, SWITCH_KEYS, add_arguments


@dataclass(frozen=True, slots=True)
class Flags:
    """What the words after `rsst-migrate name` say.

    Attributes:
        given: The training script's arguments that were given.
        ignored: The flags that do not matter to the name, and words with blanks in them: perhaps a
            command line that was pasted in quotes.
        at: The time in the name; None for now.
        config: The configuration file, with the preview's own options in place of what it says.
    """

    given: dict[str, object]
    ignored: list[str]
    at: datetime | None
    config: ConfigFile


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}.")


def read_flags(words: Sequence[str], config: ConfigFile) -> Flags:
    """Read a pasted command line of the training script, and the preview's own options with it.

    `python main_imp_fillback.py` in front is skipped. What the preview's own options leave open,
    the configuration file says.

    Raises:
        InputError: A flag has no value, or one that it cannot have.
    """
    own = _Parser(add_help=False, allow_abbrev=False)
    own.add_argument("--at")
    own.add_argument("--timezone")
    own.add_argument("--timestamp-format")
    own.add_argument("--extra")
    own.add_argument("--cnn-exponents", action="store_true")
    options, words = own.parse_known_args(_with_zones_joined(words))

    config = with_options(config, options)
    script = _Parser(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
    for key in dict.fromkeys([*CONFIG_KEYS, *(key for key, _ in config.style.parts.values())]):
        if key in SWITCH_KEYS:
            script.add_argument(f"--{key}", nargs="?", const=True)
        else:
            script.add_argument(f"--{key}")
    add_arguments(script)
    given, others = script.parse_known_args(words)
    return Flags(vars(given), _ignored(others), _moment(options.at, config.timezone), config)


def _ignored(words: Sequence[str]) -> list[str]:
    """Which of the unread words to name: not the values of flags, nor `python FILE`."""
    ignored = []
    for before, word in zip(["", *words], words, strict=False):
        if word.startswith("--"):
            ignored.append(word.partition("=")[0])
        elif not before.startswith("--") and re.search(r"\s", word):
            ignored.append(repr(word))
    return ignored


def _with_zones_joined(words: Sequence[str]) -> list[str]:
    """`--timezone -08:00` as one word: argparse would take the offset for an option."""
    joined: list[str] = []
    for word in words:
        if joined[-1:] == ["--timezone"] and re.match(r"-\d", word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _moment(text: str | None, timezone: tzinfo | None) -> datetime | None:
    """The time that `--at` gives: without a zone in `timezone`, without a date today there."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            clock = time.fromisoformat(text)
        except ValueError:
            raise InputError(
                f"--at {text!r} is not a time. Write one like 14:30, 2026-01-08T14:30 or "
                "2026-01-08T14:30Z."
            ) from None
        moment = datetime.combine(datetime.now(clock.tzinfo or timezone), clock)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone)

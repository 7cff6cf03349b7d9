"""The training script's command line, as far as it names the run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from migrate.errors import InputError
from naming import EXTRAS, KEYS, PRETRAINED_KEYS, add_arguments


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}.")


def read_flags(words: Sequence[str]) -> tuple[dict[str, object], list[str]]:
    """Read a pasted command line of the training script.

    Args:
        words: Its words; `python main_imp_fillback.py` in front is skipped.

    Returns:
        The arguments that were given, and the flags that do not matter to the name.

    Raises:
        InputError: A flag has no value.
    """
    parser = _Parser(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
    for key in (*KEYS.values(), "vit_prune_target", *(key for key, _ in EXTRAS.values())):
        parser.add_argument(f"--{key}")
    for key in (*PRETRAINED_KEYS, "vit_structured"):
        parser.add_argument(f"--{key}", nargs="?", const=True)
    add_arguments(parser)
    given, others = parser.parse_known_args(list(words))
    ignored = [word.partition("=")[0] for word in others if word.startswith("--")]
    return vars(given), ignored

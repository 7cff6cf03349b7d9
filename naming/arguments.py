"""The training script's own arguments that name its run."""

from __future__ import annotations

import argparse
from contextlib import suppress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--exp_name` and `--exp_timestamp` to a training script's parser.

    One that the parser has already stays as it is: the January script has its own `--exp_name`.

    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser)
    >>> parser.parse_args(["--exp_name", "paper_fig3"]).exp_name
    'paper_fig3'
    """
    with suppress(argparse.ArgumentError):
        parser.add_argument(
            "--exp_name",
            help="name of the W&B run; without it, one is made from the arguments",
        )
    with suppress(argparse.ArgumentError):
        parser.add_argument(
            "--exp_timestamp",
            action="store_true",
            help="put the time behind --exp_name",
        )

"""The training script's own arguments that name its run."""

from __future__ import annotations

import argparse
from contextlib import suppress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--exp_name` and `--exp_timestamp` to a training script's parser.

    An option that the parser already has stays as it is, whatever the parser's own
    `conflict_handler`: the January script has its own `--exp_name`.

    >>> parser = argparse.ArgumentParser()
    >>> add_arguments(parser)
    >>> parser.parse_args(["--exp_name", "paper_fig3"]).exp_name
    'paper_fig3'
    """
    # A parser made with conflict_handler="resolve" replaces options silently. A group of it may
    # have another handler, and knows all options of the parser.
    group = parser.add_argument_group("name of the W&B run", conflict_handler="error")
    with suppress(argparse.ArgumentError):
        group.add_argument(
            "--exp_name",
            help="name of the W&B run; without it, one is made from the arguments",
        )
    with suppress(argparse.ArgumentError):
        group.add_argument(
            "--exp_timestamp",
            action="store_true",
            help="append the time to --exp_name",
        )

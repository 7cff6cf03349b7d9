"""Rename a folder of offline runs, and die by SIGKILL when a log is taken in place.

    python killed_offline.py FOLDER JOURNAL NUMBER POINT

The NUMBER-th time, `before` it or `after`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from migrate.cli.app import main
from migrate.client import rewrite


def die_at(number: int, point: str) -> None:
    """Put death into the taking in place."""
    taken, replace = 0, os.replace

    def dying_replace(source: Path, target: Path) -> None:
        nonlocal taken
        taken += 1
        if taken == number and point == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)
        if taken == number:
            os.kill(os.getpid(), signal.SIGKILL)

    rewrite.os.replace = dying_replace  # type: ignore[attr-defined]


if __name__ == "__main__":
    folder, path, number, point = sys.argv[1:]
    die_at(int(number), point)
    sys.argv = ["rsst-migrate", "rename", folder, "--yes", "--journal", path]
    main()

"""Rename ycx/RSST, and die by SIGKILL at a given point of the journal.

    python killed_at.py JOURNAL NUMBER POINT

The NUMBER-th time that the journal is written to, the process is killed: `before` the write,
`half` way through it, `after` it, or `sent`: when the next answer of the server has come.
"""

from __future__ import annotations

import os
import signal
import sys

from migrate.cli.app import main
from migrate.client import server
from migrate.rename import batches, journal, pace


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(number: int, point: str) -> None:
    """Put death into the two places: the writing of the journal, and the server's answers."""
    written = 0
    write, execute = os.write, server.Server.execute

    def dying_write(handle: int, data: bytes) -> int:
        nonlocal written
        if not data.startswith(b'{"record"'):
            return write(handle, data)
        written += 1
        if written == number and point == "before":
            die()
        if written == number and point == "half":
            write(handle, data[: len(data) // 2])
            die()
        count = write(handle, data)
        if written == number and point == "after":
            die()
        return count

    def dying_execute(self, query, *rest):
        answer = execute(self, query, *rest)
        if written >= number and point == "sent" and query.startswith("mutation"):
            die()
        return answer

    journal.os.write = dying_write  # type: ignore[attr-defined]
    server.Server.execute = dying_execute  # type: ignore[method-assign]


if __name__ == "__main__":
    path, number, point = sys.argv[1:]
    # Several documents, though the project is small.
    batches.FIRST = pace.MOST = 8  # type: ignore[attr-defined]
    batches.IN_FLIGHT = 2
    die_at(int(number), point)
    sys.argv = ["rsst-migrate", "rename", "ycx/RSST", "--yes", "--journal", path]
    main()

"""Where output goes: stdout is data, stderr is everything else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.console import Console
from rich.text import Text

from migrate.text import visible

Advance = Callable[[int, int | None], None]
"""Takes how many are done, and of how many."""

Progress = Callable[[str], AbstractContextManager[Advance]]
"""Opens a progress bar with a title."""


def unseen(title: str) -> AbstractContextManager[Advance]:
    """No progress bar."""
    return nullcontext(lambda done, total: None)


class Output:
    """The two streams of a command.

    Attributes:
        out: stdout, for data.
        err: stderr, for progress, prompts, advice and errors.
    """

    def __init__(self, *, no_color: bool = False, quiet: bool = False) -> None:
        plain = {"no_color": no_color or None, "highlight": False, "markup": False, "emoji": False}
        self.out = Console(**plain)  # type: ignore[arg-type]
        self.err = Console(stderr=True, **plain)  # type: ignore[arg-type]
        self.quiet = quiet

    def say(self, text: str) -> None:
        """Tell the user something that is not data."""
        if not self.quiet:
            self.tell(text)

    def tell(self, text: str) -> None:
        """Tell the user something that even --quiet must not hide; paths stay in one piece."""
        self.err.print(Text(visible(text)), soft_wrap=True)

    def data(self, data: str | bytes) -> None:
        """Print data: byte for byte, but for what would act on a terminal."""
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        if sys.stdout.isatty():
            lines = data.decode("utf-8-sig", "backslashreplace").split("\n")
            data = "\n".join(visible(line.removesuffix("\r")) for line in lines).encode()
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()

    @contextmanager
    def progress(self, title: str) -> Iterator[Advance]:
        """A progress bar on a terminal, nothing elsewhere."""
        if self.quiet or not self.err.is_terminal:
            yield lambda done, total: None
            return
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task(visible(title), total=None, rate="")

            def advance(done: int, total: int | None) -> None:
                speed = bar.tasks[task].speed
                rate = f"{speed:.0f}/s" if speed else ""
                bar.update(task, completed=done, total=total, rate=rate)

            yield advance

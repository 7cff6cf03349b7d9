"""Where output goes: stdout is data, stderr is everything else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from rich.console import Console, Group
from rich.text import Text

from migrate.text import visible


class Bar(Protocol):
    """A progress bar that is open."""

    def advance(self, done: int, total: int | None) -> None:
        """Show that `done` of `total` are done; None where the total is not known."""

    def note(self, text: str) -> None:
        """Show what the work waits for, or how it goes on; an empty text takes the note away."""


Progress = Callable[[str], AbstractContextManager[Bar]]
"""Opens a progress bar with a title."""


class _NoBar:
    def advance(self, done: int, total: int | None) -> None:
        pass

    def note(self, text: str) -> None:
        pass


def no_progress(title: str) -> AbstractContextManager[Bar]:
    """No progress bar."""
    return nullcontext(_NoBar())


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
    def progress(self, title: str) -> Iterator[Bar]:
        """A progress bar on a terminal, nothing elsewhere."""
        if self.quiet or not self.err.is_terminal:
            yield _NoBar()
            return
        yield from _terminal_bar(self.err, visible(title))


def _terminal_bar(console: Console, title: str) -> Iterator[Bar]:
    """A bar, and under it a line with its note, where that line fits a narrow terminal."""
    from rich import progress
    from rich.live import Live

    shown = progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
    )
    task = shown.add_task(title, total=None, rate="")
    noted = Text()

    class Shown:
        def advance(self, done: int, total: int | None) -> None:
            speed = shown.tasks[task].speed
            rate = f"{speed:.0f}/s" if speed else ""
            shown.update(task, completed=done, total=total, rate=rate)

        def note(self, text: str) -> None:
            nonlocal noted
            noted = Text(visible(text))
            live.refresh()

    def both() -> Group:
        return Group(shown, noted) if noted else Group(shown)

    with Live(console=console, get_renderable=both, transient=True) as live:
        yield Shown()

"""Where output goes: stdout is data, stderr is everything else."""

from __future__ import annotations

import io
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import (
    AbstractContextManager,
    contextmanager,
    nullcontext,
    redirect_stdout,
    suppress,
)
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.segment import Segment, Segments
from rich.text import Text

from migrate.errors import MigrateError, scrub
from migrate.text import visible

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from rich.table import Table

_WIDEST = 10_000
SILENT_SECONDS = 10.0
WAITING_SECONDS = 3.0
"""After so long without any progress, a bar says that it waits."""
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Bar:
    """A progress bar that is open; this one shows nothing."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.noted = ""

    def advance(self, done: int, total: int | None) -> None:  # noqa: ARG002
        """Show that `done` of `total` are done; None where the total is not known."""
        self.since = time.monotonic()

    def note(self, text: str) -> None:
        """Show what the work waits for, or how it goes on; an empty text takes the note away."""
        self.noted = text


Progress = Callable[[str], AbstractContextManager[Bar]]
"""Opens a progress bar with a title."""


def no_progress(_title: str) -> AbstractContextManager[Bar]:
    """No progress bar."""
    return nullcontext(Bar())


class OutputError(MigrateError):
    """Stdout takes no more: the disk is full, or there is no stdout."""

    exit_code = 1


class ClosedPipe(OutputError):
    """Nobody reads on, as in `| head`: the end, without a word."""

    exit_code = 141  # as a shell has it where SIGPIPE ends a program: git


class _Descriptor(io.RawIOBase):
    """A stream's file descriptor; -1 where it is closed. `lossy`: what cannot be written is lost.

    A buffer before it writes until all is written. Python's own, under PYTHONUNBUFFERED, has none,
    and drops what a full disk or a pipe does not take at once.
    """

    def __init__(self, stream: TextIO | None, *, lossy: bool) -> None:
        self._number = -1 if stream is None else stream.fileno()
        self._lossy = lossy

    def fileno(self) -> int:
        return self._number

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer) -> int:
        try:
            return os.write(self._number, data)
        except OSError as error:
            if self._lossy:
                return memoryview(data).nbytes
            self._lossy = True  # the buffer comes again with the same, at the end at the latest
            if isinstance(error, BrokenPipeError):
                raise ClosedPipe from error
            raise OutputError(f"Cannot write to stdout: {error.strerror}.") from error


def prepare() -> None:
    """Make this process's streams and width such that what is printed arrives, or is an error."""
    width = os.environ.get("COLUMNS", "")
    if not (width.isascii() and width.isdigit() and 0 < int(width[:9]) <= _WIDEST):
        os.environ.pop("COLUMNS", None)  # rich prints nothing at all where it is 0
    sys.stdout = _stream(sys.stdout, lossy=False)
    sys.stderr = _stream(sys.stderr, lossy=True)


def _stream(stream: TextIO | None, *, lossy: bool) -> TextIO:
    # What an encoding has not got (GBK has no emoji) is spelled out.
    errors = "backslashreplace"
    if isinstance(stream, io.TextIOWrapper) and stream.isatty():
        stream.reconfigure(errors=errors)
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(stream, lossy=lossy)),
        encoding=stream.encoding if stream else "utf-8",
        errors=errors,
        line_buffering=lossy,
    )


def print_table(console: Console, table: Table) -> None:
    """Print a table without the blanks that fill up its last column."""
    for line in console.render_lines(table, pad=False):
        text = "".join(segment.text for segment in line)
        shown = Segment.adjust_line_length(line, cell_len(text.rstrip()))
        console.print(Segments([*shown, Segment.line()]), end="")


class Captured(io.StringIO):
    """What is printed to it in place of a stream, in the form that the stream would get."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's."""
        return self._stream.encoding

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream.isatty()


def rows_of(line: str, width: int) -> int:
    """How many rows of a terminal of this width a printed line takes."""
    return max(1, ceil(cell_len(_STYLE.sub("", line)) / width))


def _pager_command() -> list[str]:
    """The pager's command line; empty for none."""
    pager = os.environ.get("PAGER", "less")
    with suppress(ValueError):  # a quotation mark without its other
        return [] if pager == "cat" else shlex.split(pager)
    return []


def _show_in_pager(text: str, command: Sequence[str]) -> bool:
    """Show a text in a pager until the reader leaves it; False where there is no such pager."""
    # Ctrl-C is the pager's, which ends what it is doing and goes on. The pager itself does not
    # inherit a handler, as it would SIG_IGN.
    handler = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        subprocess.run(
            command,
            input=text,
            env={"LESS": "FRX", "LV": "-c", **os.environ},  # as git has it
            encoding=sys.stdout.encoding,
            errors="backslashreplace",
            check=False,
        )
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGINT, handler)
    return True


@dataclass
class Manner:
    """How this process speaks, as its command line asks for it, by its options.

    Attributes:
        no_next: The command does not name the next one: somebody else leads through them.
    """

    quiet: bool = False
    no_color: bool = False
    no_pager: bool = False
    no_next: bool = False
    debug: bool = False

    def reset(self) -> None:
        """As if none of the options was given."""
        self.quiet = self.no_color = self.no_pager = self.no_next = self.debug = False


MANNER = Manner()


def command_line(*words: str) -> str:
    """A command of ours, as a shell takes it.

    But for the user and password of a server's address, which are for whoever typed them.
    """
    shown = [scrub(word) if re.match(r"\S+://\S+@", word) else word for word in words]
    return f"rsst-migrate {shlex.join(shown)}"


class Output:
    """The two streams of a command.

    Attributes:
        out: stdout, for data.
        err: stderr, for progress, prompts, advice and errors.
    """

    def __init__(self) -> None:
        plain = partial(Console, highlight=False, markup=False, emoji=False)
        self.out = plain(no_color=MANNER.no_color or None)
        self.err = plain(no_color=MANNER.no_color or None, stderr=True)
        self.quiet = MANNER.quiet

    def say(self, text: str) -> None:
        """Tell the user something that is not data."""
        if not self.quiet:
            self.tell(text)

    def tell(self, text: str) -> None:
        """Tell the user something that even --quiet must not hide; paths stay in one piece."""
        self.err.print(Text(visible(text)), soft_wrap=True)

    def next_step(self, purpose: str, *words: str) -> None:
        """Name a command of ours that comes next, alone on its line."""
        if not MANNER.no_next:
            self.say(f"{purpose}:")
            self.say(f"  {command_line(*words)}")

    def data(self, data: str | bytes) -> None:
        """Print data: byte for byte, but for what would act on a terminal."""
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        if sys.stdout.isatty():
            lines = data.decode("utf-8-sig", "backslashreplace").split("\n")
            self.out.file.write("\n".join(visible(line.removesuffix("\r")) for line in lines))
            return
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()

    @contextmanager
    def paging(self) -> Iterator[None]:
        """Show what is printed meanwhile in a pager, where it is longer than the terminal."""
        command = _pager_command()
        if not (command and sys.stdout.isatty()) or MANNER.no_pager or self.out.is_dumb_terminal:
            yield
            return
        with redirect_stdout(Captured(sys.stdout)) as captured:
            yield
        text, (width, height) = captured.getvalue(), self.out.size
        rows = sum(rows_of(line, width) for line in text.splitlines()[:height])
        if rows < height or not _show_in_pager(text, command):
            sys.stdout.write(text)
            sys.stdout.flush()

    @contextmanager
    def progress(self, title: str) -> Iterator[Bar]:
        """A progress bar on a terminal; elsewhere a line where there is no progress for long."""
        if self.quiet:
            yield Bar()
        elif self.err.is_terminal:
            yield from _terminal_bar(self.err, visible(title))
        else:
            yield from _watched(title, self.tell)


def _watched(title: str, tell: Callable[[str], None]) -> Iterator[Bar]:
    """Tell, once, that nothing goes on: where a bar would not be seen."""
    bar, over = Bar(), threading.Event()

    def watch() -> None:
        while not over.wait(bar.since + SILENT_SECONDS - time.monotonic()):
            if time.monotonic() - bar.since >= SILENT_SECONDS:
                waiting = bar.noted or "waiting for the server"
                tell(f"{title}: {waiting} (no progress for {SILENT_SECONDS:.0f} s)")
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield bar
    finally:
        over.set()


def _terminal_bar(console: Console, title: str) -> Iterator[Bar]:
    """A bar, and under it a line with its note, where that line fits a narrow terminal."""
    from rich import progress

    class WithNote(progress.Progress):
        def get_renderables(self) -> Iterator[RenderableType]:
            yield from super().get_renderables()
            silent = time.monotonic() - bar.since
            text = bar.noted
            if silent >= WAITING_SECONDS and not text:
                text = f"waiting for the server (no answer for {silent:.0f} s)"
            elif silent >= WAITING_SECONDS:
                text += f" (no progress for {silent:.0f} s)"
            if text:
                yield Text(visible(text))

    class Shown(Bar):
        def advance(self, done: int, total: int | None) -> None:
            super().advance(done, total)
            speed = shown.tasks[task].speed
            rate = f"{speed:.0f}/s" if speed else ""
            shown.update(task, completed=done, total=total, rate=rate)

        def note(self, text: str) -> None:
            if text != self.noted:
                self.noted, self.since = text, time.monotonic()
            shown.refresh()

    bar = Shown()
    shown = WithNote(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=20),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    task = shown.add_task(title, total=None, rate="")
    with shown:
        yield bar

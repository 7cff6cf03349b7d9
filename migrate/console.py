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
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, TextIO, cast

from rich.cells import cell_len
from rich.console import Console, Group
from rich.segment import Segment, Segments
from rich.text import Text

from migrate.errors import MigrateError, scrub
from migrate.text import visible

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from rich.table import Table

_WIDEST = 10_000
SILENT_SECONDS = 10.0
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


class Bar:
    """A progress bar that is open; this one shows nothing."""

    def advance(self, done: int, total: int | None) -> None:
        """Show that `done` of `total` are done; None where the total is not known."""

    def note(self, text: str) -> None:
        """Show what the work waits for, or how it goes on; an empty text takes the note away."""


Progress = Callable[[str], AbstractContextManager[Bar]]
"""Opens a progress bar with a title."""


class _Watch(Bar):
    """In place of a bar where stderr is no terminal: a line, once, where nothing goes on."""

    def __init__(self, title: str, tell: Callable[[str], None]) -> None:
        self._title, self._tell = title, tell
        self._note = ""
        self._since = time.monotonic()
        self._over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def advance(self, done: int, total: int | None) -> None:  # noqa: ARG002
        self._since = time.monotonic()

    def note(self, text: str) -> None:
        self._note = text

    def end(self) -> None:
        """Nothing is waited for any more."""
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(self._since + SILENT_SECONDS - time.monotonic()):
            if time.monotonic() - self._since >= SILENT_SECONDS:
                waiting = self._note or "waiting for the server"
                self._tell(f"{self._title}: {waiting} (no progress for {SILENT_SECONDS:.0f} s)")
                return


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


class _Paged(io.TextIOBase):
    """A terminal, by way of a pager as soon as there is more than a screen of text.

    Until then the text is held back. Where the pager cannot be started, it goes to the terminal.
    """

    def __init__(self, terminal: TextIO, command: Sequence[str], size: tuple[int, int]) -> None:
        self._terminal, self._command = terminal, command
        self._width, self._rows_left = size
        self._held: list[str] = []
        self._pager: subprocess.Popen[str] | None = None
        self._to: TextIO | None = None  # where the text goes; None while it is held back
        self._handler = signal.getsignal(signal.SIGINT)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._terminal.encoding

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._held.append(text)
        for line in text.splitlines():
            self._rows_left -= max(1, ceil(cell_len(_STYLE.sub("", line)) / self._width))
        if self._to is None and self._rows_left <= 0:
            self._to = self._start()
        self.flush()
        return len(text)

    def flush(self) -> None:
        if self._to is not None:
            text = "".join(self._held)
            self._held.clear()
            try:
                self._to.write(text)
                self._to.flush()
            except BrokenPipeError:
                raise ClosedPipe from None

    def _start(self) -> TextIO:
        environ = {"LESS": "FRX", "LV": "-c", **os.environ}  # as git has it
        # Ctrl-C is the pager's, which ends what it is doing and goes on. The pager itself does not
        # inherit a handler, as it would SIG_IGN.
        signal.signal(signal.SIGINT, lambda *_: None)
        try:
            self._pager = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                env=environ,
                encoding=self.encoding,
                errors="backslashreplace",
            )
        except OSError:
            return self._terminal
        return cast(TextIO, self._pager.stdin)

    def end(self) -> None:
        """Show what was held back, or wait until the reader leaves the pager."""
        if self._pager is None:
            self._to = self._terminal
            self.flush()
        else:
            with suppress(OSError):  # the reader has left it already
                self._pager.stdin.close()  # type: ignore[union-attr]
            self._pager.wait()
        signal.signal(signal.SIGINT, self._handler)


def _pager_command() -> list[str]:
    """The pager's command line; empty for none."""
    try:
        words = shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:  # a quotation mark without its other
        return []
    return [] if words == ["cat"] else words


@dataclass
class Manner:
    """How this process speaks, as its command line asks for it.

    Attributes:
        quiet: No progress, no advice.
        no_color: No colours.
        no_pager: Long output is not shown by way of a pager.
        no_next: The command does not name the next one: somebody else leads through them.
        debug: Tracebacks.
    """

    quiet: bool = False
    no_color: bool = False
    no_pager: bool = False
    no_next: bool = False
    debug: bool = False

    def reset(self) -> None:
        """Speak as nobody has asked for anything."""
        self.quiet = self.no_color = self.no_pager = self.no_next = self.debug = False


MANNER = Manner()


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
        """Name a command of ours that comes next, alone on its line, as a shell takes it.

        But for the user and password of a server's address, which are for whoever typed them.
        """
        if not MANNER.no_next:
            words = tuple(scrub(word) if re.match(r"\S+://\S+@", word) else word for word in words)
            self.say(f"{purpose}:")
            self.say(f"  rsst-migrate {shlex.join(words)}")

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
        wanted = sys.stdout.isatty() and not (MANNER.no_pager or self.out.is_dumb_terminal)
        command = _pager_command() if wanted else []
        if not command:
            yield
            return
        terminal = self.out.file
        paged = _Paged(cast(TextIO, terminal), command, self.out.size)
        self.out.file = paged  # type: ignore[assignment]
        try:
            with suppress(ClosedPipe):  # who leaves the pager early has seen enough
                yield
        finally:
            self.out.file = terminal
            paged.end()

    @contextmanager
    def progress(self, title: str) -> Iterator[Bar]:
        """A progress bar on a terminal; elsewhere a line where there is no progress for long."""
        if self.quiet:
            yield Bar()
        elif self.err.is_terminal:
            yield from _terminal_bar(self.err, visible(title))
        else:
            watch = _Watch(title, self.tell)
            try:
                yield watch
            finally:
                watch.end()


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

    class Shown(Bar):
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

"""The way into the process and out of it: `rsst-migrate`, and `python -m migrate`.

What happens to the process as a whole stands here, around `migrate.cli.app.main`: Ctrl-C, the two
streams, and an end that nothing can hold up.
"""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130  # of `errors`, which takes too long to import before Ctrl-C is seen to
try:
    import signal

    # While modules are loaded, a KeyboardInterrupt would be a page of traceback, or be ignored with
    # one. Elsewhere Ctrl-C is ignored: `nohup`, and what a script starts with `&`.
    IS_OURS = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if IS_OURS:
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    import threading
    from contextlib import suppress
    from types import FrameType
    from typing import NoReturn
except KeyboardInterrupt:
    os._exit(INTERRUPTED)


class _Interrupt:
    """Ctrl-C: a KeyboardInterrupt, and the memory of it."""

    came = False

    def __call__(self, _number: int, _frame: FrameType | None) -> NoReturn:
        self.came = True
        raise KeyboardInterrupt

    def enable(self) -> None:
        """From now on there is something that has to come to a proper end."""
        if IS_OURS:
            signal.signal(signal.SIGINT, self)
            sys.unraisablehook = self._interrupt_again

    def _interrupt_again(self, lost: sys.UnraisableHookArgs) -> None:
        """Interrupt again where a callback of Python's own (weakref, __del__) swallows it."""
        if issubclass(lost.exc_type, KeyboardInterrupt):
            threading.Timer(0.01, _send_interrupt).start()
        else:
            sys.__unraisablehook__(lost)


def _send_interrupt() -> None:
    """Ctrl-C, from another thread; where the system can do it, what the main one waits for ends."""
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGINT)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def main() -> NoReturn:
    """Run the command line, and end with its exit code."""
    interrupt = _Interrupt()
    if "--debug" not in sys.argv:
        # Where wandb-core is gone, wandb's threads fail as well; our own errors say so.
        threading.excepthook = lambda _thread: None
    try:
        try:
            code = _run(interrupt)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # there is nothing left to interrupt
    except BaseException:
        # A module that is interrupted while it is loaded may raise whatever it likes.
        if not interrupt.came:
            raise
        code = INTERRUPTED
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    # wandb waits at exit for its helper process, without an end (one of 420 never came back). We
    # have no runs, so that there is nothing for it to send.
    os._exit(code)


def _run(interrupt: _Interrupt) -> int:
    from migrate.cli.app import main as run_command_line
    from migrate.console import prepare

    prepare()
    interrupt.enable()
    try:
        run_command_line()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0


if __name__ == "__main__":
    main()

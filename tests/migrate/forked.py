"""Runs the command line in processes of their own that need not import wandb first.

Each command is forked from a server that has imported what commands import: the same code, the
same way in (`migrate.__main__.main`) and out, its own environment, folder and streams; but the
second that the imports take is not paid for each of hundreds. Tests of starting up, of signals
and of Python's own settings start Python itself.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import random
import runpy
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_LENGTH = struct.Struct("!I")
_NUMBER = struct.Struct("!i")


class CommandServer:
    """A process that commands are forked from, and the way to ask it."""

    def __init__(self, folder: Path) -> None:
        self._address = str(folder / "commands")
        environ = {key: value for key, value in os.environ.items() if key[:6] != "WANDB_"}
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def run(
        self,
        words: Sequence[str],
        environ: Mapping[str, str],
        *,
        stdin: str | None = None,
        timeout: float = 60,
        program: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, as `subprocess.run` does with its output captured.

        Args:
            words: What follows the program's name.
            environ: The whole environment.
            stdin: What it can read.
            timeout: How many seconds it may take.
            program: A Python file to run in place of the command line.

        Raises:
            subprocess.TimeoutExpired: It did not end within so many seconds, and was killed.
        """
        with (
            socket.socket(socket.AF_UNIX) as connection,
            tempfile.TemporaryFile("w+") as given,
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as err,
        ):
            given.write(stdin or "")
            given.seek(0)
            connection.connect(self._address)
            request = [str(program or ""), list(words), dict(environ), str(Path.cwd())]
            data = json.dumps(request).encode()
            streams = [given.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(connection, [_LENGTH.pack(len(data))], streams)
            connection.sendall(data)
            (process,) = _NUMBER.unpack(connection.recv(_NUMBER.size))
            connection.settimeout(timeout)
            try:
                (code,) = _NUMBER.unpack(connection.recv(_NUMBER.size))
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                raise subprocess.TimeoutExpired(words, timeout) from None
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(list(words), code, out.read(), err.read())


def _receive(connection: socket.socket) -> tuple[Any, list[int]]:
    header, streams, _, _ = socket.recv_fds(connection, _LENGTH.size, 3)
    (length,) = _LENGTH.unpack(header)
    data = b""
    while len(data) < length:
        data += connection.recv(length - len(data))
    return json.loads(data), list(streams)


def _become(
    words: Sequence[str], environ: Mapping[str, str], folder: str, streams: Sequence[int]
) -> None:
    """Be the process that the command would have had."""
    for number, handle in enumerate(streams):
        os.dup2(handle, number)
        os.close(handle)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    random.seed()
    sys.argv = list(words)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        was = getattr(sys, name)
        stream = open(  # noqa: SIM115
            number, mode, encoding=was.encoding, errors=was.errors, closefd=False
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.stderr.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _serve(address: str) -> str:
    """Fork a process for each request, and return in it with its program; ends when stdin does."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    print("ready", flush=True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            os._exit(0)
        connection, _ = listener.accept()
        if os.fork():
            connection.close()
            continue
        listener.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        (program, words, environ, folder), streams = _receive(connection)
        process = os.fork()
        if not process:
            connection.close()
            _become([program or migrate.__main__.__file__, *words], environ, folder, streams)
            return str(program)
        connection.sendall(_NUMBER.pack(process))
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        connection.sendall(_NUMBER.pack(code))
        os._exit(0)


if __name__ == "__main__":
    # What commands import, all of it before the first fork.
    for module in ("app", "look", "names", "rename", "go_on", "try_out"):
        importlib.import_module(f"migrate.cli.{module}")
    importlib.import_module("wandb.apis.public")
    import migrate.__main__

    gc.collect()
    gc.freeze()  # so that a fork shares it to its end
    sys.path[0] = ""  # as `python -m migrate` has it
    if asked := _serve(sys.argv[1]):
        runpy.run_path(asked, run_name="__main__")
    else:
        migrate.__main__.main()

"""What the tests of `migrate` share: a sandbox, the real wandb client, the real command line.

Nothing of wandb is patched: every request goes real client → HTTP → sandbox.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import pty
import signal
import subprocess
import sys
import threading
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from migrate.cli import go_on
from migrate.client import retry
from migrate.client.paths import parse_path
from migrate.client.server import Project, connect
from migrate.mapping.projects import list_runs
from migrate.rename import batches, verify
from migrate.rename.execute import Result, run
from migrate.rename.journal import Header, Journal
from migrate.rename.plan import Direction, PlannedRename, planned
from migrate.report.outcomes import outcome_words
from migrate.report.words import settled_text
from migrate.sandbox.pace import Pace
from migrate.sandbox.sample import arguments, wire_config
from migrate.sandbox.server import Sandbox
from migrate.sandbox.service import Service, operation_of
from migrate.sandbox.store import Store, StoredRun
from naming import legacy_name
from tests.migrate.forked import CommandServer
from tests.migrate.mapped import map_runs

Cli = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., Sandbox]

# What a shell starts in the background ignores Ctrl-C, and so would every command under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees this machine's W&B settings or keys, or leaves files behind."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NETRC", str(home / "netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(home))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(home))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("PAGER", "cat")
    # The gate counts what runs in the tests' own processes: in each command's it takes half as
    # long again.
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a hundredth of the time: for tests of what is done, and not of when."""
    for module, name in (
        (retry, "WAIT_SECONDS"),
        (retry, "RATE_WAIT_SECONDS"),
        (batches, "WAIT_SECONDS"),
        (verify, "LAG_SECONDS"),
        (go_on, "LAG_SECONDS"),
    ):
        waits = tuple(seconds / 100 for seconds in getattr(module, name))
        monkeypatch.setattr(module, name, waits)
    monkeypatch.setattr(batches, "TICK_SECONDS", 0.02)


def small_store(runs: int) -> Store:
    """A project `ycx/RSST` of so many old runs, each of which can be renamed."""
    store = Store()
    archs = ("vit_small", "res20s", "mamba_tiny")
    for number in range(runs):
        values = arguments(archs[number % 3], "cifar100", rate=0.1 + number / 1000)
        made = StoredRun(
            name=f"run{number:05d}",
            displayName=legacy_name(values),
            config=wire_config(values),
            summaryMetrics="{}",
            createdAt=f"2026-01-{1 + number // 1440 % 28:02d}T"
            f"{number // 60 % 24:02d}:{number % 60:02d}:00",
        )
        store.add("ycx", "RSST", made)
    return store


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start sandboxes (`serve(store)`, `serve(runs=1000)`), and point wandb at the last of them."""
    running: list[Sandbox] = []

    def start(
        store: Store | None = None, *, runs: int = 30, latency_ms: float = 0, **pace: Any
    ) -> Sandbox:
        """Start one; `pace` is what Pace takes, `latency_ms` its `request_ms`."""
        timed = Pace(request_ms=latency_ms, **pace)
        served = Sandbox(store or small_store(runs), pace=timed).__enter__()
        running.append(served)
        for key, value in served.env.items():
            monkeypatch.setenv(key, value)
        return served

    yield start
    for served in running:  # which takes 0.2 s: nobody waits for it
        threading.Thread(target=served.__exit__, daemon=True).start()


@pytest.fixture
def sandbox(serve: Serve) -> Sandbox:
    """A sandbox with thirty plain old runs."""
    return serve()


@pytest.fixture
def project(sandbox: Sandbox) -> Project:
    """Its project, through the real client in this process."""
    return connect(sandbox.url).project(parse_path("ycx/RSST"))


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    """Where commands are forked from."""
    server = CommandServer(tmp_path_factory.mktemp("commands"))
    yield server
    server.close()


@pytest.fixture
def cli(commands: CommandServer) -> Cli:
    """Run the command line as a user does, in a process of its own."""

    def call(
        *words: str | Path,
        stdin: str | None = None,
        timeout: float = 90,
        encoding: str | None = None,
        **environ: str,
    ) -> subprocess.CompletedProcess[str]:
        given, env = list(map(str, words)), {**os.environ, **environ}
        if encoding is None:
            return commands.run(given, env, stdin=stdin, timeout=timeout)
        return subprocess.run(
            [sys.executable, "-m", "migrate", *given],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            encoding=encoding,
            timeout=timeout,
            env=env,
            check=False,
        )

    return call


class Renamer:
    """Renames a project, through the real client, with a journal that the test keeps."""

    def __init__(self, project: Project, path: Path) -> None:
        self.project = project
        self.path = path
        self.where = {project.key: project}

    def plan(self) -> list[PlannedRename]:
        """What a rename of the project as it is now would do."""
        return planned(map_runs(list_runs(self.project)), settled_text)

    def rename(self, plan: list[PlannedRename] | None = None) -> Result:
        """Begin a journal and rename."""
        plan = self.plan() if plan is None else plan
        header = Header.of(self.project.server.base_url, plan)
        with Journal.create(self.path, header, plan) as journal:
            journal.begin("rename")
            return run(plan, self.where, journal, "rename")

    def again(self, direction: Direction) -> Result:
        """`resume` (direction rename) or `undo`."""
        journal, recorded = Journal.reopen(self.path)
        plan = recorded.concerned(direction)
        with journal:
            journal.begin(direction)
            return run(plan, self.where, journal, direction)


@pytest.fixture
def failed() -> Callable[[Result], dict[str, str]]:
    """What a result says of the runs that were not renamed: run id to words."""

    def words(result: Result) -> dict[str, str]:
        return {
            key.run_id: outcome_words(outcome.code, outcome.text)
            for key, outcome in result.failed.items()
        }

    return words


@pytest.fixture
def renamer(project: Project, tmp_path: Path) -> Renamer:
    """Rename, resume and undo on the sandbox."""
    return Renamer(project, tmp_path / "test.journal.jsonl")


@pytest.fixture
def renamer_of(tmp_path: Path) -> Callable[[Sandbox], Renamer]:
    """The same on a sandbox that the test has started."""

    def make(sandbox: Sandbox) -> Renamer:
        project = connect(sandbox.url).project(parse_path("ycx/RSST"))
        return Renamer(project, tmp_path / "test.journal.jsonl")

    return make


@dataclass
class OddServer:
    """A server that says what no W&B server should.

    Attributes:
        answer: Called with each request that is not the sign-in; gives a status and a body.
        signs_in: Whether it answers the sign-in as W&B does.
        key: The key that wandb sends it.
        requests: The requests that came to `answer`.
    """

    answer: Callable[[dict[str, Any]], tuple[int, Any]]
    signs_in: bool = True
    url: str = ""
    key: str = "ab12" * 10
    requests: list[dict[str, Any]] = field(default_factory=list)

    def respond(self, body: bytes) -> tuple[int, Any]:
        request = json.loads(body)
        query, variables = request["query"], request.get("variables") or {}
        if self.signs_in and operation_of(query) == "viewer":
            return 200, asyncio.run(Service(Store()).answer(query, variables)).body
        self.requests.append(request)
        return self.answer(request)


@pytest.fixture
def odd_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., OddServer]]:
    """Start an OddServer, and point wandb at it."""
    running: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[dict[str, Any]], tuple[int, Any]], **how: Any) -> OddServer:
        odd = OddServer(answer, **how)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                if self.headers["Content-Encoding"] == "gzip":
                    body = gzip.decompress(body)
                status, content = odd.respond(body) if self.path == "/graphql" else (200, {})
                data = (
                    content.encode() if isinstance(content, str) else json.dumps(content).encode()
                )
                with suppress(OSError):
                    self.send_response(status)
                    kind = "text/html" if isinstance(content, str) else "application/json"
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        running.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        odd.url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("WANDB_BASE_URL", odd.url)
        monkeypatch.setenv("WANDB_API_KEY", odd.key)
        return odd

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


class Prompt:
    """A command in a process of its own that waits at its prompt, on a terminal.

    `shown`: its data goes to the terminal, too, and not to nowhere.
    """

    def __init__(self, *words: str | Path, until: str = "[y/N]", shown: bool = False) -> None:
        self.leader, follower = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "migrate", *map(str, words)],
            stdin=follower,
            stderr=follower,
            stdout=follower if shown else subprocess.DEVNULL,
            start_new_session=True,
            # The terminal is theirs now: a typed Ctrl-C reaches them.
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
        )
        os.close(follower)
        self.said = ""
        self._decode = getincrementaldecoder("utf-8")().decode  # a piece may end in a character
        self.wait(until)

    def wait(self, until: str) -> bool:
        """Wait until this is the last that was said; false where the command ends first."""
        fresh = ""
        while not (fresh.endswith(until) or fresh.rstrip(": ").endswith(until)):
            try:
                piece = self._decode(os.read(self.leader, 1000))
            except OSError:
                return False
            fresh, self.said = fresh + piece, self.said + piece
        return True

    def type(self, text: str) -> None:
        """Type a text."""
        os.write(self.leader, text.encode())

    def answer(self, text: str) -> int:
        """Type an answer; gives the exit code. What is said afterwards is added to `said`."""
        self.type(text)
        return self.end()

    def end(self) -> int:
        """Wait for the end; gives the exit code."""
        try:
            while piece := os.read(self.leader, 1000):
                self.said += self._decode(piece)
        except OSError:  # Linux's word for the end of a terminal
            pass
        os.close(self.leader)
        return self.process.wait(60)


@pytest.fixture
def prompt() -> Callable[..., Prompt]:
    """Start a command and wait for its prompt."""
    return Prompt

"""Renaming: W&B's documented loop against `rsst-migrate rename`, on the sandbox, in one run.

Both clocks start behind the sign-in and stop with the last answer: listing, planning, renaming
and verifying are in ours; the loop lists and renames. The loop's rate does not depend on how many
runs there are, so it renames a part of them. The sandbox is a process of its own.

    python benchmarks/renaming.py                  0, 20 and 100 ms a request, 1,000 runs
    python benchmarks/renaming.py 100 1000 20000   latency in ms, then numbers of runs
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from migrate.changes import changes
from migrate.console import Output
from migrate.journal import Header, Journal, now
from migrate.listing import read_projects
from migrate.options import Shared
from migrate.rename_commands import planned
from migrate.renaming import run
from migrate.sandbox import Sandbox, Store, StoredRun
from migrate.sandbox.sample import arguments, wire_config
from naming import VOCABULARY, legacy_name

_LOOP_RUNS = {0: 200, 20: 60}
_START = datetime(2025, 6, 2, tzinfo=UTC)


class Measured(NamedTuple):
    """What one way of renaming took."""

    runs: int
    seconds: float
    requests: int
    bytes: int


def store(count: int) -> Store:
    """So many plain old runs, each with a summary as heavy as RSST's."""
    filled = Store()
    archs, datasets = list(VOCABULARY.architectures), sorted(VOCABULARY.datasets)
    for number in range(count):
        values = arguments(archs[number % len(archs)], datasets[number % len(datasets)])
        name = legacy_name(values)
        at = (_START + timedelta(minutes=number)).isoformat()
        made = StoredRun(f"r{number:06d}", name, wire_config(values), createdAt=at)
        filled.add("ycx", "RSST", made)
    return filled


def _serve(pipe: Connection, runs: int, latency_ms: float) -> None:
    with Sandbox(store(runs), latency_ms=latency_ms) as served:
        pipe.send(served.env)
        while pipe.recv():
            counts = served.counts
            pipe.send((counts.total, counts.bytes_in + counts.bytes_out))


@contextmanager
def sandbox(runs: int, latency_ms: float) -> Iterator[Connection]:
    """A sandbox in a process of its own; wandb is pointed at it."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(theirs, runs, latency_ms), daemon=True
    )
    process.start()
    os.environ.update(ours.recv())
    try:
        yield ours
    finally:
        ours.send(False)
        process.join(10)


def _counts(pipe: Connection) -> tuple[int, int]:
    pipe.send(True)
    total, size = pipe.recv()
    return total, size


def loop(runs: int, latency_ms: float) -> Measured:
    """W&B's documented way."""
    import wandb

    with sandbox(runs, latency_ms) as pipe:
        api = wandb.Api(overrides={"base_url": os.environ["WANDB_BASE_URL"]})
        before = _counts(pipe)
        start = time.perf_counter()
        for one in api.runs("ycx/RSST"):
            one.name = f"{one.name}_new"
            one.update()
        seconds = time.perf_counter() - start
        after = _counts(pipe)
    return Measured(runs, seconds, after[0] - before[0], after[1] - before[1])


def ours(runs: int, latency_ms: float) -> Measured:
    """`rename`, from the first request of the listing to the last of the verification."""
    from migrate.server import connect

    with sandbox(runs, latency_ms) as pipe, tempfile.TemporaryDirectory() as folder:
        server = connect(os.environ["WANDB_BASE_URL"])
        before = _counts(pipe)
        start = time.perf_counter()
        (mapped,) = read_projects(server, ["ycx/RSST"], Shared(), Output(quiet=True).progress)
        plan = planned(mapped.chosen, None)
        projects = {("ycx", "RSST"): mapped.project}
        header = Header(server.base_url, now(), False)
        with Journal.create(Path(folder) / "journal.jsonl", header, plan) as journal:
            result = run(changes(plan, "rename"), projects, journal, "rename")
        seconds = time.perf_counter() - start
        after = _counts(pipe)
    assert len(result.done) == runs, result
    return Measured(runs, seconds, after[0] - before[0], after[1] - before[1])


def lines(latencies: list[float], sizes: list[int]) -> Iterator[str]:
    """The table."""
    yield "renaming    ms    runs   seconds     runs/s  ratio  requests/run  bytes/run  peak MB"
    for latency in latencies:
        slow = loop(_LOOP_RUNS.get(int(latency), 30), latency)
        yield _line("loop", latency, slow, slow)
        for size in sizes:
            yield _line("ours", latency, ours(size, latency), slow)


def _line(what: str, latency: float, one: Measured, base: Measured) -> str:
    rate, slow = one.runs / one.seconds, base.runs / base.seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return (
        f"{what:8s} {latency:5.0f} {one.runs:7,} {one.seconds:9.2f} {rate:10.1f} {rate / slow:6.0f}"
        f" {one.requests / one.runs:13.3f} {one.bytes / one.runs:10.0f} {peak:8.0f}"
    )


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    table = lines([float(one) for one in asked[:1]] or [0, 20, 100], asked[1:] or [1000])
    for line in table:
        print(line, flush=True)

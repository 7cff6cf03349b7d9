"""Listing, renaming and undoing, on the sandbox: W&B's documented loop, and rsst-migrate.

All clocks start behind the sign-in and stop with the last answer: listing, planning, renaming and
verifying are in ours; the loop lists and renames. The loop's rate does not depend on how many runs
there are, so it renames a part of them. The sandbox is a process of its own. Medians of three, and
the spread of the rate beside the loop's.

`x floor` is against what the round trips alone would take: the pages, the documents by ten at a
time, and one verifying pass. `x + work` adds to the floor what the same took at 0 ms, which is work
alone, the sandbox's for the most part. What is left above that is there on purpose: each name is
read right before it is written, and a first small document goes alone, so that a key that may not
write is noticed by few refusals.

    python benchmarks/renaming.py                  0, 20 and 100 ms a request, 1,000 runs
    python benchmarks/renaming.py 100 20000        latency in ms, number of runs
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from migrate.client.paths import parse_path
from migrate.mapping.mapping import Options
from migrate.mapping.projects import Which, list_runs, read_projects
from migrate.rename.batches import IN_FLIGHT
from migrate.rename.execute import run
from migrate.rename.journal import Header, Journal
from migrate.rename.pace import MOST
from migrate.rename.plan import planned
from migrate.report.words import settled_text
from migrate.sandbox.pace import Pace
from migrate.sandbox.sample import arguments, wire_config
from migrate.sandbox.server import Sandbox
from migrate.sandbox.store import Store, StoredRun
from naming import VOCABULARY, legacy_name

TIMES = 3
_LOOP_RUNS = {0: 200, 20: 60}
_SEEN_AT_ONCE = 1000
_START = datetime(2025, 6, 2, tzinfo=UTC)


class Measured(NamedTuple):
    """What one way of doing it took, once."""

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
    with Sandbox(store(runs), pace=Pace(request_ms=latency_ms)) as served:
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


@contextmanager
def _clock(pipe: Connection, runs: int, taken: list[Measured]) -> Iterator[None]:
    before = _counts(pipe)
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    after = _counts(pipe)
    taken.append(Measured(runs, seconds, after[0] - before[0], after[1] - before[1]))


def _loop(pipe: Connection, runs: int, threads: int) -> list[Measured]:
    """W&B's documented way; the same on threads."""
    import wandb

    def rename(one: Any) -> None:
        one.name = f"{one.name}_new"
        one.update()

    taken: list[Measured] = []
    api = wandb.Api(overrides={"base_url": os.environ["WANDB_BASE_URL"]})
    for _ in range(TIMES):
        # It keeps what it has listed.
        api.flush()  # type: ignore[no-untyped-call]
        with _clock(pipe, runs, taken):
            if threads == 1:
                for one in api.runs("ycx/RSST"):
                    rename(one)
            else:
                with ThreadPoolExecutor(threads) as pool:
                    list(pool.map(rename, api.runs("ycx/RSST")))
    return taken


def _ours(pipe: Connection, runs: int) -> dict[str, list[Measured]]:
    """List, rename (listing and planning with it) and undo, TIMES each."""
    from migrate.client.server import connect

    server = connect(os.environ["WANDB_BASE_URL"])
    taken: dict[str, list[Measured]] = {"list": [], "rename": [], "undo": []}
    for _ in range(TIMES):
        with _clock(pipe, runs, taken["list"]):
            list_runs(server.project(parse_path("ycx/RSST")))
        with tempfile.TemporaryDirectory() as folder:
            with _clock(pipe, runs, taken["rename"]):
                project = server.project(parse_path("ycx/RSST"))
                (mapped,) = read_projects([project], Options(), Which())
                plan = planned(mapped.chosen, settled_text)
                projects = {mapped.project.key: mapped.project}
                header = Header.of(server.base_url, plan)
                journal = Journal.create(Path(folder) / "journal.jsonl", header, plan)
                result = run(plan, projects, journal, "rename")
            assert len(result.done) == runs, result
            with _clock(pipe, runs, taken["undo"]):
                result = run([one.back() for one in plan], projects, journal, "undo")
            assert len(result.done) == runs, result
            journal.close()
    return taken


def lines(latencies: Sequence[float], runs: int) -> Iterator[str]:
    """The table."""
    yield (
        "                 ms    runs  seconds    runs/s  x loop     spread  x floor  x + work"
        "  requests/run  bytes/run"
    )
    work: dict[str, float] = {}
    for latency in latencies:
        part = _LOOP_RUNS.get(int(latency), 30)
        with sandbox(part, latency) as pipe:
            slow = _loop(pipe, part, 1)
        base = part / _median(slow).seconds
        yield _line("W&B's loop", latency, slow, base)
        with sandbox(part * 4, latency) as pipe:
            yield _line("  16 threads", latency, _loop(pipe, part * 4, 16), base)
        with sandbox(runs, latency) as pipe:
            taken = _ours(pipe, runs)
        pages, writes = -(-runs // _SEEN_AT_ONCE), -(-runs // (MOST * IN_FLIGHT))
        floors = {"list": pages, "rename": 2 * pages + writes, "undo": pages + writes}
        for what, some in taken.items():
            if latency == 0:
                work[what] = _median(some).seconds
            yield _line(what, latency, some, base, floors[what] * latency / 1000, work.get(what))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    yield f"Most memory at a time: {peak:.0f} MB."


def _median(taken: Sequence[Measured]) -> Measured:
    return sorted(taken, key=lambda one: one.seconds)[len(taken) // 2]


def _line(
    what: str,
    latency: float,
    taken: Sequence[Measured],
    base: float,
    floor: float = 0,
    work: float | None = None,
) -> str:
    one = _median(taken)
    ratios = [each.runs / each.seconds / base for each in taken]
    spread = (
        f"{min(ratios):.0f}-{max(ratios):.0f}"
        if max(ratios) > 9
        else (f"{min(ratios):.1f}-{max(ratios):.1f}")
    )
    above = f"{one.seconds / floor:8.1f}" if floor else "       -"
    with_work = f"{one.seconds / (floor + work):9.1f}" if floor and work else "        -"
    return (
        f"{what:12s} {latency:6.0f} {one.runs:7,} {one.seconds:8.2f} {one.runs / one.seconds:9.1f}"
        f" {one.runs / one.seconds / base:7.0f} {spread:>10} {above} {with_work}"
        f" {one.requests / one.runs:13.3f} {one.bytes / one.runs:10.0f}"
    )


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    for line in lines(asked[:1] or [0, 20, 100], asked[1] if asked[1:] else 1000):
        print(line, flush=True)

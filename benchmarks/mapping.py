"""Mapping: does the cost of a run grow with their number? 1,000 runs against 10,000 and 100,000."""

from __future__ import annotations

import random
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from migrate.client.runs import Run, RunKey
from migrate.mapping.mapping import Options, Survey
from migrate.sandbox.sample import arguments
from naming import VOCABULARY, legacy_name

_START = datetime(2025, 6, 2, tzinfo=UTC)


def sample(count: int) -> list[Run]:
    """So many old runs of all families, one in ten the twin of the run before."""
    choice = random.Random(count).choice
    archs, datasets = list(VOCABULARY.architectures), sorted(VOCABULARY.datasets)
    runs: list[Run] = []
    for number in range(count):
        config = arguments(choice(archs), choice(datasets), rate=choice([0.1, 0.15, 0.2]))
        at = _START + timedelta(minutes=5 * number)
        if number % 10 == 1:
            config, at = dict(runs[-1].config or {}), at - timedelta(minutes=5)
        name = legacy_name(config) or ""
        runs.append(Run(RunKey("ycx", "RSST", f"r{number}"), name, "finished", at, False, config))
    return runs


def measure(count: int) -> tuple[float, float]:
    """Seconds of mapping so many runs, and the most memory of this process so far, in MB."""
    runs = sample(count)
    start = time.perf_counter()
    Survey(runs, Options())
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def lines() -> Iterator[str]:
    """The table."""
    yield "mapping          runs   seconds   us/run   ratio   peak MB"
    base = None
    for count in (1_000, 10_000, 100_000):
        seconds, peak = measure(count)
        each = seconds / count * 1e6
        base = base or each
        yield f"            {count:9,} {seconds:9.2f} {each:8.1f} {each / base:7.2f} {peak:9.0f}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())

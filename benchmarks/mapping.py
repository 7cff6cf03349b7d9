"""Mapping: does the cost of a run grow with their number, and what do rules cost?

1,000 runs against 10,000 and 100,000; then 50 rules against none, for projects of which few, half
or all runs are in review: only those are mapped again.
"""

from __future__ import annotations

import random
import re
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from migrate.client.runs import Run, RunKey
from migrate.mapping.mapping import Options, Survey
from migrate.mapping.rows import RuleSource
from migrate.mapping.rules import Rule, Where
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


def in_review(count: int, share: float) -> list[Run]:
    """So many runs, of which a share lacks its rate, and so is in review."""
    chance = random.Random(count).random
    return [
        replace(run, config={**run.config, "rate": None}) if chance() < share else run
        for run in sample(count)
        if run.config is not None
    ]


def fifty_rules() -> tuple[Rule, ...]:
    """Rules as a project has them after a year: by family, date, name, reason and value."""
    wheres = [
        *(Where(values={"arch": frozenset([arch])}) for arch in VOCABULARY.architectures),
        *(Where(name=re.compile(f"_{name}$")) for name in sorted(VOCABULARY.datasets)),
        *(Where(before=_START + timedelta(days=days)) for days in (30, 90, 180)),
        *(Where(family=frozenset([family])) for family in ("cnn", "vit", "mamba")),
        Where(reason=frozenset(["missing"]), state=frozenset(["finished"])),
        Where(project=frozenset(["ycx/RSST"])),
        Where(runs=frozenset(["r1", "r2"])),
    ]
    assert len(wheres) == 50
    return tuple(
        Rule(where, RuleSource(file="rules", number=number), assume={"rate": 0.15})
        for number, where in enumerate(wheres, 1)
    )


def rule_lines() -> Iterator[str]:
    """The table of what rules cost."""
    yield "rules        in review   no rules   50 rules   ratio   (100,000 runs, seconds)"
    rules = fifty_rules()
    for share in (0.0, 0.1, 0.5, 1.0):
        runs, seconds = in_review(100_000, share), []
        for options in (Options(), Options(rules=rules)):
            start = time.process_time()
            rows = Survey(runs, options).with_rules(options.rules)
            seconds.append(time.process_time() - start)
            assert options.rules == () or not any(row.status == "review" for row in rows)
        without, with_rules = seconds
        ratio = with_rules / without
        yield f"             {share:8.0%} {without:10.2f} {with_rules:10.2f} {ratio:7.2f}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in (*lines(), "", *rule_lines()))

"""Reading a folder of offline runs against reading its files: `cat` of all of them. In one run.

Two kinds of logs: with a gradient histogram for each layer and step, as RSST's `wandb.watch` leaves
them, and with a loss alone. From the disk (the files' pages are dropped before), and from memory.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from migrate.client.offline import Folder
from migrate.client.transaction_log import framed
from migrate.sandbox.sample import arguments
from naming import legacy_name

BYTES, TIMES = 5_000_000, 3
HISTORY = {"a histogram of 20 layers": 20_000, "a loss": 250}
"""What a step logs, to how many bytes its record takes."""


def _log(run_id: str, step_bytes: int) -> bytes:
    """A log of BYTES bytes."""
    from wandb.proto import wandb_internal_pb2

    pb: Any = wandb_internal_pb2
    values = arguments("vit_small", "cifar100", rate=0.15)
    run = pb.RunRecord(run_id=run_id, project="RSST", display_name=legacy_name(values))
    run.start_time.seconds = 1_767_882_600
    for key, value in values.items():
        run.config.update.add(key=key, value_json=json.dumps(value))
    step = pb.Record(num=2)
    step._info.stream_id = run_id
    step.history.item.add(key="loss", value_json="1" * step_bytes)
    steps = [step.SerializeToString()] * (BYTES // step_bytes)
    return b"".join(framed([pb.Record(num=1, run=run).SerializeToString(), *steps]))


def _make(folder: Path, count: int, step_bytes: int) -> list[Path]:
    """So many logs of one kind; copies, since it does not matter to either reader."""
    data, logs = _log("run00000", step_bytes), []
    for number in range(count):
        path = folder / f"offline-run-{number:05d}" / f"run-{number:05d}.wandb"
        path.parent.mkdir()
        path.write_bytes(data)
        logs.append(path)
    os.sync()
    return logs


def _drop(logs: list[Path]) -> None:
    """Take the files' pages out of memory."""
    for path in logs:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _cat(logs: list[Path]) -> float:
    start = time.perf_counter()
    subprocess.run(["cat", *map(str, logs)], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def _read(folder: Path) -> float:
    start = time.perf_counter()
    Folder(folder).read()
    return time.perf_counter() - start


def lines(count: int) -> Iterator[str]:
    """The table, of so many logs."""
    yield f"{f'{count} logs of {BYTES / 1e6:.0f} MB; a step logs':40}  cat s  read s  ratio  spread"
    for kind, step_bytes in HISTORY.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            logs = _make(folder, count, step_bytes)
            for where in ("disk", "memory"):
                taken: list[tuple[float, float]] = []
                for _ in range(TIMES):
                    if where == "disk":
                        _drop(logs)
                    cat = _cat(logs)
                    if where == "disk":
                        _drop(logs)
                    taken.append((cat, _read(folder)))
                cats, reads = zip(*taken, strict=True)
                ratios = [read / cat for cat, read in taken]
                yield (
                    f"  {f'{kind}, from {where}':38} {statistics.median(cats):6.2f} "
                    f"{statistics.median(reads):7.2f} {statistics.median(ratios):6.1f}  "
                    f"{min(ratios):.1f}-{max(ratios):.1f}"
                )


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines(200))

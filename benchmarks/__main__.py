"""Everything in one table: `python benchmarks` (about eight minutes). Ratios, medians."""

from __future__ import annotations

import mapping
import offline
import parsing
import renaming
import startup

if __name__ == "__main__":
    parts = (
        startup.lines(),
        parsing.lines(),
        mapping.lines(),
        mapping.rule_lines(),
        renaming.lines([0, 20, 100], 1000),
        offline.lines(40),
    )
    for part in parts:
        for line in part:
            print(line, flush=True)
        print(flush=True)

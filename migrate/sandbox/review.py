"""A project that leaves much open: 420 runs, 300 of them for review, of 20 kinds.

It is made to practise on what `settle` and the configuration file are for. What the other runs of
the project have answers most kinds, for some of them with a few exceptions, and a few not at all.
Always the same runs.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from migrate.sandbox.sample import ENTITY, PROJECT, arguments, place, wire_config
from migrate.sandbox.store import Store, StoredRun
from naming import CRITERIA, experiment_name, legacy_name

RATE, REG, EXPONENTS = "rate", "reg_granularity_prune", "exponents"
_CNN = ("res20s", "res56s", "res18", "res50", "vgg16_bn", "mobilenet")
_VIT = ("vit_small", "vit_tiny", "vit_base")
_MAMBA = ("mamba_tiny", "mamba_small", "mamba_base")
_LONG = ("deit_distilled_patch16_224_with_a_long_name",)
_DATASETS = ("cifar100", "cifar10", "tiny-imagenet")


@dataclass(frozen=True)
class Group:
    """Runs that have the same in common.

    Attributes:
        size: How many.
        archs: Their architectures, in turn.
        values: Arguments other than the guide's, in name and config; a tuple's values in turn.
        lacks: Config keys that they have not got.
        config: What the config says other than the name.
        since, until: The months in which they were started; 0 is January 2025.
        datasets: Their datasets, in turn.
        state: W&B's word.
    """

    size: int
    archs: tuple[str, ...]
    values: Mapping[str, object] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    config: Mapping[str, object] = field(default_factory=dict)
    since: float = 0
    until: float = 12
    datasets: tuple[str, ...] = _DATASETS
    state: str = "finished"


_REFILL = {"struct": "refill", "RST_schedule": "x"}

KINDS = (
    # Values that are missing; all ViTs with this schedule and a rate have 0.15, but for two.
    Group(73, _CNN, lacks=(RATE,), until=7),
    Group(31, _VIT, lacks=(RATE,), until=7.5),
    Group(40, _VIT, lacks=(EXPONENTS,), since=2, until=9),
    Group(31, _VIT, lacks=(REG,), since=1, until=6),
    Group(14, _VIT, lacks=(REG, EXPONENTS, RATE), since=3, until=11),
    Group(3, _VIT, {"RST_schedule": "exp_custom"}, lacks=(RATE,), since=1, until=2),
    Group(9, _MAMBA, lacks=(RATE,), since=5, until=9),
    Group(6, _MAMBA, {"RST_schedule": "x^2"}, lacks=(REG,), since=6, until=9),
    Group(8, _CNN, {"RST_schedule": "x"}, lacks=(REG,), until=3),
    Group(6, _VIT, _REFILL, lacks=("fillback_rate",), since=4, until=6),
    Group(4, _CNN, _REFILL, lacks=(RATE,), since=4, until=6),
    # Values that are wrong.
    Group(14, _CNN, {"RST_schedule": "linear"}, since=2, until=5),
    Group(7, _VIT, config={RATE: "0,15"}, since=7, until=8),
    Group(6, _VIT, config={EXPONENTS: 2.5}, since=8, until=9),
    # Name and config disagree.
    Group(20, _VIT, config={"dataset": "imagenet"}, datasets=_DATASETS[2:], since=6, until=11),
    Group(6, ("vit_small",), config={"arch": "vit_tiny"}, since=9, until=10),
    Group(3, ("vit_base",), config={"arch": "vit_small", "dataset": "svhn"}, since=9, until=10),
    Group(5, _VIT, {"criteria": "l1"}, config={"criteria": "l2"}, since=3, until=4),
    # A name that would be too long, and names that can be read in two ways.
    Group(8, _LONG, since=8, until=11),
    Group(6, ("pool_former",), {"RST_schedule": "x"}, datasets=("food_101",), since=1, until=5),
)
"""The runs for review, a group a kind."""

_BARE = KINDS[-1]  # they died before their config was sent

_OTHERS = (
    Group(70, _VIT, {"criteria": CRITERIA}),
    Group(2, _VIT, {RATE: 0.2}),
    Group(12, _CNN),
    Group(3, _CNN, {"RST_schedule": "x"}),
    Group(6, _MAMBA),
    Group(2, _MAMBA, {RATE: 0.2}),
    Group(2, _VIT, {**_REFILL, "fillback_rate": 0.1}),
    Group(1, _VIT, {**_REFILL, "fillback_rate": 0.2}),
    Group(2, _MAMBA, {"RST_schedule": "x"}, since=12, until=12.3, state="running"),
)
"""Runs with an old name that leave nothing open; the last are running."""

_CUSTOM = (
    *("vit_tiny_rsst_baseline", "paper_fig3_vit_cifar10", "paper_table2_rsst_vs_refill"),
    *("ablation_criteria_saliency", "ablation_schedule_exp2", "final_vit_small_best_config"),
    *("reproduce_baseline_v2", "test1"),
)


def review_store() -> Store:
    """The project `ycx/RSST`: 300 runs for review, 98 to rename, 2 running, 20 with other names."""
    store = Store()
    numbers = count()
    for group in (*KINDS, *_OTHERS):
        for run, at in _runs(group):
            place(store, ENTITY, PROJECT, run, next(numbers), at)
    current = Group(12, _MAMBA, {"RST_schedule": "exp"}, since=12, until=12.3)
    custom = Group(8, _VIT, {"RST_schedule": "x^3"})
    for run, at in _runs(current):
        run.displayName = experiment_name(json.loads(run.config), at=at)
        place(store, ENTITY, PROJECT, run, next(numbers), at)
    for (run, at), name in zip(_runs(custom), _CUSTOM, strict=True):
        run.displayName = name
        place(store, ENTITY, PROJECT, run, next(numbers), at)
    return store


def _runs(group: Group) -> Iterator[tuple[StoredRun, datetime]]:
    """The runs of a group, and when each was started."""
    chance = random.Random(repr(group))
    month = timedelta(days=365 / 12)
    for number in range(group.size):
        given = {
            key: value[number % len(value)] if isinstance(value, tuple) else value
            for key, value in group.values.items()
        }
        arch = group.archs[number % len(group.archs)]
        dataset = group.datasets[number // len(group.archs) % len(group.datasets)]
        values = arguments(arch, dataset, **given)
        kept = {key: value for key, value in values.items() if key not in group.lacks}
        config = {} if group is _BARE else {**kept, **group.config}
        months = group.since + (group.until - group.since) * (number + chance.random()) / group.size
        at = datetime(2025, 1, 1, tzinfo=UTC) + month * months
        run = StoredRun("", legacy_name(values), wire_config(config), group.state)
        yield run, at.replace(microsecond=0, tzinfo=None)

"""The sandbox's projects: old runs of every kind and every status, always the same ones."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from migrate.sandbox.store import Store, StoredRun
from migrate.sandbox.views import sample_views
from naming import CRITERIA, SCHEDULES, VOCABULARY, legacy_name

ENTITY, PROJECT = "ycx", "RSST"
DEFAULT_RUNS = 96
_START = datetime(2025, 6, 2, 9, 30)
_GUIDE_CURRENT = (
    "rsst_vit_small_cifar100_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1_rate_0.15_pretrained"
    "_0108_1430",
    "refill_vit_small_cifar100_fill_0.1_crit_magnitude_rate_0.2_pretrained_0108_1520",
    "rsst_res20s_cifar100_sched_exp_custom_exponents_reg_1.0_crit_l1_rate_0.2_0108_1600",
    "rsst_res20s_cifar100_sched_exp_custom_exponents_reg_1_exp4_crit_l1_rate_0.2_0109_0910",
    "rsst_vit_tiny_cifar10_sched_x_reg_0.5_crit_l1_rate_0.15_pretrained_struct_head_0110_1130",
    "rsst_mamba_tiny_cifar10_bs_128_lr_0.1_seed_3_sched_x^2_reg_0.5_crit_l2_rate_0.15"
    "_20260111_081502",
)
_CUSTOM = (
    "vit_tiny_rsst_baseline",
    "ablation_schedule_linear",
    "paper_fig3_vit_cifar10",
    "final_vit_small_cifar100_best_config",
    "test1",
    "vit_small_cifar100_rsst_with_pretrained_imagenet_weights_exp3",
    "RSST_x_l1_res18_cifar10",
    "rsst_l1_x_res18_cifar10",
    "rsst_x_l1_vit_small",
    "rsst_x_l1_res50_cifar100_v2",
)
_HOSTILE = (
    "\x1b[31mred\x1b[0m alert",
    "[bold red]markup[/] run",
    "<script>alert(1)</script>",
    '=HYPERLINK("http://localhost","click")',
    "| a | b | `c` |",
    "\u202egnp.exe run",
    "two\nlines",
)


def arguments(arch: str, dataset: str, **changes: object) -> dict[str, object]:
    """The training script's arguments of a run, with the guide's values where none is given."""
    cnn = VOCABULARY.family(arch) == "cnn"
    return {
        "struct": "rsst",
        "RST_schedule": "exp_custom_exponents",
        "criteria": "l1",
        "arch": arch,
        "dataset": dataset,
        "reg_granularity_prune": 1 if cnn else 0.5,  # the backend gives back 1 for 1.0
        "exponents": 4 if cnn else 3,
        "rate": 0.2 if cnn else 0.15,
        "fillback_rate": 0,
        "pretrained": not cnn,
        "vit_structured": False,
        "vit_prune_target": "head",
        "exp_name": None,
        "batch_size": 128,
        "lr": 0.1,
        "seed": None,
        "epochs": 80,
        "pruning_times": 15,
        **changes,
    }


def wire_config(values: dict[str, object]) -> str:
    """A config as W&B keeps it."""
    wrapped = {key: {"value": value, "desc": None} for key, value in values.items()}
    return json.dumps({"_wandb": {"value": {"cli_version": "0.17.5"}}, **wrapped})


def _old(values: dict[str, object], name: str | None = None, **fields: object) -> StoredRun:
    return StoredRun(
        name="",
        displayName=name or legacy_name(values),
        config=wire_config(values),
        **fields,  # type: ignore[arg-type]
    )


def _without(values: dict[str, object], *keys: str) -> dict[str, object]:
    return {key: value for key, value in values.items() if key not in keys}


def _kinds() -> Iterator[StoredRun]:
    """One run of each kind that a user may meet."""
    vit = arguments("vit_small", "cifar100")
    cnn = arguments("res20s", "cifar10")
    yield _old(vit)
    yield _old(cnn)
    yield _old(arguments("mamba_small", "tiny-imagenet", RST_schedule="x^2", mamba_pretrained="w"))
    yield _old(arguments("vit_small_imagenet", "imagenet", pretrained="weights/vit.pth"))
    yield _old(arguments("vit_tiny", "cifar10", pretrained="None", vit_pretrained_21k="False"))
    yield _old(arguments("vit_base", "cifar10", vit_structured=True, vit_prune_target="mlp"))
    yield _old(arguments("res18_2", "cifar10_trigger", rate=1e-05))
    yield _old(arguments("vgg16_bn", "cifar100", rate=1, criteria="saliency"))
    yield _old(arguments("vit_small", "cifar100", struct="refill", fillback_rate=0.1))
    yield _old(arguments("res50", "imagenet", struct="refill", RST_schedule="x"))
    yield _old(arguments("convnext_tiny", "cifar100"))
    yield _old(arguments("res18", "svhn", RST_schedule="exp"))
    yield _old(arguments("swin_t", "food101", RST_schedule="exp_custom"))
    for key in ("rate", "reg_granularity_prune", "exponents"):
        yield _old(_without(vit, key), legacy_name(vit))
    yield _old({}, "rsst_exp_custom_exponents_l1_vit_base_cifar10")
    yield _old({}, "rsst_x_l1_my_net_my_data")
    yield _old({**vit, "dataset": "cifar10"}, legacy_name(vit))
    yield _old({**cnn, "criteria": "l2", "arch": "res56s"}, legacy_name(cnn))
    yield _old({**vit, "rate": "abc"})
    yield _old({**cnn, "RST_schedule": "linear"})
    yield _old(arguments("deit_" + "x" * 60, "cifar100"))
    yield _old({**vit, "exp_name": "rsst_x_l1_vit_small_cifar100", "RST_schedule": "x"})
    yield _old(arguments("vit_large_imagenet", "imagenet"), state="running")
    yield _old(arguments("mamba_base", "cifar100"), state="running")
    yield _old(vit, readOnly=True)
    for state in ("crashed", "failed", "killed"):
        yield _old(arguments("res56s", "cifar100"), state=state)
    for name in (*_GUIDE_CURRENT, *_CUSTOM, *_HOSTILE):
        yield _old(vit, name)
    for state in ("pending", "preempting", "preempted"):
        yield _old(arguments("vit_base", "cifar100", criteria="l2"), state=state)


def _job_array() -> Iterator[StoredRun]:
    """The runs of one array of jobs, which all started in the same second; pairs are twins."""
    for criteria in ("magnitude", "l1", "l2", "saliency"):
        for rate in (0.1, 0.15, 0.2):
            for seed in (1, 2):
                values = {"criteria": criteria, "rate": rate, "seed": seed}
                yield _old(arguments("mamba_tiny", "cifar10", **values))


def _many(count: int) -> Iterator[StoredRun]:
    """As many plain old runs as asked for, of all families; pairs start in the same minute."""
    choice = random.Random(20260108).choice
    archs, datasets = list(VOCABULARY.architectures), sorted(VOCABULARY.datasets)
    previous: dict[str, object] = {}
    for number in range(count):
        values = arguments(
            choice(archs),
            choice(datasets),
            RST_schedule=choice(SCHEDULES),
            criteria=choice(CRITERIA),
            rate=choice([0.1, 0.15, 0.2]),
            struct=choice(["rsst", "rsst", "rsst", "refill"]),
        )
        if number % 10 == 1:
            values = previous
        previous = values
        yield _old(values)


def _run_id(number: int) -> str:
    special = {3: "12e34567", 7: "00012345", 11: "1e5", 13: "20260108"}
    return special.get(number) or f"{random.Random(number).getrandbits(40):08x}"[:8] + f"{number:x}"


def sample_store(runs: int | None = None) -> Store:
    """The sample projects.

    Args:
        runs: How many runs `ycx/RSST` has. Fewer than there are kinds: some of each sort. None:
            a readable few.

    Returns:
        `ycx/RSST`, an earlier `609354432/RSST`, `ycx/empty` and `ycx/frozen` (read-only).
    """
    store = Store()
    kinds, array = list(_kinds()), list(_job_array())
    plain = len(kinds) + len(array)  # the first of the plain ones
    wanted = DEFAULT_RUNS if runs is None else runs
    total = max(plain, wanted)
    filled = [*kinds, *array, *_many(total - plain)]
    minutes = max(1, 220 * 24 * 60 // total)
    for number in (total * chosen // wanted for chosen in range(wanted)):
        started = len(kinds) if len(kinds) <= number < plain else number
        run = filled[number]
        place(store, ENTITY, PROJECT, run, number, _START + timedelta(minutes=minutes * started))
        if number > plain and (number - plain) % 10 == 1:  # _many's twins
            run.createdAt = filled[number - 1].createdAt
    for number, run in enumerate(_many(12)):
        place(store, "609354432", PROJECT, run, 9000 + number, _START - timedelta(days=number))
    for number, run in enumerate(_many(3)):
        place(store, ENTITY, "frozen", run, 9100 + number, _START + timedelta(days=number))
    store.project(ENTITY, PROJECT).views = sample_views()
    store.project(ENTITY, "frozen").read_only = True
    store.project(ENTITY, "empty")
    return store


def place(
    store: Store, entity: str, project: str, run: StoredRun, number: int, at: datetime
) -> None:
    """Put a run into a project, with the id of that number; it ran for two hours."""
    run.name = _run_id(number)
    run.createdAt = at.isoformat() + ("Z" if number % 2 else "")
    run.heartbeatAt = (at + timedelta(hours=2)).isoformat()
    store.add(entity, project, run)

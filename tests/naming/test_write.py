"""Writing names: the guide's examples letter for letter, and the round trip."""

import argparse
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naming import (
    VOCABULARY,
    FieldsError,
    Style,
    experiment_name,
    is_exp_name,
    parse_name,
    with_guide_defaults,
)
from naming.rsst import CRITERIA, SCHEDULES, STRUCT_TARGETS, STRUCTS
from naming.style import EXTRAS, GUIDE_TIMESTAMPS, format_timestamp

AT = datetime(2026, 1, 8, 14, 30)
VIT = {
    "struct": "rsst",
    "RST_schedule": "exp_custom_exponents",
    "criteria": "l1",
    "arch": "vit_small",
    "dataset": "cifar100",
    "reg_granularity_prune": 0.5,
    "exponents": 3,
    "rate": 0.15,
    "pretrained": True,
}
VIT_NAME = (
    "rsst_vit_small_cifar100_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1_rate_0.15"
    "_pretrained_0108_1430"
)

GUIDE = [
    ({"arch": "vit_small", "struct": "rsst", "pretrained": True}, AT, VIT_NAME),
    (
        {"arch": "vit_tiny", "dataset": "cifar10", "pretrained": True},
        AT,
        "rsst_vit_tiny_cifar10_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1_rate_0.15"
        "_pretrained_0108_1430",
    ),
    (
        {
            "struct": "refill",
            "arch": "vit_small",
            "fillback_rate": 0.1,
            "criteria": "magnitude",
            "rate": 0.2,
            "pretrained": True,
        },
        datetime(2026, 1, 8, 15, 20),
        "refill_vit_small_cifar100_fill_0.1_crit_magnitude_rate_0.2_pretrained_0108_1520",
    ),
    (
        {"arch": "res20s"},
        datetime(2026, 1, 8, 16, 0),
        "rsst_res20s_cifar100_sched_exp_custom_exponents_reg_1.0_crit_l1_rate_0.2_0108_1600",
    ),
    ({}, AT, "rsst_res20s_cifar100_sched_exp_custom_exponents_reg_1.0_crit_l1_rate_0.2_0108_1430"),
    ({"struct": "refill"}, AT, "refill_res20s_cifar100_fill_0.0_crit_l1_rate_0.2_0108_1430"),
    (
        {"struct": "refill", "arch": "mamba_tiny"},
        AT,
        "refill_mamba_tiny_cifar100_fill_0.0_crit_l1_rate_0.15_0108_1430",
    ),
    ({"exp_name": "my_vit_experiment_v1"}, AT, "my_vit_experiment_v1"),
    (
        {"exp_name": "vit_ablation_lr0.001", "exp_timestamp": True},
        AT,
        "vit_ablation_lr0.001_0108_1430",
    ),
]


@pytest.mark.parametrize(("args", "at", "name"), GUIDE)
def test_the_guides_examples(args, at, name):
    assert experiment_name(with_guide_defaults(args), at=at) == name


def test_the_guides_exponents_of_a_cnn():
    name = experiment_name(with_guide_defaults({}), style=Style(cnn_exponents=True))
    assert "_reg_1.0_exp4_" in name


@pytest.mark.parametrize("rate", [1, 1.0, "1", "1.0", " 1.0 ", "1e0"])
def test_a_value_comes_out_the_same_whatever_its_type(rate):
    assert "_rate_1.0_" in experiment_name({**VIT, "rate": rate}, at=AT)


@pytest.mark.parametrize("off", [None, "None", "False", " false", "null", "", 0, "0", False])
@pytest.mark.parametrize(
    "key", ["pretrained", "vit_pretrained", "vit_pretrained_21k", "mamba_pretrained"]
)
def test_pretrained_by_each_argument_and_off_in_each_spelling(key, off):
    args = {**VIT, "pretrained": False}
    assert "_pretrained" not in experiment_name({**args, key: off}, at=AT)
    for on in (True, "True", 1, "weights/vit.pth"):
        assert "_pretrained_" in experiment_name({**args, key: on}, at=AT)


def test_a_namespace_a_mapping_and_a_config_give_one_name():
    config = {key: {"value": value, "desc": None} for key, value in VIT.items()}
    for args in (VIT, argparse.Namespace(**VIT), {**config, "_wandb": {"value": {}}}):
        assert experiment_name(args, at=AT) == VIT_NAME


def test_structure_pruning_and_its_default_target():
    args = {**VIT, "vit_structured": True}
    assert experiment_name(args, at=AT).endswith("_pretrained_struct_head_0108_1430")
    both = experiment_name({**args, "vit_prune_target": "both"}, at=AT)
    assert both.endswith("_struct_both_0108_1430")
    with pytest.raises(FieldsError, match="vit_prune_target is 'tail'"):
        experiment_name({**args, "vit_prune_target": "tail"}, at=AT)


def test_exponents_for_cnns_only_where_asked_for_and_always_for_unlisted_architectures():
    cnn = {**VIT, "arch": "res20s"}
    assert "_exp3_" not in experiment_name(cnn, at=AT)
    assert "_exp3_" in experiment_name(cnn, at=AT, style=Style(cnn_exponents=True))
    assert "_exp3_" in experiment_name({**VIT, "arch": "my_net"}, at=AT)
    known = replace(VOCABULARY, architectures={"vit_small": "cnn"})
    assert "_exp3_" not in experiment_name(VIT, at=AT, vocabulary=known)


def test_any_argument_under_any_label():
    style = Style(extras=("ep=epochs", "opt=optimizer", "amp"))
    args = {**VIT, "epochs": 80, "optimizer": "adam-w", "amp": True}
    name = experiment_name(args, at=AT, style=style)
    assert name.startswith("rsst_vit_small_cifar100_ep_80_opt_adam-w_amp_True_sched_")
    assert parse_name(name, style=style).fields["extras"] == {
        "ep": 80,
        "opt": "adam-w",
        "amp": "True",
    }
    # Where the labels are not declared, they are a part of the dataset.
    assert parse_name(name).format == "custom"
    with pytest.raises(FieldsError, match=r"^invalid: optimizer is 'adam_w'$"):
        experiment_name({**args, "optimizer": "adam_w"}, at=AT, style=style)


def test_extras_follow_the_dataset_and_a_missing_value_leaves_its_part_out():
    args = {**VIT, "batch_size": 128.0, "lr": 1, "seed": None}
    name = experiment_name(args, at=AT, style=Style(extras=("lr", "seed", "bs")))
    assert name.startswith("rsst_vit_small_cifar100_lr_1.0_bs_128_sched_")
    name = experiment_name({**VIT, "seed": 3.0}, at=AT, style=Style(extras=("seed",)))
    assert name.startswith("rsst_vit_small_cifar100_seed_3_sched_")
    for off in ("", "None"):
        assert experiment_name({**VIT, "lr": off}, at=AT, style=Style(extras=("lr",))) == VIT_NAME


def test_the_time_zone():
    at = AT.replace(tzinfo=timezone.utc)
    for named in ("+08:00", timezone(timedelta(hours=8))):
        assert experiment_name(VIT, at=at, timezone=named).endswith("_0108_2230")
    assert experiment_name(VIT, at=at) == VIT_NAME
    with pytest.raises(ValueError, match="Mars/Base"):
        experiment_name(VIT, at=at, timezone="Mars/Base")


def test_a_new_run_is_named_by_the_clock():
    before = datetime.now().replace(microsecond=0)
    name = experiment_name(VIT, style=Style("%Y%m%d_%H%M%S"))
    assert before <= datetime.strptime(name[-15:], "%Y%m%d_%H%M%S") <= datetime.now()


@pytest.mark.parametrize(
    ("name", "exp_name", "is_one"),
    [
        ("mine", "mine", True),
        ("mine_0108_1430", "mine", True),
        ("mine_20260108_143000", "mine", True),
        ("mine_2026", "mine", True),
        ("mine_26", "mine", False),
        ("your_0108_1430", "mine", False),
        ("mine0108_1430", "mine", False),
        ("0", "0", True),
        ("0", 0, True),
        ("null_0108_1430", "null", True),
        ("False", "False", True),
        ("False", False, False),
        ("None", "None", False),
        ("None", None, False),
        ("", "", False),
    ],
)
def test_names_that_exp_name_makes(name, exp_name, is_one):
    assert is_exp_name(name, exp_name, Style("%Y")) is is_one


@pytest.mark.parametrize("chosen", ["0", "null", "false", "None ", 0, 20260108])
def test_exp_name_overrides_everything_whatever_it_looks_like(chosen):
    assert experiment_name({**VIT, "exp_name": chosen}, at=AT) == str(chosen)
    stamped = experiment_name({"exp_name": chosen, "exp_timestamp": True}, at=AT)
    assert stamped == "{}_0108_1430".format(chosen)


@pytest.mark.parametrize("absent", [None, "", "None", False])
def test_an_absent_exp_name_leaves_the_name_to_the_arguments(absent):
    assert experiment_name({**VIT, "exp_name": absent}, at=AT) == VIT_NAME


_numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-10, 10), st.just(1e-05)
)
# Some look like the parts of a name.
_words = st.one_of(
    st.from_regex(r"[a-z][a-z0-9-]{0,11}", fullmatch=True),
    st.sampled_from(
        "net_bs_1 my_lr_0.1 seed_3 a_sched_x reg_1.0 crit_l1 fill_0.1 rate_2 b_2".split()
    ),
)
_archs = st.one_of(st.sampled_from(sorted(VOCABULARY.architectures)), _words)
_datasets = st.one_of(st.sampled_from(sorted(VOCABULARY.datasets)), _words)
_formats = st.sampled_from(
    [*GUIDE_TIMESTAMPS, "%Y-%m-%dT%H:%M:%S", "%y%m%d", "%H.%M", "%d_%m", "%Y"]
)
_styles = st.builds(
    Style,
    timestamp_format=_formats,
    extras=st.lists(
        st.sampled_from([*sorted(EXTRAS), "ep=epochs", "opt=optimizer", "my_part=lr"]), unique=True
    ).map(tuple),
    cnn_exponents=st.booleans(),
)
_args = st.fixed_dictionaries(
    {
        "struct": st.sampled_from(STRUCTS),
        "RST_schedule": st.sampled_from(SCHEDULES),
        "criteria": st.sampled_from(CRITERIA),
        "arch": _archs,
        "dataset": _datasets,
        "reg_granularity_prune": _numbers,
        "exponents": st.integers(-9, 99),
        "rate": _numbers,
        "fillback_rate": _numbers,
        "pretrained": st.booleans(),
        "vit_structured": st.booleans(),
        "vit_prune_target": st.sampled_from(STRUCT_TARGETS),
        "batch_size": st.one_of(st.none(), st.integers(1, 4096)),
        "lr": st.one_of(st.none(), _numbers),
        "seed": st.one_of(st.none(), st.integers(-1, 99), st.integers(2**53, 2**64)),
        "epochs": st.one_of(st.none(), st.integers(-1, 99), _numbers),
        "optimizer": st.sampled_from([None, "sgd", "adam-w", "A.1"]),
    }
)


@given(_args, _styles, st.datetimes(datetime(1, 1, 1)), st.sampled_from(["", "_2", "_17"]))
def test_what_was_written_is_read_back_to_the_same_fields(args, style, at, ordinal):
    vocabulary = VOCABULARY.extended([args["arch"]], [args["dataset"]])
    name = experiment_name(args, at=at, style=style, vocabulary=vocabulary) + ordinal
    parsed = parse_name(name, style=style, vocabulary=vocabulary)
    assert parsed.format == "current", parsed.reason

    rsst = args["struct"] == "rsst"
    exponents = (
        rsst
        and args["RST_schedule"] == "exp_custom_exponents"
        and (style.cnn_exponents or vocabulary.family(args["arch"]) != "cnn")
    )
    expected = {
        "struct": args["struct"],
        "schedule": args["RST_schedule"] if rsst else None,
        "criteria": args["criteria"],
        "reg": float(args["reg_granularity_prune"]) if rsst else None,
        "exponents": args["exponents"] if exponents else None,
        "rate": float(args["rate"]),
        "fillback_rate": None if rsst else float(args["fillback_rate"]),
        "pretrained": args["pretrained"],
        "struct_target": args["vit_prune_target"] if args["vit_structured"] else None,
        "extras": {
            label: args[key] for label, (key, _) in style.parts.items() if args[key] is not None
        },
        "timestamp": format_timestamp(at, style.timestamp_format),
        "ordinal": int(ordinal[1:] or 1),
        "arch": args["arch"],
        "dataset": args["dataset"],
    }
    assert expected in list(parsed.readings)
    assert len(parsed.readings) == 1

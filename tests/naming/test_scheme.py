"""A declaration compiled: a field more, a part moved, and what is not a template."""

from dataclasses import replace
from datetime import datetime

import pytest

from naming import (
    FIELDS,
    RSST,
    FieldsError,
    experiment_name,
    parse_name,
    with_guide_defaults,
)
from naming.scheme import NUMBER, Field, Template, closed

AT = datetime(2026, 1, 8, 14, 30)
ARGS = with_guide_defaults({"arch": "vit_small", "pretrained": True})


def after_the_rate(part, *fields):
    """The format with more fields, and a part of new names after the rate."""
    templates = tuple(
        text.replace("_rate_{rate}", "_rate_{rate}" + part) for text in RSST.templates
    )
    return replace(RSST, fields=(*RSST.fields, *fields), templates=templates)


WEIGHT_DECAY = after_the_rate(
    "_wd_{weight_decay}", Field("weight_decay", NUMBER, ("weight_decay",))
)
OPTIMIZER = after_the_rate(
    "[_opt_{optimizer}]", Field("optimizer", closed("sgd", "adam"), ("optimizer",))
)


@pytest.mark.parametrize("struct", ["rsst", "refill"])
def test_a_field_more_is_written_and_read_back(struct):
    args = {**ARGS, "struct": struct, "weight_decay": 1e-4}
    name = experiment_name(args, at=AT, scheme=WEIGHT_DECAY)
    assert name.endswith("_crit_l1_rate_0.15_wd_0.0001_pretrained_0108_1430")
    parsed = parse_name(name, scheme=WEIGHT_DECAY)
    assert (parsed.format, parsed.fields["weight_decay"]) == ("current", 0.0001)
    assert parse_name(name).format == "custom"
    assert tuple(parsed.fields) == (*FIELDS, "weight_decay", "extras", "timestamp", "ordinal")


def test_a_field_more_is_required_and_a_near_miss_says_where_it_was_expected():
    with pytest.raises(FieldsError, match=r"^missing: weight_decay$"):
        experiment_name(ARGS, at=AT, scheme=WEIGHT_DECAY)
    with pytest.raises(FieldsError, match=r"^invalid: weight_decay is 'a lot'$"):
        experiment_name({**ARGS, "weight_decay": "a lot"}, at=AT, scheme=WEIGHT_DECAY)
    why = parse_name(experiment_name(ARGS, at=AT), scheme=WEIGHT_DECAY).why
    assert (why.after, why.expected, why.text) == ("rate_0.15", "_wd_NUMBER", "_pretrained")
    assert WEIGHT_DECAY.config_keys[-6:-4] == ("vit_prune_target", "weight_decay")
    assert WEIGHT_DECAY.keys["weight_decay"] == "weight_decay"


def test_an_optional_field_more_is_in_the_name_where_the_run_has_a_value():
    for given, part in (({}, ""), ({"optimizer": "adam"}, "_opt_adam")):
        name = experiment_name({**ARGS, **given}, at=AT, scheme=OPTIMIZER)
        assert name.endswith(f"_rate_0.15{part}_pretrained_0108_1430")
        fields = parse_name(name, scheme=OPTIMIZER).fields
        assert fields["optimizer"] == given.get("optimizer")


@pytest.mark.parametrize(
    ("part", "after", "name"),
    [
        (
            "_rate_{rate}",
            "vit_small_cifar100",
            "rsst_vit_small_cifar100_rate_0.15_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1"
            "_pretrained_0108_1430",
        ),
        (
            "[_exp{exponents}]",  # before the schedule that it depends on
            "reg_0.5",
            "rsst_vit_small_cifar100_exp3_sched_exp_custom_exponents_reg_0.5_crit_l1_rate_0.15"
            "_pretrained_0108_1430",
        ),
        (
            "_{time}",
            "vit_small_cifar100",
            "rsst_vit_small_cifar100_0108_1430_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1"
            "_rate_0.15_pretrained",
        ),
    ],
)
def test_a_part_that_was_moved_is_written_and_read_in_its_new_place(part, after, name):
    moved = RSST.templates[0].replace(part, "").replace("_sched_", part + "_sched_")
    scheme = replace(RSST, templates=(moved, RSST.templates[1]))
    assert experiment_name(ARGS, at=AT, scheme=scheme) == name
    parsed = parse_name(name, scheme=scheme)
    assert parsed.fields == parse_name(experiment_name(ARGS, at=AT)).fields
    why = parse_name(experiment_name(ARGS, at=AT), scheme=scheme).why
    assert (why.code, why.fault, why.after) == ("near-miss", "part", after)


def test_a_part_of_old_names_can_be_moved_too():
    scheme = replace(RSST, old_template="{struct}_{arch}_{dataset}_{schedule}_{criteria}")
    fields = parse_name("rsst_res18_cifar10_exp_custom_l1", scheme=scheme).fields
    assert (fields["arch"], fields["schedule"]) == ("res18", "exp_custom")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rsst_{arch}",
        "rsst_{arch}_{dataset",
        "rsst_{arch}_{dataset}[_reg_{reg}",
        "rsst_{dataset}_{arch}_{time}",
        "rsst_{arch}_sched_{schedule}_{dataset}",
        "rsst_{arch}_{dataset}_reg_{reg}{extras}",
        "rsst_{arch}_{dataset}_bs_{batch}",
    ],
)
def test_what_is_not_a_template(text):
    with pytest.raises(ValueError, match=r"^not a template"):
        Template(text, RSST.by_name)

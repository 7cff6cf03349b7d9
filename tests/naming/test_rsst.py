"""The declared format: what follows from it, and the conditions of the exponents."""

import pytest

from naming import (
    CONFIG_KEYS,
    FIELD_TYPES,
    FIELDS,
    IN_OLD_NAMES,
    KEYS,
    SWITCH_KEYS,
    FieldsError,
    Style,
    experiment_name,
    parse_name,
    with_guide_defaults,
)

EXPONENTS = "exp_custom_exponents"


def test_columns_keys_and_types_follow_from_the_fields():
    assert tuple(FIELD_TYPES) == FIELDS
    assert FIELDS[:5] == IN_OLD_NAMES == ("struct", "schedule", "criteria", "arch", "dataset")
    assert FIELDS[5:] == tuple("reg exponents rate fillback_rate pretrained struct_target".split())
    types = (FIELD_TYPES["struct_target"], FIELD_TYPES["exponents"], FIELD_TYPES["pretrained"])
    assert types == (str, int, bool)
    assert KEYS == {
        "struct": "struct",
        "schedule": "RST_schedule",
        "criteria": "criteria",
        "arch": "arch",
        "dataset": "dataset",
        "reg": "reg_granularity_prune",
        "exponents": "exponents",
        "rate": "rate",
        "fillback_rate": "fillback_rate",
    }
    assert (
        tuple(
            "pretrained vit_pretrained vit_pretrained_21k mamba_pretrained vit_structured".split()
        )
        == SWITCH_KEYS
    )
    others = ("vit_prune_target", "batch_size", "lr", "seed", "exp_name")
    assert (*KEYS.values(), *SWITCH_KEYS, *others) == CONFIG_KEYS


@pytest.mark.parametrize(
    ("arch", "schedule", "written", "with_them", "without"),
    [
        # Written by default, then: whether a name with them is in the format, and one without.
        ("vit_small", EXPONENTS, True, True, False),
        ("mamba_tiny", EXPONENTS, True, True, False),
        ("res20s", EXPONENTS, False, True, True),
        ("my_net", EXPONENTS, True, True, True),
        ("vit_small", "exp_custom", False, False, True),
        ("res20s", "x", False, False, True),
        ("my_net", "x", False, False, True),
    ],
)
def test_when_exponents_are_written_must_be_there_and_may_be(
    arch, schedule, written, with_them, without
):
    args = with_guide_defaults({"arch": arch, "RST_schedule": schedule, "exponents": 7})
    assert ("_exp7_" in experiment_name(args)) is written
    asked_for = experiment_name(args, style=Style(cnn_exponents=True))
    assert ("_exp7_" in asked_for) is with_them
    for exponents, in_format in (("_exp7", with_them), ("", without)):
        name = (
            f"rsst_{arch}_cifar100_sched_{schedule}_reg_0.5{exponents}_crit_l1_rate_0.2_0108_1430"
        )
        assert (parse_name(name).format == "current") is in_format


def test_exponents_are_required_where_they_are_written_and_else_not_looked_at():
    def args(arch):
        return {**with_guide_defaults({"arch": arch}), "exponents": "many"}

    with pytest.raises(FieldsError, match=r"^invalid: exponents is 'many'$"):
        experiment_name(args("vit_small"))
    assert "_exp" not in experiment_name(args("res20s")).replace(EXPONENTS, "")

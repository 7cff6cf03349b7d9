"""From arguments to fields: what is missing, and what is not valid."""

from datetime import datetime

import pytest

from naming import FieldsError, Style, experiment_name, read_fields, with_guide_defaults

AT = datetime(2026, 1, 8, 14, 30)
VIT = with_guide_defaults({"arch": "vit_small"})


def test_all_missing_and_wrong_fields_are_named_at_once():
    with pytest.raises(FieldsError) as caught:
        experiment_name({"struct": "rsst", "arch": "vit_small", "rate": "abc", "criteria": 3})
    assert caught.value.missing == ("RST_schedule", "dataset", "reg_granularity_prune")
    assert caught.value.invalid == (("criteria", 3), ("rate", "abc"))
    assert str(caught.value) == (
        "missing: RST_schedule, dataset, reg_granularity_prune; "
        "invalid: criteria is 3, rate is 'abc'"
    )


@pytest.mark.parametrize("key", sorted(set(VIT) - {"fillback_rate"}))
@pytest.mark.parametrize("wrong", ["two words", "", True, []])
def test_a_value_that_an_argument_cannot_have_is_named(key, wrong):
    with pytest.raises(FieldsError) as caught:
        experiment_name({**VIT, key: wrong}, at=AT)
    assert (caught.value.missing, caught.value.invalid) == ((), ((key, wrong),))
    assert str(caught.value) == f"invalid: {key} is {wrong!r}"


@pytest.mark.parametrize("key", ["struct", "RST_schedule", "criteria"])
def test_a_word_that_is_not_in_a_closed_set_is_named(key):
    with pytest.raises(FieldsError, match=f"^invalid: {key} is 'linear'$"):
        experiment_name({**VIT, key: "linear"}, at=AT)


def test_a_long_value_is_cut_where_it_is_named():
    for length, shown in ((58, f"rate is '{'x' * 58}'"), (59, f"rate is '{'x' * 58}…")):
        with pytest.raises(FieldsError) as caught:
            experiment_name({**VIT, "rate": "x" * length})
        assert str(caught.value) == f"invalid: {shown}"


def test_an_extra_is_held_to_its_type_where_it_is_asked_for():
    args = {**VIT, "lr": "fast"}
    assert experiment_name(args, at=AT) == experiment_name(VIT, at=AT)
    with pytest.raises(FieldsError, match=r"^invalid: lr is 'fast'$"):
        experiment_name(args, at=AT, style=Style(extras=("lr",)))


def test_a_value_with_the_words_of_an_error_in_it_stays_a_value():
    forged = "c; missing: rate, y"
    with pytest.raises(FieldsError) as caught:
        experiment_name({**VIT, "dataset": forged}, at=AT)
    assert (caught.value.missing, caught.value.invalid) == ((), (("dataset", forged),))


def test_what_an_argument_was_is_kept_as_it_came():
    fields = read_fields({"rate": "abc", "vit_structured": 1, "vit_prune_target": "tail", "lr": []})
    assert fields.invalid == {
        "rate": ("rate", "abc"),
        "struct_target": ("vit_prune_target", "tail"),
        "lr": ("lr", []),
    }
    assert fields.known == {}
    assert str(fields.invalid["struct_target"]) == "vit_prune_target is 'tail'"

"""Why a name is almost in one of our formats: the reason as values, and its words."""

import pytest

from naming import VOCABULARY, Reason, Style, parse_name

GOOD = "rsst_res20s_cifar100_sched_x_reg_1.0_crit_l1_rate_0.2_0108_1600"


def part(after, expected, text=""):
    return Reason("near-miss", "part", text, after, expected)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (GOOD.upper(), Reason("near-miss", "case")),
        (" " + GOOD, Reason("near-miss", "white-space")),
        ("mine_" + GOOD, Reason("near-miss", "before", "mine_")),
        (GOOD + "_v2", Reason("near-miss", "after", "_v2")),
        (GOOD + "x", Reason("near-miss", "after", "x")),
        ("rsst_x_l1_res18_cifar10_v2", Reason("near-miss", "after", "v2")),
        ("rsst_x_l1_vit_small_imagenet_cifar10-old", Reason("near-miss", "after", "old")),
        ("rsst_x_l1_res18", part("res18", "_DATASET")),
        ("rsst_x_l1_cifar10", part("l1", "_ARCH", "_cifar10")),
        ("rsst_x_l1", part("l1", "_ARCH_DATASET")),
        ("res20s_cifar100" + GOOD[20:], part("", "rsst_ARCH_DATASET", "res20s")),
        (GOOD.replace("_reg_1.0", ""), part("sched_x", "_reg_NUMBER", "_crit")),
        (GOOD.replace("reg_1.0", "reg_big"), part("reg_", "NUMBER", "big")),
        (GOOD.replace("0.2", "1e999"), part("rate_", "NUMBER", "1e999")),
        (GOOD.replace("_l1", "_l9"), part("crit_", "remain|magnitude|l1|l2|saliency", "l9")),
        (GOOD.replace("_cifar100", ""), part("res20s", "_DATASET", "_sched")),
        (GOOD.replace("_0108_1600", ""), part("rate_0.2", "_MMDD_HHMM")),
        (GOOD.replace("0108", "1308"), part("rate_0.2", "_MMDD_HHMM", "_1308_1600")),
        # Both directions of the exponents.
        (GOOD.replace("_crit", "_exp3_crit"), part("reg_1.0", "_crit_CRITERIA", "_exp3")),
        (
            GOOD.replace("res20s", "vit_tiny").replace("sched_x", "sched_exp_custom_exponents"),
            part("reg_1.0", "_expINTEGER", "_crit"),
        ),
        ("my_experiment", Reason("not-ours")),
        ("a" * 1025, Reason("not-ours", "length", "1025")),
    ],
)
def test_the_reason_as_values(name, why):
    parsed = parse_name(name)
    assert (parsed.format, parsed.why) == ("custom", why)


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (Reason("near-miss", "case"), "wrong case: our names are in lower case"),
        (Reason("near-miss", "white-space"), "white space around the name"),
        (Reason("near-miss", "before", "a\nb_"), "text 'a\\nb_' before the name"),
        (Reason("near-miss", "after", "_v2"), "trailing text '_v2'"),
        (part("x", "_reg_NUMBER", "_crit"), "after 'x': expected _reg_NUMBER, found '_crit'"),
        (part("res18", "_DATASET"), "after 'res18': expected _DATASET"),
        (part("", "rsst|refill", "x"), "at the start: expected rsst|refill, found 'x'"),
        (Reason("not-ours"), "not an RSST name"),
        (Reason("not-ours", "length", "1025"), "1025 characters long"),
    ],
)
def test_the_words_of_a_reason(why, words):
    assert why.words() == words


def test_a_time_is_expected_in_the_form_of_the_style():
    style = Style("%Y-%m-%dT%H:%M:%S")
    assert parse_name(GOOD[:-10], style=style).why.expected == "_YYYY-MM-DDTHH:MM:SS"
    dated = GOOD[:-9] + "2026-01-08T16:00:00"
    assert parse_name(dated + " (copy)", style=style).why == Reason("near-miss", "after", " (copy)")


def test_a_vocabulary_tells_where_the_pair_ends():
    name = "rsst_my_net_my_data_2_sched_x_reg_1.0_crit_l1_rate_0.2_0108_1600"
    more = VOCABULARY.extended(["my_net"], ["my_data"])
    assert parse_name(name, vocabulary=more).why == part("my_net_my_data", "_sched_SCHEDULE", "_2")
    assert parse_name(name).format == "current"


def test_an_ambiguous_name_has_its_readings_as_values():
    parsed = parse_name("rsst_x_l1_my_net_data")
    assert parsed.why == Reason("ambiguous")
    assert parsed.reason == "ambiguous: my on net_data or my_net on data"
    assert parse_name(GOOD).why is None
    assert parse_name(GOOD).reason == ""

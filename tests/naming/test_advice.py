"""Advice on names that people pick: the guide's good ones get none, its bad ones get theirs."""

import pytest

from naming import advise

GOOD = """my_vit_experiment_v1 vit_ablation_lr0.001 vit_tiny_rsst_baseline rsst_rate0.15
ablation_schedule_linear ablation_criteria_magnitude paper_fig3_vit_cifar10
paper_table2_rsst_vs_refill reproduce_baseline_v2 final_vit_small_cifar100_best_config
series1_rate_0.10 paper_final_results ablation_exp2""".split()


@pytest.mark.parametrize("name", GOOD)
def test_the_guides_good_names_get_none(name):
    assert advise(name) == ()


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("test1", "too-plain", "名称太简单，难以区分"),
        ("run", "too-plain", "名称太简单，难以区分"),
        ("Experiment-12", "too-plain", "名称太简单，难以区分"),
        ("final_", "too-plain", "名称太简单，难以区分"),
        (
            "vit_small_cifar100_rsst_with_pretrained_imagenet_weights_exp3",
            "too-long",
            "名称太长，难以阅读",
        ),
        ("baselines", "no-prefix", "系列实验用统一前缀"),
    ],
)
def test_the_guides_bad_names_get_its_words(name, code, words):
    assert [(advice.code, advice.guide) for advice in advise(name)] == [(code, words)]


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("abc", ["too plain to tell runs apart"]),
        ("a_bc", []),
        ("vit_" + "x" * 44, []),
        ("vit_" + "x" * 45, ["too long to read (49 characters)"]),
        ("vit_" + "x" * 124, ["too long to read (128 characters)"]),
        ("vit_" + "x" * 125, ["too long to read (129 characters; W&B keeps 128 characters)"]),
        ("baseline", ["no prefix: give the runs of a series a common one"]),
        ("_baseline", ["no prefix: give the runs of a series a common one"]),
    ],
)
def test_where_the_advice_begins(name, texts):
    assert [advice.text for advice in advise(name)] == texts

"""What the training script's parser gets."""

import argparse
from datetime import datetime

import pytest

from naming import add_arguments, experiment_name, with_guide_defaults

AT = datetime(2026, 1, 8, 14, 30)
VIT = with_guide_defaults({"arch": "vit_small"})


def test_the_training_script_takes_its_name_in_three_lines():
    parser = argparse.ArgumentParser()
    for key, value in VIT.items():
        parser.add_argument("--" + key, default=value)
    add_arguments(parser)
    assert experiment_name(parser.parse_args([]), at=AT) == (
        "rsst_vit_small_cifar100_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1_rate_0.15"
        "_0108_1430"
    )
    chosen = parser.parse_args(["--exp_name", "paper_fig3", "--exp_timestamp"])
    assert experiment_name(chosen, at=AT) == "paper_fig3_0108_1430"
    help_text = parser.format_help()
    assert "name of the W&B run; without it" in help_text
    assert "append the time to --exp_name" in help_text


@pytest.mark.parametrize("conflict_handler", ["error", "resolve"])
def test_a_parser_that_has_an_exp_name_keeps_its_own(conflict_handler):
    parser = argparse.ArgumentParser(conflict_handler=conflict_handler)
    parser.add_argument("--exp_name", default="paper_fig3", help="自定义实验名称")
    add_arguments(parser)
    add_arguments(parser)
    assert "自定义实验名称" in parser.format_help()
    assert experiment_name(parser.parse_args(["--exp_timestamp"]), at=AT) == "paper_fig3_0108_1430"

"""What a new name adds: by fields, wherever they stand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.client.runs import Run, RunKey
from migrate.mapping.mapping import Options
from migrate.mapping.rows import RuleSource, Settled
from migrate.mapping.rules import Rule, Where
from migrate.report import marks
from migrate.report.marks import Piece
from naming import VOCABULARY, Style, legacy_name
from tests.migrate.mapped import map_runs

AT = datetime(2026, 1, 8, 14, 30, tzinfo=UTC)
CONFIG = {
    "struct": "rsst",
    "RST_schedule": "exp_custom_exponents",
    "criteria": "l1",
    "arch": "vit_small",
    "dataset": "cifar100",
    "reg_granularity_prune": 0.5,
    "exponents": 3,
    "rate": 0.15,
    "fillback_rate": 0.1,
    "pretrained": True,
}


def marked(name=None, rules=None, **changes):
    """The parts of both names that are marked."""
    config = {**CONFIG, **changes}
    name = name or legacy_name(config)
    (row,) = map_runs([Run(RunKey("e", "p", "r"), name, "finished", AT, False, config)], rules)
    names = marks.marked(row.old_name, row.new_name, row.fields)
    return [[piece.text for piece in pieces if piece.own] for pieces in names]


CONFIG_WINS = Options(rules=(Rule(Where(), RuleSource(option="--prefer config"), prefer="config"),))
WITH_EXTRAS = Options(style=Style(extras=("bs", "seed")))


@pytest.mark.parametrize(
    ("changes", "dropped", "added"),
    [
        ({}, [], ["reg_0.5_exp3", "rate_0.15_pretrained_0108_1430"]),
        ({"RST_schedule": "x"}, [], ["reg_0.5", "rate_0.15_pretrained_0108_1430"]),
        ({"pretrained": None}, [], ["reg_0.5_exp3", "rate_0.15_0108_1430"]),
        (
            {"struct": "refill"},
            ["exp_custom_exponents"],
            ["fill_0.1", "rate_0.15_pretrained_0108_1430"],
        ),
        (
            {"batch_size": 128, "seed": 1, "rules": WITH_EXTRAS},
            [],
            ["bs_128_seed_1", "reg_0.5_exp3", "rate_0.15_pretrained_0108_1430"],
        ),
        # A dataset with the schedule's letter in it, an arch that is part of another word.
        ({"RST_schedule": "x", "dataset": "x", "arch": "x_l1"}, [], ["reg_0.5", "rate_0.15_pre"]),
        (
            {"name": "rsst_exp_custom_exponents_l1_res18_cifar100", "rules": CONFIG_WINS},
            ["res18"],
            ["vit_small", "reg_0.5_exp3", "rate_0.15_pretrained_0108_1430"],
        ),
    ],
)  # fmt: skip
def test_what_is_added_and_what_is_dropped(changes, dropped, added):
    old, new = marked(**changes)
    assert old == dropped
    assert [text[: len(start)] for text, start in zip(new, added, strict=True)] == added


def test_where_nothing_is_known_nothing_is_marked():
    assert marks.marked("old", "new", {}) == ([Piece("old")], [Piece("new")])
    fields = {"struct": "rsst", "arch": "c"}
    assert marks.marked("a", "b", fields) == ([Piece("a")], [Piece("b")])


def test_a_value_that_a_rule_supplied():
    part = Settled("assumed", "rate", 0.2, None, RuleSource(option="--assume rate=0.2"))
    fields = {"struct": "rsst", "arch": "a", "dataset": "b", "rate": 0.2}
    new = "rsst_a_b_sched_x_reg_0.5_crit_l1_rate_0.2_0108_1430"
    _, pieces = marks.marked("", new, fields, [part])
    assert [(piece.text, piece.settled) for piece in pieces if piece.settled] == [
        ("rate_0.2", part)
    ]


@given(st.text("ab_", max_size=12), st.text("ab_", max_size=12), st.text("ab_", max_size=4))
def test_the_pieces_are_the_name(old, new, word):
    fields = {"struct": "rsst", "schedule": word, "arch": "a", "dataset": "b_a"}
    for name, pieces in zip((old, new), marks.marked(old, new, fields), strict=True):
        assert "".join(piece.text for piece in pieces) == name
        assert all(piece.text for piece in pieces)


@given(
    st.sampled_from(sorted(VOCABULARY.architectures)),
    st.sampled_from(sorted(VOCABULARY.datasets)),
    st.sampled_from(["x", "exp", "exp_custom", "exp_custom_exponents"]),
    st.sampled_from(["rsst", "refill"]),
)
def test_what_both_names_say_is_marked_in_neither(arch, dataset, schedule, struct):
    old, new = marked(arch=arch, dataset=dataset, RST_schedule=schedule, struct=struct)
    assert old == ([schedule] if struct == "refill" else [])
    assert len(new) == 2
    assert new[1].startswith("rate_0.15_")

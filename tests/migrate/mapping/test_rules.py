"""Rules: which runs they touch, which of two wins, and what is said of what they supplied."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.client.runs import Run, RunKey
from migrate.mapping.mapping import Options
from migrate.mapping.rows import RuleSource
from migrate.mapping.rules import Rule, Subject, Where, comparable, idle_rules
from migrate.report.words import reason_text, settled_text
from naming import VOCABULARY, Style, legacy_name, parse_name
from tests.migrate.mapped import map_runs

AT = datetime(2025, 6, 2, 9, 30, tzinfo=UTC)
CONFIG = {
    "struct": "rsst",
    "RST_schedule": "x",
    "criteria": "l1",
    "arch": "vit_small",
    "dataset": "cifar100",
    "reg_granularity_prune": 0.5,
    "rate": 0.15,
}
OLD = "rsst_x_l1_vit_small_cifar100"


def a_run(name=None, *, run_id="a", at=AT, state="finished", **changes):
    config = {key: value for key, value in {**CONFIG, **changes}.items() if value is not None}
    return Run(RunKey("ycx", "RSST", run_id), name or OLD, state, at, False, config)


def rule(number=1, where=None, **supplies):
    return Rule(where or Where(), RuleSource(file="rules", number=number), **supplies)


def with_values(**values):
    return Where(
        values={name: frozenset([comparable(name, value)]) for name, value in values.items()}
    )


def mapped(run, *rules, **options):
    (row,) = map_runs([run], Options(rules=rules, **options))
    return row


# What a rule supplies, and what is said of it.

LONG = "deit_distilled_patch16_224_with_a_name_that_is_much_too_long_for_wandb_and_its_128_letters"
SUPPLIED = [
    (a_run(rate=None), rule(assume={"rate": 0.2}), "_rate_0.2_", "assumed rate=0.2"),
    (
        a_run("rsst_linear_l1_vit_small_cifar100", RST_schedule="linear"),
        rule(replace={"RST_schedule": "x"}),
        "_sched_x_",
        "set RST_schedule=x (was linear)",
    ),
    (
        a_run(f"rsst_x_l1_{LONG}_cifar100", arch=LONG),
        rule(replace={"arch": "deit_d"}),
        "rsst_deit_d_cifar100_",
        f"set arch=deit_d (was {LONG[:59]}…)",
    ),
    (
        a_run(dataset="cifar10"),
        rule(prefer="name"),
        "rsst_vit_small_cifar100_",
        "took dataset from the name (config: cifar10)",
    ),
    (
        a_run(dataset="cifar10", rate=None),
        rule(prefer="config", assume={"rate": 0.2}),
        "rsst_vit_small_cifar10_",
        "assumed rate=0.2; took dataset from the config (name: cifar100)",
    ),
    # `set` settles a conflict by itself, and says what was wrong: the config, or the name.
    (
        a_run(dataset="cifar10"),
        rule(replace={"dataset": "cifar100"}),
        "rsst_vit_small_cifar100_",
        "set dataset=cifar100 (was cifar10)",
    ),
    (
        a_run(dataset="cifar10"),
        rule(replace={"dataset": "cifar10"}),
        "rsst_vit_small_cifar10_",
        "set dataset=cifar10 (was cifar100)",
    ),
    (a_run(rate="abc"), rule(replace={"rate": 0.2}), "_rate_0.2_", "set rate=0.2 (was abc)"),
    (a_run(rate=None), rule(replace={"rate": 0.2}), "_rate_0.2_", "set rate=0.2"),
    # Of one rule `set` wins; what has no place in the new name is not supplied, and not known.
    (
        a_run(rate=None),
        rule(replace={"rate": 0.2}, assume={"rate": 0.3, "exponents": 3, "fillback_rate": 0.1}),
        "_rate_0.2_",
        "set rate=0.2",
    ),
    (
        a_run(rate=None, vit_pretrained="weights.pth"),
        rule(replace={"pretrained": False}, assume={"rate": 0.2}),
        "_rate_0.2_0602_0930",
        "assumed rate=0.2; set pretrained=False (was True)",
    ),
    (
        a_run("rsst_x_l1_my_net_my_data", arch=None, dataset=None),
        rule(assume={"arch": "my_net", "rate": 0.9}),
        "rsst_my_net_my_data_sched_x_reg_0.5_crit_l1_rate_0.15_",
        "assumed arch=my_net",
    ),
    (
        a_run("rsst_x_l1_my_net_my_data", arch=None, dataset=None, rate=None),
        rule(replace={"arch": "my_net"}, assume={"rate": 0.1}),
        "rsst_my_net_my_data_sched_x_reg_0.5_crit_l1_rate_0.1_",
        "assumed rate=0.1; set arch=my_net",
    ),
    (
        a_run("rsst_x_l1_my_net_my_data", arch=None, dataset=None),
        rule(replace={"arch": "net", "dataset": "data"}),
        "rsst_net_data_sched_",
        "set arch=net; set dataset=data",
    ),
]


@pytest.mark.parametrize(("run", "settling", "part", "words"), SUPPLIED)
def test_what_a_rule_supplies_and_what_is_said_of_it(run, settling, part, words):
    assert mapped(run).status == "review"
    row = mapped(run, settling)
    assert (row.status, reason_text(row.reasons)) == ("rename", "")
    assert f"{part}" in row.new_name
    assert settled_text(row.settled) == words
    assert {settled.source for settled in row.settled} == {settling.source}
    assert not {"exponents", "fillback_rate"} & row.fields.keys()
    assert parse_name(row.new_name).format == "current"


SET, ASSUMED = {"replace": {"rate": 0.1}}, {"assume": {"rate": 0.2}}
IN_ORDER = [
    # For a run that lacks the value the last of both; nothing is assumed where it is there.
    ({"rate": None}, [SET, ASSUMED], "assumed rate=0.2"),
    ({"rate": None}, [ASSUMED, SET], "set rate=0.1"),
    ({"rate": None}, [ASSUMED, SET, ASSUMED], "assumed rate=0.2"),
    ({"rate": "abc"}, [SET, ASSUMED], "set rate=0.1 (was abc)"),
    ({"rate": "abc"}, [ASSUMED, SET], "set rate=0.1 (was abc)"),
    # An old name says these itself.
    (
        {"rate": None, "dataset": None},
        [ASSUMED, {"replace": {"dataset": "cifar10"}}, {"assume": {"dataset": "imagenet"}}],
        "assumed rate=0.2; set dataset=cifar10 (was cifar100)",
    ),
    # All arguments of a field are one value.
    (
        {"rate": None},
        [ASSUMED, {"replace": {"pretrained": False}}, {"assume": {"vit_pretrained": True}}],
        "assumed rate=0.2; assumed vit_pretrained=True",
    ),
    (
        {"rate": None, "vit_pretrained": "a.pth"},
        [ASSUMED, {"replace": {"vit_pretrained": True}}, {"replace": {"pretrained": False}}],
        "assumed rate=0.2; set pretrained=False (was True)",
    ),
]


@pytest.mark.parametrize(
    ("config", "replace", "words"),
    [
        ({"vit_pretrained": False, "mamba_pretrained": True}, False, "(was True)"),
        ({"vit_pretrained": "a.pth"}, False, "(was True)"),
        ({"vit_pretrained": False}, True, "(was False)"),
        ({"vit_pretrained": False, "mamba_pretrained": True}, True, None),
        ({"mamba_pretrained": True}, True, None),
    ],
)
def test_a_set_is_compared_with_all_arguments_of_its_field(config, replace, words):
    row = mapped(
        a_run(rate=None, **config), rule(**ASSUMED), rule(replace={"vit_pretrained": replace})
    )
    settled = f"; set vit_pretrained={replace} {words}" if words else ""
    assert settled_text(row.settled) == f"assumed rate=0.2{settled}"
    assert ("_pretrained_" in row.new_name) == replace


@pytest.mark.parametrize(("config", "supplies", "words"), IN_ORDER)
def test_of_two_rules_for_one_value_the_last_wins(config, supplies, words):
    rules = [rule(number, **supplied) for number, supplied in enumerate(supplies, 1)]
    row = mapped(a_run(**config), *rules)
    assert (row.status, settled_text(row.settled)) == ("rename", words)
    assert ("_pretrained_" in row.new_name) == ("pretrained=True" in words)


@pytest.mark.parametrize(
    ("config", "key", "value", "words"),
    [
        ({"vit_pretrained": False}, "pretrained", True, "assumed rate=0.2"),
        ({}, "pretrained", True, "assumed rate=0.2; assumed pretrained=True"),
        ({"vit_structured": True}, "vit_prune_target", "mlp", "vit_prune_target=mlp"),
        ({"vit_structured": False}, "vit_structured", True, "assumed rate=0.2"),
    ],
)
def test_a_switch_is_assumed_for_runs_that_lack_all_of_its_arguments(config, key, value, words):
    row = mapped(a_run(rate=None, **config), rule(assume={"rate": 0.2, key: value}))
    assert settled_text(row.settled).endswith(words)
    assert ("_pretrained" in row.new_name) == ("pretrained=True" in words)
    assert ("_struct_mlp" in row.new_name) == ("mlp" in words)


def test_what_was_supplied_is_said_of_a_run_that_remains_in_review():
    row = mapped(a_run(rate=None, reg_granularity_prune=None), rule(assume={"rate": 0.2}))
    assert (row.status, reason_text(row.reasons)) == ("review", "missing: reg_granularity_prune")
    assert settled_text(row.settled) == "assumed rate=0.2"


def test_an_alias_is_of_the_family_of_what_it_stands_for():
    """A CNN's alias is written without exponents, as the CNN would be."""
    old = "rsst_exp_custom_exponents_l1_sparseresnet20_cifar100"
    cnn = a_run(old, arch="sparseresnet20", RST_schedule="exp_custom_exponents", rate=None)
    supplied = {"assume": {"rate": 0.2, "exponents": 4}, "replace": {"arch": "sr20"}}
    row = mapped(cnn, rule(**supplied))
    assert row.new_name.startswith("rsst_sr20_cifar100_sched_exp_custom_exponents_reg_0.5_crit_")
    assert settled_text(row.settled) == "assumed rate=0.2; set arch=sr20 (was sparseresnet20)"


def test_an_extra_part_may_be_supplied():
    style = Style(extras=("seed",))
    row = mapped(a_run(rate=None), rule(assume={"rate": 0.2, "seed": 1}), style=style)
    assert row.new_name.startswith("rsst_vit_small_cifar100_seed_1_sched_")
    assert settled_text(row.settled) == "assumed rate=0.2; assumed seed=1"


# Which runs a rule is for.

WHERES = [
    (Where(), True),
    (Where(project=frozenset(["ycx/RSST"])), True),
    (Where(project=frozenset(["RSST"])), True),
    (Where(project=frozenset(["609354432/RSST"])), False),
    (Where(runs=frozenset(["a"])), True),
    (Where(runs=frozenset(["b"])), False),
    (Where(name=re.compile("_cifar100$")), True),
    (Where(name=re.compile("^vit")), False),
    (Where(before=AT), False),
    (Where(before=AT + timedelta(seconds=1)), True),
    (Where(after=AT), True),
    (Where(after=AT + timedelta(seconds=1)), False),
    (Where(family=frozenset(["vit", "mamba"])), True),
    (Where(family=frozenset(["cnn"])), False),
    (Where(state=frozenset(["finished"])), True),
    (Where(state=frozenset(["crashed"])), False),
    (Where(reason=frozenset(["missing"])), True),
    (Where(reason=frozenset(["conflict"])), False),
    (with_values(arch="vit_small", RST_schedule="x"), True),
    (with_values(schedule="x", reg="0.50"), True),
    (with_values(reg_granularity_prune=0.5, criteria="l2"), False),
    (with_values(rate=0.15), False),
    (with_values(dataset="cifar100"), True),  # in the name alone
    (with_values(epochs=80), True),
    (with_values(epochs="80"), True),
    (with_values(optimizer="sgd"), False),
    (with_values(vit_pretrained=False), True),
    (with_values(pretrained=False), True),
]


@pytest.mark.parametrize(("where", "matches"), WHERES)
def test_which_runs_a_rule_is_for(where, matches):
    run = a_run(rate=None, dataset=None, epochs=80, vit_pretrained="None")
    row = mapped(run, rule(where=where, assume={"rate": 0.2}))
    assert row.status == ("rename" if matches else "review")
    assert bool(row.settled) == matches
    first = map_runs([run])
    idle = idle_rules([rule(where=where)], [run], first, VOCABULARY)
    assert idle == ({} if matches else {0: False})


def test_rules_that_match_no_run_in_review_are_idle():
    runs = [a_run(), a_run(run_id="b"), a_run(run_id="c", rate=None, arch="res20s")]
    wheres = [with_values(arch=arch) for arch in ("vit_small", "res18", "res20s")]
    rules = [*map(rule, range(1, 4), wheres), rule(4, Where())]
    assert idle_rules(rules, runs, map_runs(runs), VOCABULARY) == {0: True, 1: False}


# Whatever the rules and the runs.

_configs = st.fixed_dictionaries(
    {
        "struct": st.sampled_from(["rsst", "refill"]),
        "RST_schedule": st.sampled_from(["x", "linear", "exp_custom_exponents"]),
        "arch": st.sampled_from(["vit_small", "res18", "my_net", None]),
        "dataset": st.sampled_from(["cifar10", "cifar100", "my_data", None]),
        "rate": st.sampled_from([0.1, 0.2, None, "abc"]),
        "exponents": st.sampled_from([3, None]),
        "fillback_rate": st.sampled_from([0.1, None]),
    }
)


@st.composite
def _projects(draw):
    runs = []
    for number in range(draw(st.integers(1, 8))):
        config = draw(_configs)
        whole = {**CONFIG, **{key: value for key, value in config.items() if value}}
        name = draw(st.sampled_from([legacy_name(whole), OLD, "rsst_x_l1_my_net_my_data", "mine"]))
        at = AT + timedelta(days=draw(st.integers(0, 2)))
        runs.append(a_run(name, run_id=f"r{number}", at=at, **config))
    return runs


_wheres = st.sampled_from(
    [
        Where(),
        Where(family=frozenset(["vit"])),
        Where(family=frozenset(["cnn", "other"])),
        Where(before=AT + timedelta(days=1)),
        Where(after=AT + timedelta(days=1)),
        Where(reason=frozenset(["missing"])),
        Where(reason=frozenset(["conflict", "ambiguous"])),
        Where(name=re.compile("my_data$")),
        Where(runs=frozenset(["r0", "r3"])),
        with_values(rate=0.1),
        with_values(schedule="linear"),
    ]
)
_assumes = st.dictionaries(
    st.sampled_from(["rate", "exponents", "fillback_rate"]), st.sampled_from([1, 2, 4]), max_size=3
)
_replaces = st.fixed_dictionaries(
    {},
    optional={
        "rate": st.sampled_from([0.7, 0.8]),
        "RST_schedule": st.sampled_from(["x", "exp"]),
        "arch": st.sampled_from(["net", "res18"]),
        "dataset": st.sampled_from(["data", "cifar10"]),
    },
)
_supplies = st.fixed_dictionaries(
    {"assume": _assumes, "replace": _replaces, "prefer": st.sampled_from([None, "name", "config"])}
)


@st.composite
def _rules(draw):
    drawn = draw(st.lists(st.tuples(_wheres, _supplies), min_size=1, max_size=5))
    return tuple(rule(n, where, **supplies) for n, (where, supplies) in enumerate(drawn, 1))


@given(_projects(), _rules(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_whatever_the_rules(runs, rules, rng):
    without, options = map_runs(runs), Options(rules=rules)
    rows = map_runs(runs, options)
    before = {row.key: row for row in without}
    of_key = {run.key: run for run in runs}
    promised = {row.key: row.new_name for row in rows if row.new_name}

    # The names are unique, and no run gets the name that another one keeps.
    assert len(set(promised.values())) == len(promised)
    assert not set(promised.values()) & {row.old_name for row in rows if not row.new_name}

    for row in rows:
        bare = before[row.key]
        subject = Subject(of_key[row.key], bare, VOCABULARY)
        matching = [one for one in rules if one.where.matches(subject)]
        # No rule changes a run that needs nothing, nor one that it is not about.
        if bare.status != "review" or not matching:
            assert row == bare
        # The last rule wins for each value.
        for settled in row.settled:
            if settled.kind == "preferred":
                giving = [one for one in matching if one.prefer]
                value = giving[-1].prefer
            else:
                # A run that has the value, in its config or its old name, takes no assumed one.
                lacks = of_key[row.key].config.get(settled.key) is None
                assumes = lacks and settled.key not in ("RST_schedule", "arch", "dataset")
                parts = ("assume", "replace") if assumes else ("replace",)
                giving = [
                    one for one in matching if any(settled.key in getattr(one, p) for p in parts)
                ]
                part = "replace" if settled.key in giving[-1].replace else "assume"
                assert settled.kind == {"assume": "assumed", "replace": "set"}[part]
                value = getattr(giving[-1], part)[settled.key]
            assert (settled.value, settled.source) == (value, giving[-1].source)

    # What a run gets does not depend on what the rules are to others.
    row = rng.choice(rows)
    only = [replace(one.where, runs=frozenset([row.key.run_id])) for one in rules]
    alone = tuple(replace(one, where=where) for one, where in zip(rules, only, strict=True))
    if not any(one.where.runs - {row.key.run_id} for one in rules):
        (same,) = [one for one in map_runs(runs, Options(rules=alone)) if one.key == row.key]
        assert same.settled == row.settled

    # The order of the runs does not matter.
    shuffled = list(runs)
    rng.shuffle(shuffled)
    assert map_runs(shuffled, options) == rows

    # After a part of the renames, the other runs get the names that they were promised.
    some = {key: name for key, name in promised.items() if rng.random() < 0.5}
    renamed = [replace(run, name=some.get(run.key, run.name)) for run in runs]
    again = {row.key: row.new_name for row in map_runs(renamed, options) if row.new_name}
    assert again == {key: name for key, name in promised.items() if key not in some}

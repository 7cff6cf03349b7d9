"""What is remarked on rules and known names once the runs were read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from migrate.client.runs import Run, RunKey
from migrate.mapping.mapping import Options, Survey
from migrate.mapping.rows import RuleSource
from migrate.mapping.rules import Rule, Where
from migrate.report.remarks import on_assumed, on_extras, on_idle, on_known
from naming import VOCABULARY, Style, legacy_name

AT = datetime(2026, 1, 8, 14, 30, tzinfo=UTC)


def survey(*groups):
    """So many runs of an architecture, each with a rate, or without one (None)."""
    runs = []
    for count, arch, rate in groups:
        config = {
            "struct": "rsst",
            "RST_schedule": "x",
            "criteria": "l1",
            "arch": arch,
            "dataset": "cifar10",
            "reg_granularity_prune": 1.0,
            "rate": rate,
        }
        for _ in range(count):
            key = RunKey("ycx", "RSST", f"r{len(runs)}")
            runs.append(Run(key, legacy_name(config), "finished", AT, False, config))
    return Survey(runs, Options())


ASSUMED = [
    ([(3, "res18", None), (4, "res50", 0.15), (9, "vit_small", 0.2)], []),
    ([(3, "res18", None)], []),
    ([(3, "res18", None), (2, "res18", 0.2)], ["3 CNN runs; 2 other CNN runs have 0.2"]),
    (
        [(1, "res18", None), (1, "res18", 0.2), (2, "res50", 0.15), (1, "vit_tiny", None)],
        ["1 CNN run; 2 other CNN runs have 0.15, 1 has 0.2", "1 ViT run; only 2 CNN runs have it"],
    ),
    (
        [(2, "res18", None), (9, "vit_small", 0.15), (1, "mamba_tiny", 0.15), (1, "my_net", 0.2)],
        ["2 CNN runs; only 9 ViT runs and 1 Mamba run have it"],
    ),
    (
        [(2, "my_net", None), (1, "your_net", 0.3)],
        ["2 runs of unlisted architectures; 1 other run of unlisted architectures has 0.3"],
    ),
]


@pytest.mark.parametrize(("groups", "remarks"), ASSUMED)
def test_an_assumed_value_that_other_runs_speak_against(groups, remarks):
    mapped = survey(*groups)
    rule = Rule(Where(), RuleSource(option="--assume rate=0.15"), assume={"rate": 0.15})
    rows = mapped.with_rules([rule])
    found = list(on_assumed(rows, mapped.rows, VOCABULARY))
    assert found == [f"rate=0.15 is assumed for {remark}" for remark in remarks]
    # Of the configuration file's rules nothing is said: they were settled with this in view.
    rule = Rule(Where(), RuleSource(file="rsst-migrate.toml", number=1), assume={"rate": 0.15})
    assert not list(on_assumed(mapped.with_rules([rule]), mapped.rows, VOCABULARY))


def test_names_that_need_not_be_known_or_are_in_no_run():
    rows = survey((1, "my_net", 0.1)).rows
    names = ("res18", "my_net", "your_net")
    assert list(on_known("arch", names, VOCABULARY.architectures, rows)) == [
        "res18 is a known architecture already",
        "no run has the architecture your_net",
    ]
    assert list(on_known("dataset", ("svhn",), VOCABULARY.datasets, rows)) == [
        "no run has the dataset svhn"
    ]


def test_arguments_of_extra_parts_that_no_run_has():
    rules = (Rule(assume={"seed": 1}), Rule(replace={"lr": 0.1}))
    options = Options(style=Style(extras=("bs", "ep=epocs", "seed", "lr")), rules=rules)
    absent = [{"epocs", "batch_size", "seed", "lr"}, {"epocs", "seed", "lr"}]
    assert list(on_extras(options, absent)) == ["no run has the argument epocs"]


def from_file(number, where=None):
    source = RuleSource(file="rsst-migrate.toml", number=number)
    return Rule(where or Where(), source, prefer="name")


def test_a_rule_that_is_unused():
    meant = Where(values={"familly": frozenset(["vit"])})
    assert list(on_idle([from_file(3, meant), from_file(4)], [{0: False, 1: False}])) == [
        "rule 3 of rsst-migrate.toml is unused: it matches no run (no familly in a config; did you "
        "mean family?)",
        "rule 4 of rsst-migrate.toml is unused: it matches no run",
    ]
    several = list(map(from_file, (1, 2, 3, 4, 5)))
    assert list(on_idle(several, [dict.fromkeys((0, 1, 2, 4), False)])) == [
        "rules 1, 2, 3, 5 of rsst-migrate.toml are unused: they match no run"
    ]


def test_rules_that_match_only_runs_that_are_not_in_review():
    rules = [*map(from_file, (1, 2, 3, 4, 5))]
    options = "--prefer config", "--assume rate=0.1"
    rules += [Rule(Where(), RuleSource(option=option), prefer="config") for option in options]
    here = {0: True, 1: True, 2: False, 4: False, 5: True, 6: True}
    there = {0: True, 2: False, 3: True, 4: True, 5: False, 6: False}
    assert list(on_idle(rules, [here, there])) == [
        "rules 1, 5 of rsst-migrate.toml do nothing: they match only runs that are not in review",
        "rule 3 of rsst-migrate.toml is unused: it matches no run",
        "--prefer config does nothing: it matches only runs that are not in review",
        "--assume rate=0.1 does nothing: it matches only runs that are not in review",
    ]
    twice = [Rule(Where(), RuleSource(option="--assume rate=0.1"), assume={"rate": 0.1})] * 2
    assert list(on_idle(twice, [{0: False, 1: False}])) == [
        "--assume rate=0.1 is unused: it matches no run"
    ]
    assert list(on_idle(rules, [{1: True}])) == [
        "rule 2 of rsst-migrate.toml does nothing: it matches only runs that are not in review"
    ]

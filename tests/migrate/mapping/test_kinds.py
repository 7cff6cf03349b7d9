"""Kinds of runs in review: what decides an answer, what speaks for one, and what one settles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.client.runs import ProjectKey, Run, RunKey
from migrate.mapping.kinds import Group, Kinds, Problem
from migrate.mapping.mapping import Options, Survey
from migrate.mapping.rules import Rule
from migrate.mapping.settling import Settling, answer_of, readings, touched
from migrate.report.words import settled_text
from naming import KEYS, RSST, Style, legacy_name
from tests.migrate.review import review_runs

AT = datetime(2025, 6, 2, 9, 30, tzinfo=UTC)
HERE = ProjectKey("ycx", "RSST")
CONFIG = {
    "struct": "rsst",
    "RST_schedule": "x",
    "criteria": "l1",
    "arch": "vit_small",
    "dataset": "cifar100",
    "reg_granularity_prune": 0.5,
    "rate": 0.15,
}


def a_run(number=0, name=None, *, where=HERE, at=AT, **changes):
    """A run whose name is what its values are in CONFIG; None in `changes` takes one away."""
    config = {key: value for key, value in {**CONFIG, **changes}.items() if value is not None}
    whole = {**CONFIG, **config}
    return Run(
        RunKey(where.entity, where.project, f"r{number}"),
        name or legacy_name(whole),
        "finished",
        at,
        False,
        config,
    )


def settling_of(*runs, options=None, chosen=None):
    places = dict.fromkeys(run.key.where for run in runs)
    surveys = {
        where: Survey([run for run in runs if run.key.where == where], options or Options())
        for where in places
    }
    return Settling(surveys, chosen or {run.key for run in runs}, ())


def kinds_of(*runs, **how):
    return [
        (kind.problem.code, kind.problem.data, len(kind.cases), kind.others)
        for kind in settling_of(*runs, **how).kinds
    ]


def test_the_kinds_of_the_sample():
    kinds = settling_of(*review_runs()).kinds
    assert [len(kind.cases) for kind in kinds] == [
        *(73, 54, 45, 45, 20, 14, 9, 8, 8, 7, 6, 6, 6, 6, 6, 5, 4, 3, 3),
    ]
    rate = Problem("missing", ("rate",))
    found = {kind.group: kind for kind in kinds if kind.problem == rate}
    cnn, vit = (Group("rsst", family, None, "exp_custom_exponents") for family in ("cnn", "vit"))
    assert (len(found[cnn].cases), found[cnn].others, found[cnn].suggested) == (
        73,
        ((0.2, 12),),
        0.2,
    )
    assert (found[vit].others, found[vit].suggested) == (((0.15, 181), (0.2, 2)), None)
    assert found[Group("refill", "cnn", None, None)].others == ()


@pytest.mark.parametrize(
    ("runs", "kinds"),
    [
        # A number is decided by struct, family and schedule; what others have is counted so.
        (
            [a_run(0, rate=None), a_run(1, rate=None, arch="res18"), a_run(2), a_run(3, rate=0.3)],
            [
                ("missing", ("rate",), 1, ()),
                ("missing", ("rate",), 1, ((0.15, 1), (0.3, 1))),
            ],
        ),
        # A refill run has no schedule in its new name: it does not tell such runs apart.
        (
            [
                a_run(n, struct="refill", RST_schedule=schedule, fillback_rate=0.1, rate=rate)
                for n, (schedule, rate) in enumerate([("x", None), ("exp", None), ("x^2", 0.2)])
            ],
            [("missing", ("rate",), 2, ((0.2, 1),))],
        ),
        # An architecture that nobody has listed is a kind by itself.
        (
            [a_run(0, arch="net", rate=None), a_run(1, arch="web", rate=0.3), a_run(2)],
            [("missing", ("rate",), 1, ())],
        ),
        # A wrong word is one question, whatever the family; a wrong number is one for each.
        (
            [
                a_run(0, RST_schedule="linear", arch="res18"),
                a_run(1, RST_schedule="linear", arch="vit_base"),
                a_run(2, rate="abc", arch="res50"),
                a_run(3, rate="abc", arch="vit_tiny"),
                a_run(4, RST_schedule="exp", arch="vit_tiny"),
            ],
            [
                ("invalid", ("RST_schedule", "'linear'"), 2, (("x", 2), ("exp", 1))),
                ("invalid", ("rate", "'abc'"), 1, ()),
                ("invalid", ("rate", "'abc'"), 1, ()),
            ],
        ),
        # The sides of a conflict; in several fields the config is another run's, whatever the name.
        (
            [
                a_run(0, "rsst_x_l1_vit_small_cifar100", dataset="cifar10"),
                a_run(1, "rsst_x_l1_vit_base_cifar100", arch="vit_base", dataset="cifar10"),
                a_run(2, "rsst_x_l1_vit_tiny_cifar100", dataset="svhn"),
                a_run(3, "rsst_x_l1_vit_base_cifar10", dataset="svhn"),
            ],
            [
                ("conflict", (("arch", None, "vit_small"), ("dataset", None, "svhn")), 2, ()),
                ("conflict", (("dataset", "cifar100", "cifar10"),), 2, ()),
            ],
        ),
        # What comes of an ambiguous name decides what the numbers are: they are asked for later.
        (
            [a_run(0, "rsst_x_l1_my_net_my_data", arch=None, dataset=None, rate=None)],
            [("ambiguous", ("my_net_my_data",), 1, ())],
        ),
        # No rule settles a config that is not an object, whatever else is missing.
        ([Run(RunKey(*HERE, "a"), "rsst_x_l1_vit_small_cifar10", "x", AT, False, None)],
         [("stuck", ("config",), 1, ())]),
        # A word that is too long, cannot be seen, or would read as an extra part.
        (
            [
                a_run(0, arch="net_" + "x" * 80),
                a_run(1, arch="my\u3164net"),
                a_run(2, "rsst_x_l1_vit_small_data_seed_3", dataset=None),
            ],
            [
                ("new-name", ("dataset", "data_seed_3"), 1, ()),
                ("too-long", ("arch", "net_" + "x" * 80), 1, ()),
                ("unseen", ("arch", "my\u3164net"), 1, ()),
            ],
        ),
    ],
)  # fmt: skip
def test_what_decides_an_answer(runs, kinds):
    found = kinds_of(*runs, options=Options(style=Style(extras=("seed",))))
    assert sorted(found, key=str) == sorted(kinds, key=str)
    assert [found[2] for found in found] == sorted((one[2] for one in kinds), reverse=True)


def test_a_number_waits_until_it_is_known_which_family_the_run_is_of():
    """What the config says of the architecture and what the name says differ in their family."""
    torn = a_run(0, "rsst_x_l1_res18_cifar100", arch="vit_small", rate=None)
    others = [a_run(1), a_run(2, arch="res18", rate=0.2)]
    settling = settling_of(torn, *others)
    (conflict,) = settling.kinds
    for answer, rate in ((Rule(prefer="name"), 0.2), (Rule(prefer="config"), 0.15)):
        effect = settling.effect(conflict, answer)
        (kind,) = settling.with_rules([effect.rule]).kinds
        assert (kind.problem.data, kind.suggested) == (("rate",), rate)
    # Within a family it makes no difference, and the run speaks for others of the family as well.
    torn = a_run(0, "rsst_x_l1_vit_base_cifar100", rate=0.3)
    found = kinds_of(torn, a_run(1, rate=None))
    assert found[1] == ("missing", ("rate",), 1, ((0.3, 1),))


def test_what_rules_supply_is_no_evidence():
    settling = settling_of(a_run(0, rate=None), a_run(1, rate=None), a_run(2))
    (kind,) = settling.kinds
    one = Settling(settling._surveys, [kind.cases[0].row.key], ())
    effect = one.effect(one.kinds[0], answer_of(kind, 0.9))
    (rest,) = settling.with_rules([effect.rule]).kinds
    assert (len(rest.cases), rest.others) == (1, ((0.15, 1),))


def test_a_rule_is_about_the_project_and_no_run_that_was_not_asked_about():
    there = ProjectKey("609354432", "RSST")
    runs = [a_run(0, rate=None), a_run(1, rate=None), a_run(2, rate=None, where=there)]
    both = settling_of(*runs)
    (kind,) = both.kinds
    assert both.effect(kind, answer_of(kind, 0.2)).rule.where.project == {
        "ycx/RSST", "609354432/RSST",
    }  # fmt: skip
    here = settling_of(*runs[:2])
    (kind,) = here.kinds
    where = here.effect(kind, answer_of(kind, 0.2)).rule.where
    assert (where.project, where.family, where.runs) == ({"ycx/RSST"}, {"vit"}, frozenset())
    # Only one of them was asked for, as with --filters: it is named, and the other is not touched.
    one = settling_of(*runs, chosen={runs[0].key})
    (kind,) = one.kinds
    effect = one.effect(kind, answer_of(kind, 0.2))
    assert effect.rule.where.runs == {"r0"}
    assert [row.key for row in effect.settled] == [runs[0].key]


def test_an_answer_that_settles_nothing_says_so():
    settling = settling_of(a_run(0, arch="net_" + "x" * 80))
    (kind,) = settling.kinds
    assert settling.effect(kind, answer_of(kind, "net_" + "y" * 70)).fails
    effect = settling.effect(kind, answer_of(kind, "net_x"))
    assert not effect.fails
    assert effect.example.new_name.startswith("rsst_net_x_cifar100_sched_x_")


# Whatever the runs.

_configs = st.fixed_dictionaries(
    {
        "struct": st.sampled_from(["rsst", "refill"]),
        "RST_schedule": st.sampled_from(["x", "linear", "exp_custom_exponents"]),
        "criteria": st.sampled_from(["l1", "l2"]),
        "arch": st.sampled_from(["vit_small", "res18", "my_net", "n" * 90, None]),
        "dataset": st.sampled_from(["cifar10", "cifar100", "my_data", "d\u200b", None]),
        "rate": st.sampled_from([0.1, 0.2, None, "abc", ["x"]]),
        "exponents": st.sampled_from([3, 2.5, None]),
        "fillback_rate": st.sampled_from([0.1, None]),
    }
)


@st.composite
def projects(draw):
    runs = []
    for number in range(draw(st.integers(1, 10))):
        config = draw(_configs)
        named = {**CONFIG, **{key: value for key, value in config.items() if value}}
        name = draw(
            st.sampled_from(
                [
                    legacy_name(named),
                    "rsst_x_l1_vit_small_cifar100",
                    "rsst_x_l1_my_net_my_data",
                    "rsst_x_l2_res18_cifar10",
                ]
            )
        )
        at = AT + timedelta(minutes=draw(st.integers(0, 2)))
        where = draw(st.sampled_from([HERE, ProjectKey("me", "RSST")]))
        runs.append(a_run(number, name, where=where, at=at, **config))
    return runs


def any_answer(kind):
    """An answer that settles a kind, as a user may give it."""
    if kind.problem.code == "conflict":
        return Rule(prefer="name")
    if kind.problem.code == "ambiguous":
        return answer_of(kind, readings(kind)[0][0])
    words = {"arch": "net", "dataset": "data"}
    guide = {KEYS.get(name, name): value for name, value in RSST.guide.items()}
    return answer_of(kind, words.get(kind.key) or kind.suggested or guide[kind.key])


@given(projects())
@settings(max_examples=40, deadline=None)
def test_an_answer_settles_its_kind_and_touches_no_other_run(runs):
    settling = settling_of(*runs)
    for _ in range(200):
        kind = next((kind for kind in settling.kinds if kind.problem.code != "stuck"), None)
        if kind is None:
            break
        keys = {case.row.key for case in kind.cases}
        effect = settling.effect(kind, any_answer(kind))
        assert not effect.fails
        after = settling.with_rules([*settling.rules, effect.rule])
        pairs = zip(settling.rows, after.rows, strict=True)
        assert {row.key for row, then in pairs if touched(row, then)} == keys
        in_review = {row.key for row in settling.rows if row.status == "review"}
        still = {row.key for row in after.rows if row.status == "review"}
        assert {row.key for row in effect.settled} == in_review - still
        settling = after
    assert not settling.kinds
    assert not any(row.status == "review" for row in settling.rows)
    assert all(settled_text(row.settled) for row in settling.rows if row.settled)


def test_kinds_are_found_alike_whatever_the_order_of_the_rows():
    survey = Survey(review_runs(), Options())
    kinds = Kinds({HERE: survey})
    there, back = (kinds.find(rows) for rows in (survey.rows, survey.rows[::-1]))
    assert [kind.identity for kind in there] == [kind.identity for kind in back]

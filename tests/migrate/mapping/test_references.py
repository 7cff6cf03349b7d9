"""Tables of (spec, names before, names after) → findings, and hostile specs."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.client.runs import ProjectKey
from migrate.mapping import references
from migrate.mapping.references import Names, find_in_automation, find_in_view

HERE = ProjectKey("ycx", "RSST")
RES, VIT, KEPT = "rsst_x_l1_res18_cifar10", "rsst_exp_l1_vit_small_cifar100", "rsst_x_l2_res18_svhn"
NEW_RES = "rsst_res18_cifar10_sched_x_reg_1.0_crit_l1_rate_0.2_0602_0930"
NEW_VIT = "rsst_vit_small_cifar100_sched_exp_reg_0.5_crit_l1_rate_0.15_0602_0930"
BEFORE = {"aaaa1111": RES, "bbbb2222": VIT, "cccc3333": KEPT, "dddd4444": "test1"}
NAMES = Names(BEFORE, BEFORE | {"aaaa1111": NEW_RES, "bbbb2222": NEW_VIT})
NAME = {"section": "run", "name": "displayName"}
STATE = {"key": {"section": "run", "name": "state"}, "op": "=", "value": "finished"}


def leaf(op, value, **more):
    return {"key": NAME, "op": op, "value": value, "disabled": False, **more}


def tree(*leaves):
    """A run set's filters as the web client wrote them first, and wandb.Api().reports() reads."""
    return {"op": "OR", "filters": [{"op": "AND", "filters": list(leaves)}]}


def flat(*leaves):
    """A run set's filters as it writes them now."""
    return {"filterFormat": "filterV2", "filters": [*leaves[:1], {"filters": list(leaves[1:])}]}


def run_set(filters=None, name="Run set", **more):
    return {"name": name, "filters": filters or flat(), "search": {"query": ""}, **more}


def workspace(*run_sets, **section):
    return {"section": {"runSets": list(run_sets), "customRunColors": {}, **section}}


def report(*run_sets, panels=()):
    grid = {"runSets": list(run_sets), "panelBankSectionConfig": {"panels": list(panels)}}
    return {"blocks": [{"type": "heading"}, {"type": "panel-grid", "metadata": grid}]}


def panel(title, **config):
    return {"viewType": "Bar Chart", "config": {"chartTitle": title, **config}}


# A filter on the name → how many of the four runs it matches before and after; None: the same.
@pytest.mark.parametrize(
    ("op", "value", "counts"),
    [
        ("=", RES, (1, 0)),
        ("=", NEW_RES, (0, 1)),
        ("==", VIT, (1, 0)),
        ("=", KEPT, None),
        ("=", "no such name", None),
        ("=", [RES, VIT], (2, 0)),
        ("!=", RES, (3, 4)),
        ("!=", KEPT, None),
        ("IN", [RES, VIT, KEPT], (3, 1)),
        ("IN", [RES, NEW_VIT], (1, 1)),  # as many, and other ones
        ("IN", [KEPT, "test1"], None),
        ("IN", [], None),
        ("IN", [123, 4.5, RES], (1, 0)),
        ("NIN", [RES, VIT], (2, 4)),
        ("NIN", [], None),
        ("CONTAINS", "_x_l1", (1, 0)),
        ("CONTAINS", "cifar10_", (0, 1)),
        ("CONTAINS", "rsst_", None),
        ("CONTAINS", "_X_L1", None),
        ("REGEX", "^rsst_(exp|x)_.*l1", (2, 0)),
        ("REGEX", "res18_cifar10$", (1, 0)),
        ("REGEX", "^rsst_", None),
        ("<", "rsst_r", (1, 0)),
        (">=", "rsst_x", (3, 2)),
    ],
)
@pytest.mark.parametrize("shape", [flat, tree])
def test_a_filter_on_the_name(shape, op, value, counts):
    found = find_in_view(workspace(run_set(shape(STATE, leaf(op, value)))), NAMES, HERE)
    assert [finding.counts for finding in found.findings] == ([counts] if counts else [])
    assert not found.skipped


@pytest.mark.parametrize(
    ("query", "is_regex", "counts"),
    [
        ("rsst_x_l1", False, (1, 0)),
        ("rsst_.*l1_res", True, (1, 0)),
        ("rsst_.*l1_res", False, None),
        ("rsst_.*l1_res", None, (1, 0)),  # a view that does not say: either
        ("rsst_x_l1(", None, None),
        ("rsst_", True, None),
        ("aaaa1111", True, None),  # the search box finds ids, too, and they stay
        ("aaaa|rsst_x_", True, None),
        ("bbbb|rsst_x_", True, (3, 2)),
        ("", True, None),
    ],
)
def test_a_search(query, is_regex, counts):
    how = {} if is_regex is None else {"isRegex": is_regex}
    found = find_in_view(workspace(run_set(search={"query": query, **how})), NAMES, HERE)
    assert [(f.what, f.counts) for f in found.findings] == ([("search", counts)] if counts else [])
    assert not found.skipped


VIEWS = {
    "nothing": ({}, []),
    "other filters alone": (workspace(run_set(flat(STATE))), []),
    "the columns of the runs table": (
        workspace(run_set(runFeed={"columnOrder": ["run:displayName"]})),
        [],
    ),
    "a filter by run id": (
        workspace(run_set(flat({**leaf("=", RES), "key": {"section": "run", "name": "name"}}))),
        [],
    ),
    "a config value called displayName": (
        workspace(run_set(flat({**leaf("=", RES), "key": {**NAME, "section": "config"}}))),
        [],
    ),
    "two run sets of a report": (
        report(
            run_set(tree(leaf("=", RES)), "CNN"),
            run_set(flat(STATE, leaf("=", VIT, connector="OR")), "ViT"),
        ),
        [("filter", "run set", "CNN"), ("filter", "run set", "ViT")],
    ),
    "the same filter twice": (
        workspace(run_set(flat(leaf("=", RES), leaf("=", RES)))),
        [("filter", "run set", "Run set")],
    ),
    "runs grouped by name": (
        workspace(run_set(grouping=[{"section": "config", "name": "arch.value"}, NAME])),
        [("grouping", "run set", "Run set")],
    ),
    "runs sorted by name": (
        workspace(run_set(sort={"keys": [{"key": NAME, "ascending": True}]})),
        [("sort", "run set", "Run set")],
    ),
    "runs sorted by name, as older reports have it": (
        report(run_set(sort={"key": NAME, "ascending": True})),
        [("sort", "run set", "Run set")],
    ),
    "a panel grouped by name": (
        report(run_set(), panels=[panel("Best", groupBy="displayName"), panel("Last")]),
        [("grouping", "panel", "Best")],
    ),
    "a panel with filters of its own": (
        workspace(panelBankConfig={"sections": [{"panels": [panel("A", f=flat(leaf("=", RES)))]}]}),
        [("filter", "panel", "A")],
    ),
    "a panel without a title": (
        report(panels=[{"viewType": "Scatter Plot", "config": {"groupBy": "run:displayName"}}]),
        [("grouping", "panel", "Scatter Plot")],
    ),
    "overrides, of a run with a new name among others": (
        workspace(
            customRunNames={
                "aaaa1111": "our best",
                "bbbb2222": NEW_VIT,
                "cccc3333": RES,
                "gone": "x",
                "dddd4444": 7,
            }
        ),
        [("override", "", "")],
    ),
}


@pytest.mark.parametrize("label", VIEWS)
def test_where_it_is_found(label):
    spec, expected = VIEWS[label]
    found = find_in_view(spec, NAMES, HERE)
    assert [(f.what, *f.place) for f in found.findings] == expected
    assert not found.skipped


def test_an_override_says_what_it_shows():
    (found,) = find_in_view(VIEWS[list(VIEWS)[-1]][0], NAMES, HERE).findings
    assert found.overrides == (("aaaa1111", "our best"),)
    assert found.counts is None


# What is left out, and why.
@pytest.mark.parametrize(
    ("reason", "spec"),
    [
        ("disabled", workspace(run_set(flat(leaf("=", RES, disabled=True))))),
        ("unknown", workspace(run_set(flat(leaf("SOUNDS LIKE", RES))))),
        ("unknown", workspace(run_set(flat(leaf("=", {"a": 1}))))),
        ("unknown", workspace(run_set(flat(leaf("CONTAINS", [RES, VIT]))))),
        ("unknown", workspace(run_set(flat(leaf(["="], None))))),
        ("pattern", workspace(run_set(flat(leaf("REGEX", "(?=rsst)"))))),
        ("pattern", workspace(run_set(search={"query": "\ud800", "isRegex": True}))),
        (
            "elsewhere",
            report(run_set(tree(leaf("=", RES)), project={"name": "RSST", "entityName": "other"})),
        ),
    ],
)
def test_what_is_left_out(reason, spec):
    found = find_in_view(spec, NAMES, HERE)
    assert not found.findings
    assert found.skipped == {reason: 1}


def test_a_disabled_filter_that_matches_the_same_runs_is_not_mentioned():
    assert not find_in_view(run_set(flat(leaf("=", KEPT, disabled=True))), NAMES, HERE).skipped


@pytest.mark.parametrize("project", [{"name": "RSST", "entityName": "ycx"}, {"id": 7}, {}, None, 3])
def test_a_run_set_of_this_project(project):
    spec = report(run_set(tree(leaf("=", RES)), project=project))
    assert find_in_view(spec, NAMES, HERE).findings


# The filter of an automation → as above.
@pytest.mark.parametrize(
    ("run_filter", "counts"),
    [
        ({"$and": [{"display_name": {"$contains": "_x_l1"}}]}, [(1, 0)]),
        ({"$and": [{"display_name": {"$eq": VIT}}, {"state": {"$eq": "failed"}}]}, [(1, 0)]),
        ({"display_name": RES}, [(1, 0)]),
        ({"displayName": {"$in": [RES, VIT]}}, [(2, 0)]),
        ({"$or": [{"$and": [{"display_name": {"$regex": "^rsst_x_l1"}}]}, {}]}, [(1, 0)]),
        ({"display_name": {"$not": {"$regex": "^rsst_x_l1"}}}, [(3, 4)]),
        ({"display_name": {"$not": {"$not": {"$ne": RES}}}}, [(3, 4)]),
        ({"$nor": [{"display_name": RES}]}, [(1, 0)]),  # the filter on the name alone
        ({"display_name": {"$gte": "rsst_x", "$lt": "s"}}, [(3, 2)]),
        ({"$and": [{"display_name": {"$regex": "^rsst_"}}]}, []),
        ({"user": {"display_name": RES}}, []),
        ({"$and": []}, []),
    ],
)
def test_an_automation(run_filter, counts):
    found = find_in_automation(run_filter, NAMES)
    assert [finding.counts for finding in found.findings] == counts


def test_without_renames_nothing_changes():
    spec = report(
        run_set(flat(leaf("=", RES)), grouping=[NAME], sort={"keys": [{"key": NAME}]}),
        panels=[panel("Best", groupBy="displayName")],
    )
    assert not find_in_view(spec, Names(BEFORE, BEFORE), HERE).findings


def nested(depth, inside):
    for _ in range(depth):
        inside = {"filters": [inside]}
    return inside


def test_deep_and_wide_specs():
    assert find_in_view(nested(50_000, leaf("=", RES)), NAMES, HERE).findings
    assert find_in_automation({"$and": [{"$and": []}] * 50_000}, NAMES).findings == {}
    deep: object = {"$eq": RES}
    for _ in range(50_000):
        deep = {"$not": deep}
    assert find_in_automation({"display_name": deep}, NAMES).findings


def test_a_view_with_very_many_filters():
    many = workspace(run_set(flat(*(leaf("=", f"{RES}{i}") for i in range(1000)))))
    assert find_in_view(many, NAMES, HERE).skipped == {"too-many": 800}
    panels = [panel(str(number), groupBy="displayName") for number in range(1000)]
    found = find_in_view(report(panels=panels), NAMES, HERE)
    assert (len(found.findings), found.skipped["too-many"]) == (200, 800)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*(.*)*(.*)*x", "(a?){99}a{99}"])
def test_patterns_that_backtrack_for_ever_elsewhere(pattern):
    names = Names({"r": "a" * 128 + "b"}, {"r": "b" + "a" * 128})
    started = time.process_time()
    find_in_view(workspace(run_set(search={"query": pattern, "isRegex": True})), names, HERE)
    assert time.process_time() - started < 1


def test_patterns_that_are_slow_everywhere(monkeypatch):
    monkeypatch.setattr(references, "_MOST_SECONDS", 0.1)
    before = {str(number): f"{number:0128b}" for number in range(3000)}
    names = Names(before, {run: f"{name}c" for run, name in before.items()})
    started = time.process_time()
    for query in ("(0?1?){900}c", "0.*1c"):  # the second finds no time left
        spec = workspace(run_set(search={"query": query, "isRegex": True}))
        found = find_in_view(spec, names, HERE)
        assert (found.findings, found.skipped) == ({}, {"pattern": 1})
    assert time.process_time() - started < 2
    assert find_in_view(run_set(flat(leaf("CONTAINS", "c"))), names, HERE).findings


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([RES]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                "key op value section name runSets search query isRegex filters grouping sort keys "
                "groupBy viewType config chartTitle customRunNames project entityName disabled "
                "display_name $and $not $in $regex $eq aaaa1111".split()
            ),
            inner | st.just(NAME) | st.sampled_from(["=", "IN", "REGEX", "displayName"]),
            max_size=6,
        )
    ),
    max_leaves=40,
)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_any_json_is_read(spec):
    find_in_view(spec, NAMES, HERE)
    find_in_view(workspace(spec, customRunNames=spec), NAMES, HERE)
    find_in_automation(spec, NAMES)

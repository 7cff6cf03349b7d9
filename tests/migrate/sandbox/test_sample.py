"""What the sandbox comes with: a project of every kind of run, and faults to order."""

from collections import Counter
from typing import get_args

import pytest

from migrate.client.paths import parse_path
from migrate.client.server import connect
from migrate.mapping.rows import STATUSES
from migrate.sandbox.faults import Fault, Kind, parse_fail
from migrate.sandbox.sample import sample_store
from migrate.sandbox.server import Sandbox
from migrate.sandbox.store import Store
from naming import VOCABULARY
from tests.migrate.mapped import map_runs


def test_the_sample_project_has_every_status_and_every_family(serve):
    sandbox = serve(sample_store())
    project = connect(sandbox.url).project(parse_path("ycx/RSST"))
    rows = map_runs([run for page in project.pages() for run in page.runs])
    assert {row.status for row in rows} == set(STATUSES)
    families = {VOCABULARY.family(str(row.fields.get("arch"))) for row in rows}
    assert families == {"cnn", "vit", "mamba", "other"}
    reasons = {code for row in rows for code in row.codes}
    assert reasons >= {"missing", "conflict", "invalid", "ambiguous", "too-long", "running"}
    assert reasons >= {"read-only", "near-miss", "exp-name", "not-ours"}
    assert {row.fields.get("struct") for row in rows if row.status == "rename"} == {
        "rsst",
        "refill",
    }
    assert any(row.new_name and row.new_name.endswith("_2") for row in rows), "no twins"
    seconds = Counter(row.created_at for row in rows)
    assert max(seconds.values()) == 24, "no job array"
    states = {"running", "pending", "preempting", "preempted", "crashed", "failed", "killed"}
    assert {row.state for row in rows} == states | {"finished"}
    assert {len(run.summaryMetrics) > 20_000 for run in sandbox.store.by_id.values()} == {True}
    frozen = connect(sandbox.url).project(parse_path("ycx/frozen"))
    assert {row.codes for row in map_runs(next(frozen.pages()).runs)} == {("read-only",)}


@pytest.mark.parametrize("runs", [None, 1, 10, 81, 300])
def test_the_sample_is_the_same_every_time(runs):
    store = sample_store(runs)
    assert store.state() == sample_store(runs).state()
    assert len(store.project("ycx", "RSST").runs) == (runs or 96)
    assert len(store.project("609354432", "RSST").runs) == 12
    assert store.project("ycx", "empty").runs == {}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("429", Fault("429")),
        ("500@query", Fault("500", "query")),
        ("502x2", Fault("502", times=2)),
        ("503@mutationx3", Fault("503", "mutation", times=3)),
        ("400@any", Fault("400")),
        ("drop-after", Fault("drop-after")),
        ("html@query+2x7", Fault("html", "query", skip=2, times=7)),
        ("html-after+1", Fault("html-after", skip=1)),
        ("run-deleted+1x5", Fault("run-deleted", skip=1, times=5)),
    ],
)
def test_faults_from_the_command_line(spec, expected):
    assert parse_fail(spec) == expected


@pytest.mark.parametrize(
    "spec",
    ["", "405", "429@viewer", "429x", "x3", "429 ", "hang@", "dropx-1", "429x2+1", "500-after"],
)
def test_faults_that_are_not_valid(spec):
    with pytest.raises(ValueError, match="write KIND"):
        parse_fail(spec)


def test_what_happens_while_a_listing_is_under_way_hits_no_request():
    with pytest.raises(ValueError, match="leave out @"):
        parse_fail("run-created@query")


def test_the_help_explains_every_fault(cli):
    shown = cli("sandbox", "--help").stdout.split()
    assert [kind for kind in get_args(Kind) if kind not in shown] == []


def test_each_sandbox_has_a_key_of_its_own():
    assert len({Sandbox(Store()).api_key for _ in range(3)}) == 3

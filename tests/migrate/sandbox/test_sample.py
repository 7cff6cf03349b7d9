"""What the sandbox comes with: a project of every kind of run, and faults to order."""

import pytest

from migrate.client.server import connect
from migrate.mapping.mapping import map_runs
from migrate.mapping.rows import STATUSES
from migrate.sandbox import Sandbox, Store, parse_fail, sample_store
from migrate.sandbox.store import heavy_summary
from naming import VOCABULARY


def test_the_sample_project_has_every_status_and_every_family(serve):
    sandbox = serve(sample_store())
    project = connect(sandbox.url).project("ycx/RSST")
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
    assert len(heavy_summary()) > 20_000
    frozen = connect(sandbox.url).project("ycx/frozen")
    assert {row.codes for row in map_runs(next(frozen.pages()).runs)} == {("read-only",)}


@pytest.mark.parametrize("runs", [None, 1, 300])
def test_the_sample_is_the_same_every_time(runs):
    store = sample_store(runs)
    assert store.state() == sample_store(runs).state()
    total = len(store.project("ycx", "RSST").runs)
    assert total == {None: 80, 300: 300}.get(runs, total)
    assert total >= 50
    assert len(store.project("609354432", "RSST").runs) == 12
    assert store.project("ycx", "empty").runs == {}


@pytest.mark.parametrize(
    "spec", "429 500@query 502x2 503@mutationx3 400@any 413 drop-after".split()
)
def test_faults_from_the_command_line(spec):
    fault = parse_fail(spec)
    rest = spec.removeprefix(fault.kind)
    assert (
        rest == f"{'@' + fault.on if '@' in spec else ''}{f'x{fault.times}' if 'x' in spec else ''}"
    )


@pytest.mark.parametrize(
    "spec", ["", "404", "429@viewer", "429x", "x3", "429 ", "hang@", "dropx-1"]
)
def test_faults_that_are_none(spec):
    with pytest.raises(ValueError, match="write KIND"):
        parse_fail(spec)


def test_each_sandbox_has_a_key_of_its_own():
    assert len({Sandbox(Store()).api_key for _ in range(3)}) == 3

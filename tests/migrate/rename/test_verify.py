"""What is true at the end: names that the server alters, replicas that lag, readings that fail."""

from __future__ import annotations

import json
import time

import pytest

from migrate.client.runs import RunKey
from migrate.rename import verify
from migrate.rename.journal import read
from migrate.rename.plan import PlannedRename
from migrate.sandbox.store import Store, StoredRun


def names(sandbox):
    return sandbox.store.names("ycx", "RSST")


def write_plan(path, sandbox, new_name):
    """A plan that gives every run of the project a new name."""
    rows = [
        {
            "entity": "ycx",
            "project": "RSST",
            "run_id": run_id,
            "status": "rename",
            "old_name": old_name,
            "new_name": new_name(old_name),
        }
        for run_id, old_name in names(sandbox).items()
    ]
    path.write_text(json.dumps(rows))
    return path


# What the server makes of our names.

ALTERING = {
    "x^2 becomes x2": lambda name: name.replace("^", ""),
    "-1 is appended": lambda name: f"{name}-1",
    "it is cut": lambda name: name[:12],
    "it is lower case": lambda name: f"{name.upper()}!",
}


@pytest.fixture
def powers(serve):
    """Thirty runs whose names, old and new, hold `x^2`."""
    store = Store()
    for number in range(30):
        made = StoredRun(f"r{number:02d}", f"old x^2 {number}", summaryMetrics="{}")
        store.add("ycx", "RSST", made)
    return serve(store)


@pytest.mark.parametrize("alters", ALTERING.values(), ids=list(ALTERING))
def test_a_first_document_that_was_altered_throughout_stops_the_work(powers, cli, tmp_path, alters):
    """It is journaled, whatever was made of the names; and undo puts back exactly those."""
    before, path = names(powers), tmp_path / "j.jsonl"
    state = powers.store.state()
    plan = write_plan(tmp_path / "p.json", powers, lambda name: f"new x^2 of run no. {name[8:]}")
    powers.faults.alters = alters
    done = cli("rename", "--plan", plan, "--yes", "--journal", path)
    assert done.returncode == 1
    assert "Stopped: W&B altered every name in the first document" in done.stderr
    assert "20 runs not reached" in done.stderr
    first = alters("new x^2 of run no. 0")
    (line,) = [line for line in done.stderr.splitlines() if "r00" in line]
    assert f": altered: the server made it {first}" in line
    assert [name for name in names(powers).values() if name.startswith("old")] == list(
        before.values()
    )[10:]
    recorded = read(path)
    assert {key.run_id: name for key, name in recorded.altered.items()} == {
        f"r{number:02d}": alters(f"new x^2 of run no. {number}") for number in range(10)
    }
    # Somebody gives one of them a name: then it is theirs.
    powers.faults.alters = None
    powers.store.project("ycx", "RSST").runs["r07"].displayName = "theirs"
    undone = cli("undo", path, "--yes")
    assert undone.returncode == 1
    assert "r07: drifted: is now theirs" in undone.stderr
    assert "9 of 10 runs put back" in undone.stderr
    assert names(powers) == {**before, "r07": "theirs"}
    powers.store.project("ycx", "RSST").runs["r07"].displayName = before["r07"]
    assert powers.store.state() == state


def test_some_altered_names_do_not_stop_the_work(sandbox, renamer, failed):
    before = sandbox.store.state()
    plan = renamer.plan()
    altered = {plan[0].new_name: "its own idea", plan[25].new_name: plan[25].new_name + "-1"}
    sandbox.faults.alters = lambda name: altered.get(name, name)
    result = renamer.rename(plan)
    assert failed(result) == {
        "run00000": "altered: the server made it its own idea",
        "run00025": f"altered: the server made it {plan[25].new_name}-1",
    }
    assert result.stopped is None
    assert len(result.done) == 28
    assert len(result.written) == 30  # all of them bear a name of ours
    sandbox.faults.alters = None
    assert not renamer.again("undo").failed
    assert sandbox.store.state() == before


def test_an_altered_name_that_is_the_old_one_is_not_renamed(sandbox, renamer, failed, quick):
    """The server answers that it did nothing: that is said, and not believed to be done."""
    plan = renamer.plan()
    sandbox.faults.alters = lambda name: plan[3].old_name if name == plan[3].new_name else name
    result = renamer.rename(plan)
    assert list(failed(result)) == ["run00003"]
    assert len(result.done) == 29
    assert result.failed[plan[3].key].code == "unanswered"


@pytest.mark.parametrize("alters", [lambda name: f"{name}-1", lambda name: f"{name[:-1]}2"])
def test_an_old_name_that_the_server_alters_is_put_back_once(serve, renamer_of, alters):
    """Also where the server makes of the old name the one that is to be taken back."""
    store = Store()
    for number in range(14):
        store.add("ycx", "RSST", StoredRun(f"r{number:02d}", f"{number} 1", summaryMetrics="{}"))
    sandbox = serve(store)
    renamer = renamer_of(sandbox)
    runs = [RunKey("ycx", "RSST", run_id) for run_id in names(sandbox)]
    renamer.rename([PlannedRename(key, f"{n} 1", f"{n} 2") for n, key in enumerate(runs)])
    assert [name[-1] for name in names(sandbox).values()] == ["2"] * 14
    sandbox.faults.alters = alters
    sandbox.service.mutations.clear()
    result = renamer.again("undo")
    assert result.stopped.code == "altered"
    assert len(result.having("altered")) == 10
    assert result.having("not-reached") == read(renamer.path).sent
    result = renamer.again("undo")
    assert len(result.having("altered")) == 4
    assert not renamer.again("undo").outcomes
    # Each once, and where the server has its way is said and recorded.
    assert len(sandbox.service.mutations) == 14
    recorded = read(renamer.path)
    assert {key.run_id: name for key, name in recorded.altered.items()} == names(sandbox)


# A replica that lags.


def test_a_lagging_replica_makes_no_false_drift(serve, cli, tmp_path):
    """It shows names of two seconds ago; undo, at once, does not say that there is none to do."""
    sandbox, path = serve(runs=30), tmp_path / "j.jsonl"
    before = sandbox.store.state()
    sandbox.faults.lag_seconds = 2
    done = cli("rename", "ycx/RSST", "--yes", "--journal", path)
    assert done.returncode == 0, done.stderr
    assert "30 of 30 runs renamed, read back from the server" in done.stderr
    assert "drifted" not in done.stderr
    undone = cli("undo", path, "--yes")
    assert undone.returncode == 0, undone.stderr
    assert "30 of 30 runs put back" in undone.stderr
    assert sandbox.store.state() == before


def test_undo_within_the_lag(sandbox, renamer, cli):
    """The whole rename is younger than what the server shows."""
    sandbox.faults.lag_seconds = 4
    before = sandbox.store.state()
    plan = renamer.plan()
    verify_waits = verify.LAG_SECONDS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "LAG_SECONDS", ())
        result = renamer.rename(plan)
    assert verify_waits
    assert {outcome.code for outcome in result.failed.values()} == {"reverted"}
    assert len(result.written) == 30
    undone = cli("undo", renamer.path, "--yes")
    assert "Nothing to do" not in undone.stderr
    assert undone.returncode == 0, undone.stderr
    assert sandbox.store.state() == before


def test_undo_says_which_runs_have_their_old_names_already(sandbox, renamer, cli):
    """Somebody put them back, or the server is far behind: it says so, and exits 0."""
    plan = renamer.plan()
    renamer.rename(plan)
    for run_id in ("run00003", "run00004"):
        run = sandbox.store.project("ycx", "RSST").runs[run_id]
        run.displayName = plan[int(run_id[3:])].old_name
    undone = cli("undo", renamer.path, "--yes")
    assert undone.returncode == 0, undone.stderr
    assert "2 runs were renamed by this journal but have their old names now" in undone.stderr
    assert "run00003, run00004" in undone.stderr
    assert "28 of 28 runs put back" in undone.stderr


def test_undo_says_which_run_has_its_old_name_already(sandbox, renamer, cli):
    plan = renamer.plan()
    renamer.rename(plan)
    sandbox.store.project("ycx", "RSST").runs["run00003"].displayName = plan[3].old_name
    undone = cli("undo", renamer.path, "--dry-run")
    words = (
        "1 run was renamed by this journal but has its old name now; somebody may have put it back"
    )
    assert f"{words}: run00003\n" in undone.stderr
    assert "Dry run: 29 of 30 runs would be put back. Nothing was written." in undone.stderr


def test_a_name_that_really_went_back_is_said_after_some_readings(sandbox, renamer, failed, quick):
    """A process that resumes writes its old name: the waits end, and it is not called done."""
    plan = renamer.plan()

    def put_back(operation):
        if operation == "query" and len(sandbox.service.mutations) == 30:
            sandbox.store.project("ycx", "RSST").runs["run00005"].displayName = plan[5].old_name

    sandbox.faults.before = put_back
    asked = sandbox.counts.requests["query"]
    result = renamer.rename(plan)
    assert failed(result) == {"run00005": "drifted: was renamed, but has its previous name again"}
    assert len(result.done) == 29
    assert sandbox.counts.requests["query"] - asked <= 8


# Readings that fail.


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", ["garbled", "html", "null", "cut", "501"])
def test_one_garbled_reading_stops_nothing(sandbox, renamer, quick, kind, times):
    """Neither where names are read ahead, nor at the end."""
    plan = renamer.plan()
    faults = []

    def garble(operation):
        if not faults and operation == "mutation" and len(sandbox.service.mutations) >= 10:
            faults.append(sandbox.faults.add(kind, on="query", times=times))

    sandbox.faults.add(kind, on="query", times=times)
    sandbox.faults.before = garble
    result = renamer.rename(plan)
    assert (len(result.done), result.failed, result.stopped) == (30, {}, None)
    assert faults


def test_a_verification_that_fails_for_good(sandbox, renamer, failed, quick):
    def garble(operation):
        if operation == "mutation" and len(sandbox.service.mutations) >= 10:
            sandbox.faults.add("garbled", on="query", skip=0, times=1000)
            sandbox.faults.before = None

    plan = renamer.plan()[:20]  # all of their names are read before the second document
    sandbox.faults.before = garble
    start = time.monotonic()
    result = renamer.rename(plan)
    assert time.monotonic() - start < 10
    assert {outcome.code for outcome in result.failed.values()} == {"not-verified"}
    assert len(result.written) == len(result.failed) == 20
    assert "not verified: No usable answer" in failed(result)["run00000"]


def test_what_was_read_back_stays_so_where_a_further_reading_fails(sandbox, renamer, quick):
    """A name that is not shown yet is read again; the others were read already."""
    runs = sandbox.store.project("ycx", "RSST").runs

    def take_back(operation: str) -> None:
        if operation == "query" and len(sandbox.service.mutations) == 30:
            runs["run00005"].displayName = old
            sandbox.faults.add("403", on="query", skip=1, times=1000)
            sandbox.faults.before = None

    plan = renamer.plan()
    old = plan[5].old_name
    sandbox.faults.before = take_back
    result = renamer.rename(plan)
    assert {key.run_id for key in result.having("not-verified")} == {"run00005"}
    assert len(result.done) == 29

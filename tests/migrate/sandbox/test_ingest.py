"""Runs that are sent to the sandbox: by the real `wandb sync`, and piece by piece."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from migrate.sandbox.store import StoredRun

OFFLINE = """
import wandb
run = wandb.init(
    mode="offline", project="RSST", entity="ycx", id="off12345", name="rsst_x_l1_res20s_cifar10",
    config={"rate": 0.2, "arch": "res20s"}, tags=["old"], group="g", job_type="train", notes="n",
)
for step in range(5):
    run.log({"loss": 1 / (step + 1), "weights": wandb.Histogram([1, 2, 3])})
run.config.update({"late": [1, 2]})
run.summary["best"] = 0.9
run.finish(exit_code=0)
"""
NEW_RUN = """mutation ($input: UpsertBucketInput!) {
  upsertBucket(input: $input) {
    bucket { id name displayName historyLineCount project { name entity { name } } } inserted
  }
}"""
RESUME = """{ model(name: "RSST", entityName: "ycx") { bucket(name: "new1", missingOk: true) {
  historyLineCount logLineCount eventsLineCount historyTail eventsTail summaryMetrics
  wandbConfig(keys: ["t"]) stopped
} } }"""
FILES = """mutation {
  createRunFiles(input: {
    entityName: "ycx", projectName: "RSST", runName: "run00001", files: ["a b.txt"]
  }) { runID uploadHeaders files { name uploadUrl } }
}"""


def sync(*words: str) -> str:
    """Send the offline runs here, by the real command."""
    command = [str(Path(sys.executable).parent / "wandb"), "sync", "--yes", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_an_offline_run_arrives_complete(sandbox):
    """And its name comes back when it is sent again."""
    subprocess.run([sys.executable, "-c", OFFLINE], check=True, capture_output=True, timeout=90)
    assert "Finished syncing" in sync()
    run = sandbox.store.project("ycx", "RSST").runs["off12345"]
    assert run.displayName == "rsst_x_l1_res20s_cifar10"
    about = (run.state, run.tags, run.group, run.jobType, run.notes)
    assert about == ("finished", ["old"], "g", "train", "n")
    config = json.loads(run.config)
    assert [config[key]["value"] for key in ("rate", "arch", "late")] == [0.2, "res20s", [1, 2]]
    assert json.loads(run.wandbConfig)["t"]
    assert [step["loss"] for step in run.history] == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    assert run.history[4]["weights"]["_type"] == "histogram"
    summary = json.loads(run.summaryMetrics)
    assert (summary["best"], summary["loss"], summary["_step"]) == (0.9, 0.2, 4)
    assert run.historyLineCount == 5

    run.displayName = "a better one"
    sync("--include-synced")
    assert sandbox.store.project("ycx", "RSST").runs["off12345"] is run
    assert run.displayName == "rsst_x_l1_res20s_cifar10"
    # The client appends to what the server says it has: once more the whole history.
    assert run.history[5:] == run.history[:5]
    assert len(sandbox.store.project("ycx", "RSST").runs) == 31


def new_run(**changes: str | None) -> dict[str, str | None]:
    """The input that makes a run."""
    return {"name": "new1", "entityName": "ycx", "modelName": "RSST", **changes}


def test_a_new_run(sandbox, post, send):
    status, body = post(sandbox, NEW_RUN, input=new_run(displayName="x", config='{"rate": 1}'))
    bucket = body["data"]["upsertBucket"].pop("bucket")
    assert (status, body) == (200, {"data": {"upsertBucket": {"inserted": True}}})
    assert bucket.pop("id") == sandbox.store.project("ycx", "RSST").runs["new1"].id
    assert bucket == {
        "name": "new1",
        "displayName": "x",
        "historyLineCount": 0,
        "project": {"name": "RSST", "entity": {"name": "ycx"}},
    }
    run = sandbox.store.project("ycx", "RSST").runs["new1"]
    assert (run.state, run.config, run.summaryMetrics) == ("running", '{"rate": 1}', "{}")

    stream = "/files/ycx/RSST/new1/file_stream"
    history = {"offset": 0, "content": ['{"loss": 2}', '{"loss": 1}']}
    assert send(sandbox, stream, files={"wandb-history.jsonl": history})[0] == 200
    summary = {"offset": 0, "content": ['{"loss": 1}']}
    assert send(sandbox, stream, files={"wandb-summary.json": summary})[0] == 200
    empty = {"offset": 0, "content": []}
    assert send(sandbox, stream, files={"wandb-summary.json": empty})[0] == 200
    assert (run.history, run.state) == ([{"loss": 2}, {"loss": 1}], "running")
    assert post(sandbox, RESUME)[1]["data"]["model"]["bucket"] == {
        "historyLineCount": 2,
        "logLineCount": 0,
        "eventsLineCount": 0,
        "historyTail": json.dumps(['{"loss": 1}']),
        "eventsTail": "[]",
        "summaryMetrics": '{"loss": 1}',
        "wandbConfig": "{}",
        "stopped": False,
    }
    # The same id again is the same run.
    status, body = post(sandbox, NEW_RUN, input=new_run(displayName="y"))
    assert body["data"]["upsertBucket"]["inserted"] is False
    assert (run.displayName, run.config, len(run.history)) == ("y", '{"rate": 1}', 2)


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        ({"complete": True, "exitcode": 0}, "finished"),
        ({"complete": True, "exitcode": 3}, "failed"),
        ({"preempting": True}, "preempting"),
        ({"preempting": True, "complete": True, "exitcode": 1}, "preempted"),
    ],
)
def test_how_a_run_ends(sandbox, send, ending, state):
    run = sandbox.store.project("ycx", "RSST").runs["run00001"]
    run.state = "running"
    assert send(sandbox, "/files/ycx/RSST/run00001/file_stream", **ending)[0] == 200
    assert run.state == state


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"entityName": "nobody"}, 'run "new1" not found'),
        ({"modelName": None}, 'run "new1" not found'),
        ({"name": None}, 'run "" not found'),
        ({"id": "UnVu"}, 'run "UnVu" not found'),
        ({"name": "gone1"}, 'run "gone1" was previously created and deleted'),
        ({"modelName": "frozen"}, "permission denied"),
        ({"displayName": "x" * 129}, "displayName must have 1 to 128 characters"),
    ],
)
def test_runs_that_are_not_made(sandbox, post, given, words):
    gone = sandbox.store.add("ycx", "RSST", StoredRun("gone1", "x"))
    sandbox.store.remove(gone)
    sandbox.store.project("ycx", "frozen").read_only = True
    before = sandbox.store.state()
    status, body = post(sandbox, NEW_RUN, input=new_run(**given))
    assert (status >= 400, body["errors"][0]["message"]) == (True, words)
    assert sandbox.store.state() == before


def test_file_streams_that_are_refused(sandbox, send):
    stream = "/files/ycx/RSST/run00001/file_stream"
    before = sandbox.store.state()
    assert send(sandbox, "/files/ycx/RSST/nobody/file_stream", complete=True)[0] == 404
    assert send(sandbox, "/files/ycx/nothing/run00001/file_stream", complete=True)[0] == 404
    assert send(sandbox, stream, files={"wandb-history.jsonl": {"content": ["{}"]}})[0] == 400
    assert send(sandbox, stream, files=[1])[0] == 400
    assert send(sandbox, stream, key="0" * 40, complete=True)[0] == 401
    assert sandbox.store.state() == before


def test_where_files_go(sandbox, post, send):
    body = post(sandbox, FILES)[1]["data"]["createRunFiles"]
    (file,) = body["files"]
    assert (body["uploadHeaders"], file["name"]) == ([], "a b.txt")
    assert file["uploadUrl"].startswith(f"{sandbox.url}/uploads/")
    assert send(sandbox, file["uploadUrl"].removeprefix(sandbox.url), anything=1)[0] == 200

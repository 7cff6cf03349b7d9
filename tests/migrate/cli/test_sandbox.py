"""`sandbox`: what it serves, what it prints, and how it ends."""

import base64
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta, timezone
from http.client import HTTPConnection
from pathlib import Path

import pytest

from migrate.cli.copied import UNKNOWN, copied_store, read_rows
from migrate.cli.serve import serve as serve_until_ctrl_c
from migrate.client.paths import parse_path
from migrate.client.server import connect
from migrate.errors import InputError
from migrate.mapping.mapping import Options
from migrate.mapping.rows import RuleSource
from migrate.mapping.rules import Rule, Where
from migrate.report.columns import write_json
from migrate.sandbox.pace import Pace
from migrate.sandbox.review import review_store
from migrate.sandbox.sample import sample_store
from naming import IN_OLD_NAMES
from tests.migrate.mapped import map_runs

LONG = "deit_distilled_patch16_224_with_a_long_name"
LINEAR = {"RST_schedule": "x"}
FOOD = {"arch": "pool_former", "dataset": "food_101", "rate": 0.2}


def rule(number, where=None, **supplies):
    """A rule of a configuration file."""
    return Rule(where or Where(), RuleSource(file="rules", number=number), **supplies)


OPTIONS = (
    Options(),
    Options(
        rules=(
            rule(1, prefer="name", assume={"exponents": 3, "reg_granularity_prune": 0.5}),
            rule(2, Where(family=frozenset(["cnn"])), assume={"rate": 0.2}),
            rule(3, Where(family=frozenset(["vit"])), replace={"rate": 0.15, "exponents": 3}),
            rule(4, Where(values={"RST_schedule": frozenset(["linear"])}), replace=LINEAR),
            rule(5, Where(values={"arch": frozenset([LONG])}), replace={"arch": "deit_d"}),
            rule(6, Where(reason=frozenset(["ambiguous"])), assume=FOOD),
        )
    ),
    Options(rules=(rule(1, prefer="config"),), timezone=timezone(timedelta(hours=8))),
)


def call(**options):
    """The command, with options of its own."""
    others = dict.fromkeys(("sample", "runs", "report", "shell"))
    return serve_until_ctrl_c(**{"port": 0, "pace": Pace(), "fail": [], **others, **options})


def test_ctrl_c_ends_it_at_once_while_a_request_hangs(tmp_path):
    report = tmp_path / "runs.json"
    report.write_text(json.dumps([ROW]))
    words = ["sandbox", "--from", str(report), "--shell", "fish", "--fail", "hang"]
    process = subprocess.Popen(
        [sys.executable, "-m", "migrate", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    lines = [process.stdout.readline() for _ in range(2)]
    assert all(lines), process.communicate(timeout=30)
    url = re.fullmatch(r"set -gx WANDB_BASE_URL (http://(127\.0\.0\.1:\d+))\n", lines[0])
    key = re.fullmatch(r"set -gx WANDB_API_KEY ([0-9a-f]{40})\n", lines[1])
    token = base64.b64encode(f"api:{key[1]}".encode()).decode()
    hanging = HTTPConnection(url[2])
    query = json.dumps({"query": '{ project(name: "p") { id } }'})
    hanging.request("POST", "/graphql", query, {"Authorization": f"Basic {token}"})
    with urllib.request.urlopen(url[1]) as other:  # that came after it, and is answered
        assert other.status == 200
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=30)
    assert time.monotonic() - before < 5
    assert (process.returncode, out) == (0, "")
    assert said.startswith(f"A copy, made from {report}.")
    assert said.splitlines()[-1] == "Serving e/p (1 run). Ctrl-C ends it."
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sample": "review", "runs": 10}, "--runs does not go with --sample review"),
        ({"report": Path("r.json"), "runs": 10}, "--runs does not go with --from"),
        ({"report": Path("r.json"), "sample": "kinds"}, "--from and --sample: choose one"),
        ({"report": Path("gone.json")}, "Cannot read the report gone.json: No such file"),
        ({"fail": ["405"]}, "write KIND"),
    ],
)
def test_options_that_are_not_valid(options, words):
    with pytest.raises(InputError, match=words):
        call(**options)


ROW = {
    "entity": "e",
    "project": "p",
    "run_id": "r1",
    "state": "finished",
    "created_at": "2025-06-02T09:30:00Z",
    "status": "rename",
    "reason": None,
    "old_name": "rsst_x_l1_res20s_cifar10",
    "new_name": "n",
    "fields": {"rate": 0.2},
}


def rows_of(sandbox, options):
    """The rows of its project, by run."""
    project = connect(sandbox.url).project(parse_path("ycx/RSST"))
    runs = [run for page in project.pages() for run in page.runs]
    return {row.key: row for row in map_runs(runs, options)}


def outcome(row):
    """What is to become of a run."""
    return row.status, row.codes, row.new_name, row.state, row.created_at


@pytest.mark.parametrize("store", [sample_store(), review_store()], ids=["kinds", "review"])
def test_a_copy_gets_the_names_that_the_report_promised(serve, tmp_path, store):
    original = serve(store)
    for options, rows in [(options, rows_of(original, options)) for options in OPTIONS]:
        (tmp_path / "report.json").write_bytes(write_json(list(rows.values())))
        copied = rows_of(serve(copied_store(read_rows(tmp_path / "report.json"))), options)
        assert {key: outcome(row) for key, row in copied.items()} == {
            key: outcome(row) for key, row in rows.items()
        }


@pytest.mark.parametrize(
    ("changed", "settled", "key", "value"),
    [
        ({"schedule": "x^2"}, "set RST_schedule=x^2 (was x)", "RST_schedule", "x"),
        ({"arch": "r"}, "assumed rate=0.2; set arch=r (was res20s)", "arch", "res20s"),
        ({"arch": "r"}, "took arch from the config (name: res20s)", "arch", "r"),
        ({}, "took arch from the name (config: r)", "arch", UNKNOWN),
        ({}, "assumed arch=res20s", "dataset", None),
        ({"rate": 0.3}, "set rate=0.3 (was abc)", "rate", UNKNOWN),
        ({"rate": 0.3}, "set rate=0.3", "rate", None),
        ({"rate": 0.3}, "assumed rate=0.3", "rate", None),
        ({"rate": 0.3}, None, "rate", 0.3),
    ],
)
def test_what_was_supplied_is_taken_out_again(tmp_path, changed, settled, key, value):
    values = ("rsst", "x", "l1", "res20s", "cifar10")
    fields = {**dict(zip(IN_OLD_NAMES, values, strict=True)), **changed}
    (tmp_path / "r.json").write_text(json.dumps([{**ROW, "settled": settled, "fields": fields}]))
    (run,) = copied_store(read_rows(tmp_path / "r.json")).project("e", "p").runs.values()
    assert json.loads(run.config).get(key, {}).get("value") == value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Invalid JSON"),
        (b"\xff[]", "Invalid JSON"),
        (b"[" * 100_000, "Invalid JSON"),
        (b"entity,project\n", "Invalid JSON"),
        ("{}", "should be a valid array"),
        ("[]", "has no runs"),
        ("[1]", "row 1: "),
        ([{**ROW, "run_id": ""}], "row 1, run_id: "),
        ([ROW, {**ROW, "run_id": 7}], "row 2, run_id: "),
        ([ROW, ROW], r"has run r1 twice \(row 2\)"),
        ([{**ROW, "created_at": None}], "row 1, created_at: "),
        ([{**ROW, "created_at": "0001-01-01T00:00:00+05:00"}], "not a time of this calendar"),
        ([{**ROW, "status": "other"}], "row 1, status: "),
        ([{**ROW, "fields": {"rate": [1]}}], r"row 1, fields\.rate"),
        ([{**ROW, "fields": {"\x1b[31m": [1]}}], r"row 1, fields\.\\x1b\[31m"),
        (json.dumps([ROW]).replace("0.2", "1e999"), r"row 1, fields\.rate"),
        ([{**ROW, "run_id": n} for n in range(30)], "and 10 more"),
    ],
)
def test_files_that_are_no_saved_report(tmp_path, content, words):
    path = tmp_path / "runs.json"
    text = json.dumps(content) if isinstance(content, list) else content
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=words) as caught:
        read_rows(path)
    assert "\x1b" not in str(caught.value)


def test_a_row_that_is_hostile_is_served_as_it_is(tmp_path):
    name = "\x1b[31mred \ud83d\ude00 <b>"
    (tmp_path / "r.json").write_text(json.dumps([{**ROW, "status": "custom", "old_name": name}]))
    store = copied_store(read_rows(tmp_path / "r.json"))
    assert list(store.names("e", "p").values()) == ["\x1b[31mred \U0001f600 <b>"]

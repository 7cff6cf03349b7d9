"""One table of hostile names, fed to every output: each is shown, and none acts.

The HTML report has the same table before it in a browser (test_html).
"""

from __future__ import annotations

import csv as csv_module
import io
import json
import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas
import pytest
from markdown_it import MarkdownIt
from rich.cells import cell_len
from rich.console import Console

import naming
from migrate.cli.names import describe
from migrate.cli.rule_text import suggested_rules
from migrate.client.runs import Run, RunKey
from migrate.errors import scrub
from migrate.mapping.kinds import Kinds
from migrate.mapping.mapping import Options, Survey
from migrate.mapping.rows import Reason, Row
from migrate.mapping.settling import Settling
from migrate.rename.plan_file import read_plan
from migrate.report import frame, html, markdown
from migrate.report.audit import audit
from migrate.report.columns import COLUMNS, flat, write_csv, write_json
from migrate.report.kinds import question
from migrate.report.origin import Origin
from migrate.report.terminal import print_audit, print_renames, print_report
from migrate.sandbox.store import Store, StoredRun
from migrate.text import from_csv_cell, visible
from naming import legacy_name, parse_name
from tests.migrate.mapped import map_runs

HOSTILE = [
    json.loads(line)
    for line in (Path(__file__).parent / "hostile.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
STYLE = re.compile(r"\x1b\[[0-9;]*m")
MADE = datetime(2026, 1, 1, tzinfo=UTC)
ORIGIN = Origin("https://wandb.ai", MADE)


def said_of(name):
    """A reason's data, with the name wherever other people's text can be in it."""
    return {
        "conflict": (("dataset", name, name), ("arch", name, name)),
        "invalid": (("rate", name),),
        "ambiguous": ((name, name), (name, name), 0),
    }


def rows():
    """Each name as a run's name, and everywhere else that other people's text can be."""
    made = []
    for number, name in enumerate(HOSTILE):
        fields = {"arch": name, "dataset": name, "schedule": name, "rate": 0.5}
        key = RunKey("ycx", "RSST", f"run{number}")
        made.append(Row(key, name, MADE, "rename", (), name, f"{name}_new", fields))
        reasons = tuple(Reason(code, data) for code, data in said_of(name).items())
        key = RunKey("ycx", "RSST", name)
        made.append(Row(key, "x", MADE, "review", reasons, name, None, fields))
        key = RunKey(name, name, f"c{number}")
        custom = (Reason("near-miss", (naming.Reason("near-miss", "after", name),)),)
        made.append(Row(key, "x", None, "custom", custom, name, None, {}))
    return made


def spelled(name):
    """The name as UTF-8 can hold it."""
    return name.encode("utf-8", "backslashreplace").decode()


def shown(print_it, *what, width=80, **how):
    """What a colour terminal gets, without the colours, which are ours."""
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=True, color_system="standard", no_color=False,
        highlight=False, markup=False, emoji=False,
    )  # fmt: skip
    print_it(console, *what, **how)
    text = STYLE.sub("", stream.getvalue())
    assert all(letter.isprintable() for line in text.split("\n") for letter in line)
    return text


def test_the_table_is_what_it_says():
    assert len(HOSTILE) > 50
    for mark in "\x1b\x9b\u202e\u2066\u2028\0\r\n\t\ud800<|=@[`":
        assert any(mark in name for name in HOSTILE)


def test_on_a_terminal():
    lines = shown(print_report, rows(), rows()).split("\n")
    for name in HOSTILE:
        assert f"    {visible(name)}" in lines
        assert f"  → {visible(name)}_new" in lines
    # Three lines a run, an empty one, the count, and what stands after its line break: nothing.
    assert len(lines) == 3 * len(rows()) + 3
    renames = [(row.key, row.old_name, row.new_name, "") for row in rows() if row.new_name]
    lines = shown(print_renames, renames).split("\n")
    assert len(lines) == 3 * len(renames) + 3


@pytest.mark.parametrize("width", [80, 4000])
def test_in_an_audit_and_in_parsed_names(width):
    found = shown(print_audit, audit("ycx/RSST", rows()), width=width)
    parsed = shown(describe, [parse_name(name) for name in HOSTILE], width=width)
    assert max(map(cell_len, f"{found}\n{parsed}".split("\n"))) <= width
    assert "\\x1b" in found
    if width == 4000:
        assert all(visible(name) in parsed for name in HOSTILE)


def test_in_messages(serve, cli, tmp_path):
    """A run that has another name than the plan says is told with that name."""
    store = Store()
    plan = []
    for number, name in enumerate(HOSTILE):
        run_id = f"run{number:02d}"
        stored = StoredRun(run_id, name, "{}", summaryMetrics="{}", createdAt="2026-01-01T00:00:00")
        store.add("ycx", "RSST", stored)
        plan.append(
            dict(zip(COLUMNS, ["ycx", "RSST", run_id, "", "", "rename", "", "old"], strict=False))
        )
        plan[-1]["new_name"] = f"new_{number}"
    sandbox = serve(store)
    Path("plan.json").write_text(json.dumps(plan))
    before = sandbox.store.state()
    done = cli("rename", "--plan", "plan.json", "--yes")
    assert done.returncode == 1
    assert sandbox.store.state() == before
    told = done.stdout + done.stderr
    assert all(letter.isprintable() for line in told.split("\n") for letter in line)
    assert "\\x1b[31mred" in told
    assert len(done.stderr.splitlines()) <= len(HOSTILE) + 10


@pytest.mark.parametrize("name", HOSTILE)
def test_in_what_a_server_says(name):
    assert scrub(f"{name}{name}").isprintable() or "\ud800" <= max(name) <= "\udfff"


def test_in_csv():
    data = write_csv(rows())
    cells = list(csv_module.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert len(cells) == len(rows())
    for row, line in zip(rows(), cells, strict=True):
        for column in ("entity", "project", "run_id", "state", "reason", "old_name"):
            assert from_csv_cell(line[column]) == flat(row)[column]
        assert from_csv_cell(line["arch"]) == str(row.fields.get("arch", ""))
        assert all(cell.isprintable() for cell in line.values())
        assert not [cell for cell in line.values() if cell.startswith(tuple("=+-@\t\r"))]


def test_in_json():
    data = write_json(rows())
    assert data.isascii()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", data)
    assert [row["old_name"] for row in json.loads(data)] == [row.old_name for row in rows()]


def test_in_parquet():
    table = pandas.read_parquet(io.BytesIO(frame.write_parquet(rows())))
    assert table["old_name"].tolist() == [spelled(row.old_name) for row in rows()]
    assert table["entity"].tolist() == [spelled(row.key.entity) for row in rows()]


def test_in_markdown():
    text = markdown.write(rows(), ORIGIN).decode()
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    assert {token.content for token in tokens if token.type == "html_block"} == {
        f"<details>\n<summary>All {len(rows())} runs</summary>\n",
        "</details>\n",
    }
    heading, *cells = [token.children for token in tokens if token.type == "inline"]
    assert {part.type for part in heading} == {"text", "code_inline"}
    assert {part.type for cell in cells for part in cell} == {"text", "code_inline"}
    seen = ["".join(part.content for part in cell) for cell in cells]
    seen = [seen[at : at + 6] for at in range(0, len(seen), 6)][1:]  # type: ignore[assignment]
    assert [line[3] for line in seen] == [visible(row.old_name) for row in rows()]
    assert [line[0] for line in seen] == [visible(str(row.key.where)) for row in rows()]
    assert all(letter.isprintable() for line in text.split("\n") for letter in line)


def test_in_a_plan(tmp_path):
    """What was saved is read back, letter by letter.

    An empty name is no old name: no rename comes from it, and a plan with one is refused
    (test_rename_edges).
    """
    names = [name for name in HOSTILE if name]
    renames = [
        Row(RunKey(name, name, name), "x", MADE, "rename", (), name, f"new_{n}", {})
        for n, name in enumerate(names)
    ]
    for write, suffix in ((write_csv, "csv"), (write_json, "json")):
        saved = tmp_path / f"plan.{suffix}"
        saved.write_bytes(write(renames))
        assert [(rename.key, rename.old_name, rename.new_name) for rename in read_plan(saved)] == [
            (row.key, row.old_name, row.new_name) for row in renames
        ]


# What `settle` asks, and writes into the configuration file.


@pytest.mark.parametrize("name", HOSTILE)
def test_in_questions_and_rules(name):
    runs = []
    for key in ("arch", "dataset", "rate", "RST_schedule", "criteria"):
        config = {**RUN_CONFIG, key: name}
        for old in {"rsst_x_l1_vit_small_cifar10", str(legacy_name(config))}:
            run_id = f"run{len(runs)}"
            runs.append(Run(RunKey("ycx", "RSST", run_id), old, "x", MADE, False, config))
    survey = Survey(runs, Options())
    settling = Settling({survey.rows[0].key.where: survey}, {run.key for run in runs}, ())
    for kind in settling.kinds:
        lines = question(kind, 80)
        assert all(line == visible(line) for line in lines)
        assert len(lines) <= 20
    printed = suggested_rules(settling)
    assert all(line == visible(line) for line in printed.split("\n"))
    # What is a comment is a rule as soon as it has its value.
    rules = re.sub(r"(?m)^# (?=\[\[rule|\w+ = )", "", printed.replace("VALUE", '"x"'))
    assert len(tomllib.loads(rules).get("rule", [])) == len(settling.kinds)


# Values that look like reasons.

FORGED = "c; missing: rate, y"
RUN_CONFIG = {
    "struct": "rsst", "RST_schedule": "x", "criteria": "l1", "arch": "vit_small",
    "dataset": "cifar10", "reg_granularity_prune": 0.5, "rate": 0.15,
}  # fmt: skip
FORGING = [
    ("rsst_x_l1_vit_small_cifar10", {"dataset": FORGED}, "conflict"),
    ("rsst_x_l1_vit_small_cifar10", {"dataset": FORGED, "arch": FORGED}, "conflict"),
    ("rsst_x_l1_vit_small_cifar10", {"reg_granularity_prune": FORGED}, "invalid"),
    ("rsst_x_l1_vit_small_cifar10", {"reg_granularity_prune": ["'; missing: rate"]}, "invalid"),
    ("rsst_x_l1_vit_small_cifar10", {"dataset": "d;"}, "conflict"),
    ("rsst_vit_small_cifar10_sched_x_reg_0.5_crit_l1_rate_0.15_0108_1430; missing: rate", {},
     "near-miss"),
    ("; missing: rate", {}, "not-ours"),
    ("; missing: rate", {"exp_name": "; missing: rate"}, "exp-name"),
]  # fmt: skip


def forged_runs():
    return [
        Run(RunKey("ycx", "RSST", f"r{n}"), name, "finished", MADE, False, {**RUN_CONFIG, **config})  # type: ignore[dict-item]
        for n, (name, config, _) in enumerate(FORGING)
    ]


@pytest.fixture
def forging():
    """Runs that all have their rate, and values that say that they have not; with one of theirs."""
    made = map_runs(forged_runs())
    assert {row.key.run_id: row.codes for row in made} == {
        f"r{n}": (code,) for n, (_, _, code) in enumerate(FORGING)
    }
    return made


def reasons_split(column):
    """What a script makes of the column: the codes of its clauses."""
    return {clause.partition(":")[0] for text in column for clause in str(text).split("; ")}


def test_no_value_forges_a_reason(forging):
    codes = {code for _, _, code in FORGING}
    lines = csv_module.DictReader(io.StringIO(write_csv(forging).decode("utf-8-sig"), newline=""))
    assert reasons_split(line["reason"] for line in lines) == codes
    assert reasons_split(one["reason"] for one in json.loads(write_json(forging))) == codes
    assert reasons_split(frame.frame(forging)["reason"]) == codes
    table = pandas.read_parquet(io.BytesIO(frame.write_parquet(forging)))
    assert reasons_split(table["reason"]) == codes
    tokens = (
        MarkdownIt("commonmark").enable("table").parse(markdown.write(forging, ORIGIN).decode())
    )
    _, *cells = [one.children for one in tokens if one.type == "inline"]
    texts = ["".join(part.content for part in cell) for cell in cells]
    assert reasons_split(texts[9::5]) == codes
    page = html.write(forging, ORIGIN).decode()
    columns = json.loads(re.search(r'id="data">(.*?)</script>', page)[1])["columns"]
    columns = {
        name: one if isinstance(one, list) else [one["values"][at] for at in one["at"]]
        for name, one in columns.items()
    }
    assert reasons_split(columns["reason"]) == codes
    assert {code for run in columns["codes"] for code in run} == codes
    assert f"; {FORGED.partition('; ')[2]}" not in page


def test_no_value_forges_a_reason_on_a_terminal(forging):
    report = shown(print_report, forging, forging)
    reasons = [line.strip() for line in report.splitlines()]
    codes = {code for _, _, code in FORGING}
    reasons = [line for line in reasons if line.partition(":")[0] in codes]
    assert len(reasons) == len(FORGING)
    assert not any("; " in line for line in reasons)


def test_no_value_forges_a_gap_in_an_audit(forging):
    """Neither a reason in its counts, nor a missing value of runs that have their rate."""
    runs = forged_runs()
    found = audit("ycx/RSST", forging, kinds_of(runs))
    assert found.gaps == ()
    saved = json.loads(json.dumps(found.to_dict()))
    assert saved["gaps"] == []
    assert reasons_split(one["reason"] for one in saved["reasons"]) == {"conflict", "invalid"}
    assert "Missing config values" not in shown(print_audit, found)
    # The same project with a run that does lack its rate: that one is told, and no other.
    config = {key: value for key, value in RUN_CONFIG.items() if key != "rate"}
    lacking = replace(runs[0], key=RunKey("ycx", "RSST", "lacks"), config=config)
    (gap,) = audit("", forging, kinds_of([*runs, lacking])).gaps
    assert (gap.key, len(gap.cases)) == ("rate", 1)


def kinds_of(runs):
    survey = Survey(runs, Options())
    return Kinds({runs[0].key.where: survey}).find(survey.rows)

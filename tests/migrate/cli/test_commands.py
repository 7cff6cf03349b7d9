"""What people see of report and audit: tables that fit, files as the contract has them, options."""

import csv
import io
import json
import os
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from rich.cells import cell_len

from migrate import plan
from migrate.errors import InputError
from migrate.sandbox.sample import arguments, sample_store, wire_config
from migrate.sandbox.store import Store, StoredRun
from migrate.text import from_csv_cell, visible
from naming import legacy_name

COLUMNS = (
    "entity project run_id state created_at status reason old_name new_name "
    "struct schedule criteria arch dataset reg exponents rate fillback_rate pretrained "
    "struct_target settled"
).split()
STATUSES = ["rename", "review", "hold", "current", "custom"]


@pytest.fixture
def sample(serve):
    return serve(sample_store())


def run(name, config, *, run_id="a", **fields):
    return StoredRun(run_id, name, wire_config(config), summaryMetrics="{}", **fields)


def a_store(*runs):
    store = Store()
    store.project("ycx", "RSST")
    for one in runs:
        store.add("ycx", "RSST", one)
    return store


def told(done, code=0):
    """What a command that went well wrote to stdout; stderr is as quiet as it should be."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def rows_of(report):
    """The run, the status and the other lines of each row of a printed report."""
    rows = {}
    for line in report.split("\n\n")[0].splitlines():
        if not line.startswith("  "):
            run_id, _, status = line.split()
            rows[run_id] = (status, [])
        else:
            rows[run_id][1].append(line)
    return rows


# Tables.


@pytest.mark.parametrize(("width", "option"), [(80, "--all"), (200, "--quiet")])
def test_a_report_keeps_both_names_whole(sample, cli, width, option):
    out = told(cli("report", "ycx/RSST", option, COLUMNS=str(width)))
    assert "\x1b" not in out
    rows = plan("ycx/RSST", base_url=sample.url).set_index("run_id")
    wanted = STATUSES if option == "--all" else STATUSES[:3]
    rows = rows[rows["status"].isin(wanted)]
    printed = rows_of(out)
    assert printed.keys() == set(rows.index)
    for run_id, row in rows.iterrows():
        status, lines = printed[run_id]
        assert status == row["status"]
        if status == "rename":
            assert lines == [f"    {row['old_name']}", f"  → {row['new_name']}"]
        else:
            # In the file, the state is a column of its own.
            waits = row["reason"] == "running" and row["state"] != "running"
            reason = f"running ({row['state']})" if waits else row["reason"]
            below = [visible(row["old_name"]), *([reason] if reason else [])]
            assert lines == [f"    {line}" for line in below]
    assert out.rstrip().endswith("96 runs: 56 rename, 10 review, 6 hold, 6 current, 18 custom")
    if option == "--all":
        hostile = ["\\x1b[31mred\\x1b[0m alert", "[bold red]markup[/] run", "\\u202egnp.exe run"]
        assert all(name in out for name in [*hostile, "two\\nlines", "<script>alert(1)</script>"])
        assert all(letter.isprintable() for line in out.splitlines() for letter in line)


def test_an_audit_counts_and_says_what_needs_a_person(sample, cli):
    out = told(cli("audit", "ycx/RSST", "--check", COLUMNS="80"), 1)
    assert max(cell_len(line) for line in out.splitlines()) <= 80
    assert out.startswith("ycx/RSST: 96 runs\n56 rename, 10 review, 6 hold, 6 current, 18 custom\n")
    assert re.search(r"1 +review +conflict: dataset is cifar100 in the name, cifar10 in", out)
    assert re.search(r"2 +exponents +rsst, ViT, exp_custom_exponents: 33 others have 3", out)
    assert re.search(r"test1 +too plain", out)
    assert all(letter.isprintable() for line in out.splitlines() for letter in line)


def test_an_audit_of_several_projects_as_json(sample, cli):
    out = told(cli("audit", "ycx/RSST", "609354432/RSST", "ycx/empty", "ycx/frozen", "--json"))
    found = json.loads(out)
    runs = {one["project"]: one["runs"] for one in found["projects"]}
    assert runs == {"ycx/RSST": 96, "609354432/RSST": 12, "ycx/empty": 0, "ycx/frozen": 3}
    assert found["total"]["statuses"] == {
        status: sum(one["statuses"][status] for one in found["projects"]) for status in STATUSES
    }
    assert found["projects"][3]["statuses"]["hold"] == 3
    pairs = [(one["arch"], one["dataset"]) for one in found["total"]["pairs"]]
    assert ("vit_small", "cifar100") in pairs
    assert sum(one["runs"] for one in found["total"]["pairs"]) == found["total"]["runs"] == 111


def test_check_passes_where_no_old_name_remains(serve, cli):
    current = "rsst_res20s_cifar100_sched_x_reg_1.0_crit_l1_rate_0.2_0108_1600"
    serve(a_store(run(current, {}), run("my_best_run", {}, run_id="b")))
    done = cli("audit", "ycx/RSST", "--check")
    assert "0 rename, 0 review, 0 hold, 1 current, 1 custom" in told(done)
    assert done.stderr == ""


def test_an_empty_project(sample, cli):
    assert told(cli("report", "ycx/empty")) == "0 runs\n"
    frame = plan("ycx/empty", base_url=sample.url)
    assert (len(frame), list(frame.columns)) == (0, COLUMNS)


# Files.


def test_csv_json_and_markdown_hold_every_run(sample, cli):
    done = cli("report", "ycx/RSST", "-o", "runs.csv")
    assert told(done) == ""
    assert "runs.csv: 96 runs: 56 rename, 10 review" in done.stderr
    assert os.listdir() == ["runs.csv"]
    data = Path("runs.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfentity,project,run_id,")
    lines = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert list(lines[0]) == COLUMNS
    assert not [cell for line in lines for cell in line.values() if cell[:1] in tuple("=+-@\t\r")]
    assert '\'=HYPERLINK("http://localhost","click")' in [line["old_name"] for line in lines]

    rows = json.loads(told(cli("report", "ycx/RSST", "-o", "-", "--format", "json")))
    assert len(rows) == len(lines) == 96
    for row, line in zip(rows, lines, strict=True):
        assert list(row) == [*COLUMNS[:9], "fields", "settled"]
        assert list(row["fields"]) == COLUMNS[9:-1]
        for key, value in {**row, **row["fields"]}.items():
            if key != "fields":
                text = str(value).lower() if isinstance(value, bool) else str(value)
                assert from_csv_cell(line[key]) == ("" if value is None else text)
        assert (row["new_name"] is not None) == (row["status"] == "rename")
    assert "" not in {row["reason"] for row in rows} | {row["settled"] for row in rows}
    first = rows[0]["fields"]
    assert (first["reg"], first["exponents"], first["pretrained"]) == (0.5, 3, True)
    assert (first["struct_target"], rows[0]["created_at"]) == (None, "2025-06-02T09:30:00Z")

    table = told(cli("report", "ycx/RSST", "-o", "/dev/stdout", "--format", "md"))
    assert all(row["run_id"] in table for row in rows)
    assert not re.search(r"\[|<(?!/?details>|/?summary>)", re.sub(r"(`+).+?\1", "", table))
    assert len({line.count(" | ") for line in table.splitlines() if line.startswith("| ")}) == 1


def test_a_dataframe_has_types(sample):
    frame = plan("ycx/RSST", base_url=sample.url)
    assert list(frame.columns) == COLUMNS
    types = {column: str(frame[column].dtype) for column in ("reg", "exponents", "pretrained")}
    assert types == {"reg": "Float64", "exponents": "Int64", "pretrained": "boolean"}
    assert str(frame["created_at"].dtype).endswith("UTC]")
    assert frame["old_name"].dtype == "string"
    counts = frame.groupby("status", observed=False).size()
    assert list(counts.items()) == list(zip(STATUSES, [56, 10, 6, 6, 18], strict=True))
    rates = frame[frame["struct"] == "rsst"].groupby("arch")["rate"].mean()
    assert rates["res18_2"] < 0.2


# Which rows.


def test_status_and_reason_choose_rows_everywhere(sample, cli):
    done = cli("report", "ycx/RSST", "--status", "review", "--status", "current")
    rows = rows_of(told(done))
    assert Counter(status for status, _ in rows.values()) == {"review": 10, "current": 6}
    assert done.stdout.endswith("\n16 runs: 10 review, 6 current\n")
    assert "16 of 96 runs of ycx/RSST\n" in done.stderr
    done = cli("report", "ycx/RSST", "--reason", "invalid", "--reason", "conflict", "-o", "r.json")
    reasons = [row["reason"] for row in json.loads(Path("r.json").read_text())]
    assert {reason.partition(":")[0] for reason in reasons} == {"invalid", "conflict"}
    assert f"{len(reasons)} of 96 runs of ycx/RSST\n" in done.stderr
    assert told(cli("report", "ycx/RSST", "--status", "hold", "--reason", "missing")) == "0 runs\n"


def test_a_match_that_matches_nothing_says_so(sample, cli):
    done = cli("audit", "ycx/RSST", "ycx/empty", "--match", "zzzz")
    assert told(done).startswith("ycx/RSST: 0 runs\n")
    assert done.stderr.startswith("ycx/RSST: no name matches; 96 runs in the project\n")
    assert "empty" not in done.stderr


def test_what_is_assumed_is_counted_among_the_chosen_runs(sample, cli):
    """That other runs have another value is told of them alone."""
    options = ["report", "ycx/RSST", "--status", "rename", "--assume", "rate=0.9"]
    assert "rate=0.9 is assumed for" in cli(*options, "-o", "all.csv").stderr
    assert "is assumed" not in cli(*options, "--match", "^test1$", "-o", "none.csv").stderr


# What comes next.


def test_each_command_names_the_next_one(sample, cli):
    """With the same options; on its own line, to be pasted."""
    options = ["--include-running", "--assume", "rate=0.3", "--assume", "reg=1.0"]
    same = "ycx/RSST --include-running --assume rate=0.3 --assume reg=1.0"
    told_next = cli("audit", "ycx/RSST", *options).stderr.splitlines()
    assert [line for line in told_next if line.startswith(" ")] == [
        f"  rsst-migrate report {same}",
        f"  rsst-migrate settle {same}",
    ]
    told_next = cli("report", "ycx/RSST", *options, "--match", "a b|x").stderr.splitlines()
    same = same.replace("ycx/RSST", "ycx/RSST --match 'a b|x'")
    assert told_next[-1] == f"  rsst-migrate rename {same}"
    told_next = cli("rename", "ycx/RSST", "--dry-run", "--journal", "my.jsonl").stderr.splitlines()
    assert told_next[-1] == "  rsst-migrate rename ycx/RSST --journal my.jsonl"
    told_next = cli("report", "ycx/RSST", "-o", "my plan.csv", *options).stderr.splitlines()
    assert told_next[-1] == "  rsst-migrate rename --plan 'my plan.csv' --include-running"
    assert cli("report", "ycx/RSST", "--status", "current").stderr == "6 of 96 runs of ycx/RSST\n"
    assert cli("audit", "ycx/RSST", "--quiet").stderr == ""
    cli("report", "ycx/RSST", "--status", "custom", "-o", "none.csv")
    assert cli("rename", "--plan", "none.csv").stderr == "Nothing to rename.\n"
    told_next = cli("rename", "ycx/RSST", "--plan", "none.csv").stderr.splitlines()
    assert told_next[-1] == "  rsst-migrate audit ycx/RSST"


# Options.

VIT = arguments("vit_small", "cifar100")
OLD = legacy_name(VIT)
LACKING = {key: value for key, value in VIT.items() if key != "rate"}
UNKNOWN = {key: value for key, value in VIT.items() if key not in ("arch", "dataset")}
UNKNOWN["RST_schedule"] = "x"
TWO = {**VIT, "dataset": "cifar10"}
OPEN = "rsst_x_l1_my_net_my_data"


RULE_THAT_DOES_NOTHING = """\
[[rule]]
where = { arch = "vit_small" }
assume = { rate = 0.3 }

[[rule]]  # for runs that can be renamed as they are
where = { rate = 0.15 }
set = { rate = 0.3 }
"""


@pytest.mark.parametrize("command", ["audit", "report", "rename -n", "settle --print"])
def test_a_rule_that_matches_only_runs_that_need_nothing_is_said(serve, cli, command):
    serve(a_store(run(OLD, LACKING), run(OLD, VIT, run_id="b")))
    Path("rsst-migrate.toml").write_text(RULE_THAT_DOES_NOTHING)
    done = cli(*command.split(), "ycx/RSST")
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if "nothing:" in line] == [
        "rule 2 of rsst-migrate.toml does nothing: it matches only runs that are not in review"
    ]


@pytest.mark.parametrize(
    ("one", "options", "before", "after"),
    [
        (run(OLD, LACKING), {"assume": {"rate": 0.3}}, "missing: rate", "_crit_l1_rate_0.3_pre"),
        (run(OLD, TWO), {"prefer": "name"}, "conflict", "small_cifar100_"),
        (run(OLD, TWO), {"prefer": "config"}, "conflict", "_cifar10_sched"),
        (run(OPEN, UNKNOWN), {"known_arch": ["my_net"]}, "ambiguous", "my_net_my_da"),
        (run(OPEN, UNKNOWN), {"known_dataset": ["my_data"]}, "ambiguous", "my_net_m"),
        (run(OLD, VIT), {"timezone": "Asia/Shanghai"}, "", "_0108_2230"),
        (run(OLD, VIT), {"timestamp_format": "%Y%m%d_%H%M%S"}, "", "_20260108_143000"),
        (run(OLD, VIT), {"extra": ["bs", "n=lr"]}, "", "_bs_128_n_0.1_sched_"),
        (run(OLD, VIT), {"match": re.compile("CIFAR", re.I)}, "", "_0108_1430"),
        (run(OLD, VIT), {"filters": {"state": "finished"}}, "", "_0108_1430"),
        (run(OLD, VIT, state="running"), {"include_running": True}, "running", "_0108_1430"),
    ],
)  # fmt: skip
def test_an_option_settles_what_it_is_for(serve, one, options, before, after):
    sandbox = serve(a_store(one))
    assert (
        plan("ycx/RSST", base_url=sandbox.url)["reason"][0].partition(":")[0]
        == (before.partition(":")[0])
    )
    (row,) = plan("ycx/RSST", base_url=sandbox.url, **options).to_dict("records")
    assert (row["status"], row["reason"]) == ("rename", "")
    assert after in row["new_name"]


SETTLED = """
projects = ["ycx/RSST"]
known-archs = ["res18", "nobodys_net"]
[extra]
opt = "optimizer"
ep = "epocs"
[[rule]]
where = { family = "vit", optimizer = "sgd" }
assume = { rate = 0.3 }
[[rule]]
where = { familly = "cnn" }
prefer = "name"
"""


def test_extra_parts_on_the_command_line_make_no_rule_wrong(serve, cli):
    """--extra wins over the file; what a rule supplies for the file's parts is not needed then."""
    lacking = {key: value for key, value in LACKING.items() if key != "epochs"}
    serve(a_store(run(OLD, {**lacking, "batch_size": 64})))
    Path("rsst-migrate.toml").write_text(
        "[extra]\nep = 'epochs'\n[[rule]]\nassume = { rate = 0.3, epochs = 7 }\n"
    )
    assert "rsst_vit_small_cifar100_ep_7_sched_" in told(cli("report", "ycx/RSST"))
    (row,) = json.loads(cli("report", "ycx/RSST", "--extra", "bs", "--format", "json").stdout)
    assert "_cifar100_bs_64_sched_" in row["new_name"]
    assert row["settled"] == "assumed rate=0.3"
    # Nor is a rule wrong that supplies what --extra alone asks for.
    Path("rsst-migrate.toml").write_text("[[rule]]\nassume = { rate = 0.3, epochs = 7 }\n")
    assert "_ep_7_" in told(cli("report", "ycx/RSST", "--extra", "ep=epochs"))


def test_a_configuration_file_says_which_projects_and_how(serve, cli):
    lacking = {**LACKING, "optimizer": "sgd"}
    serve(a_store(run(OLD, lacking), run(OLD, {**lacking, "optimizer": "adam"}, run_id="b")))
    Path("rsst-migrate.toml").write_text(SETTLED)
    done = cli("report")
    told(done)
    assert "  → rsst_vit_small_cifar100_opt_sgd_sched_" in done.stdout
    assert "    assumed rate=0.3\n" in done.stdout
    assert "    missing: rate\n" in done.stdout
    assert done.stderr.splitlines()[:4] == [
        "rule 2 of rsst-migrate.toml is unused: it matches no run (no familly in a config; did you "
        "mean family?)",
        "res18 is a known architecture already",
        "no run has the architecture nobodys_net",
        "no run has the argument epocs",
    ]
    done = cli("rename", "--yes", "--journal", "j")
    told(done)
    assert "With values that rules or options supplied: 1 of 1 run.\n" in done.stderr
    header, planned, *_ = map(json.loads, Path("j").read_text().splitlines())
    assert planned["settled"] == "assumed rate=0.3"
    assert header["made_with"]["rules"][0] == {
        "file": "rsst-migrate.toml",
        "number": 1,
        "where": {"family": "vit", "optimizer": "sgd"},
        "assume": {"rate": 0.3},
    }
    told(cli("undo", "j", "--yes"))
    table = told(cli("report", "ycx/RSST", "--config", "none", "--assume", "rate=0.2", "--all"))
    assert table.count("    assumed rate=0.2\n") == 2


def test_the_same_options_on_the_command_line(serve, cli):
    serve(
        a_store(
            run(OLD, {**LACKING, "dataset": "cifar10"}, run_id="a"),
            run(OPEN, UNKNOWN, run_id="b", state="running"),
            run(OLD, VIT, run_id="c", tags=["no"]),
            run("test1", VIT, run_id="d"),
        )
    )
    words = (
        "report ycx/RSST --format json --assume rate=0.3 --prefer config --known-arch my_net "
        "--match ^rsst_ --timezone +08:00 --timestamp-format %Y%m%d_%H%M --extra bs "
        "--include-running"
    )
    done = cli(*words.split(), "--filters", '{"name": {"$ne": "c"}}')
    names = {row["run_id"]: row["new_name"] for row in json.loads(told(done))}
    tail = "_pretrained_20260108_2230"
    assert names == {
        "a": "rsst_vit_small_cifar10_bs_128_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1"
        f"_rate_0.3{tail}",
        "b": f"rsst_my_net_my_data_bs_128_sched_x_reg_0.5_crit_l1_rate_0.15{tail}",
    }


# The demo.


def test_the_demo_goes_a_screen_at_a_time_and_says_what_to_type(cli):
    done = cli("demo", COLUMNS="80")
    out = told(done)
    steps = re.split(r"\n(?=\d\. )", out)[1:]
    commands = [re.search(r"^\$ rsst-migrate (\w+)", step, re.M)[1] for step in steps]
    assert commands == ["audit", "report", "rename", "audit", "undo"]
    for step, command in zip(steps, commands, strict=True):
        rows = sum(max(1, -(-cell_len(line) // 80)) for line in step.splitlines())
        said = 0 if command in ("audit", "report") else 4  # on stderr
        assert rows + said <= 24
    assert "96 runs: 56 rename, 10 review, 6 hold, 6 current, 18 custom" in steps[1]
    assert "53 rename, 10 review, 6 hold, 9 current, 18 custom" in steps[3]
    assert len(done.stderr.splitlines()) <= 8
    assert "3 of 3 runs renamed, read back from the server." in done.stderr
    assert "3 of 3 runs put back, read back from the server." in done.stderr
    assert out.endswith(":\n  rsst-migrate report entity/project\n")
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timezone": 8}, "timezone: 8 is not a string"),
        ({"filters": "x"}, "filters is not JSON"),
        ({"filters": 3}, "filters takes a mapping, as .*, not 3."),
        ({"filters": {"createdAt": date(2026, 1, 8)}}, "filters is not JSON .*date"),
        ({"match": 3}, "match takes a regular expression, not 3."),
        ({"base_url": 3}, "base_url takes a string, not 3."),
        ({"extra": 3}, "extra takes a string, or a list of strings, not 3."),
        (
            {"known_arch": ["a", 3]},
            r"known_arch takes a string, or a list of strings, not \['a', 3\].",
        ),
        ({"known_arch": "my net"}, "known_arch: 'my net' cannot stand in a name"),
        ({"known_dataset": ""}, "known_dataset: '' is empty: write a name."),
        ({"assume": "rate=0.15"}, 'assume takes a mapping, as {"rate": 0.15}, not'),
        ({"assume": {"rate": 15}}, "assume rate=15: 15 is not a valid rate"),
        ({"assume": {3: 1}}, "assume 3=1: 3 is not a known key"),
        ({"config": "a--b.toml"}, "Cannot read the configuration file a--b.toml"),
    ],
)
def test_an_argument_that_is_not_valid_is_named_as_it_was_given(options, words):
    with pytest.raises(InputError, match=f"^{words}"):
        plan("ycx/RSST", **options)

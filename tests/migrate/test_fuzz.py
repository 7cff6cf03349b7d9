"""Any input at every door: projects, servers' answers, plans, journals, command lines.

A door is a function that takes any input and checks what always holds: no fault, no hang, no
name written but the plan's, nothing printed that acts. Each is fed what hypothesis makes up, and
the lines of crashes.txt. FUZZ=20000 in the environment makes it long.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rich.console import Console

import naming
from migrate.cli import app as command_line
from migrate.cli.copied import copied_store, read_rows
from migrate.cli.request import Request
from migrate.client import retry
from migrate.client.documents import read_page, read_run
from migrate.client.paths import parse_path
from migrate.client.runs import ProjectKey, RunKey
from migrate.client.server import connect
from migrate.errors import InputError, ServerError
from migrate.mapping.made_with import made_with
from migrate.mapping.mapping import Options
from migrate.mapping.projects import list_runs
from migrate.mapping.rows import OLD, Reason, Row, RuleSource, Settled
from migrate.mapping.rules import Rule, Where
from migrate.rename import batches, verify
from migrate.rename.execute import run
from migrate.rename.journal import Header, Journal
from migrate.rename.journal import read as read_journal
from migrate.rename.plan import PlannedRename
from migrate.rename.plan_file import check_new_name, read_plan
from migrate.report.audit import audit
from migrate.report.files import FORMATS
from migrate.report.origin import Origin
from migrate.report.terminal import print_audit, print_report
from migrate.sandbox.filters import moment
from migrate.sandbox.service import Service
from migrate.sandbox.store import Store, StoredRun
from migrate.text import visible
from naming import CONFIG_KEYS, MAX_LENGTH, Style, parse_name
from tests.migrate.mapped import map_runs

WHERE = ProjectKey("ycx", "RSST")
HERE = Path(__file__).parent
AT = datetime(2026, 1, 8, 14, 30, tzinfo=UTC)
FUZZ = os.environ.get("FUZZ")


def fuzz(door, strategy, fewer=1):
    """Feed a door; one that is slow is fed less."""
    made = given(strategy)(lambda value: through(door, value))
    settings(
        max_examples=max(10, int(FUZZ or 60) // fewer),
        derandomize=FUZZ is None,
        deadline=None,
        phases=[Phase.generate],  # shrinking takes minutes
        suppress_health_check=list(HealthCheck),
    )(made)()


def through(door, value):
    """Take it to the door; it is let in or turned away soon."""
    if isinstance(value, list) and value and isinstance(value[0], list | tuple):
        with suppress(TypeError, ValueError):
            value = "".join(piece * times for piece, times in value)
    start = time.process_time()
    door(value)
    assert time.process_time() - start < 5


def printable(text):
    """Whether nothing in it acts on a terminal."""
    return all(visible(line) == line for line in text.split("\n"))


# What they are fed.

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
WORDS = st.sampled_from(
    "rsst refill x exp_custom_exponents l1 magnitude res20s vit_small mamba_tiny cifar10 imagenet "
    "my_net my_data sched reg crit rate fill exp3 pretrained 0108_1430 2 bs_128".split()
)
OLD_NAMES = st.builds(
    lambda *words: "_".join(words),
    st.sampled_from(["rsst", "refill"]),
    st.sampled_from(["x", "exp", "exp_custom_exponents"]),
    st.sampled_from(["l1", "l2"]),
    st.sampled_from(["res20s", "vit_small", "my_net", "vit_small_imagenet"]),
    st.sampled_from(["cifar10", "cifar100", "my_data", "imagenet"]),
)
NEW_NAMES = st.sampled_from(
    [
        "rsst_res20s_cifar10_sched_x_reg_1.0_crit_l1_rate_0.2_0108_1430",
        "rsst_res20s_cifar10_sched_x_reg_1.0_crit_l1_rate_0.2_0108_1430_2",
        "refill_vit_small_cifar10_fill_0.1_crit_l2_rate_0.2_pretrained_0108_1430",
    ]
)
NAMES = OLD_NAMES | NEW_NAMES | ANY_TEXT | st.lists(WORDS, max_size=9).map("_".join)
ODD_TEXT = ANY_TEXT | st.lists(
    st.tuples(st.sampled_from(["a", "_", "a_", "模", "\u0301", "\x1b[", "é ", "1e", "'", "<b>"]),
              st.integers(1, 300)),
    min_size=1, max_size=4,
).map(lambda pieces: "".join(piece * times for piece, times in pieces))  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
VALUES = (
    st.sampled_from([0.1, 1, 0.2, "0.20", "None", True, "head", "weights/a.pth"]) | JSON | WORDS
)
GOOD_CONFIG = {
    "reg_granularity_prune": 1,
    "exponents": 3,
    "rate": 0.2,
    "fillback_rate": 0.1,
}
PARTS = ("struct", "RST_schedule", "criteria", "arch", "dataset")
WRAPPED = VALUES | VALUES.map(lambda value: {"value": value, "desc": None})
CONFIGS = st.builds(
    lambda good, odd: {**GOOD_CONFIG, **good, **odd},
    st.dictionaries(st.sampled_from(PARTS), WORDS, max_size=5),
    st.dictionaries(st.sampled_from(CONFIG_KEYS) | ANY_TEXT, WRAPPED, max_size=3),
)
TIMES = st.sampled_from(
    [
        "2026-01-08T14:30:00",
        "2026-01-08T14:30:00Z",
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59Z",
        "2026-01-08T22:30:00.5+08:00",
        "20260108",
        "2026-W02-4",
        "yesterday",
        "",
    ]
)


@st.composite
def nodes(draw):
    """A listing's entry that the schema allows."""
    name = draw(NAMES)
    config = draw(CONFIGS)
    if draw(st.booleans()):  # the config says what the name says, or something else of the kind
        parsed = parse_name(draw(st.just(name) | OLD_NAMES))
        said = parsed.readings[0] if parsed.readings else {}
        for key, field in zip(PARTS, ("struct", "schedule", *PARTS[2:]), strict=True):
            if said.get(field):
                config[key] = said[field]
    text = draw(st.sampled_from([json.dumps(config)] * 8 + ["{", "null", "[]", "[" * 2000]))
    return {
        "id": draw(st.sampled_from("ABCDEF")),
        "name": draw(st.sampled_from("abcdef") | ANY_TEXT.filter(bool)),
        "displayName": draw(st.just(name) | st.none()),
        "state": draw(st.sampled_from(["finished", "running", "crashed", "sleeping", "", None])),
        "createdAt": draw(TIMES | st.none()),
        "readOnly": draw(st.sampled_from([False, False, False, True, None])),
        "config": text,
    }


PROJECTS = st.lists(nodes(), max_size=8)
MAPPINGS = st.builds(
    Options,
    style=st.builds(Style, st.sampled_from(["%m%d_%H%M", "%Y"]), st.sampled_from([(), ("lr",)])),
    rules=st.lists(
        st.builds(
            Rule,
            st.sampled_from(
                [
                    Where(),
                    Where(family=frozenset(["cnn", "other"])),
                    Where(name=re.compile("_x_"), reason=frozenset(["conflict", "invalid"])),
                    Where(values={"rate": frozenset([0.2]), "seed": frozenset(["x"])}),
                ]
            ),
            st.builds(RuleSource, file=st.just("rsst-migrate.toml"), number=st.integers(1, 99)),
            st.sampled_from([{}, {"rate": 0.3, "arch": "my_net"}, {"exponents": 2}]),
            st.sampled_from([{}, {"RST_schedule": "x", "rate": 0.1}, {"arch": "net", "lr": 1.0}]),
            st.sampled_from([None, "name", "config"]),
        ),
        max_size=3,
    ).map(tuple),
    include_running=st.booleans(),
)


# Doors without a server.


def outputs(text):
    """Any text, everywhere where other people's text stands, in every output."""
    fields = {"arch": text, "dataset": text, "struct": text, "rate": 0.5, "exponents": 3}
    near_miss = (Reason("near-miss", (naming.Reason("near-miss", "after", text),)),)
    reasons = (Reason("missing", ("rate",)), Reason("conflict", (("arch", text, text),)))
    source = RuleSource(option=text)
    settled = (
        Settled("set", text, text, text, source),
        Settled("preferred", text, "name", text, source),
    )
    rows = [
        Row(RunKey("ycx", "RSST", "a"), "x", AT, "rename", (), text, f"{text}_", fields, settled),
        Row(RunKey("ycx", "RSST", text), text, None, "custom", near_miss, text, None, {}),
        Row(RunKey(text, text, "c"), "x", AT, "review", reasons, text, None, fields),
    ]
    every_output(rows)


def every_output(rows):
    for width in (40, 100):
        stream = io.StringIO()
        console = Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
        print_report(console, rows, rows)
        print_audit(console, audit("ycx/RSST", rows))
        assert printable(stream.getvalue())
    for write in FORMATS.values():
        assert write(rows, Origin("http://localhost", AT))


def project(given_project):
    """The runs of a project as they come, mapped: no name is given twice, or taken from a run."""
    listed, options = given_project
    edges = [{"node": node} for node in listed]
    page = read_page({"runs": {"edges": edges, "pageInfo": {}}}, "runs")
    every = {node["name"]: read_run(node, WHERE, read_only=False) for node in page.nodes}
    runs = list(every.values())
    rows = map_runs(runs, options)
    assert sorted(row.key.run_id for row in rows) == sorted(every)
    new = {row.key.run_id: row.new_name for row in rows if row.status == "rename"}
    assert len(set(new.values())) == len(new)
    assert not set(new.values()) & {row.old_name for row in rows if row.key.run_id not in new}
    for row in rows:
        assert (row.new_name is not None) == (row.status == "rename")
        assert (row.reasons == ()) == (row.status in ("rename", "current"))
        if row.new_name is not None:
            assert check_new_name(row.new_name) is None
            assert row.old_name
            assert len(row.new_name) <= MAX_LENGTH
    renamed = [replace(one, name=new.get(one.key.run_id, one.name)) for one in runs]
    again = map_runs(renamed, options)
    assert not [row for row in again if row.key.run_id in new and row.status in OLD]
    assert not [row for row in again if row.new_name is not None]


def report(given_project):
    """The same, in every output."""
    listed, options = given_project
    every_output(map_runs([read_run(node, WHERE, read_only=False) for node in listed], options))


def plan(data):
    """A plan file of any bytes: its renames, or all that is wrong with it."""
    path = Path("plan")
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    try:
        found = read_plan(path)
    except InputError as error:
        assert len(str(error)) < 10_000  # noqa: PT017
        return
    assert len({rename.key for rename in found}) == len(found)
    for one in found:
        assert check_new_name(one.new_name) is None
        assert one.old_name != one.new_name


def configuration(data):
    """A configuration file of any bytes: options, or what is wrong with it in a line."""
    path = Path("rules.toml")
    path.write_bytes(data)
    try:
        asked = Request(["a/b"], config=str(path)).asked()
    except InputError as error:
        assert printable(str(error)) and len(str(error)) < 2_000  # noqa: PT017, PT018
        return
    map_runs([], asked.options)
    json.dumps(made_with(asked.options, {}))


def copied(data):
    """A saved report of any bytes: its runs, ready to be served, or what is wrong with it."""
    path = Path("report")
    path.write_bytes(data)
    try:
        rows = read_rows(path)
    except InputError as error:
        assert printable(str(error)[:10_000]) and len(str(error)) < 10_000  # noqa: PT017, PT018
        return
    runs = copied_store(rows).by_id.values()
    assert [run.displayName for run in runs] == [row.old_name for row in rows]
    assert all(json.loads(run.config) and moment(run.createdAt) for run in runs)


def journal(data):
    """A journal of any bytes: what it holds, or that it is none; going on never harms it."""
    path = Path("journal")
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    try:
        recorded = read_journal(path)
    except InputError:
        return
    assert all(isinstance(part, str) for one in recorded.plan for part in one.back().key)
    opened, again = Journal.reopen(path)
    with opened:
        opened.begin("undo")
    assert again == recorded
    assert path.read_bytes().startswith(data[: recorded.size] if isinstance(data, bytes) else b"")
    if recorded.complete:
        assert read_journal(path).last == "undo"


ROWS = [
    Row(RunKey("ycx", "RSST", f"r{n}"), "x", AT, status, (), old, f"new_{n}", {"rate": 0.5})  # type: ignore[arg-type]
    for n, (status, old) in enumerate(
        [("rename", "a"), ("rename", '=1+1, "quoted"\nline'), ("custom", "模"), ("rename", "'1e5")]
    )
]
PLANS = [FORMATS[suffix](ROWS, Origin("http://localhost", AT)) for suffix in ("csv", "json")]
JOURNAL = "\n".join(
    json.dumps(record)
    for record in [
        {"record": "header", "format": "rsst-migrate journal", "version": 1,
         "server": "http://h", "projects": ["e/p"], "time": "2026-01-08T14:30:00Z",
         "include_running": False},
        {"record": "plan", "entity": "e", "project": "p", "run_id": "r",
         "old_name": "a", "new_name": "b"},
        {"record": "planned", "runs": 1},
        {"record": "begin", "direction": "rename", "time": "2026-01-08T14:30:00Z"},
        {"record": "intent", "direction": "rename", "runs": [["e", "p", "r"]]},
        {"record": "outcome", "runs": [["e", "p", "r", "done"]]},
        {"record": "begin", "direction": "undo", "time": "2026-01-08T14:30:00Z"},
        {"record": "outcome", "runs": [["e", "p", "r", "refused: no"]]},
    ]
).encode() + b"\n"  # fmt: skip
# The same in version 2: outcomes have a code, data, and the direction of their work.
JOURNAL_2 = (
    JOURNAL.replace(b'"version": 1', b'"version": 2')
    .replace(b'"outcome", "runs": [["e", "p", "r", "done"]]',
             b'"outcome", "direction": "rename", "runs": [["e", "p", "r", "altered", "c"]]')
    .replace(b'"outcome", "runs": [["e", "p", "r", "refused: no"]]',
             b'"outcome", "direction": "undo", "runs": [["e", "p", "r", "refused", "no"]]')
)  # fmt: skip


CONFIGURATION = b"""
projects = ["a"]
timezone = "+08:00"
known-archs = ["a"]
extra = { ep = "epochs", r = "rate" }
[[rule]]
where = { arch = ["a", "b"], rate = 1, before = 2025-09-01, name = "_a$", reason = "invalid" }
assume = { rate = 1, "reg" = 0.5 }
[[rule]]
where = { after = 2025-09-01T14:30:00Z, pretrained = true, family = "cnn" }
set = { arch = "a", ep = 1 }
prefer = "name"
"""


@st.composite
def mutated(draw, originals):
    """A file with a few pieces changed, doubled, moved or left out: bytes, lines, JSON values."""
    data = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(0, 4))):
        how = draw(st.sampled_from(["bytes", "line", "value", "cut"]))
        if how == "bytes":
            at = draw(st.integers(0, len(data)))
            data = data[:at] + draw(st.binary(max_size=6)) + data[at + draw(st.integers(0, 6)) :]
        elif how == "line":
            lines = data.split(b"\n")
            at, to = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines)))
            kept = lines[at : at + draw(st.integers(0, 1))]
            data = b"\n".join(
                [*lines[:to], lines[at], *lines[to:]] if kept else lines[:at] + lines[at + 1 :]
            )
        elif how == "value":
            odd = draw(
                st.sampled_from(["[" * 3000, "9" * 5000, "[]", "{}", "null", "NaN", "1e999"])
            )
            old = draw(
                st.sampled_from([b'"a"', b'"rename"', b"1", b'["e", "p", "r"]', b"[", b'"r"'])
            )
            data = data.replace(old, draw(st.just(odd) | JSON.map(json.dumps)).encode(), 1)
        else:
            data = data[: draw(st.integers(0, len(data)))]
    return data


OFFLINE = {
    outputs: (ODD_TEXT, 4),
    project: (st.tuples(PROJECTS, MAPPINGS), 1),
    report: (st.tuples(PROJECTS, MAPPINGS), 4),
    plan: (mutated(PLANS) | st.binary(max_size=200), 1),
    configuration: (mutated([CONFIGURATION]) | st.binary(max_size=200), 1),
    copied: (mutated(PLANS[1:]) | st.binary(max_size=200), 1),
    journal: (mutated([JOURNAL, JOURNAL_2]) | st.binary(max_size=200), 1),
}


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch):
    monkeypatch.setattr(retry, "WAIT_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(batches, "WAIT_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(verify, "LAG_SECONDS", ())


@pytest.mark.parametrize("door", OFFLINE)
def test_any_input(door):
    fuzz(door, *OFFLINE[door])


# Doors of the command line and of servers: real HTTP, through the real wandb client.


@pytest.fixture
def call(monkeypatch):
    """Call the command line in this process; gives the exit code, and what was printed."""

    def run_it(words):
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace") for _ in "oe")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["rsst-migrate", *words])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\n\xffb\n"), "utf-8"))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            with pytest.raises(SystemExit) as ended:
                command_line.main()
        said = []
        for stream in (out, err):
            stream.flush()
            said.append(stream.buffer.getvalue().decode("utf-8", "replace"))
        return (ended.value.code, *said)

    return run_it


# What a shell can pass on: no NUL, and bytes that are no UTF-8 as halves of pairs.
ARGUMENTS = st.binary(max_size=20).map(lambda text: os.fsdecode(text.replace(b"\0", b"")))
OPTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            "--match --filters --timezone --timestamp-format --extra --assume --prefer "
            "--known-arch --known-dataset --config --limit --format --at --exp_name --rate --seed "
            "--exponents --plan".split()
        ),
        ARGUMENTS
        | st.sampled_from(
            [
                "[[a]",
                "(",
                "a{" + "9" * 5000 + "}",
                "(?L)",
                "{}",
                '{"a": NaN}',
                "[" * 5000,
                "%Y",
                "1",
                "UTC",
                "Asia",
                "bs,bs",
                "rate=0.1",
                "rate=",
                "name",
                "0001-01-01",
                "9999-12-31T23:59Z",
                '{"name": {"$in": "a"}}',
                '{"$or": {}}',
                "plan.csv",
                "csv",
                "9" * 5000,
                "/" + "a" * 5000,
            ]
        ),
    ),
    max_size=4,
).map(lambda pairs: [word for pair in pairs for word in pair])
CALLS = st.builds(
    lambda command, options, others, flags: [*command, *options, *others, *flags],
    st.sampled_from(
        [
            ["parse"],
            ["name"],
            ["completion"],
            ["report", "ycx/RSST"],
            ["audit", "ycx/RSST"],
            ["rename", "ycx/RSST", "--dry-run"],
            ["rename"],
            ["undo"],
            ["resume", "j"],
        ]
    ),
    OPTIONS,
    st.lists(
        ARGUMENTS | NAMES.map(lambda text: text.encode("utf-8", "replace").decode()), max_size=2
    ),
    st.sets(st.sampled_from("--json --all --quiet --cnn-exponents --no-color --check".split())),
).map(lambda words: [word.replace("\0", "") for word in words])


def a_call(call, sandbox):
    def calls(words):
        before = sandbox.store.state()
        code, out, err = call(words)
        assert code in (0, 1, 2), err
        assert "fault of rsst-migrate" not in err
        assert "Traceback" not in err
        assert printable(err)
        assert (code != 2) or (err.startswith("error: ") and not out) or "--json" in words
        assert sandbox.store.state() == before

    return calls


@pytest.mark.filterwarnings("error::FutureWarning")
def test_any_call(call, serve):
    fuzz(a_call(call, serve(runs=3)), CALLS, 2)


LISTINGS = st.lists(
    st.tuples(
        st.lists(nodes() | st.none() | st.just({}), max_size=4),
        st.sampled_from([True, False, None]),
        st.sampled_from(["new", "new", "new", "c", "", None, 7]),
        st.sampled_from([0, 1, 7, -1, None, "7"]),
    ),
    min_size=1,
    max_size=4,
)


def test_any_listing(odd_server):
    """Pages without runs, twice the same, with the cursor of another, without an end."""
    script = []

    def answer(request):
        number = len(odd.requests)
        listed, more, cursor, count = script[min(number, len(script)) - 1]
        info = {"hasNextPage": more, "endCursor": f"c{number}" if cursor == "new" else cursor}
        runs = {"edges": [{"node": one} for one in listed], "pageInfo": info}
        return 200, {"data": {"project": {"readOnly": None, "runCount": count, "runs": runs}}}

    odd = odd_server(answer)
    server = connect(odd.url)

    def listing(pages):
        script[:] = pages
        odd.requests.clear()
        with suppress(ServerError):
            runs = list_runs(server.project(parse_path("ycx/RSST")))
            assert len({one.key.run_id for one in runs}) == len(runs)
            map_runs(runs)
        assert len(odd.requests) < 90

    through(listing, [([], True, "new", 0)])
    fuzz(listing, LISTINGS, 2)


def nulled(answer, place):
    """An answer with null in one place: each of them is one that the schema allows, or nearly."""
    spots = []

    def walk(value):
        for key in value if isinstance(value, dict) else range(len(value)):
            spots.append((value, key))
            if isinstance(value[key], dict | list):
                walk(value[key])

    walk(answer)
    value, key = spots[place % len(spots)]
    value[key] = None
    return answer


def doubled(answer, place):
    """A listing with a run twice, or with one left out."""
    edges = ((answer["data"].get("project") or {}).get("runs") or {}).get("edges") or []
    if edges:
        edges[place % len(edges) :: 2] = edges[:1] * len(edges[place % len(edges) :: 2])
    return answer


def renamed_otherwise(answer, place):
    """An answer that carries another name than the one that was sent."""
    return json.loads(json.dumps(answer).replace("new", "news", 1 + place % 2))


def complaining(answer, place):
    """What was asked was done, and the server complains."""
    path = [None, ["r0"], ["r" + "9" * 4400], ["project"], ["r1", "bucket"]][place % 5]
    return {"errors": [{"message": "no such luck", **({"path": path} if path else {})}]}


ODD_ANSWERS = st.lists(
    st.none()
    | st.tuples(
        st.sampled_from([nulled, doubled, renamed_otherwise, complaining]), st.integers(0, 60)
    ),
    max_size=6,
)


def test_any_answers_to_a_rename(odd_server):
    """Whatever the server answers, only the plan's names are sent, and the end is told."""
    script = []
    service = Service(Store())

    def answer(request):
        answered = service.answer(request["query"], request.get("variables") or {})
        found = asyncio.run(answered).body
        change = script.pop(0) if script else None
        return 200, found if change is None else change[0](json.loads(json.dumps(found)), change[1])

    odd = odd_server(answer)
    server = connect(odd.url)
    plan = [PlannedRename(RunKey(*WHERE, f"r{n}"), f"old {n}", f"new {n}") for n in range(3)]

    def renaming(answers):
        nonlocal service
        script[:] = answers
        odd.requests.clear()
        store = Store()
        ids = {}
        for one in plan:
            made = StoredRun(one.key.run_id, one.old_name, "{}", summaryMetrics="{}")
            store.add("ycx", "RSST", made)
            ids[made.id] = one.new_name
        service = Service(store)
        path = Path("rename.jsonl")
        path.unlink(missing_ok=True)
        with Journal.create(path, Header.of(server.base_url, plan), plan) as opened:
            opened.begin("rename")
            result = run(plan, {WHERE: server.project(parse_path("ycx/RSST"))}, opened, "rename")
        assert result.stopped is None or result.stopped.code != "fault"
        assert result.done | result.failed.keys() == {one.key for one in plan}
        assert not result.done & result.failed.keys()
        assert all(ids[sent["id"]] == sent["displayName"] for sent in service.mutations)
        recorded = read_journal(path)
        for one in plan:
            if store.names("ycx", "RSST")[one.key.run_id] == one.new_name:
                assert one.key in recorded.sent or result.outcomes[one.key].code == "altered"
        assert len(odd.requests) < 60

    fuzz(renaming, ODD_ANSWERS, 1)


# What once went wrong.


def crashes():
    """The table's lines, as parameters."""
    lines = (HERE / "crashes.txt").read_text("utf-8").splitlines()
    split = [line.split(" | ", 1) for line in lines if line and not line.startswith("#")]
    return [pytest.param(door, json.loads(value), id=value[:60]) for door, value in split]


@pytest.mark.filterwarnings("error::FutureWarning")
@pytest.mark.parametrize(("door", "value"), crashes())
def test_what_once_went_wrong(door, value, request):
    if door == "call":
        calls = a_call(request.getfixturevalue("call"), request.getfixturevalue("serve")(runs=3))
        calls(value)
    else:
        through({door.__name__: door for door in OFFLINE}[door], value)

"""A listing is complete or an error: ties, deletions, and pages that a server cannot serve."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.client.documents import COUNT, RUN_IDS, NodePage, list_document, read_page
from migrate.client.listing import Listing, missing_runs
from migrate.client.paths import parse_path
from migrate.client.server import connect
from migrate.console import Bar
from migrate.errors import Incomplete, ServerError
from migrate.sandbox import resolvers
from migrate.sandbox.service import Service
from migrate.sandbox.store import Store, StoredRun


def store_of(seconds):
    """A project with a run for each of these seconds of one day."""
    store = Store()
    for number, second in enumerate(seconds):
        at = f"2026-01-08T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        run = StoredRun(f"r{number:05d}", "x", createdAt=at, summaryMetrics="{}")
        store.add("ycx", "RSST", run)
    return store


def job_arrays(runs=2600, arrays=4, size=400):
    """Runs a minute apart, and among them arrays whose runs were all created in one second."""
    seconds = []
    while len(seconds) < runs:
        at = len(seconds) % (runs // arrays) == (runs // arrays) - size
        seconds += [30 * len(seconds)] * (size if at else 1)
    return seconds


def everything(sandbox):
    return set(sandbox.store.project("ycx", "RSST").runs)


@pytest.fixture
def project_of():
    """The project on a sandbox, with pages of so many runs at the most."""

    def make(sandbox, *sizes):
        project = connect(sandbox.url).project(parse_path("ycx/RSST"))
        if sizes:
            project._page_size.sizes = sizes
        return project

    return make


def listed(project):
    """The ids of the listing; each run must come once."""
    ids = [run.key.run_id for page in project.pages() for run in page.runs]
    assert len(set(ids)) == len(ids)
    return set(ids)


# Runs of one second.


def test_job_arrays_of_400_in_a_second(serve, project_of):
    seconds = job_arrays()
    assert len(seconds) == 2600
    assert sorted(seconds.count(second) for second in set(seconds))[-5:] == [1, 400, 400, 400, 400]
    sandbox = serve(store_of(seconds))
    assert listed(project_of(sandbox)) == everything(sandbox)
    assert sandbox.counts.requests["query"] <= 6


@pytest.mark.parametrize(
    ("seconds", "size"),
    [
        ([7] * 30, 7),
        ([7] * 30, 30),
        ([7] * 30, 29),
        ([7] * 400, 60),
        ([1, 2, *[7] * 30, 8, 9], 7),
        ([1, *[7] * 30, *[8] * 30], 10),
        ([7] * 10 + [8] * 10 + [9] * 10, 10),
        ([7] * 11 + [8] * 9 + [9] * 10, 10),
        ([7, 8] * 20, 10),
        ([1, 1, 2, 2, 3, 3], 2),
        (list(range(30)), 2),
        ([], 5),
        ([7], 1),
        ([7, 7, 7], 1),
    ],
)
def test_more_runs_in_a_second_than_a_page_holds(serve, project_of, seconds, size):
    sandbox = serve(store_of(seconds))
    sandbox.store.project("ycx", "RSST")
    assert listed(project_of(sandbox, size)) == everything(sandbox)


def test_1200_runs_in_one_second(serve, project_of):
    sandbox = serve(store_of([5, *[7] * 1200, 9]))
    assert listed(project_of(sandbox)) == everything(sandbox)


def test_filters_go_with_the_time(serve, project_of):
    sandbox = serve(store_of([1, *[7] * 30, 8, 9, *[10] * 30]))
    runs = sandbox.store.project("ycx", "RSST").runs
    wanted = {run_id for run_id in runs if int(run_id[1:]) % 3}
    for run_id in wanted:
        runs[run_id].state = "crashed"
    project = project_of(sandbox, 7)
    assert project.matching({"state": "crashed"}, Bar()) == wanted
    by_time = {"created_at": {"$gte": "2026-01-08T00:00:08"}}
    assert len(project.matching(by_time, Bar())) == 32


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seconds=st.lists(st.integers(0, 6), max_size=40),
    size=st.integers(1, 12),
    deleted=st.dictionaries(st.integers(1, 12), st.integers(0, 39), max_size=3),
    created=st.sets(st.integers(1, 12), max_size=2),
    counts=st.booleans(),
)
def test_any_listing_is_complete(seconds, size, deleted, created, counts):
    """Runs are deleted and created between its pages; those that were there all along are listed.

    Over the sandbox's own service, without HTTP between.
    """
    store = store_of(sorted(seconds))
    project = store.project("ycx", "RSST")
    service, asked = Service(store), 0
    where = {"entity": "ycx", "project": "RSST"}

    def send(document, **variables):
        body = asyncio.run(service.answer(document, {**where, **variables})).body
        return body["data"]["project"]

    def filters_of(filters):
        return None if filters is None else json.dumps(filters)

    def ask(filters, after):
        nonlocal asked
        asked += 1
        document = list_document(RUN_IDS, read_only=True)
        page = read_page(
            send(document, filters=filters_of(filters), first=size, after=after), "runs"
        )
        run = project.runs.get(f"r{deleted.get(asked, 99):05d}")
        if run is not None:
            store.remove(run)
        if asked in created:
            at = "2026-01-08T00:00:03"
            store.add("ycx", "RSST", StoredRun(f"n{asked}", "x", createdAt=at))
        return page

    def count(filters):
        return send(COUNT, filters=filters_of(filters))["runCount"] if counts else None

    before = set(project.runs)
    listing = Listing(ask, count, None)
    ids = [node["name"] for nodes in listing.pages() for node in nodes]
    assert len(set(ids)) == len(ids)
    most_in_a_second = max((seconds.count(second) for second in set(seconds)), default=0)
    if counts or most_in_a_second + len(created) <= size:
        assert before & set(project.runs) <= set(ids)
    assert set(ids) <= before | {f"n{number}" for number in created}


def test_a_pass_that_finds_nothing_new_is_not_the_last_where_nobody_counts():
    """Four runs of one second, two a page; three passes show the same three of them."""

    def page(*numbers, more):
        at = {"createdAt": "2026-01-08T00:00:00"}
        return NodePage([{"name": f"r{number}", **at} for number in numbers], more, "cursor", None)

    same = [page(0, 1, more=True), page(1, 2, more=False)]
    other = [page(0, 1, more=True), page(2, 3, more=False)]
    pages = iter([same[0], same[0], *same * 3, *other * 6, page(more=False)])
    listing = Listing(lambda *_: next(pages), lambda _: None, None)
    ids = [node["name"] for nodes in listing.pages() for node in nodes]
    assert sorted(ids) == ["r0", "r1", "r2", "r3"]
    assert list(pages) == []


# Runs that come and go meanwhile.


def test_five_runs_deleted_while_they_are_listed(serve, project_of):
    sandbox = serve(store_of([30 * number for number in range(2600)]))
    sandbox.faults.add("run-deleted", times=5)
    before = everything(sandbox)
    ids = listed(project_of(sandbox, 250))
    assert len(before) == len(everything(sandbox)) + 5
    assert everything(sandbox) <= ids <= before


def test_runs_created_while_they_are_listed(serve, project_of):
    sandbox = serve(store_of([30 * number for number in range(1, 300)]))
    sandbox.faults.add("run-created", times=5)
    before = everything(sandbox)
    assert before <= listed(project_of(sandbox, 50)) <= everything(sandbox)
    assert len(everything(sandbox)) == len(before) + 5


# Pages that a server cannot serve.


@pytest.mark.parametrize("how", ["500", "504", "413", "hang", "first"])
@pytest.mark.parametrize("what", ["pages", "states", "matching"])
def test_a_server_that_cannot_serve_long_pages(serve, project_of, quick, monkeypatch, how, what):
    sandbox = serve(store_of(list(range(120))))
    project = project_of(sandbox, 100, 25, 6)
    project.server._call_seconds = 1 if how == "hang" else 29
    sandbox.faults.max_page, sandbox.faults.max_page_answer = 30, how
    notes = []
    if what == "pages":
        ids = {run.key.run_id for page in project.pages(notes.append) for run in page.runs}
    elif what == "states":
        ids = set(project.states(sorted(everything(sandbox)), notes.append))
    else:
        bar = Bar()
        monkeypatch.setattr(bar, "note", notes.append)
        ids = project.matching({"state": "finished"}, bar)
    assert ids == everything(sandbox)
    assert "100 runs at once are too many for the server; trying 25" in notes
    # It is remembered: only once is more asked for.
    asked = sandbox.counts.requests["query"]
    assert project.states(sorted(everything(sandbox))).keys() == everything(sandbox)
    assert sandbox.counts.requests["query"] == asked + 5
    assert sum("too many" in note for note in notes) == 1


@pytest.mark.parametrize(("most", "how"), [(300, "500"), (300, "first"), (999, "413"), (70, "504")])
def test_real_pages_of_a_real_project(serve, project_of, most, how):
    """The sizes are 1,000, 250 and 60."""
    sandbox = serve(store_of(job_arrays(1300, 2, 200)))
    sandbox.faults.max_page, sandbox.faults.max_page_answer = most, how
    project = project_of(sandbox)
    assert listed(project) == everything(sandbox)
    ids = sorted(everything(sandbox))
    assert sorted(project.states(ids)) == ids


@pytest.mark.parametrize("how", ["500", "first"])
def test_a_server_that_serves_no_page_at_all(sandbox, project, quick, how):
    sandbox.faults.max_page, sandbox.faults.max_page_answer = 0, how
    with pytest.raises(ServerError, match=r"context deadline exceeded|must not exceed"):
        listed(project)
    assert sandbox.counts.requests["query"] < 20


def test_a_long_list_of_ids_is_asked_for_in_parts(serve, project_of):
    sandbox = serve(store_of(list(range(300))))
    sandbox.faults.max_bytes = 1500
    project = project_of(sandbox)
    ids = sorted(everything(sandbox))
    assert sorted(project.states(ids)) == ids


# What a server may not know, or not say.


@pytest.mark.parametrize(
    "lacks",
    [
        {"Project.runCount"},
        {"Project.readOnly"},
        {"Run.readOnly"},
        {"Project.runCount", "Project.readOnly", "Run.readOnly"},
    ],
    ids=lambda names: "+".join(sorted(names)),
)
def test_a_server_without_some_fields(serve, project_of, lacks):
    sandbox = serve(store_of([1, *[7] * 30, *range(8, 30)]))
    sandbox.faults.lacks = frozenset(lacks)
    project = project_of(sandbox, 10)
    assert listed(project) == everything(sandbox)
    assert project.states(["r00001"])["r00001"].read_only is False
    assert project.matching({"state": "finished"}, Bar()) == everything(sandbox)


def test_a_count_that_takes_longer_than_the_listing(serve, project_of):
    """It is asked for beside the first page; the listing does not wait for it to begin."""
    sandbox = serve(store_of(list(range(40))), count_ms=1500)
    project = project_of(sandbox, 10)
    pages = list(project.pages())
    assert sum(len(page.runs) for page in pages) == 40
    assert {page.total for page in pages} == {None}
    assert sandbox.counts.requests["query"] == len(pages) + 1


@pytest.mark.parametrize("answer", ["error", "hang", "nothing", "odd"])
def test_a_count_that_does_not_come_is_no_failure(odd_server, quick, answer):
    node = {"id": "S", "name": "a", "displayName": "n", "createdAt": "2026-01-08T14:30:00"}
    info = {"hasNextPage": False, "endCursor": None}
    page = {"data": {"project": {"runs": {"edges": [{"node": node}], "pageInfo": info}}}}
    counts = {
        "error": (403, {"errors": [{"message": "runCount is switched off"}]}),
        "nothing": (200, {"data": {"project": {}}}),
        "odd": (200, {"data": {"project": {"runCount": "many"}}}),
    }

    def respond(request):
        if "runs(" in request["query"]:
            return 200, page
        if answer == "hang":
            time.sleep(3)
        return counts.get(answer, (200, {}))

    odd = odd_server(respond)
    project = connect(odd.url).project(parse_path("ycx/RSST"))
    project.server._call_seconds = 1
    (page_read,) = project.pages()
    assert (len(page_read.runs), page_read.total) == (1, None)


# A listing that stays short of the count.


@pytest.mark.parametrize(
    ("listed", "total", "words"),
    [
        (6, 7, "1 of 7 runs in ycx/RSST is missing"),
        (1, 7, "6 of 7 runs in ycx/RSST are missing"),
        (6, None, "runs in ycx/RSST are missing"),  # the server does not say how many there are
    ],
)
def test_the_words_for_a_short_listing(listed, total, words):
    error = missing_runs(listed, total, "in ycx/RSST")
    assert str(error).startswith(f"The listing is incomplete: {words}. Nothing was written")


@pytest.fixture
def short(serve, monkeypatch):
    """A sandbox that counts two runs more than it lists: say, those that a replica lacks."""
    sandbox, count = serve(runs=30), resolvers.Request._count
    monkeypatch.setattr(resolvers.Request, "_count", lambda *args: count(*args) + 2)
    return sandbox


def test_a_listing_that_stays_short_is_an_error(short, project_of):
    with pytest.raises(Incomplete, match="2 of 32 runs in ycx/RSST are missing") as incomplete:
        listed(project_of(short))
    assert incomplete.value.exit_code == 1
    assert "Nothing was written" in str(incomplete.value)


def test_nothing_is_written_or_planned_on_a_listing_that_stays_short(short, cli, tmp_path):
    plan = tmp_path / "plan.csv"
    for words in (
        ("report", "ycx/RSST", "-o", plan),
        ("rename", "ycx/RSST", "--yes", "--journal", tmp_path / "j.jsonl"),
        ("rename", "ycx/RSST", "--dry-run"),
    ):
        done = cli(*words)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert "2 of 32 runs in ycx/RSST are missing" in done.stderr
    assert not list(tmp_path.glob("*.csv"))
    assert not list(tmp_path.glob("*.jsonl"))
    assert not short.service.mutations


def test_runs_deleted_after_they_were_counted_are_not_missing(serve, project_of):
    sandbox = serve(store_of(list(range(60))))
    sandbox.faults.add("run-deleted", skip=1, times=3)
    ids = listed(project_of(sandbox, 10))
    assert everything(sandbox) <= ids
    assert len(everything(sandbox)) == 57


def test_a_run_that_the_first_listing_missed_is_found_by_the_second(odd_server):
    listings = iter(["ab", "ac"])

    def respond(request):
        if "runs(" not in request["query"]:
            return 200, {"data": {"project": {"runCount": 3}}}
        nodes = [
            {"id": run_id, "name": run_id, "displayName": "n", "createdAt": "2026-01-08T14:30:00"}
            for run_id in next(listings)
        ]
        edges = [{"node": node} for node in nodes]
        info = {"hasNextPage": False, "endCursor": None}
        return 200, {"data": {"project": {"runs": {"edges": edges, "pageInfo": info}}}}

    odd = odd_server(respond)
    assert listed(connect(odd.url).project(parse_path("ycx/RSST"))) == {"a", "b", "c"}

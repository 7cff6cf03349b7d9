"""Reading a project over the real client: what is asked, how often, and what answers mean."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from migrate.client.paths import parse_path
from migrate.client.server import connect
from migrate.client.source import Rename
from migrate.errors import Incomplete, NoProject, Refused, ServerError, Unanswered
from migrate.sandbox.sample import arguments, sample_store, wire_config
from migrate.sandbox.store import Store, StoredRun
from naming import CONFIG_KEYS


def ids(pages):
    return [run.key.run_id for page in pages for run in page.runs]


def one_run(**how):
    store = Store()
    store.add("ycx", "RSST", StoredRun("a", how.pop("displayName", "old"), **how))
    return store


def the_run(sandbox):
    ((run,),) = [page.runs for page in connect(sandbox.url).project(parse_path("ycx/RSST")).pages()]
    return run


def listing(*nodes, more=False, cursor=None, **project):
    """What a server answers to a listing."""
    info = {"hasNextPage": more, "endCursor": cursor}
    runs = {"edges": [{"node": node} for node in nodes], "pageInfo": info}
    return 200, {"data": {"project": {"runCount": len(nodes), "runs": runs, **project}}}


def is_count(request):
    return "runs(" not in request["query"]


def node(run_id, **fields):
    return {"id": f"S{run_id}", "name": run_id, "displayName": "n", "config": "{}", **fields}


# Listing.


def test_one_request_a_page_of_a_thousand_and_one_for_the_count(serve):
    sandbox = serve(runs=2500)
    pages = list(connect(sandbox.url).project(parse_path("ycx/RSST")).pages())
    # Each page but the first begins with the run in whose second the one before it ended.
    assert [len(page.runs) for page in pages] == [1000, 999, 501]
    assert {page.total for page in pages} <= {None, 2500}
    assert pages[-1].total == 2500
    assert ids(pages) == [f"run{number:05d}" for number in range(2500)]
    sign_in = sandbox.counts.requests.pop("viewer")
    assert sign_in <= 2  # it is wandb's: 0.30 asks twice, 0.31 once
    assert sandbox.counts.requests == {"query": 3 + 1}


def test_pages_go_on_by_time_oldest_first(sandbox, project):
    project._page_size.sizes = (7,)
    sandbox.store.project("ycx", "RSST").runs["run00029"].createdAt = "2020-01-01T00:00:00"
    pages = list(project.pages())
    assert [len(page.runs) for page in pages] == [7, 6, 6, 6, 5]
    assert ids(pages) == ["run00029", *(f"run{number:05d}" for number in range(29))]


def test_only_what_is_used_is_asked_for_and_never_the_summary(odd_server):
    odd = odd_server(lambda request: listing(node("a")))
    assert ids(connect(odd.url).project(parse_path("ycx/RSST")).pages()) == ["a"]
    count, page = sorted(odd.requests, key=lambda request: "runs(" in request["query"])
    assert page["variables"]["keys"] == list(CONFIG_KEYS)
    assert page["variables"]["first"] == 1000
    assert "runCount" not in page["query"]  # which takes seconds: once, beside the first page
    assert "runCount" in count["query"]
    assert not any("summary" in request["query"].lower() for request in odd.requests)


def test_heavy_summaries_cost_nothing(serve):
    store = sample_store(1000)
    held = sum(len(run.summaryMetrics) for run in store.project("ycx", "RSST").runs.values())
    sandbox = serve(store)
    assert len(ids(connect(sandbox.url).project(parse_path("ycx/RSST")).pages())) == 1000
    assert sandbox.counts.bytes_out < 100_000 < held


@pytest.mark.parametrize(
    "words", ["no such thing", 'Unknown argument "keys" on field "config" of type "Run".']
)
def test_errors_are_not_worked_around(odd_server, words):
    odd = odd_server(lambda request: (400, {"errors": [{"message": words}]}))
    with pytest.raises(Refused, match=words):
        ids(connect(odd.url).project(parse_path("ycx/RSST")).pages())
    assert len(odd.requests) <= 2  # the page and the count


def test_a_page_that_fails_half_way_is_not_the_whole(sandbox, project):
    project._page_size.sizes = (10,)
    pages = project.pages()
    assert len(next(pages).runs) == 10
    while sandbox.counts.requests["query"] < 2:  # the count
        time.sleep(0.01)
    sandbox.faults.add("403", on="query", times=9)
    with pytest.raises(ServerError, match=r"^The listing failed at page 2 ") as failed:
        next(pages)
    refused = failed.value.__cause__
    assert isinstance(refused, Refused)
    assert str(failed.value).endswith(f" and is not used: {refused}")
    assert failed.value.advice == refused.advice != ""


@pytest.mark.parametrize("page", [2, 15])
def test_a_server_that_refuses_to_filter_by_time_is_listed_by_cursors(serve, page):
    """From the first page on, or from any other."""
    sandbox = serve(runs=200)
    project = connect(sandbox.url).project(parse_path("ycx/RSST"))
    project._page_size.sizes = (10,)
    pages = project.pages()
    listed = [next(pages) for _ in range(page - 1)]
    while sandbox.counts.requests["query"] < page:  # with the count
        time.sleep(0.01)
    sandbox.faults.add("400", on="query")
    assert ids([*listed, *pages]) == [f"run{number:05d}" for number in range(200)]


def test_a_dropped_connection_is_repeated_by_the_transport_alone(sandbox, project):
    sandbox.faults.add("drop", on="query")
    assert len(ids(project.pages())) == 30
    assert sandbox.counts.requests["query"] == 2 + 1


def test_of_a_failure_with_a_long_body_no_json_is_shown(odd_server):
    """wandb-core repeats it, and then gives the beginning of the body, wherever that ends."""
    data = {f"r{number}": None for number in range(100)}
    errors = [{"message": "context deadline exceeded"}]
    odd = odd_server(lambda request: (500, {"data": data, "errors": errors}))
    with pytest.raises(Unanswered, match=r"^The server failed \(HTTP 500\)$"):
        connect(odd.url).project(parse_path("ycx/RSST")).rename([Rename("id", "new", "old")])


@pytest.mark.parametrize("cursor", ["same", None, 7])
def test_more_without_a_place_to_go_on_is_not_the_whole(odd_server, cursor):
    """There is neither a time to go on by, nor a cursor."""
    odd = odd_server(lambda request: listing(node("a"), more=True, cursor=cursor))
    with pytest.raises(Incomplete, match="listing is incomplete"):
        ids(connect(odd.url).project(parse_path("ycx/RSST")).pages())
    assert len(odd.requests) <= 3


@pytest.mark.parametrize("created", ["2026-01-08T14:30:00", "yesterday", None])
def test_a_listing_without_an_end_ends(odd_server, created):
    """The server says for ever that there is more, and shows the same."""
    pages = iter(range(10**6))

    def answer(request):
        return listing(node("a", createdAt=created), more=True, cursor=f"c{next(pages)}")

    odd = odd_server(answer)
    with pytest.raises(Incomplete, match="listing is incomplete"):
        ids(connect(odd.url).project(parse_path("ycx/RSST")).pages())
    assert len(odd.requests) < 50


def test_a_run_that_comes_twice_counts_once(sandbox, project):
    project._page_size.sizes = (10,)

    def older(operation):
        run = StoredRun("older", "x", createdAt="2020-01-01T00:00:00")
        if sandbox.counts.requests["query"] == 3:
            sandbox.store.add("ycx", "RSST", run)

    sandbox.faults.before = older  # everything moves on by one between two pages
    listed = ids(project.pages())
    assert sorted(listed) == [f"run{number:05d}" for number in range(30)]


@pytest.mark.parametrize("count", [1, 0, -1, None, "7", True, 2.5, {}])
def test_the_total_is_the_servers_count_or_nothing(odd_server, count):
    odd = odd_server(lambda request: listing(node("a"), runCount=count))
    (page,) = connect(odd.url).project(parse_path("ycx/RSST")).pages()
    assert len(page.runs) == 1
    assert page.total in ({count, None} if type(count) is int and count >= 0 else {None})


def test_a_count_that_is_more_than_what_is_listed_is_an_error(odd_server):
    odd = odd_server(lambda request: listing(node("a"), runCount=7))
    with pytest.raises(Incomplete, match="6 of 7 runs in ycx/RSST are missing") as incomplete:
        ids(connect(odd.url).project(parse_path("ycx/RSST")).pages())
    assert incomplete.value.exit_code == 1
    listings = [request for request in odd.requests if not is_count(request)]
    assert len(listings) == 2  # it was listed again before that was said


@pytest.mark.parametrize(
    ("answer", "kind", "error"),
    [
        (listing(None), Unanswered, "an entry without a run id"),
        (listing({"displayName": "n"}), Unanswered, "an entry without a run id"),
        ((200, {"data": {"project": {"runs": None}}}), Unanswered, "not a list of runs"),
        ((200, {"data": {"project": {"runs": {"edges": []}}}}), Unanswered, "not a list of runs"),
        (
            (200, {"data": {"project": {"runs": {"edges": 1, "pageInfo": {}}}}}),
            Unanswered,
            "not a list of runs",
        ),
        ((200, {"data": {"project": None}}), NoProject, "There is no project ycx/RSST on http"),
        ((200, {"data": None}), Unanswered, "answer is empty"),
        ((200, {"data": {}}), Unanswered, "answer is empty"),
    ],
)
def test_answers_that_are_not_a_listing(odd_server, quick, answer, kind, error):
    odd = odd_server(lambda request: answer)
    with pytest.raises(ServerError, match=error) as failed:
        ids(connect(odd.url).project(parse_path("ycx/RSST")).pages())
    assert type(failed.value) is kind


# Runs.


AT = datetime(2026, 1, 8, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-01-08T14:30:00", AT),
        ("2026-01-08T14:30:00Z", AT),
        ("2026-01-08T22:30:00+08:00", AT),
        ("2026-01-08T14:30:00.250000", AT + timedelta(milliseconds=250)),
        ("2026-01-08T14:30:00.25Z", AT + timedelta(milliseconds=250)),
        ("2026-01-08", AT.replace(hour=0, minute=0)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_when_a_run_was_created(odd_server, text, at):
    run = the_run(odd_server(lambda request: listing(node("a", createdAt=text))))
    assert run.created_at == at
    assert at is None or run.created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (wire_config({"rate": 0.15, "epochs": 9}), {"rate": 0.15}),
        ({"rate": {"value": 0.15}}, {"rate": 0.15}),
        ('{"rate": 0.15}', {"rate": 0.15}),
        ('{"rate": {"value": null, "desc": null}, "arch": {}}', {"rate": None, "arch": {}}),
        ("{}", {}),
        ("[]", None),
        ("null", None),
        ('"{}"', None),
        ("{", None),
        ("[" * 100_000, None),
        (None, None),
    ],
)
def test_configs_as_they_come(odd_server, config, expected):
    odd = odd_server(lambda request: listing(node("a", config=config)))
    assert the_run(odd).config == expected


def test_a_run_with_nothing_in_it(serve):
    run = the_run(serve(one_run(displayName=None, state=None, readOnly=None)))
    assert (run.name, run.state, run.read_only) == ("", "", False)


def test_run_ids_and_names_stay_text(serve):
    assert the_run(serve(one_run(displayName="12e3"))).name == "12e3"
    store = serve(one_run(displayName="两\n行 \x1b[31m")).store
    assert the_run(serve(store)).name == "两\n行 \x1b[31m"


def test_values_are_those_of_the_config(project):
    run = next(project.pages()).runs[1]
    values = arguments("res20s", "cifar100", rate=0.101)
    assert run.config == {key: values[key] for key in CONFIG_KEYS if key in values}

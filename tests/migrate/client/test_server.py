"""Reading a project over the real client: what is asked, how often, and what answers mean."""

from datetime import UTC, datetime, timedelta

import pytest

from migrate.client.server import connect
from migrate.errors import InputError, Refused, ServerError
from migrate.sandbox import Store, StoredRun, sample_store
from migrate.sandbox.sample import arguments, wire_config
from naming import CONFIG_KEYS


def ids(pages):
    return [run.run_id for page in pages for run in page.runs]


def one_run(**how):
    store = Store()
    store.add("ycx", "RSST", StoredRun("a", how.pop("displayName", "old"), **how))
    return store


def the_run(sandbox):
    ((run,),) = [page.runs for page in connect(sandbox.url).project("ycx/RSST").pages()]
    return run


def listing(*nodes, more=False, cursor=None, **project):
    """What a server answers to a listing."""
    info = {"hasNextPage": more, "endCursor": cursor}
    runs = {"edges": [{"node": node} for node in nodes], "pageInfo": info}
    return 200, {"data": {"project": {"runCount": len(nodes), "runs": runs, **project}}}


def node(run_id, **fields):
    return {"id": f"S{run_id}", "name": run_id, "displayName": "n", "config": "{}", **fields}


# Listing.


def test_one_request_a_page_of_a_thousand(serve):
    sandbox = serve(runs=2500)
    pages = list(connect(sandbox.url).project("ycx/RSST").pages())
    assert [len(page.runs) for page in pages] == [1000, 1000, 500]
    assert [page.total for page in pages] == [2500] * 3
    assert ids(pages) == [f"run{number:05d}" for number in range(2500)]
    sign_in = sandbox.counts.requests.pop("viewer")
    assert sign_in <= 2  # it is wandb's: 0.30 asks twice, 0.31 once
    assert sandbox.counts.requests == {"query": 3}


def test_pages_follow_the_cursor_oldest_first(sandbox, project):
    sandbox.store.project("ycx", "RSST").runs["run00029"].createdAt = "2020-01-01T00:00:00"
    pages = list(project.pages(page_size=7))
    assert [len(page.runs) for page in pages] == [7, 7, 7, 7, 2]
    assert ids(pages) == ["run00029", *(f"run{number:05d}" for number in range(29))]


def test_only_what_is_used_is_asked_for_and_never_the_summary(odd_server):
    odd = odd_server(lambda request: listing(node("a")))
    assert ids(connect(odd.url).project("ycx/RSST").pages()) == ["a"]
    (request,) = odd.requests
    assert request["variables"]["keys"] == list(CONFIG_KEYS)
    assert request["variables"]["first"] == 1000
    assert "summary" not in request["query"].lower()


def test_heavy_summaries_cost_nothing(serve):
    store = sample_store(1000)
    held = sum(len(run.summaryMetrics) for run in store.project("ycx", "RSST").runs.values())
    sandbox = serve(store)
    assert len(ids(connect(sandbox.url).project("ycx/RSST").pages())) == 1000
    assert sandbox.counts.bytes_out < 100_000 < held


def test_an_older_server_is_noticed_once_and_asked_for_the_whole_config(serve):
    sandbox = serve()
    sandbox.faults.old = True
    server = connect(sandbox.url)
    runs = [run for page in server.project("ycx/RSST").pages(page_size=10) for run in page.runs]
    assert sandbox.counts.requests["query"] == 1 + 3
    assert (len(runs), runs[0].config["arch"]) == (30, "vit_small")
    assert runs[0].config.keys() <= set(CONFIG_KEYS)
    assert len(ids(server.project("ycx/RSST").pages())) == 30
    assert sandbox.counts.requests["query"] == 1 + 3 + 1


@pytest.mark.parametrize("status", [200, 400, 422])
@pytest.mark.parametrize(
    "words",
    [
        'Unknown argument "keys" on field "config" of type "Run".',
        'Unknown argument "keys" on field "Run.config".',
        "Unknown argument 'keys' on field 'Run.config'.",
    ],
)
def test_the_words_in_which_servers_do_not_know_keys(odd_server, status, words):
    def answer(request):
        old = {"errors": [{"message": words}]}
        return (status, old) if "keys" in request["variables"] else listing(node("a"))

    odd = odd_server(answer)
    assert ids(connect(odd.url).project("ycx/RSST").pages()) == ["a"]
    assert len(odd.requests) == 2


def test_other_errors_do_not_make_a_server_old(odd_server):
    odd = odd_server(lambda request: (200, {"errors": [{"message": "no such thing"}]}))
    with pytest.raises(Refused, match="no such thing"):
        ids(connect(odd.url).project("ycx/RSST").pages())
    assert len(odd.requests) == 1


def test_a_page_that_fails_half_way_is_no_whole(sandbox, project):
    sandbox.faults.add("400", on="query", skip=1)
    pages = project.pages(page_size=10)
    assert len(next(pages).runs) == 10
    with pytest.raises(ServerError, match=r"^Page 2 of the listing failed, so none of it counts"):
        next(pages)


def test_a_dropped_connection_is_repeated_by_the_transport_alone(sandbox, project):
    sandbox.faults.add("drop", on="query")
    assert len(ids(project.pages())) == 30
    assert sandbox.counts.requests["query"] == 2


@pytest.mark.parametrize("cursor", ["same", None, 7])
def test_more_without_a_place_to_go_on_is_no_whole(odd_server, cursor):
    odd = odd_server(lambda request: listing(node("a"), more=True, cursor=cursor))
    with pytest.raises(ServerError, match="the listing is incomplete"):
        ids(connect(odd.url).project("ycx/RSST").pages())
    assert len(odd.requests) <= 2


def test_a_run_that_comes_twice_counts_once(sandbox, project):
    def older(operation):
        run = StoredRun("older", "x", createdAt="2020-01-01T00:00:00")
        if sandbox.counts.requests["query"] == 2:
            sandbox.store.add("ycx", "RSST", run)

    sandbox.faults.before = older  # everything moves on by one between two pages
    listed = ids(project.pages(page_size=10))
    assert sorted(listed) == [f"run{number:05d}" for number in range(30)]


@pytest.mark.parametrize(
    ("count", "total"), [(7, 7), (0, 0), (-1, None), (None, None), ("7", None)]
)
def test_the_total_is_the_servers_count_or_nothing(odd_server, count, total):
    odd = odd_server(lambda request: listing(node("a"), runCount=count))
    assert [page.total for page in connect(odd.url).project("ycx/RSST").pages()] == [total]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (listing(None), "an entry that is no run"),
        (listing({"displayName": "n"}), "a run without an id"),
        ((200, {"data": {"project": {"runs": None}}}), "listing is not one"),
        ((200, {"data": {"project": {"runs": {"edges": []}}}}), "listing is not one"),
        ((200, {"data": {"project": {"runs": {"edges": 1, "pageInfo": {}}}}}), "listing is not"),
        ((200, {"data": {"project": None}}), "There is no project ycx/RSST on http"),
        ((200, {"data": None}), "There is no project"),
    ],
)
def test_answers_that_are_no_listing(odd_server, answer, error):
    odd = odd_server(lambda request: answer)
    with pytest.raises((ServerError, InputError), match=error):
        ids(connect(odd.url).project("ycx/RSST").pages())


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
def test_when_a_run_was_created(serve, text, at):
    run = the_run(serve(one_run(createdAt=text)))
    assert run.created_at == at
    assert at is None or run.created_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (wire_config({"rate": 0.15, "epochs": 9}), {"rate": 0.15}),
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
def test_configs_as_they_come(serve, config, expected):
    sandbox = serve(one_run(config=config))
    sandbox.faults.old = True  # gives the text as it is
    assert the_run(sandbox).config == expected


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

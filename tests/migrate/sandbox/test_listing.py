"""What makes a listing incomplete: offsets, ties, and runs that come and go meanwhile."""

import base64
import time
from itertools import pairwise

import pytest
import wandb

from migrate.sandbox.store import Store, StoredRun


def store_of(*seconds):
    """A project with a run for each of these seconds."""
    store = Store()
    for number, second in enumerate(seconds):
        at = f"2026-01-08T14:{second // 60:02d}:{second % 60:02d}{('', 'Z')[number % 2]}"
        store.add("ycx", "RSST", StoredRun(f"r{number:03d}", f"n{number}", createdAt=at))
    return store


def pages(listed, sandbox, first, **how):
    """All pages of a listing, by cursors."""
    found, after = [], None
    while True:
        page, info = listed(sandbox, first=first, after=after, order="+created_at", **how)
        found.append(page)
        if not info["hasNextPage"]:
            return found
        after = info["endCursor"]


def test_cursors_are_offsets(sandbox, listed):
    _, info = listed(sandbox, first=7)
    assert base64.b64decode(info["endCursor"]) == b"arrayconnection:6"
    after = base64.b64encode(b"arrayconnection:19").decode()
    assert listed(sandbox, first=3, after=after)[0] == ["run00020", "run00021", "run00022"]
    assert listed(sandbox, first=3, after=base64.b64encode(b"arrayconnection:99").decode()) == (
        [],
        {"endCursor": None, "hasNextPage": False},
    )


@pytest.mark.parametrize("cursor", ["19", "x", "ä", base64.b64encode(b"cursor:3").decode()])
def test_a_cursor_that_is_not_valid_is_refused(sandbox, post, runs_query, cursor):
    status, body = post(sandbox, runs_query, first=3, after=cursor)
    assert (status, "invalid cursor" in body["errors"][0]["message"]) == (400, True)


def test_before_last_names_and_no_first(sandbox, post):
    def ids(arguments):
        query = (
            '{ project(name: "RSST", entityName: "ycx") { runs(%s) { edges { node { name } } } } }'
        )
        body = post(sandbox, query % arguments)[1]
        return [edge["node"]["name"][-2:] for edge in body["data"]["project"]["runs"]["edges"]]

    before = base64.b64encode(b"arrayconnection:9").decode()
    assert ids(f'before: "{before}", last: 2') == ["07", "08"]
    assert ids('names: ["run00004", "gone", "run00002"]') == ["02", "04"]
    assert ids('order: "-created_at", first: 2') == ["29", "28"]
    assert len(ids('order: "+created_at"')) == 30


def test_runs_of_one_second_never_come_in_the_same_order_twice(serve, listed):
    sandbox = serve(store_of(1, 2, 2, 3, 3, 3, 4))
    orders = [listed(sandbox)[0] for _ in range(12)]
    for order in orders:
        assert [order[0], order[-1]] == ["r000", "r006"]
        assert set(order[1:3]) == {"r001", "r002"}
        assert set(order[3:6]) == {"r003", "r004", "r005"}
    for before, after in pairwise(orders):
        assert before[1:3] != after[1:3]
        assert before[3:6] != after[3:6]
    again = serve(store_of(1, 2, 2, 3, 3, 3, 4))
    assert [listed(again)[0] for _ in range(12)] == orders, "not reproducible"


def test_paging_by_offsets_loses_runs_of_one_second(serve, listed):
    sandbox = serve(store_of(*[second for second in range(3) for _ in range(40)]))
    found = [run_id for page in pages(listed, sandbox, 25) for run_id in page]
    assert len(found) == 120
    assert len(set(found)) < 120
    api = wandb.Api(overrides={"base_url": sandbox.url}, api_key=sandbox.api_key)
    assert len({run.id for run in api.runs("ycx/RSST", per_page=25)}) < 120  # nor does wandb see it


def test_runs_deleted_while_they_are_listed_hide_others(serve, listed):
    sandbox = serve(store_of(*range(100)))
    sandbox.faults.add("run-deleted", skip=1, times=2)
    before = set(sandbox.store.project("ycx", "RSST").runs)
    found = {run_id for page in pages(listed, sandbox, 20) for run_id in page}
    left = set(sandbox.store.project("ycx", "RSST").runs)
    assert before - left == {"r020", "r041"}
    assert left - found == {"r040", "r061"}


def test_runs_created_while_they_are_listed_come_twice(serve, listed):
    sandbox = serve(store_of(*range(10, 110)))
    sandbox.faults.add("run-created")
    found = pages(listed, sandbox, 20)
    assert found[1][0] == found[0][-1] == "r019"
    created = set(sandbox.store.project("ycx", "RSST").runs) - {f"r{n:03d}" for n in range(100)}
    assert len(created) == 1
    assert not created & {run_id for page in found for run_id in page}


def test_nothing_comes_or_goes_without_a_listing_that_goes_on(serve, listed):
    sandbox = serve(store_of(*range(10)))
    sandbox.faults.add("run-deleted")
    assert len(listed(sandbox, first=10)[0]) == len(listed(sandbox)[0]) == 10
    assert sandbox.faults.hit("query") is None
    assert len(sandbox.store.project("ycx", "RSST").runs) == 10


@pytest.mark.parametrize(
    ("how", "status", "words"),
    [
        ("500", 500, "context deadline exceeded"),
        ("504", 504, "context deadline exceeded"),
        ("413", 413, "context deadline exceeded"),
        ("first", 400, "first must not exceed 20"),
    ],
)
def test_pages_that_are_too_long_for_the_server(sandbox, post, runs_query, how, status, words):
    sandbox.faults.max_page, sandbox.faults.max_page_answer = 20, how
    answered, body = post(sandbox, runs_query, first=21)
    assert (answered, body["errors"][0]["message"]) == (status, words)
    assert post(sandbox, runs_query, first=20)[0] == 200
    # The runs count, except where it is the argument that is refused.
    few = post(sandbox, runs_query, first=1000, filters='{"name": {"$in": ["run00001"]}}')[0]
    assert few == (400 if how == "first" else 200)


def test_a_page_that_is_never_served(sandbox, post, runs_query):
    sandbox.faults.max_page, sandbox.faults.max_page_answer = 20, "hang"
    api = wandb.Api(overrides={"base_url": sandbox.url}, api_key=sandbox.api_key)
    with pytest.raises(Exception, match=r"did not respond in time|Timeout exceeded"):
        api._service_api.execute_graphql(runs_query, variables={"first": 30}, timeout=1)


def test_a_replica_that_lags(sandbox, rename_all, post, runs_query):
    def name():
        runs = post(sandbox, runs_query, first=1)[1]["data"]["project"]["runs"]["edges"]
        return runs[0]["node"]["displayName"]

    old = name()
    sandbox.faults.lag_seconds = 0.5
    reply = rename_all(sandbox, "run00000")
    assert reply.body["data"]["r0"]["bucket"]["displayName"] == "run00000-new"
    assert (name(), sandbox.store.names("ycx", "RSST")["run00000"]) == (old, "run00000-new")
    time.sleep(0.6)
    assert name() == "run00000-new"

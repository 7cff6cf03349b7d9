"""What takes time in the sandbox, the limit of it, and the quota."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import wandb

COUNT = '{ project(name: "RSST", entityName: "ycx") { runCount } }'
READ = '{ project(name: "RSST", entityName: "ycx") { runs(first: %d) { totalCount } } }'
A, B, C, D = (f"run0000{number}" for number in range(4))


def timed(call, *arguments):
    """The seconds of a call, and what it gave."""
    before = time.monotonic()
    found = call(*arguments)
    return time.monotonic() - before, found


@pytest.mark.parametrize(
    ("pace", "query", "seconds", "counted"),
    [
        ({"latency_ms": 150}, "{ viewer { id } }", 0.15, 0),
        ({"run_ms": 10}, READ % 20, 0.2, 0.2),
        ({"run_ms": 10}, READ % 5, 0.05, 0.05),
        ({"count_ms": 200}, COUNT, 0.2, 0.2),
        ({"count_ms": 200}, READ % 20, 0, 0),
        ({}, READ % 20, 0, 0),
    ],
)
def test_what_a_read_takes(serve, post, pace, query, seconds, counted):
    sandbox = serve(**pace)
    taken, (status, _) = timed(post, sandbox, query)
    assert status == 200
    assert seconds <= taken < seconds + 3
    assert sandbox.counts.query_seconds == pytest.approx(counted)


def test_upserts_of_a_document_run_one_after_another_and_documents_beside_each_other(
    serve, rename_all
):
    sandbox = serve(upsert_ms=300)
    with ThreadPoolExecutor(4) as pool:
        start = time.monotonic()
        replies = list(pool.map(lambda run_id: rename_all(sandbox, run_id, A), [A, B, C, D]))
        taken = time.monotonic() - start
    assert [reply.status for reply in replies] == [200] * 4
    assert 0.6 <= taken < 2.0
    assert sandbox.counts.query_seconds == pytest.approx(2.4)


def test_a_page_over_the_time_limit_is_not_served(serve, post):
    sandbox = serve(run_ms=100, limit_s=0.3)
    taken, (status, body) = timed(post, sandbox, READ % 30)
    assert (status, body) == (500, {"errors": [{"message": "context deadline exceeded"}]})
    assert 0.3 <= taken < 2.5
    assert sandbox.counts.query_seconds == pytest.approx(0.3)
    assert post(sandbox, READ % 2)[0] == 200


@pytest.mark.parametrize("others", ["undone", "done"])
def test_what_was_done_before_the_time_limit_is_done(serve, rename_all, others):
    sandbox = serve(upsert_ms=100, limit_s=0.25)
    sandbox.faults.others = others
    reply = rename_all(sandbox, A, B, C, D)
    assert (reply.status, reply.body) == (
        500,
        {"errors": [{"message": "context deadline exceeded"}]},
    )
    names = sandbox.store.names("ycx", "RSST")
    assert {run_id for run_id, name in names.items() if name.endswith("-new")} == {A, B}


def test_a_quota_of_query_time(serve, ask):
    sandbox = serve(run_ms=10, quota=0.004, window_s=100)  # 0.4 s
    query = READ % 30
    first = ask(sandbox, query)
    assert first.status == 200
    assert (first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == ("100", "25")
    assert 90 < int(first.headers["RateLimit-Reset"]) <= 100
    assert ask(sandbox, query).status == 200  # there was some left: the rest is owed
    refused = ask(sandbox, query)
    assert refused.status == 429
    assert refused.body == {"errors": [{"message": "rate limit exceeded"}]}
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert refused.headers["Retry-After"] is None
    assert ask(sandbox, "{ viewer { id } }").status == 200  # names no project
    sandbox.pace.retry_after = True
    refused = ask(sandbox, query)
    assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"]
    spent = sandbox.counts.query_seconds
    assert spent == pytest.approx(0.6)
    sandbox.pace.quota, sandbox.pace.window_s = 0.4, 1
    time.sleep(1)
    assert ask(sandbox, query).status == 200


def test_a_quota_holds_for_renames_and_for_each_project(serve, rename_all, post):
    sandbox = serve(upsert_ms=50, quota=0.01, window_s=100)
    sandbox.store.project("ycx", "other")
    assert [rename_all(sandbox, run_id).status for run_id in [*([A] * 20), B]] == [200] * 20 + [429]
    assert sandbox.store.names("ycx", "RSST")[B].startswith("rsst_")
    other = post(sandbox, '{ project(name: "other", entityName: "ycx") { runCount } }')
    assert other[0] == 200


def test_the_real_client_waits_for_the_quota(serve):
    sandbox = serve(run_ms=10, quota=0.2, window_s=1)
    api = wandb.Api(overrides={"base_url": sandbox.url}, api_key=sandbox.api_key)
    for _ in range(3):
        data = api._service_api.execute_graphql(READ % 30, variables={}, timeout=30)
        assert data["project"]["runs"]["totalCount"] == 30
    assert sandbox.counts.requests["query"] > 3


def test_a_429_says_how_long(sandbox, ask):
    sandbox.faults.add("429", wait_s=90)
    reply = ask(sandbox, COUNT)
    assert (reply.status, reply.headers["RateLimit-Reset"]) == (429, "90")
    assert reply.headers["RateLimit-Remaining"] == "0"

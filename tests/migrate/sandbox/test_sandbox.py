"""The sandbox behaves as W&B does: what it refuses, what it overwrites, how it pages and filters.

The rest of the suite stands on it, so that it must not be kinder than the real server.
"""

import json

import pytest
import wandb

from migrate.sandbox.sample import wire_config
from migrate.sandbox.store import Store, StoredRun

RUN_READ_ONLY = '{ project(name: "RSST", entityName: "ycx") { run(name: "x") { readOnly } } }'
UPSERT = "mutation U($input: UpsertBucketInput!) { upsertBucket(input: $input) { bucket { id } } }"


def mixed_store():
    """Six runs that differ in everything that can be filtered."""
    store = Store()
    rates = [0.1, 0.15, 0.2, 0.2, None, "0.2"]
    for number, rate in enumerate(rates):
        config = {"arch": "vit_small" if number % 2 else "res20s"}
        if rate is not None:
            config["rate"] = rate  # type: ignore[assignment]
        run = StoredRun(
            name=f"r{number}",
            displayName=f"{'rsst' if number < 4 else 'test'}_{number}",
            config=wire_config(config),  # type: ignore[arg-type]
            state="running" if number == 5 else "finished",
            createdAt=f"2026-01-0{9 - number}T00:00:00{('', 'Z', '.000Z')[number % 3]}",
            tags=["keep"] if number in (1, 4) else [],
        )
        store.add("ycx", "RSST", run)
    return store


def test_a_wrong_key_is_refused_and_nothing_is_counted(sandbox, post):
    status, answer = post(sandbox, "{ viewer { id } }", key="0" * 40)
    assert (status, answer) == (401, {"errors": [{"message": "user is not logged in"}]})
    assert post(sandbox, "{ viewer { username } }") == (
        200,
        {"data": {"viewer": {"username": "ycx"}}},
    )
    assert sandbox.counts.requests == {"viewer": 1}


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("{ viewer { shoeSize } }", 'Cannot query field "shoeSize" on type "User"'),
        ("{ viewer(loud: true) { id } }", 'Unknown argument "loud" on field "Query.viewer"'),
        ("{ viewer { id }", "Syntax Error"),
        ('{ project(name: "RSST", entityName: "ycx") { runs(limit: 3) { totalCount } } }', "limit"),
        ('mutation { upsertBucket(input: {id: "x", colour: "red"}) { inserted } }', "colour"),
        ("mutation { deleteRun { id } }", 'Cannot query field "deleteRun" on type "Mutation"'),
    ],
)
def test_what_the_schema_does_not_know_is_an_error(sandbox, query, complaint, post):
    before = sandbox.store.state()
    status, answer = post(sandbox, query)
    assert status == 400
    assert complaint in answer["errors"][0]["message"]
    assert sandbox.store.state() == before


@pytest.mark.parametrize(
    ("given", "attribute", "expected"),
    [
        ({}, "config", "kept"),
        ({"config": None}, "config", "kept"),
        ({"config": "{}"}, "config", "{}"),
        ({"notes": None}, "notes", "kept"),
        ({"notes": ""}, "notes", ""),
        ({"tags": []}, "tags", []),
        ({"summaryMetrics": "{}"}, "summaryMetrics", "{}"),
        ({"groupName": ""}, "group", ""),
        ({"displayName": "new"}, "displayName", "new"),
        ({"displayName": None}, "displayName", "kept"),
    ],
)
def test_a_write_leaves_absent_and_null_alone_and_overwrites_with_anything_else(
    sandbox, given, attribute, expected, post
):
    run = sandbox.store.project("ycx", "RSST").runs["run00003"]
    for name in ("notes", "description", "group", "jobType", "displayName", "config"):
        setattr(run, name, "kept")
    run.tags = ["kept"]
    before = sandbox.store.state()
    status, answer = post(sandbox, UPSERT, input={"id": run.id, **given})
    assert (status, "errors" in answer) == (200, False)
    before["ycx", "RSST", "run00003"][attribute] = expected
    assert sandbox.store.state() == before


@pytest.mark.parametrize("name", ["", "x" * 129])
def test_a_name_that_is_empty_or_over_128_characters_is_refused(sandbox, name, post):
    run = sandbox.store.project("ycx", "RSST").runs["run00003"]
    before = sandbox.store.state()
    status, answer = post(sandbox, UPSERT, input={"id": run.id, "displayName": name})
    assert status == 400
    assert "1 to 128 characters" in answer["errors"][0]["message"]
    assert sandbox.store.state() == before


def test_wandbs_own_documented_loop_works_on_it(sandbox):
    api = wandb.Api(overrides={"base_url": sandbox.url}, api_key=sandbox.api_key)
    for number, run in enumerate(api.runs("ycx/RSST", per_page=10)):
        if number < 2:
            assert run.config["arch"] in ("vit_small", "res20s")
            run.name = f"by-hand-{number}"
            run.update()
    assert number == 29
    names = sandbox.store.names("ycx", "RSST")
    assert [names["run00000"], names["run00001"]] == ["by-hand-0", "by-hand-1"]
    assert names["run00002"].startswith("rsst_")


def test_paging_goes_through_everything_once_and_in_order(sandbox, listed):
    seen, after, pages = [], None, 0
    while True:
        page, info = listed(sandbox, order="+created_at", first=7, after=after)
        seen, pages = seen + page, pages + 1
        if not info["hasNextPage"]:
            break
        after = info["endCursor"]
    assert (pages, seen) == (5, [f"run{number:05d}" for number in range(30)])
    assert listed(sandbox, order="-created_at", first=2)[0] == ["run00029", "run00028"]
    assert len(listed(sandbox, first=100_000)[0]) == 30


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "012345"),
        ({"display_name": {"$regex": "^rsst_"}}, "0123"),
        ({"name": {"$in": ["r4", "r1", "r9"]}}, "14"),
        ({"state": "running"}, "5"),
        ({"state": {"$ne": "running"}}, "01234"),
        ({"config.rate": 0.2}, "23"),
        ({"config.rate.value": {"$gte": 0.15}}, "123"),
        ({"config.rate": {"$exists": False}}, "4"),
        ({"tags": "keep"}, "14"),
        ({"tags": {"$in": ["keep", "other"]}}, "14"),
        ({"created_at": {"$gt": "2026-01-07"}}, "01"),
        ({"created_at": {"$gte": "2026-01-07T00:00:00"}}, "012"),
        ({"created_at": {"$gte": "2026-01-07T00:00:00Z"}}, "012"),
        ({"created_at": {"$lte": "2026-01-06T23:59:59.5+00:00"}}, "345"),
        ({"created_at": {"$gte": "2026-01-06T00:00:00.000Z", "$lt": "2026-01-08"}}, "23"),
        ({"created_at": "2026-01-07T00:00:00.000Z"}, "2"),
        ({"created_at": {"$in": ["2026-01-07", "2026-01-04T00:00:00Z"]}}, "25"),
        ({"created_at": {"$not": {"$gte": "2026-01-07"}}}, "345"),
        ({"$and": [{"created_at": {"$gte": "2026-01-06"}}, {"config.arch": "res20s"}]}, "02"),
        ({"$and": [{"config.arch": "res20s"}, {"state": "finished"}]}, "024"),
        ({"$or": [{"state": "running"}, {"config.rate": 0.1}]}, "05"),
        ({"$nor": [{"state": "running"}, {"config.rate": 0.1}]}, "1234"),
        ({"$and": [{"$or": [{"name": "r1"}, {"name": "r2"}]}, {"config.arch": "res20s"}]}, "2"),
        ({"display_name": {"$not": {"$regex": "rsst"}}}, "45"),
    ],
)
def test_filters(serve, filters, expected, post, listed, runs_query):
    sandbox = serve(mixed_store())
    text = json.dumps(filters)
    assert sorted(listed(sandbox, filters=text)[0]) == [f"r{digit}" for digit in expected]
    count = post(sandbox, runs_query, filters=text)[1]["data"]["project"]["runCount"]
    assert count == len(expected)
    api = wandb.Api(overrides={"base_url": sandbox.url}, api_key=sandbox.api_key)
    assert sorted(run.id for run in api.runs("ycx/RSST", filters)) == [f"r{n}" for n in expected]


@pytest.mark.parametrize(
    "filters",
    [
        "{",
        "[]",
        '{"state": {"$like": 1}}',
        '{"colour": 1}',
        '{"name": {"$regex": "("}}',
        '{"created_at": {"$gte": "yesterday"}}',
    ],
)
def test_filters_that_are_refused(sandbox, filters, post, runs_query):
    status, answer = post(sandbox, runs_query, filters=filters)
    assert status == 400
    assert "invalid filters" in answer["errors"][0]["message"]


def test_a_config_comes_whole_or_by_its_keys(sandbox, post):
    run = '{ project(name: "RSST", entityName: "ycx") { run(name: "run00000") { config%s } } }'
    keyed = run % '(keys: ["rate", "absent"], dotBehavior: KEEP_ALL_DOT_VALUES)'
    config = post(sandbox, keyed)[1]["data"]["project"]["run"]["config"]
    assert json.loads(config) == {"rate": {"value": 0.1, "desc": None}}
    config = post(sandbox, run % "")[1]["data"]["project"]["run"]["config"]
    assert {"rate", "arch", "_wandb"} <= json.loads(config).keys()


@pytest.mark.parametrize("field", ["runCount", "readOnly"])
def test_a_server_may_lack_fields(sandbox, post, field):
    query = f'{{ project(name: "RSST", entityName: "ycx") {{ {field} }} }}'
    assert post(sandbox, query)[0] == 200
    sandbox.faults.lacks = frozenset({f"Project.{field}"})
    message = f'Cannot query field "{field}" on type "Project".'
    assert post(sandbox, query) == (400, {"errors": [{"message": message}]})
    assert post(sandbox, RUN_READ_ONLY)[0] == 200


def test_faults_hit_what_they_are_for_and_no_more(sandbox, post, runs_query):
    sandbox.faults.add("500", on="query", skip=1, times=2)
    statuses = [post(sandbox, runs_query)[0] for _ in range(5)]
    assert statuses == [200, 500, 500, 200, 200]
    sandbox.faults.add("429", on="mutation")
    assert [post(sandbox, runs_query)[0], post(sandbox, UPSERT, input={})[0]] == [200, 429]
    sandbox.faults.add("503")
    assert [post(sandbox, "{ viewer { id } }")[0], post(sandbox, runs_query)[0]] == [200, 503]
    sandbox.faults.add("drop-after", on="mutation")
    run = sandbox.store.project("ycx", "RSST").runs["run00003"]
    with pytest.raises(OSError, match=r"(?i)reset|closed"):
        post(sandbox, UPSERT, input={"id": run.id, "displayName": "done all the same"})
    assert run.displayName == "done all the same"


def test_limits_of_a_document(sandbox, post, runs_query):
    sandbox.faults.max_mutations, sandbox.faults.max_bytes = 1, 2000
    one = 'upsertBucket(input: {id: "x"}) { inserted }'
    two = f"mutation {{ a: {one} b: {one} }}"
    assert post(sandbox, two)[0] == 400
    assert post(sandbox, runs_query, filters=" " * 3000)[0] == 413
    assert sandbox.service.mutations == []


@pytest.mark.parametrize("kind", ["garbled", "html", "null", "cut"])
@pytest.mark.parametrize("after", ["", "-after"])
def test_answers_that_are_none(sandbox, kind, after):
    sandbox.faults.add(f"{kind}{after}", on="mutation", times=2)
    run = sandbox.store.project("ycx", "RSST").runs["run00003"]
    api = wandb.Api(overrides={"base_url": sandbox.url}, api_key=sandbox.api_key)
    given = {"input": {"id": run.id, "displayName": "new"}}
    heard = []
    for _ in range(3):
        before = run.displayName
        try:
            answer = api._service_api.execute_graphql(UPSERT, variables=given, timeout=20)
        except Exception as error:
            heard.append(str(error))
        else:
            heard.append(answer and answer["upsertBucket"]["bucket"]["id"])
        if len(heard) == 1:
            assert run.displayName == ("new" if after else before)
    assert heard[2] == run.id
    assert run.id not in heard[:2]
    assert run.displayName == "new"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 429, 500, 501, 502, 503, 504])
def test_every_status_can_be_ordered(sandbox, post, runs_query, status):
    sandbox.faults.add(str(status), on="query")
    assert post(sandbox, runs_query)[0] == status
    assert post(sandbox, runs_query)[0] == 200

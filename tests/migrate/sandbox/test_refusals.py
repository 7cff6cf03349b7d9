"""How the sandbox refuses: the HTTP status of the error's code, and what becomes of the rest."""

import pytest
import wandb

from migrate.sandbox.faults import Refusal

DENIED = {"code": "PERMISSION_ERROR"}
A, B, C, D = (f"run0000{number}" for number in range(4))


def new_names(sandbox):
    """The runs that have the new name of `rename_all`."""
    names = sandbox.store.names("ycx", "RSST")
    return {run_id for run_id, name in names.items() if name == f"{run_id}-new"}


def heard(sandbox, query):
    """What the real client hears of a document: the words, and the HTTP status."""
    api = wandb.Api(overrides={"base_url": sandbox.url}, api_key=sandbox.api_key)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its type is wandb's
        api._service_api.execute_graphql(query, variables={}, timeout=20)
    return str(caught.value), getattr(caught.value.response, "http_status", None)  # type: ignore[attr-defined]


def document(sandbox, *run_ids):
    """An aliased rename, as text."""
    runs = sandbox.store.project("ycx", "RSST").runs
    fields = " ".join(
        f'r{number}: upsertBucket(input: {{id: "{runs[run_id].id}", displayName: "x"}}) '
        "{ bucket { id } }"
        for number, run_id in enumerate(run_ids)
    )
    return f"mutation {{ {fields} }}"


def test_a_refusal_is_a_403_with_the_body_that_is_known_from_wandbs_issues(sandbox, ask):
    sandbox.faults.denied[A] = "permission denied"
    run = sandbox.store.project("ycx", "RSST").runs[A]
    query = (
        f'mutation {{ upsertBucket(input: {{id: "{run.id}", displayName: "x"}}) {{ inserted }} }}'
    )
    reply = ask(sandbox, query)
    assert (reply.status, reply.body) == (
        403,
        {
            "errors": [
                {"message": "permission denied", "path": ["upsertBucket"], "extensions": DENIED}
            ],
            "data": {"upsertBucket": None},
        },
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("PERMISSION_ERROR", 403),
        ("NOT_FOUND", 404),
        ("INVALID_VALUE", 400),
        ("DELETED", 409),
        ("NOT_LOGGED_IN", 401),
    ],
)
@pytest.mark.parametrize("answers", ["status", "path"])
def test_the_code_decides_the_status(sandbox, rename_all, code, status, answers):
    sandbox.faults.denied[B] = Refusal("not this one", code)
    sandbox.faults.answers = answers
    reply = rename_all(sandbox, A, B, C)
    assert reply.status == (200 if answers == "path" else status)
    assert reply.body["errors"] == [
        {"message": "not this one", "path": ["r1"], "extensions": {"code": code}}
    ]
    assert reply.body["data"] == {"r0": None, "r1": None, "r2": None}
    assert new_names(sandbox) == set()


def test_the_first_of_several_errors_decides(sandbox, rename_all):
    sandbox.faults.denied = {B: Refusal("gone", "DELETED"), C: "no"}
    reply = rename_all(sandbox, A, B, C)
    assert reply.status == 409
    assert [(error["path"], error["message"]) for error in reply.body["errors"]] == [
        (["r1"], "gone"),
        (["r2"], "no"),
    ]


@pytest.mark.parametrize(
    ("others", "renamed", "errors"),
    [("undone", set(), 2), ("done", {A, D}, 2), ("skipped", {A}, 1)],
)
@pytest.mark.parametrize("upsert_ms", [0, 5])
def test_what_becomes_of_the_others_is_chosen(
    serve, rename_all, others, renamed, errors, upsert_ms
):
    sandbox = serve(upsert_ms=upsert_ms)
    sandbox.faults.denied = {B: "no", C: "no"}
    sandbox.faults.others = others
    reply = rename_all(sandbox, A, B, C, D)
    assert (reply.status, len(reply.body["errors"])) == (403, errors)
    done = {f"run0000{alias[1]}" for alias, value in reply.body["data"].items() if value}
    assert new_names(sandbox) == done == renamed
    assert rename_all(sandbox, A, D).status == 200
    assert new_names(sandbox) == {A, D}


def test_runs_that_are_not_there_or_no_more(sandbox, post):
    query = 'mutation { upsertBucket(input: {id: "%s", displayName: "x"}) { inserted } }'
    run = sandbox.store.project("ycx", "RSST").runs[A]
    sandbox.store.remove(run)
    status, body = post(sandbox, query % run.id)
    assert (status, body["errors"][0]["extensions"]) == (409, {"code": "DELETED"})
    status, body = post(sandbox, query % "aabb")
    assert (status, body["errors"][0]["message"]) == (404, 'run "aabb" not found')


@pytest.mark.parametrize("kind", ["key", "project", "run"])
def test_what_may_not_be_written_is_a_403(sandbox, rename_all, kind):
    project = sandbox.store.project("ycx", "RSST")
    if kind == "key":
        sandbox.faults.read_only_key = True
    elif kind == "project":
        project.read_only = True
    else:
        project.runs[A].readOnly = True
    assert rename_all(sandbox, A).status == 403
    assert new_names(sandbox) == set()


def test_what_the_client_hears(sandbox):
    query = document(sandbox, A, B, C)
    sandbox.faults.denied[B] = "permission denied"
    assert heard(sandbox, query) == ("permission denied", 403)  # and not of which run
    sandbox.faults.denied[C] = "this neither"
    assert heard(sandbox, query) == ("[permission denied; this neither]", 403)
    sandbox.faults.answers = "path"
    words, status = heard(sandbox, query)
    assert words.strip() == "input: r1 permission denied\ninput: r2 this neither"
    assert not status
    assert heard(sandbox, "{ viewer { shoeSize } }") == (
        'Cannot query field "shoeSize" on type "User".',
        400,
    )
    assert sandbox.counts.requests["mutation"] == 3  # none of it is sent again


def test_a_server_may_alter_a_name(sandbox, rename_all, post, runs_query):
    sandbox.faults.alters = lambda name: name.replace("-new", "^2").replace("^", "")
    reply = rename_all(sandbox, A)
    assert reply.body["data"]["r0"]["bucket"]["displayName"] == f"{A}2"
    runs = post(sandbox, runs_query)[1]["data"]["project"]["runs"]["edges"]
    assert f"{A}2" in [edge["node"]["displayName"] for edge in runs]

"""Looking runs up and renaming them over the real client, and what refusals say was done."""

import base64

import pytest

from migrate.client.paths import parse_path
from migrate.client.runs import ProjectKey, RunState
from migrate.client.server import connect
from migrate.client.source import Rename
from migrate.console import Bar
from migrate.errors import InputError, NoProject, Refused, TooLarge, Unanswered
from migrate.sandbox.faults import Refusal

A_RENAME = Rename("S", "new", "old")


def renames(sandbox, **names):
    runs = sandbox.store.project("ycx", "RSST").runs
    return [Rename(runs[run_id].id, name, "old") for run_id, name in names.items()]


def renamed(before, **names):
    """The store's state with only these display names changed."""
    return {
        key: {**run, "displayName": names.get(key[2], run["displayName"])}
        for key, run in before.items()
    }


# Looking up.


def test_states_say_what_runs_are_now_in_one_request(sandbox, project):
    runs = sandbox.store.project("ycx", "RSST").runs
    runs["run00003"].state, runs["run00003"].displayName = "running", None
    runs["run00004"].readOnly = True
    states = project.states(["run00004", "run00003", "gone", "run00005"])
    assert states == {
        "run00003": RunState("run00003", runs["run00003"].id, "", "running", False),
        "run00004": RunState(
            "run00004", runs["run00004"].id, runs["run00004"].displayName, "finished", True
        ),
        "run00005": RunState(
            "run00005", runs["run00005"].id, runs["run00005"].displayName, "finished", False
        ),
    }
    assert sandbox.counts.requests["query"] == 1


def test_a_thousand_states_are_one_request(serve):
    sandbox = serve(runs=1200)
    project = connect(sandbox.url).project(parse_path("ycx/RSST"))
    asked = [f"run{number:05d}" for number in range(1000)]
    assert sorted(project.states(asked)) == asked
    assert sandbox.counts.requests["query"] == 1


def test_in_a_project_that_takes_no_renames_every_run_is_read_only(sandbox, project):
    sandbox.store.project("ycx", "RSST").read_only = True
    assert project.states(["run00003"])["run00003"].read_only
    runs = next(project.pages()).runs
    assert project.read_only
    assert all(run.read_only for run in runs)


def test_matching_is_the_servers_own_filter(project):
    filters = {"display_name": {"$regex": "res20s"}, "name": {"$ne": "run00001"}}
    found = project.matching(filters, Bar())
    assert sorted(found) == [f"run{number:05d}" for number in range(4, 30, 3)]


@pytest.mark.parametrize("filters", [{"state": {"$like": 1}}, {"colour": 1}])
def test_filters_that_the_server_refuses_are_the_users_to_mend(project, filters):
    with pytest.raises(InputError, match=r"invalid filters.*Check --filters"):
        project.matching(filters, Bar())


# Renaming.


def test_a_rename_changes_display_names_and_nothing_else(sandbox, project):
    before = sandbox.store.state()
    answer = project.rename(renames(sandbox, run00003="three", run00007="七 \x1b[0m"))
    assert sandbox.store.state() == renamed(before, run00003="three", run00007="七 \x1b[0m")
    assert sorted(answer.values()) == ["three", "七 \x1b[0m"]
    assert [sorted(sent) for sent in sandbox.service.mutations] == [["displayName", "id"]] * 2
    assert sandbox.counts.requests["mutation"] == 1


@pytest.mark.parametrize("others", ["undone", "done", "skipped"])
@pytest.mark.parametrize("answers", ["status", "path"])
@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(),
        Refusal("run is locked", "INVALID_VALUE"),
        Refusal("run not found", "NOT_FOUND"),
        Refusal("run was deleted", "DELETED"),
    ],
    ids=lambda refusal: refusal.code,
)
def test_of_several_renames_one_may_be_refused(sandbox, project, refusal, answers, others):
    """An HTTP status names no run; and what became of the others only a reading says."""
    sandbox.faults.denied["run00007"] = refusal
    sandbox.faults.answers, sandbox.faults.others = answers, others
    before = sandbox.store.state()
    wanted = renames(sandbox, run00003="three", run00007="seven", run00008="eight")
    with pytest.raises(Refused, match=refusal.words) as refused:
        project.rename(wanted)
    index = 1 if answers == "path" else None
    assert [(one.index, one.message) for one in refused.value.complaints] == [
        (index, refusal.words)
    ]
    done = {"undone": {}, "done": {"run00003": "three", "run00008": "eight"}}
    done["skipped"] = {"run00003": "three"}
    assert sandbox.store.state() == renamed(before, **done[others])
    # What is true is what the server says when it is read again.
    states = project.states(["run00003", "run00007", "run00008"])
    names = sandbox.store.names("ycx", "RSST")
    assert {run_id: state.name for run_id, state in states.items()} == {
        run_id: names[run_id] for run_id in states
    }
    assert len(states) == 3


def test_a_key_that_may_not_write_is_refused(sandbox, project):
    """An alias for each with HTTP 200; with a status the words once, and no run."""
    sandbox.faults.read_only_key = True
    before = sandbox.store.state()
    wanted = renames(sandbox, run00003="three", run00007="seven")
    for answers, indexes in (("status", [None]), ("path", [0, 1])):
        sandbox.faults.answers = answers
        with pytest.raises(Refused, match="permission denied") as refused:
            project.rename(wanted)
        assert [one.index for one in refused.value.complaints] == indexes
        assert {one.message for one in refused.value.complaints} == {"permission denied"}
    assert sandbox.store.state() == before


def test_a_run_that_is_gone_is_named_by_its_place_where_there_is_a_path(sandbox, project):
    wanted = renames(sandbox, run00003="three", run00007="seven")
    sandbox.store.remove(sandbox.store.project("ycx", "RSST").runs["run00003"])
    sandbox.faults.answers, sandbox.faults.others = "path", "done"
    with pytest.raises(Refused, match="was previously created and deleted") as refused:
        project.rename(wanted)
    assert [one.index for one in refused.value.complaints] == [0]
    assert sandbox.store.names("ycx", "RSST")["run00007"] == "seven"


@pytest.mark.parametrize("limit", [{"max_mutations": 2}, {"max_bytes": 400}])
def test_a_document_that_is_too_large_does_nothing(sandbox, project, limit):
    for name, value in limit.items():
        setattr(sandbox.faults, name, value)
    before = sandbox.store.state()
    with pytest.raises(TooLarge, match="refuses a request of this size"):
        project.rename(renames(sandbox, run00003="a", run00004="b", run00005="c"))
    assert sandbox.store.state() == before


def test_a_write_that_was_done_twice_is_harmless(sandbox, project):
    sandbox.faults.add("drop-after", on="mutation")
    before = sandbox.store.state()
    answer = project.rename(renames(sandbox, run00003="three"))
    assert list(answer.values()) == ["three"]
    assert sandbox.store.state() == renamed(before, run00003="three")
    assert sandbox.counts.requests["mutation"] == 2


@pytest.mark.parametrize(
    "data", [{}, {"r0": None}, {"r0": {"bucket": None}}, {"r0": {"bucket": {"displayName": 3}}}]
)
def test_an_answer_that_carries_no_name_promises_none(odd_server, data):
    odd = odd_server(lambda request: (200, {"data": data}))
    assert connect(odd.url).project(parse_path("ycx/RSST")).rename([A_RENAME]) == {}


# Errors.


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (200, {"errors": [{"message": "%s"}]}, Refused),
        (200, {"errors": [{"message": "permission denied: %s", "path": ["r0"]}]}, Refused),
        (400, {"errors": [{"message": "bad request by %s"}]}, Refused),
        (403, {"errors": [{"message": "forbidden to %s"}]}, Refused),
        (409, {"errors": [{"message": "conflict of %s"}]}, Refused),
        (400, {"errors": [{"message": "too complex for %s"}]}, TooLarge),
        (413, "<html>%s</html>", TooLarge),
        (501, "<html>%s</html>", Unanswered),
        (200, "<html>%s</html>", Unanswered),
        (404, "not found for %s", Refused),
    ],
)
def test_no_error_tells_the_key(odd_server, quick, status, content, kind):
    said = {}
    odd = odd_server(lambda request: (status, said["content"]))
    basic = base64.b64encode(f"api:{odd.key}".encode()).decode()
    told = f"{odd.key} and Basic {basic} of http://me:{odd.key}@proxy"
    said["content"] = _filled(content, told)
    project = connect(odd.url).project(parse_path("ycx/RSST"))
    for call in (
        lambda: list(project.pages()),
        lambda: project.rename([A_RENAME]),
    ):
        with pytest.raises(kind) as failed:
            call()
        assert odd.key not in str(failed.value)
        assert basic not in str(failed.value)
        assert "\n" not in str(failed.value)


def _filled(content, words):
    """The content with `%s` replaced in all of its texts."""
    if isinstance(content, str):
        return content.replace("%s", words)
    (error,) = content["errors"]
    return {"errors": [{**error, "message": error["message"].replace("%s", words)}]}


def test_other_peoples_words_are_one_line_without_escapes(odd_server):
    words = "\x1b[31mred\nline\u202e" + "x" * 5000
    odd = odd_server(lambda request: (200, {"errors": [{"message": words}]}))
    with pytest.raises(Refused) as refused:
        list(connect(odd.url).project(parse_path("ycx/RSST")).pages())
    said = str(refused.value)
    assert said.isprintable()
    assert len(said) < 400


# PATHs.


def test_paths_and_pages(sandbox):
    server = connect(sandbox.url)
    signed_in = sandbox.counts.total
    by_url = server.project(parse_path(f"{sandbox.url}/ycx/RSST/runs/run00003"))
    assert by_url.key == ProjectKey("ycx", "RSST")
    assert sandbox.counts.total == signed_in
    alone = server.project(parse_path("RSST"))  # the account's entity
    assert alone.key == by_url.key
    assert server.app_url.startswith(sandbox.url)
    with pytest.raises(InputError, match=r"is on wandb\.ai, and this session is with"):
        server.project(parse_path("https://wandb.ai/ycx/RSST"))


def test_a_project_that_is_not_there_or_not_visible(sandbox):
    sandbox.store.project("ycx", "hidden").visible = False
    for path in ("ycx/hidden", "ycx/none", "nobody/RSST"):
        with pytest.raises(NoProject, match=rf"There is no project {path} on .* may not see it"):
            next(connect(sandbox.url).project(parse_path(path)).pages())


def test_an_empty_project_is_one_empty_page(sandbox):
    sandbox.store.project("ycx", "empty")
    (page,) = connect(sandbox.url).project(parse_path("ycx/empty")).pages()
    assert page.runs == ()
    assert page.total in (0, None)

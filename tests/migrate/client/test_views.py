"""Reading saved views and automations: the real client over real HTTP."""

import json

import pytest
import wandb

from migrate.client import views
from migrate.client.paths import parse_path
from migrate.client.server import connect
from migrate.client.views import KINDS, read_saved
from migrate.errors import Incomplete, Refused, ServerError, Unanswered
from migrate.sandbox.sample import sample_store
from migrate.sandbox.store import Store, StoredView


def saved(project, kind):
    return [view for page in read_saved(project, kind) for view in page.views]


def project_of(url):
    return connect(url).project(parse_path("ycx/RSST"))


def workspaces(count, spec="{}"):
    return [
        StoredView(f"id{number}", f"nw-v{number}-v", f"view {number}", "project-view", spec)
        for number in range(count)
    ]


@pytest.fixture
def sample(serve):
    return serve(sample_store())


def test_what_is_saved_in_the_sample_project(sample):
    project = project_of(sample.url)
    found = {kind: saved(project, kind) for kind in KINDS}
    assert {kind: [view.name for view in views] for kind, views in found.items()} == {
        "workspace": [
            "ycx's workspace",
            "ViT-S against ResNet",
            "Before filters had groups",
            "Finished",
        ],
        "report": ["Schedules compared"],
        "draft": ["Saliency (draft)"],
        "automation": ["Tell Slack when an exp run fails", "Any run of the team"],
    }
    assert {view.url.removeprefix(sample.url) for views in found.values() for view in views} == {
        "/ycx/RSST?nw=nwuserycx",
        "/ycx/RSST?nw=vitsmall100",
        "/ycx/RSST?nw=older2025",
        "/ycx/RSST?nw=finished001",
        "/ycx/RSST/reports/Schedules-compared--Vmlldzo1NzIxOTA1",
        "/ycx/RSST/reports/Saliency-draft--Vmlldzo1NzIxOTA2",
        "/ycx/RSST/automations",
    }
    assert found["automation"][1].spec == {"$and": [{"display_name": {"$regex": "^rsst_"}}]}
    assert sample.counts.requests == {"viewer": 1, "query": 4}


def test_the_sandbox_answers_the_official_clients(sample):
    """What `wandb-workspaces` sends is tried by tests/fixtures/make_views.py."""
    api = wandb.Api(overrides={"base_url": sample.url}, api_key=sample.api_key)
    (report,) = api.reports("ycx/RSST")
    project = project_of(sample.url)
    assert report.url == saved(project, "report")[0].url
    assert report.spec == saved(project, "report")[0].spec
    automations = list(api.automations(entity="ycx"))
    assert [found.name for found in automations] == [
        view.name for view in saved(project, "automation")
    ]
    assert "rsst_exp_custom" in repr(automations[0].event.filter)


def test_pages(serve):
    store = Store()
    store.project("ycx", "RSST").views = workspaces(45)
    sandbox = serve(store)
    pages = [
        ([view.name for view in page.views], page.total)
        for page in read_saved(project_of(sandbox.url), "workspace")
    ]
    assert [len(names) for names, _ in pages] == [20, 20, 5]
    assert [name for names, _ in pages for name in names] == [f"view {n}" for n in range(45)]
    assert {total for _, total in pages} == {45}
    assert sandbox.counts.requests["query"] == 3


def test_specs_of_several_megabytes(serve):
    store = Store()
    spec = json.dumps({"panels": [{"config": {"metrics": ["a" * 1000]}}] * 5000})
    assert len(spec) > 5_000_000
    store.project("ycx", "RSST").views = workspaces(2, spec)
    found = saved(project_of(serve(store).url), "workspace")
    assert [len(view.spec["panels"]) for view in found] == [5000, 5000]


@pytest.mark.parametrize("status", [413, 200])
def test_fewer_at_once_where_a_page_is_too_much(odd_server, status):
    def answer(request):
        first = request["variables"]["first"]
        sizes.append(first)
        if first > 1:
            return status, {"errors": [{"message": "context deadline exceeded"}]}
        more = {"endCursor": str(len(sizes)), "hasNextPage": len(sizes) < 20}
        edges = [{"node": {"id": str(len(sizes)), "spec": "{}"}}]
        return 200, {"data": {"project": {"allViews": {"edges": edges, "pageInfo": more}}}}

    sizes = []
    found = saved(project_of(odd_server(answer).url), "workspace")
    assert sizes[-len(found) :] == [1] * len(found)
    assert list(dict.fromkeys(sizes)) == [20, 5, 1]


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("[1, 2", None),
        ("[" * 100_000 + "]" * 100_000, None),
        ('{"a": ' + "9" * 5000 + "}", None),
        ("\\ud800", None),
        ('"\\ud800"', "\ud800"),
        ("[]", []),
    ],
)
def test_specs_that_are_no_json(serve, text, spec):
    store = Store()
    store.project("ycx", "RSST").views = [
        StoredView("=/%", "nw-\x1b[31m?#-v", "\x1b[31m\u202e<b>", "project-view", text),
        StoredView("=/%", "", "\x1b[31m ../\u202e<b>?#", "runs", text),
    ]
    sandbox = serve(store)
    project = project_of(sandbox.url)
    (view,), (report,) = saved(project, "workspace"), saved(project, "report")
    assert view.spec == report.spec == spec
    assert view.url == f"{sandbox.url}/ycx/RSST?nw=%1B%5B31m%3F%23"
    assert report.url == f"{sandbox.url}/ycx/RSST/reports/31m-b--%2F%25"


def test_what_the_key_may_not_see(serve):
    store = Store()
    store.project("ycx", "RSST").views = workspaces(3)
    store.project("ycx", "RSST").views[1].hidden = True
    (page,) = read_saved(project_of(serve(store).url), "workspace")
    assert (len(list(page.views)), page.total) == (2, 3)


@pytest.mark.parametrize(
    ("project", "error"),
    [
        ({"allViews": None}, Unanswered),
        ({"allViews": {"edges": {}}}, Unanswered),
        ({"allViews": {"edges": [], "pageInfo": {"hasNextPage": True}}}, Incomplete),
        (
            {"allViews": {"edges": [], "pageInfo": {"hasNextPage": True, "endCursor": "same"}}},
            Incomplete,
        ),
        (None, ServerError),
    ],
)
def test_odd_answers(odd_server, project, error):
    with pytest.raises(error):
        saved(project_of(odd_server(lambda _: (200, {"data": {"project": project}})).url), "report")


@pytest.mark.parametrize(
    ("kind", "called"), [("draft", "saved views"), ("automation", "automations")]
)
def test_an_answer_without_the_list(odd_server, kind, called):
    answer = {"project": {"allViews": 1}, "entity": {"triggers": 1}}
    with pytest.raises(Unanswered, match=f"not a list of {called}\\. Check"):
        saved(project_of(odd_server(lambda _: (200, {"data": answer})).url), kind)


def test_odd_entries_are_passed_over(odd_server):
    edges = [None, {}, {"node": None}, {"node": 7}, {"node": {"id": 1, "name": [], "spec": {}}}]
    answer = {"project": {"allViews": {"edges": edges, "totalCount": "many", "pageInfo": {}}}}
    (page,) = read_saved(project_of(odd_server(lambda _: (200, {"data": answer})).url), "workspace")
    (view,) = page.views
    assert (view.name, view.spec, page.total) == ("", None, None)


def test_a_list_that_grows_meanwhile(odd_server):
    """A cursor is an offset: what was saved first moves everything by one."""

    def answer(request):
        first = request["variables"]["after"] is None
        ids = ["a", "b"] if first else ["b", "c"]
        info = {"endCursor": "1", "hasNextPage": first}
        edges = [{"node": {"id": one, "name": one}} for one in ids]
        return 200, {"data": {"project": {"allViews": {"edges": edges, "pageInfo": info}}}}

    found = saved(project_of(odd_server(answer).url), "report")
    assert [view.name for view in found] == ["a", "b", "c"]


def test_automations_that_are_refused_on_the_way(odd_server):
    def answer(request):
        if request["variables"].get("after"):
            return 403, {"errors": [{"message": "permission denied"}]}
        info = {"endCursor": "1", "hasNextPage": True}
        return 200, {"data": {"entity": {"triggers": {"edges": [], "pageInfo": info}}}}

    with pytest.raises(Refused, match="permission denied"):
        saved(project_of(odd_server(answer).url), "automation")


def test_odd_automations_are_passed_over(odd_server):
    def trigger(condition, **scope):
        return {"node": {"id": "x", "name": "n", "scope": scope, "triggeringCondition": condition}}

    run = json.dumps({"run_filter": json.dumps({"display_name": "x"})})
    edges = [
        trigger({"filter": run}, __typename="Project", name="RSST"),
        trigger({"filter": run}, __typename="Project", name="another"),
        trigger({"filter": run}, __typename="Entity"),
        trigger({"filter": '{"filter": "{}"}'}, __typename="ArtifactPortfolio"),
        trigger({}, __typename="Project", name="RSST"),
        trigger(None),
        trigger({"filter": "{"}, __typename="Entity"),
        trigger({"filter": '{"run_filter": "{"}'}, __typename="Entity"),
    ]
    answer = {"data": {"entity": {"triggers": {"edges": edges, "pageInfo": {}}}}}
    found = saved(project_of(odd_server(lambda _: (200, answer)).url), "automation")
    assert [view.spec for view in found] == [
        {"display_name": "x"},
        {"display_name": "x"},
        None,
        None,
    ]


def test_a_refusal(odd_server):
    refused = {"errors": [{"message": "permission denied"}], "data": None}
    with pytest.raises(Refused, match="permission denied"):
        saved(project_of(odd_server(lambda _: (403, refused)).url), "draft")


def test_nothing_here_writes():
    documents = [text for text in vars(views).values() if isinstance(text, str) and "{" in text]
    assert len(documents) == 2
    assert not [text for text in documents if "mutation" in text]

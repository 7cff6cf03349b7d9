"""Reads what people saved in a project: workspaces, reports, drafts and automations.

The queries are those of the official clients, cut to what is needed: of `wandb.apis.public` and
wandb-workspaces for views, of wandb's `GET_ENTITY_AUTOMATIONS_GQL` for automations (servers before
0.83 do not know it). This module has no mutation and cannot send one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import quote

from migrate.client.documents import as_object, from_json, read_page
from migrate.client.retry import Note, PageSize, no_note
from migrate.client.server import Project
from migrate.errors import Incomplete, Refused

Kind = Literal["workspace", "report", "draft", "automation"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_VIEW_TYPES = {"workspace": "project-view", "report": "runs", "draft": "runs/draft"}
_PAGE_SIZES = (20, 5, 1)  # a spec may have several MB; the next size where a page is too much
_quoted = partial(quote, safe="", errors="replace")

_VIEWS = """
query Views(
  $entity: String!, $project: String!, $viewType: String!, $first: Int!, $after: String
) {
  project(name: $project, entityName: $entity) {
    allViews(viewType: $viewType, first: $first, after: $after) {
      totalCount
      edges { node { id name displayName spec } }
      pageInfo { endCursor hasNextPage }
    }
  }
}
"""
_AUTOMATIONS = """
query EntityAutomations($entity: String!, $first: Int!, $after: String) {
  entity(name: $entity) {
    triggers(first: $first, after: $after) {
      edges { node {
        id name scope { __typename ... on Project { name } }
        triggeringCondition { ... on FilterEventTriggeringCondition { eventType filter } }
      } }
      pageInfo { endCursor hasNextPage }
    }
  }
}
"""


class SavedView(NamedTuple):
    """A workspace, report, draft or automation, and where people open it.

    Attributes:
        spec: What it shows, as JSON values: a view's spec, an automation's filter of runs. None
            where it is not JSON, or nested too deep.
    """

    kind: Kind
    view_id: str
    name: str
    url: str
    spec: object


class ViewPage(NamedTuple):
    """A page of them, each read when its turn comes, and how many the server says there are."""

    views: Iterator[SavedView]
    total: int | None


def read_saved(project: Project, kind: Kind, note: Note = no_note) -> Iterator[ViewPage]:
    """What is saved of one kind, a page at a time; raises ServerError where a page failed.

    Automations are those of the project and of its entity, about runs.
    """
    entity, name = project.key
    if kind == "automation":
        of_entity = {"entity": entity}
        for nodes, _ in _pages(project, _AUTOMATIONS, of_entity, "entity", "triggers", note):
            yield ViewPage(_about_runs(project, nodes), None)
        return
    variables = {"entity": entity, "project": name, "viewType": _VIEW_TYPES[kind]}
    for nodes, total in _pages(project, _VIEWS, variables, "project", "allViews", note):
        yield ViewPage((_view(project, kind, node) for node in nodes), total)


def _pages(
    project: Project,
    document: str,
    variables: Mapping[str, object],
    holder: str,
    field: str,
    note: Note,
) -> Iterator[tuple[list[dict[str, Any]], int | None]]:
    """The pages of the list in a field of the holder, each entry once, with the server's count.

    What the key may not see is null, and left out.
    """
    page_size = PageSize("entries", _PAGE_SIZES)
    after: str | None = None
    passed: set[str] = set()
    known: set[str] = set()  # a cursor is an offset, and a list may grow meanwhile

    def ask(first: int) -> dict[str, Any]:
        return project.server.execute(document, {**variables, "first": first, "after": after})

    while True:
        held = page_size.read(ask, note, project.hurry).get(holder)
        if not isinstance(held, dict):
            raise Refused(f"The {holder} is hidden from this key, or not there any more.", ())
        page = read_page(held, field)
        new = [node for node in page.nodes if node and _id(node) not in known]
        yield new, page.total
        known |= {_id(node) for node in new}
        if not page.more:
            return
        after = page.cursor
        if after is None or after in passed:
            raise Incomplete("The server reports more of them but does not say how to get them.")
        passed.add(after)


def _view(project: Project, kind: Kind, node: dict[str, Any]) -> SavedView:
    view_id, name = _id(node), _text(node.get("name"))
    title = _text(node.get("displayName"))
    # As BetaReport.url has it (wandb/apis/public/reports.py), and Workspace.url (wandb-workspaces).
    words = re.sub(r"-+", "-", re.sub(r"\W", "-", title)).strip("-")
    if kind == "workspace":
        page = f"?nw={_quoted(re.sub('^nw-|-[vw]$', '', name))}"
    else:
        page = f"/reports/{_quoted(words)}--{_quoted(view_id.replace('=', ''))}"
    return SavedView(
        kind, view_id, title or name, _address(project) + page, from_json(node.get("spec"))
    )


def _about_runs(project: Project, nodes: list[dict[str, Any]]) -> Iterator[SavedView]:
    """The automations of this project, or of all the entity's, that choose runs."""
    for node in nodes:
        here = project.key.project
        if as_object(node.get("scope")).get("name", here) != here:
            continue
        text = as_object(node.get("triggeringCondition")).get("filter")
        event = from_json(text)
        run_filter = event.get("run_filter") if isinstance(event, dict) else None
        if text is None or (event is not None and run_filter is None):  # about artifacts
            continue
        yield SavedView(
            "automation",
            _id(node),
            _text(node.get("name")),
            _address(project) + "/automations",
            # JSON in JSON (`JsonEncoded` in wandb/automations/events.py).
            from_json(run_filter) if isinstance(run_filter, str) else run_filter,
        )


def _address(project: Project) -> str:
    return "/".join([project.server.app_url, *map(_quoted, project.key)])


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _id(node: dict[str, Any]) -> str:
    return _text(node.get("id"))

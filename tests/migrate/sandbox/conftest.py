"""Plain HTTP requests to the sandbox, and what a listing asks."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from migrate.sandbox.server import Sandbox

RUNS = """query R($filters: JSONString, $order: String, $first: Int, $after: String) {
  project(name: "RSST", entityName: "ycx") {
    runCount(filters: $filters)
    runs(filters: $filters, order: $order, first: $first, after: $after) {
      edges { node { name displayName } cursor }
      pageInfo { endCursor hasNextPage }
    }
  }
}"""


class Reply(NamedTuple):
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]


def _send(sandbox: Sandbox, path: str, content: object, key: str | None = None) -> Reply:
    token = base64.b64encode(f"api:{key or sandbox.api_key}".encode()).decode()
    request = urllib.request.Request(
        f"{sandbox.url}{path}",
        json.dumps(content).encode(),
        {"Content-Type": "application/json", "Authorization": f"Basic {token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return Reply(response.status, json.load(response), response.headers)
    except urllib.error.HTTPError as error:
        return Reply(error.code, json.load(error), error.headers)  # type: ignore[arg-type]


def _ask(sandbox: Sandbox, query: str, *, key: str | None = None, **variables: object) -> Reply:
    return _send(sandbox, "/graphql", {"query": query, "variables": variables}, key)


@pytest.fixture
def send() -> Callable[..., Reply]:
    """Send JSON to a path."""
    return lambda sandbox, path, key=None, **content: _send(sandbox, path, content, key)


@pytest.fixture
def ask() -> Callable[..., Reply]:
    """Send one document."""
    return _ask


@pytest.fixture
def post() -> Callable[..., tuple[int, Any]]:
    """Send one document; gives the status and the body."""
    return lambda *words, **variables: _ask(*words, **variables)[:2]


@pytest.fixture
def listed() -> Callable[..., tuple[list[str], dict[str, Any]]]:
    """Ask for a page; gives its run ids and its `pageInfo`."""

    def page(sandbox: Sandbox, **variables: object) -> tuple[list[str], dict[str, Any]]:
        status, body, _ = _ask(sandbox, RUNS, **variables)  # type: ignore[arg-type]
        assert (status, body.get("errors")) == (200, None)
        runs = body["data"]["project"]["runs"]
        return [edge["node"]["name"] for edge in runs["edges"]], runs["pageInfo"]

    return page


@pytest.fixture
def runs_query() -> str:
    """The document of `listed`."""
    return RUNS


@pytest.fixture
def rename_all() -> Callable[..., Reply]:
    """Send one document that gives each of these runs its id with `-new` for a name."""

    def rename(sandbox: Sandbox, *run_ids: str) -> Reply:
        runs = sandbox.store.project("ycx", "RSST").runs
        fields = [
            f'r{number}: upsertBucket(input: {{id: "{runs[run_id].id}", '
            f'displayName: "{run_id}-new"}}) {{ bucket {{ id displayName }} }}'
            for number, run_id in enumerate(run_ids)
        ]
        return _ask(sandbox, f"mutation {{ {' '.join(fields)} }}")

    return rename

"""What goes over the wire: the documents, and what the server's answers say.

An answer is somebody else's: whatever stands where a value should be becomes a safe value, or
one sentence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from migrate.client.runs import Run, RunKey, RunState
from migrate.errors import ServerError
from naming import CONFIG_KEYS

# The texts never change, whatever is asked: servers keep parsed documents.
_LIST = """
query Runs(
  $entity: String!, $project: String!, $filters: JSONString, $first: Int!, $after: String%(var)s
) {
  project(name: $project, entityName: $entity) {
    readOnly
    runCount(filters: $filters)
    runs(filters: $filters, order: "+created_at", first: $first, after: $after) {
      edges { node { %(fields)s } }
      pageInfo { endCursor hasNextPage }
    }
  }
}
"""
_RUN = "id name displayName state createdAt readOnly config"
LIST = _LIST % {"var": ", $keys: [String!]", "fields": f"{_RUN}(keys: $keys)"}
LIST_OLD = _LIST % {"var": "", "fields": _RUN}
LIST_IDS = _LIST % {"var": "", "fields": "name"}
LIST_STATES = _LIST % {"var": "", "fields": "id name displayName state readOnly"}


@dataclass(frozen=True, slots=True)
class Rename:
    """One run's new name."""

    storage_id: str
    name: str


@lru_cache(maxsize=64)
def rename_document(count: int) -> str:
    """The mutation for so many runs. Only `id` and `displayName`, ever.

    >>> rename_document(1).split("{", 1)[0]
    'mutation Rename($i0: String!, $n0: String!) '
    """
    declared = ", ".join(f"$i{n}: String!, $n{n}: String!" for n in range(count))
    bucket = "{ bucket { id displayName } }"
    fields = " ".join(
        f"r{n}: upsertBucket(input: {{id: $i{n}, displayName: $n{n}}}) {bucket}"
        for n in range(count)
    )
    return f"mutation Rename({declared}) {{ {fields} }}"


def read_page(project: dict[str, Any]) -> tuple[list[dict[str, Any]], bool, object]:
    """The runs of a page, whether there are more, and the cursor to them."""
    runs = project.get("runs")
    edges = runs.get("edges") if isinstance(runs, dict) else None
    info = runs.get("pageInfo") if isinstance(runs, dict) else None
    if not isinstance(edges, list) or not isinstance(info, dict):
        raise ServerError("The server's listing is not one. Check that this is a W&B server.")
    nodes: list[dict[str, Any]] = []
    for edge in edges:
        node = edge.get("node") if isinstance(edge, dict) else None
        if not isinstance(node, dict):
            raise ServerError("The server's listing holds an entry that is no run. Try later.")
        nodes.append(node)
    return nodes, info.get("hasNextPage") is True, info.get("endCursor")


def run_id_of(node: dict[str, Any]) -> str:
    """The id in the run's URL, without which nothing can be said of it."""
    run_id = node.get("name")
    if not isinstance(run_id, str) or not run_id:
        raise ServerError("The server's listing holds a run without an id. Try again later.")
    return run_id


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _time(value: object) -> datetime | None:
    """An ISO 8601 time, in UTC; without a zone it is UTC already."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            return moment and moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _config(value: object) -> dict[str, object] | None:
    """The values that we use, out of `{"rate": {"value": 0.15, "desc": null}}`; None if no object.

    >>> _config('{"rate": {"value": 0.15, "desc": null}, "arch": "res18", "epochs": 9}')
    {'rate': 0.15, 'arch': 'res18'}
    """
    try:
        values = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict):
        return None
    return {
        key: inner["value"] if isinstance(inner, dict) and "value" in inner else inner
        for key, inner in values.items()
        if key in CONFIG_KEYS
    }


def read_run(node: dict[str, Any], entity: str, project: str, *, read_only: bool) -> Run:
    """A listing's entry; `read_only` is the project's."""
    return Run(
        key=RunKey(entity, project, run_id_of(node)),
        name=_text(node.get("displayName")),
        state=_text(node.get("state")),
        created_at=_time(node.get("createdAt")),
        read_only=read_only or node.get("readOnly") is True,
        config=_config(node.get("config")),
    )


def read_state(node: dict[str, Any], *, read_only: bool) -> RunState:
    """An entry of LIST_STATES; `read_only` is the project's."""
    return RunState(
        run_id=run_id_of(node),
        storage_id=_text(node.get("id")),
        name=_text(node.get("displayName")),
        state=_text(node.get("state")),
        read_only=read_only or node.get("readOnly") is True,
    )


def read_names(data: dict[str, Any], count: int) -> dict[str, str]:
    """Storage id to name, as far as the answer to a rename_document carries them."""
    names = {}
    for number in range(count):
        payload = data.get(f"r{number}")
        bucket = payload.get("bucket") if isinstance(payload, dict) else None
        if isinstance(bucket, dict) and isinstance(bucket.get("displayName"), str):
            names[_text(bucket.get("id"))] = bucket["displayName"]
    return names

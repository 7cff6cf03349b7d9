"""What goes over the wire: the documents, and what the server's answers say.

An answer is somebody else's: whatever stands where a value should be becomes a safe value, or
one sentence.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from migrate.client.runs import ProjectKey, Run, RunKey, RunState
from migrate.errors import Unanswered
from naming import CONFIG_KEYS
from naming.fields import plain

_LIST = """
query Runs($entity: String!, $project: String!, $filters: JSONString, $first: Int!, $after: String
  %(declared)s) {
  project(name: $project, entityName: $entity) {
    %(of_project)s
    runs(filters: $filters, order: "+created_at", first: $first, after: $after) {
      edges { node { %(of_run)s } }
      pageInfo { endCursor hasNextPage }
    }
  }
}
"""
# What is asked of each run: to map it, to know that it passes a filter, to know what it is now.
RUNS = "id name displayName state createdAt readOnly config(keys: $keys)"
RUN_IDS = "name createdAt"
RUN_STATES = "id name displayName state readOnly"

COUNT = """
query RunCount($entity: String!, $project: String!, $filters: JSONString) {
  project(name: $project, entityName: $entity) { runCount(filters: $filters) }
}
"""


def list_document(of_run: str, *, read_only: bool) -> str:
    """The query for a page of runs.

    The texts never change, whatever is asked: servers keep parsed documents. `read_only`: whether
    the server knows `readOnly`.
    """
    declared = ", $keys: [String!]" if "$keys" in of_run else ""
    of_project = "name readOnly" if read_only else "name"
    if not read_only:
        of_run = of_run.replace("readOnly", "")
    return _LIST % {"declared": declared, "of_project": of_project, "of_run": of_run}


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


class NodePage(NamedTuple):
    """A page of a list, as the server answers it.

    Attributes:
        nodes: Its entries; an empty one where the server gives none.
        cursor: Where the next page begins; None where the server does not say.
        total: How many entries the list has; None where the server does not say.
    """

    nodes: Sequence[dict[str, Any]]
    more: bool
    cursor: str | None
    total: int | None


_CALLED = {"allViews": "saved views", "triggers": "automations"}


def read_page(holder: dict[str, Any], field: str) -> NodePage:
    """The page of a list in a field of an answer; raises Unanswered where it is not a list."""
    connection = as_object(holder.get(field))
    edges, info = connection.get("edges"), connection.get("pageInfo")
    if not isinstance(edges, list) or not isinstance(info, dict):
        raise Unanswered(
            f"The server's answer is not a list of {_CALLED.get(field, field)}. "
            "Check that this is a W&B server."
        )
    cursor, total = info.get("endCursor"), connection.get("totalCount")
    return NodePage(
        [as_object(as_object(edge).get("node")) for edge in edges],
        more=info.get("hasNextPage") is True,
        cursor=cursor if isinstance(cursor, str) else None,
        total=total if type(total) is int else None,
    )


def as_object(value: object) -> dict[str, Any]:
    """An object of an answer; empty where there is something else."""
    return value if isinstance(value, dict) else {}


def from_json(text: object) -> object:
    """The values of a JSON text; None where it is not one, or one that is nested too deep."""
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def run_id_of(node: dict[str, Any]) -> str:
    """The id in the run's URL; empty where it is missing, and then the run is not usable."""
    run_id = node.get("name")
    return run_id if isinstance(run_id, str) else ""


def created_at(node: dict[str, Any]) -> datetime | None:
    """When a run was created, in UTC; None where the server's value is not a time."""
    try:
        moment = datetime.fromisoformat(node.get("createdAt") or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _config(value: object, keys: Container[str] = CONFIG_KEYS) -> Mapping[str, object] | None:
    """The values that we use, out of `{"rate": {"value": 0.15, "desc": null}}`; None if no object.

    >>> _config('{"rate": {"value": 0.15, "desc": null}, "arch": "res18", "epochs": 9}')
    {'rate': 0.15, 'arch': 'res18'}
    """
    values = from_json(value) if isinstance(value, str) else value
    if not isinstance(values, dict):
        return None
    return plain({key: inner for key, inner in values.items() if key in keys})


def read_run(
    node: dict[str, Any], project: ProjectKey, read_only: bool, keys: Container[str] = CONFIG_KEYS
) -> Run:
    """A listing's entry, with these keys of its config; `read_only` is the project's."""
    return Run(
        key=RunKey(*project, run_id_of(node)),
        name=_text(node.get("displayName")),
        state=_text(node.get("state")),
        created_at=created_at(node),
        read_only=read_only or node.get("readOnly") is True,
        config=_config(node.get("config"), keys),
    )


def read_state(node: dict[str, Any], *, read_only: bool) -> RunState:
    """An entry of a listing of RUN_STATES; `read_only` is the project's."""
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
        bucket = as_object(as_object(data.get(f"r{number}")).get("bucket"))
        if isinstance(bucket.get("displayName"), str):
            names[_text(bucket.get("id"))] = bucket["displayName"]
    return names

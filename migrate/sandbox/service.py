"""The sandbox's GraphQL service: the schema's resolvers, executed strictly."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from migrate.sandbox.faults import Faults
from migrate.sandbox.filters import FilterError, field_value, matches, parse_filters
from migrate.sandbox.store import Store, StoredProject, StoredRun

USER = "ycx"
_USER = {"id": "VXNlcjox", "name": "Sandbox", "username": USER, "email": "sandbox@localhost"}
MAX_NAME = 128

# The input's fields that overwrite a run's: absent and null leave alone, anything else does not.
_WRITTEN = {
    "displayName": "displayName",
    "description": "description",
    "notes": "notes",
    "tags": "tags",
    "config": "config",
    "summaryMetrics": "summaryMetrics",
    "groupName": "group",
    "jobType": "jobType",
    "state": "state",
}


@cache
def _schema(old: bool) -> GraphQLSchema:
    text = files("migrate.sandbox").joinpath("schema.graphql").read_text("utf-8")
    if old:
        text = text.replace("config(keys: [String!])", "config")
    return build_schema(text)


@cache
def _document(query: str, old: bool) -> tuple[DocumentNode, tuple[GraphQLError, ...]]:
    """A query, parsed and checked against the schema; clients send the same text many times."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return DocumentNode(definitions=()), (error,)
    return document, tuple(validate(_schema(old), document))


def operation_of(query: str, variables: dict[str, Any]) -> str:
    """What a request is: `mutation`, `viewer` (signing in) or `query`."""
    if query.lstrip().startswith("mutation"):
        return "mutation"
    return "viewer" if "viewer" in query and "project" not in query else "query"


@dataclass
class Service:
    """Executes documents against a store."""

    store: Store
    faults: Faults = field(default_factory=Faults)
    mutations: list[dict[str, Any]] = field(default_factory=list)
    """The input of every mutation that came, for tests to look at."""

    def execute(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The response to one document."""
        document, errors = _document(query, self.faults.old)
        if errors:
            return {"errors": [error.formatted for error in errors]}
        result = execute_sync(
            _schema(self.faults.old),
            document,
            root_value=self,
            variable_values=variables,
            field_resolver=_resolve,
        )
        return dict(result.formatted)

    def count_mutations(self, query: str) -> int:
        """How many mutations a document holds."""
        document, _ = _document(query, self.faults.old)
        return sum(
            len(definition.selection_set.selections)
            for definition in document.definitions
            if isinstance(definition, OperationDefinitionNode)
            and definition.operation.value == "mutation"
        )

    # The root fields.

    def viewer(self) -> dict[str, Any]:
        """The account that the key belongs to."""
        entities = sorted({entity for entity, _ in self.store.projects})
        return {
            **_USER,
            "admin": False,
            "flags": "{}",
            "deletedAt": None,
            "entity": USER,
            "apiKeys": {"edges": []},
            "teams": {"edges": [{"node": {"id": name, "name": name}} for name in entities]},
        }

    def serverInfo(self) -> dict[str, Any]:  # noqa: N802 - the schema's name
        """What the server can do."""
        return {"cliVersionInfo": {}, "features": []}

    def project(self, name: str, entityName: str) -> dict[str, Any] | None:  # noqa: N803
        """A project; null where there is none, or the key may not see it."""
        project = self.store.projects.get((entityName, name))
        return None if project is None or not project.visible else self._project(project)

    def models(
        self,
        entityName: str,  # noqa: N803
        first: int = 50,
        after: str | None = None,
    ) -> dict[str, Any]:
        """The projects of an entity."""
        shown = [
            project
            for project in self.store.projects.values()
            if project.entity == entityName and project.visible
        ]
        return _connection([self._project(project) for project in shown], first, after)

    def _project(self, project: StoredProject) -> dict[str, Any]:
        return {
            "id": f"{project.entity}/{project.name}",
            "internalId": "1",
            "name": project.name,
            "entityName": project.entity,
            "createdAt": "2025-06-01T00:00:00",
            "isBenchmark": False,
            "user": self.viewer,
            "readOnly": project.read_only,
            "runCount": lambda filters=None: len(_selected(project, filters)),
            "runs": lambda **arguments: _runs(project, **arguments),
            "run": lambda name: project.runs.get(name),
        }

    def upsertBucket(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802
        """Overwrite what the input gives; what is absent or null stays."""
        self.mutations.append(dict(input))
        run = self.store.by_id.get(input.get("id") or "")
        if run is None:
            run = self._by_name(input)
        if run is None:
            raise GraphQLError("run not found", extensions={"code": 404})
        project = self.store.project(run.entity, run.project)
        if self.faults.read_only_key or project.read_only or run.readOnly:
            raise GraphQLError("permission denied", extensions={"code": 403})
        if run.name in self.faults.denied:
            raise GraphQLError(self.faults.denied[run.name])
        new_name = input.get("displayName")
        if new_name is not None and not 0 < len(new_name) <= MAX_NAME:
            raise GraphQLError(f"displayName must have 1 to {MAX_NAME} characters")
        for key, attribute in _WRITTEN.items():
            if input.get(key) is not None:
                setattr(run, attribute, input[key])
        return {"bucket": run, "inserted": False, "clientMutationId": input.get("clientMutationId")}

    def _by_name(self, given: dict[str, Any]) -> StoredRun | None:
        project = self.store.projects.get((given.get("entityName", ""), given.get("modelName", "")))
        return project.runs.get(given.get("name", "")) if project else None


def _resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    name = info.field_name
    if type(source) is StoredRun:
        if name in ("config", "summaryMetrics"):
            return _some_keys(getattr(source, name), arguments.get("keys"))
        return _USER if name == "user" else getattr(source, name)
    value = source[name] if type(source) is dict else getattr(source, name)
    return value(**arguments) if callable(value) else value


def _some_keys(text: str, keys: list[str] | None) -> str:
    if keys is None:
        return text
    try:
        values = json.loads(text)
        return json.dumps({key: values[key] for key in keys if key in values})
    except (ValueError, TypeError):
        return text


def _selected(project: StoredProject, filters: str | None) -> list[StoredRun]:
    try:
        wanted = parse_filters(filters)
        if not wanted:
            return list(project.runs.values())
        if (
            list(wanted) == ["name"]
            and isinstance(wanted["name"], dict)
            and "$in" in wanted["name"]
        ):
            # A look-up by run ids, as an index answers it.
            ids = wanted["name"]["$in"]
            return [project.runs[run_id] for run_id in ids if run_id in project.runs]
        return [run for run in project.runs.values() if matches(run, wanted)]
    except FilterError as error:
        raise GraphQLError(str(error), extensions={"code": 400}) from None


def _runs(
    project: StoredProject,
    filters: str | None = None,
    order: str | None = None,
    first: int = 50,
    after: str | None = None,
) -> dict[str, Any]:
    selected = _selected(project, filters)
    key = (order or "+created_at").lstrip("+-")
    try:
        selected.sort(
            key=lambda run: (str(field_value(run, key)).rstrip("Z"), run.name),
            reverse=(order or "").startswith("-"),
        )
    except FilterError as error:
        raise GraphQLError(str(error)) from None
    return _connection(selected, first, after)


def _connection(nodes: list[Any], first: int, after: str | None) -> dict[str, Any]:
    """A page of nodes; a cursor is the place in the list."""
    start = int(after) if after and after.isdigit() else 0
    stop = start + max(0, min(first, 1000))
    edges = [
        {"node": node, "cursor": str(start + i + 1)} for i, node in enumerate(nodes[start:stop])
    ]
    return {
        "edges": edges,
        "totalCount": len(nodes),
        "pageInfo": {
            "endCursor": edges[-1]["cursor"] if edges else after,
            "hasNextPage": stop < len(nodes),
        },
    }

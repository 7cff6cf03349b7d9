"""The schema's resolvers: what one request reads, writes and takes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from graphql import GraphQLError, GraphQLResolveInfo, OperationType

from migrate.sandbox import views
from migrate.sandbox.faults import Code
from migrate.sandbox.filters import FilterError, field_value, matches, moment, parse_filters
from migrate.sandbox.ingest import UPLOADS, new_run
from migrate.sandbox.paging import CursorError, Order, connection
from migrate.sandbox.store import StoredProject, StoredRun, storage_id

if TYPE_CHECKING:
    from migrate.sandbox.service import Service

USER = "ycx"
_USER = {
    "id": "VXNlcjox",
    "name": "Sandbox",
    "username": USER,
    "email": "sandbox@localhost",
    "photoUrl": None,
}
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
    "sweep": "sweepName",
}


class RequestError(Exception):
    """The request as a whole fails, with this HTTP status (None: never) and these words."""

    def __init__(self, status: int | None, words: str) -> None:
        super().__init__(words)
        self.status = status


def _refused(words: str, code: Code) -> GraphQLError:
    return GraphQLError(words, extensions={"code": code})


class Request:
    """One document under way: the root of its resolvers.

    Attributes:
        where: The project that it names (the last of them): its quota pays.
        owed: The query time of what was read so far, which is spent before the answer.
        failed: Why it goes no further.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.where: tuple[str, str] | None = None
        self.owed = 0.0
        self.failed: RequestError | None = None
        self._spent = 0.0
        self._refused = False
        self._staged: list[tuple[StoredRun, dict[str, Any]]] = []

    async def spend(self, seconds: float) -> None:
        """Let query time pass; raises RequestError where the time limit comes first."""
        limit = self.service.pace.limit_s
        over = limit is not None and self._spent + seconds > limit
        if limit is not None and over:
            seconds = limit - self._spent
        self._spent += seconds
        self.service.charge(self.where, seconds)
        if seconds:
            await asyncio.sleep(seconds)
        if over:
            raise RequestError(500, "context deadline exceeded")

    def commit(self) -> None:
        """Write what was staged, unless a refusal undoes it."""
        for run, changes in () if self._refused else self._staged:
            self._write(run, changes)

    # The root fields.

    def viewer(self, entityName: str | None = None) -> dict[str, Any]:  # noqa: ARG002, N803 - the schema's
        """The account that the key belongs to."""
        entities = sorted({entity for entity, _ in self.service.store.projects})
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
        return {"cliVersionInfo": {}, "features": views.FEATURES}

    def project(
        self,
        name: str | None = None,
        entityName: str | None = None,  # noqa: N803
    ) -> dict[str, Any] | None:
        """A project; null where there is none, or the key may not see it."""
        project = self.service.store.projects.get((entityName or USER, name or ""))
        if project is None or not project.visible:
            return None
        self._enter((project.entity, project.name))
        return self._project(project)

    def models(
        self,
        entityName: str,  # noqa: N803
        first: int | None = None,
        after: str | None = None,
    ) -> dict[str, Any]:
        """The projects of an entity."""
        shown = [
            project
            for project in self.service.store.projects.values()
            if project.entity == entityName and project.visible
        ]
        return connection([self._project(project) for project in shown], first, after)

    def entity(self, name: str | None = None) -> dict[str, Any]:
        """An entity, which here is of no organization."""
        projects = [
            project
            for project in self.service.store.projects.values()
            if project.entity == name and project.visible
        ]
        return {
            **views.of_entity(projects),
            "id": name,
            "name": name or USER,
            "organization": None,
            "projects": lambda **page: connection(list(map(self._project, projects)), **page),
        }

    model = project  # as the client calls it that resumes a run

    def createRunFiles(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802
        """Where to upload files of a run."""
        wanted = {"name": input["runName"], "modelName": input["projectName"]}
        run = self._run({**wanted, "entityName": input["entityName"]})
        if run is None:
            raise self._unknown(wanted)
        url = f"{self.service.url}{UPLOADS}/{quote(run.id)}/"
        files = [{"name": name, "uploadUrl": url + quote(name)} for name in input["files"]]
        return {"runID": run.id, "uploadHeaders": [], "files": files}

    def upsertBucket(  # noqa: N802
        self,
        input: dict[str, Any],  # noqa: A002
    ) -> dict[str, Any] | Awaitable[dict[str, Any] | None] | None:
        """Overwrite what the input gives of a run, or make it; what is absent or null stays."""
        if self.failed is None and self.service.pace.upsert_ms:
            return self._upsert_later(input)
        return self._upsert(input)

    # Reading.

    def _enter(self, where: tuple[str, str]) -> None:
        """The project's quota pays from here on; the request fails where it is used up."""
        if self.where != where:
            self.where = where
            remaining = self.service.remaining(where)
            if remaining is not None and remaining <= 0:
                raise self._fail(429, "rate limit exceeded")

    def _fail(self, status: int | None, words: str) -> RequestError:
        self.failed = self.failed or RequestError(status, words)
        return self.failed

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
            "runCount": lambda filters=None: self._count(project, filters),
            "runs": lambda **arguments: self._runs(project, **arguments),
            **views.of_project(project),
            "run": lambda name: project.runs.get(name),
            "bucket": lambda name, **_: project.runs.get(name),
            "entity": {"id": project.entity, "name": project.entity},
        }

    def _count(self, project: StoredProject, filters: str | None) -> int:
        self.owed += self.service.pace.count_ms / 1000
        return len(_selected(project, filters))

    def _runs(
        self,
        project: StoredProject,
        names: list[str] | None = None,
        filters: str | None = None,
        order: str | None = None,
        first: int | None = None,
        **cursors: Any,
    ) -> dict[str, Any]:
        selected = _selected(project, filters)
        if names is not None:
            selected = [run for run in selected if run.name in names]
        orders = self.service.orders.setdefault((project.entity, project.name), Order())
        try:
            page = connection(_ordered(selected, order, orders), first, **cursors)
        except (FilterError, CursorError) as error:
            raise _refused(str(error), "INVALID_VALUE") from None
        self._hold_to_limit(len(page["edges"]), first)
        self.owed += len(page["edges"]) * self.service.pace.run_ms / 1000
        if page["pageInfo"]["hasNextPage"] and page["edges"]:
            self._while_listed(page["edges"][0]["node"])
        return page

    def _hold_to_limit(self, length: int, first: int | None) -> None:
        """A page that is too long for this server is not served, in the way that was chosen."""
        most, how = self.service.faults.max_page, self.service.faults.max_page_answer
        if most is None:
            return
        if how == "first":
            if (length if first is None else first) > most:
                raise _refused(f"first must not exceed {most}", "INVALID_VALUE")
        elif length > most:
            status = None if how == "hang" else int(how)
            raise self._fail(status, "context deadline exceeded")

    def _while_listed(self, run: StoredRun) -> None:
        """What happens in the project after a page of a listing, which begins with this run."""
        fault, store = self.service.faults.hit("page"), self.service.store
        if fault is None:
            return
        if fault.kind == "run-deleted":
            store.remove(run)
            return
        name = f"late{len(store.by_id) + len(store.deleted):04x}"
        before = moment(run.createdAt) - timedelta(seconds=1)
        made = replace(run, name=name, createdAt=before.isoformat().replace("+00:00", "Z"))
        store.add(run.entity, run.project, made)

    # Writing.

    async def _upsert_later(self, given: dict[str, Any]) -> dict[str, Any] | None:
        if self._skips():
            return None
        run = self._run(given)
        if run is not None:
            self._enter((run.entity, run.project))
        try:
            await self.spend(self.service.pace.upsert_ms / 1000)
        except RequestError as failed:
            self.failed = failed
            raise
        return self._upsert(given)

    def _upsert(self, given: dict[str, Any]) -> dict[str, Any] | None:
        if self.failed is not None:
            raise self.failed
        if self._skips():
            return None
        self.service.mutations.append(dict(given))
        try:
            run, changes = self._checked(given)
        except GraphQLError:
            self._refused = True
            raise
        shown = replace(run, **changes)
        inserted = run.id not in self.service.store.by_id
        if self.service.faults.others == "undone":
            self._staged.append((run, changes))  # until it is clear that no other is refused
        else:
            self._write(run, changes)
        mutation_id = given.get("clientMutationId")
        return {"bucket": shown, "inserted": inserted, "clientMutationId": mutation_id}

    def _skips(self) -> bool:
        return self._refused and self.service.faults.others == "skipped"

    def _checked(self, given: dict[str, Any]) -> tuple[StoredRun, dict[str, Any]]:
        """The run that a mutation is about and what it changes there; GraphQLError: refused."""
        faults = self.service.faults
        run = self._run(given) or new_run(self.service.store, given, USER)
        if run is None:
            raise self._unknown(given)
        self._enter((run.entity, run.project))
        project = self.service.store.project(run.entity, run.project)
        if faults.read_only_key or project.read_only or run.readOnly:
            raise _refused("permission denied", "PERMISSION_ERROR")
        refusal = faults.refusal(run.name)
        if refusal is not None:
            raise _refused(refusal.words, refusal.code)
        new_name = given.get("displayName")
        if new_name is not None and not 0 < len(new_name) <= MAX_NAME:
            raise _refused(f"displayName must have 1 to {MAX_NAME} characters", "INVALID_VALUE")
        changes = {
            attribute: given[key]
            for key, attribute in _WRITTEN.items()
            if given.get(key) is not None
        }
        if faults.alters is not None and new_name is not None:
            changes["displayName"] = faults.alters(new_name)
        return run, changes

    def _run(self, given: dict[str, Any]) -> StoredRun | None:
        store = self.service.store
        run = store.by_id.get(given.get("id") or "")
        if run is not None:
            return run
        project = store.projects.get(
            (given.get("entityName") or USER, given.get("modelName") or "")
        )
        return project.runs.get(given.get("name") or "") if project else None

    def _unknown(self, given: dict[str, Any]) -> GraphQLError:
        wanted = given.get("id") or given.get("name") or ""
        where = (given.get("entityName") or USER, given.get("modelName") or "")
        if {wanted, storage_id(*where, wanted)} & self.service.store.deleted:
            return _refused(f'run "{wanted}" was previously created and deleted', "DELETED")
        return _refused(f'run "{wanted}" not found', "NOT_FOUND")

    def _write(self, run: StoredRun, changes: dict[str, Any]) -> None:
        if "displayName" in changes:
            until = (time.monotonic(), run.displayName)
            self.service.names.setdefault(run.id, []).append(until)
        for attribute, value in changes.items():
            setattr(run, attribute, value)
        if not self.service.store.knows(run):
            self.service.store.add(run.entity, run.project, run)


def resolve(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    """The value of any field: a run's attribute, a dictionary's entry or a Request's method."""
    name = info.field_name
    if type(source) is StoredRun:
        if name in ("config", "summaryMetrics", "wandbConfig"):
            return _some_keys(getattr(source, name), arguments.get("keys"))
        if name == "project":
            return info.context.project(source.project, source.entity)
        if name == "displayName" and info.operation.operation is OperationType.QUERY:
            return info.context.service.name_of(source.id, source.displayName)
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
        raise _refused(str(error), "INVALID_VALUE") from None


def _ordered(runs: list[StoredRun], order: str | None, orders: Order) -> list[StoredRun]:
    """The runs in the order of `+created_at` and its like, which ours takes for absent, too."""
    key = (order or "+created_at").lstrip("+-")
    descending = (order or "").startswith("-")
    if key in ("created_at", "createdAt"):
        return orders.sort(runs, lambda run: moment(run.createdAt), descending=descending)
    return orders.sort(runs, lambda run: str(field_value(run, key)), descending=descending)

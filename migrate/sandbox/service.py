"""The sandbox's GraphQL service: documents, checked against the schema and executed strictly."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from inspect import isawaitable
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute,
    execute_sync,
    parse,
    validate,
)

from migrate.sandbox.faults import STATUSES, Faults
from migrate.sandbox.pace import Counts, Pace, Window, rate_limit_headers
from migrate.sandbox.paging import Order
from migrate.sandbox.resolvers import Request, RequestError, resolve
from migrate.sandbox.store import Store


@cache
def _schema(lacks: frozenset[str]) -> GraphQLSchema:
    """The schema without some fields, each given as `Type.field`."""
    text = files("migrate.sandbox").joinpath("schema.graphql").read_text("utf-8")
    for name in lacks:
        kind, _, gone = name.partition(".")
        head, start, rest = text.partition(f"\ntype {kind} {{\n")
        text = head + start + re.sub(rf"(?m)^  {gone}\b.*\n", "", rest, count=1)
    return build_schema(text)


@cache
def _document(query: str, lacks: frozenset[str]) -> tuple[DocumentNode, tuple[dict[str, Any], ...]]:
    """A query, parsed and checked against the schema; clients send the same text many times."""
    try:
        document = parse(query)
        errors = validate(_schema(lacks), document)
    except GraphQLError as error:
        document, errors = DocumentNode(definitions=()), [error]
    # W&B's server is written in Go, where these messages quote names with `"`.
    return document, tuple({"message": error.message.replace("'", '"')} for error in errors)


def operation_of(query: str) -> str:
    """What a request is: `mutation`, `viewer` (signing in) or `query`."""
    if query.lstrip().startswith("mutation"):
        return "mutation"
    return "viewer" if "viewer" in query and "project" not in query else "query"


@dataclass(frozen=True)
class Answer:
    """What a request is answered with; status None: nothing, ever."""

    status: int | None
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Service:
    """Executes documents against a store.

    Attributes:
        store: The data.
        faults: What is wrong with it.
        pace: How long things take.
        counts: What it was asked for.
        mutations: The input of every `upsertBucket` that came, for tests to look at.
        url: Where it is reached, for the addresses that it gives out.
    """

    store: Store
    faults: Faults = field(default_factory=Faults)
    pace: Pace = field(default_factory=Pace)
    counts: Counts = field(default_factory=Counts)
    mutations: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    orders: dict[tuple[str, str], Order] = field(default_factory=dict)
    windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    names: dict[str, list[tuple[float, str | None]]] = field(default_factory=dict)
    """Storage id to the names that a run had, each with the time until which it had it."""

    async def answer(self, query: str, variables: dict[str, Any]) -> Answer:
        """Execute one document, which takes as long as the pace says."""
        lacks = self.faults.lacks
        document, errors = _document(query, lacks)
        if errors:
            return Answer(400, {"errors": list(errors)})
        request = Request(self)
        # Only upserts that take time are awaited; without them execution is twice as fast.
        result = (execute if self.pace.upsert_ms else execute_sync)(
            _schema(lacks),
            document,
            root_value=request,
            context_value=request,
            variable_values=variables,
            field_resolver=resolve,
        )
        if isawaitable(result):
            result = await result
        try:
            await request.spend(request.owed)
        except RequestError as error:
            request.failed = error
        if request.failed is None:
            return self._respond(request, result)
        if request.failed.status != 429:
            request.commit()
        return self._fail(request.failed, request.where)

    def count_mutations(self, query: str) -> int:
        """How many mutations a document holds."""
        document, _ = _document(query, self.faults.lacks)
        return sum(
            len(definition.selection_set.selections)
            for definition in document.definitions
            if isinstance(definition, OperationDefinitionNode)
            and definition.operation.value == "mutation"
        )

    def remaining(self, where: tuple[str, str]) -> float | None:
        """The query time that remains of a project's quota; None without a quota."""
        if self.pace.quota is None:
            return None
        window = self.windows.setdefault(where, Window())
        return window.remaining(self.pace.quota, self.pace.window_s)

    def charge(self, where: tuple[str, str] | None, seconds: float) -> None:
        """Count query time, and take it from the quota of the project that it was for."""
        self.counts.query_seconds += seconds
        if where is not None and self.pace.quota is not None:
            self.windows.setdefault(where, Window()).charge(seconds)

    def name_of(self, storage_id: str, now: str | None) -> str | None:
        """The name that reading a run gives: the one of `lag_seconds` ago."""
        then = time.monotonic() - self.faults.lag_seconds
        return next((name for until, name in self.names.get(storage_id, ()) if until > then), now)

    def _respond(self, request: Request, result: ExecutionResult) -> Answer:
        headers = self._headers(request.where)
        data = result.data
        if not result.errors:
            request.commit()
            return Answer(200, {"data": data}, headers)
        if self.faults.others == "undone" and data is not None:
            data = dict.fromkeys(data)
        errors = [_formatted(error) for error in result.errors]
        status = _status(result.errors[0])
        if self.faults.answers == "path" and result.errors[0].path:
            status = 200
        return Answer(status, {"errors": errors, "data": data}, headers)

    def _fail(self, error: RequestError, where: tuple[str, str] | None) -> Answer:
        headers = self._headers(where)
        if error.status == 429 and self.pace.retry_after:
            headers["Retry-After"] = headers["RateLimit-Reset"]
        return Answer(error.status, {"errors": [{"message": str(error)}]}, headers)

    def _headers(self, where: tuple[str, str] | None) -> dict[str, str]:
        """The RateLimit headers of every answer about a project that has a quota."""
        remaining = None if where is None else self.remaining(where)
        quota, window_s = self.pace.quota, self.pace.window_s
        if where is None or remaining is None or quota is None:
            return {}
        reset = self.windows[where].reset(quota, window_s)
        return rate_limit_headers(remaining, quota * window_s, reset)


def _formatted(error: GraphQLError) -> dict[str, Any]:
    """An error as W&B writes it: without locations."""
    return {key: value for key, value in error.formatted.items() if key != "locations"}


def _status(error: GraphQLError) -> int:
    """The HTTP status of an error: its code's; 400 for variables that do not fit the schema."""
    code = (error.extensions or {}).get("code")
    return STATUSES.get(str(code), 400 if error.path is None else 500)

"""Talking to W&B: the one module that sends requests, all of them over `wandb.Api()`'s session.

`api._service_api.execute_graphql` is the only private name that is touched, in `_execute` alone.

The transport, measured with wandb-core 0.31.0 against a server that fails on purpose:

* 408, 429, 5xx (not 501) and dropped connections are repeated up to 20 times, after 2.2, 4.5, 9,
  17, 37 ... s; Retry-After is honoured. Other statuses, and TLS errors, come back at once.
  WANDB_X_GRAPHQL_RETRY_MAX and wandb.Settings(x_graphql_retry_max=...) change the number.
* One attempt may take 30 s (WANDB_HTTP_TIMEOUT, x_graphql_timeout_seconds), then it is repeated.
* `timeout=` bounds the whole call, repetitions and all, and ends them: no attempt was seen after
  it. What the server had begun it may still finish. `wandb.Api(timeout=)` is its default.
* An answer with `errors` raises, with one line an error: `input: PATH MESSAGE`; `data` is lost.
  With an HTTP status of 400 and more the messages come without paths, and the status with them.
* Calls from many threads at once are safe. Ctrl-C does not reach wandb-core (a session of its
  own), so a call in another thread ends as if nothing had happened. Where wandb-core itself is
  killed, the calls in flight and all later ones fail at once.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from migrate.client.documents import (
    LIST,
    LIST_IDS,
    LIST_OLD,
    LIST_STATES,
    Rename,
    read_names,
    read_page,
    read_run,
    read_state,
    rename_document,
    run_id_of,
)
from migrate.client.failures import failure
from migrate.client.paths import parse_filters, parse_path, same_server
from migrate.client.runs import Run, RunState
from migrate.client.sign_in import Session, sign_in
from migrate.errors import (
    ConnectError,
    Denied,
    InputError,
    Refused,
    ServerError,
    ServiceStopped,
    TooLarge,
    scrub,
)
from naming import CONFIG_KEYS

PAGE = 1000
# So many pages in a row may bring no other run, before a listing counts as one without an end.
MOST_BARREN = 5
# A 503 of 10 s needs three repetitions (16 s), an attempt that hangs 30 s and the next 2 s more.
CALL_SECONDS = 60.0

_NO_KEYS = re.compile(r'argument "keys"|argument .?keys.? on', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing: `total` is how many runs the server counts in all."""

    runs: tuple[Run, ...]
    total: int | None


class Server:
    """A signed-in session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._call_seconds = max(CALL_SECONDS, (session.http_timeout or 0) + 10)
        self._stopped = False
        self.knows_keys = True

    @property
    def base_url(self) -> str:
        """The API's address."""
        return self._session.base_url

    @property
    def app_url(self) -> str:
        """Where people see the server's pages, as wandb derives it; never with a slash."""
        return self._session.app_url

    def project(self, path: str) -> Project:
        """The project of a PATH. Sends nothing, unless the default entity is needed."""
        parsed = parse_path(path)
        if parsed.host and not same_server(parsed.host, self.base_url, self.app_url):
            raise InputError(
                f"{scrub(path)} is on {parsed.host}, and this session is with "
                f"{scrub(self.base_url)}. Give the other server with --base-url or WANDB_BASE_URL."
            )
        return Project(self, parsed.entity or self.default_entity(), parsed.project)

    def default_entity(self) -> str:
        """The entity of a PATH without one: wandb's setting, or the account's."""
        api = self._session.api
        try:
            entity = api.settings.get("entity") or api.default_entity
        except Exception as error:
            raise self._failed(error) from error
        if not isinstance(entity, str) or not entity:
            raise InputError("This account has no default entity. Write PATH as entity/project.")
        return entity

    def _execute(self, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """Send one document; raises a ServerError of the kind that says what is known."""
        if self._stopped:
            raise ServiceStopped("wandb's helper process (wandb-core) has ended. Start again.")
        execute = self._session.api._service_api.execute_graphql
        try:
            data: object = execute(query, variables=variables, timeout=self._call_seconds)
        except Exception as error:
            raise self._failed(error) from error
        return data if isinstance(data, dict) else {}

    def _failed(self, error: Exception) -> ServerError:
        failed = failure(error, self._session.secrets, self._call_seconds)
        if isinstance(failed, ServiceStopped) or self._stopped:
            self._stopped = True
            _forget_service()
            return ServiceStopped("wandb's helper process (wandb-core) has ended. Start again.")
        return failed


@dataclass(slots=True)
class Project:
    """One project on a server. `states` and `rename` may be called from many threads."""

    server: Server
    entity: str
    name: str
    read_only: bool = field(default=False, init=False)
    """Whether the project takes no renames; known from the first page on."""

    @property
    def where(self) -> tuple[str, str]:
        """Entity and name."""
        return (self.entity, self.name)

    def pages(self, *, page_size: int = PAGE) -> Iterator[Page]:
        """The project's runs, oldest first, a request a page; each run once.

        Raises:
            InputError: There is no such project.
            ServerError: A page failed. What came before it is not the whole.
        """
        for project, nodes in self._pages(None, None, page_size):
            self.read_only = project.get("readOnly") is True
            runs = [
                read_run(node, self.entity, self.name, read_only=self.read_only) for node in nodes
            ]
            count = project.get("runCount")
            yield Page(tuple(runs), count if type(count) is int and count >= 0 else None)

    def matching(self, filters: str) -> set[str]:
        """The ids of the runs that pass W&B's filters; InputError where they are not right."""
        asked = json.dumps(parse_filters(filters))
        pages = self._pages(LIST_IDS, asked, PAGE)
        return {run_id_of(node) for _, nodes in pages for node in nodes}

    def states(self, run_ids: Sequence[str]) -> dict[str, RunState]:
        """What these runs (at most PAGE) are now; one that is gone is absent.

        By `$in`, not by an aliased `run(name:)` each: one text for any number, one lookup on the
        server instead of one a run, and no document that a server finds too complex.
        """
        asked = json.dumps({"name": {"$in": list(run_ids)}})
        try:
            states = [
                read_state(node, read_only=project.get("readOnly") is True)
                for project, nodes in self._pages(LIST_STATES, asked, max(1, len(run_ids)))
                for node in nodes
            ]
        except TooLarge:
            if len(run_ids) < 2:
                raise
            half = len(run_ids) // 2
            return {**self.states(run_ids[:half]), **self.states(run_ids[half:])}
        return {state.run_id: state for state in states}

    def rename(self, renames: Sequence[Rename]) -> dict[str, str]:
        """Send new names, one document.

        Returns:
            Storage id to the name that the server's answer carries; absent without an answer.

        Raises:
            TooLarge: Nothing was done; send less at once.
            Denied: Permission; `complaints` say for which of `renames`, where the server does.
            Refused: Other errors; what they are not about may have been done.
            Unanswered: The outcome is unknown.
        """
        variables: dict[str, object] = {}
        for number, rename in enumerate(renames):
            variables[f"i{number}"] = rename.storage_id
            variables[f"n{number}"] = rename.name
        data = self.server._execute(rename_document(len(renames)), variables)
        return read_names(data, len(renames))

    def _pages(
        self, query: str | None, filters: str | None, first: int
    ) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """A listing's pages, each run once; query None asks for runs with their config."""
        after: str | None = None
        passed: set[str] = set()
        seen: set[str] = set()
        number, barren = 1, 0
        while True:
            try:
                project = self._page(query, filters, first, after)
                nodes, more, cursor = read_page(project)
                found = {run_id_of(node): node for node in nodes}
            except ServerError as error:
                if (
                    isinstance(error, Refused)
                    and not isinstance(error, Denied)
                    and query is LIST_IDS
                    and number == 1
                ):
                    raise InputError(f"{error}. Check --filters.") from error
                if isinstance(error, ServiceStopped) or number == 1:
                    raise
                error.args = (
                    f"Page {number} of the listing failed, so none of it counts: {error}",
                )
                raise
            new = found.keys() - seen
            yield project, [node for run_id, node in found.items() if run_id in new]
            if not more:
                return
            seen |= new
            barren = 0 if new else barren + 1
            if not isinstance(cursor, str) or cursor in passed or barren > MOST_BARREN:
                raise ServerError(
                    f"Page {number} of the listing says that there is more and not where: the "
                    "listing is incomplete. Try again later."
                )
            passed.add(cursor)
            after, number = cursor, number + 1

    def _page(
        self, query: str | None, filters: str | None, first: int, after: str | None
    ) -> dict[str, Any]:
        variables = {
            "entity": self.entity, "project": self.name, "filters": filters,
            "first": first, "after": after,
        }  # fmt: skip
        if query is None and self.server.knows_keys:
            try:
                keys = {"keys": list(CONFIG_KEYS)}
                return self._existing(self.server._execute(LIST, {**variables, **keys}))
            except ServerError as error:
                if not (isinstance(error, Refused) and _NO_KEYS.search(str(error))):
                    raise
                self.server.knows_keys = False
        return self._existing(self.server._execute(query or LIST_OLD, variables))

    def _existing(self, data: dict[str, Any]) -> dict[str, Any]:
        project = data.get("project")
        if not isinstance(project, dict):
            raise InputError(
                f"There is no project {self.entity}/{self.name} on "
                f"{scrub(self.server.base_url)}, or this key may not see it. "
                "Check the spelling, and whose key WANDB_API_KEY is."
            )
        return project


def connect(base_url: str | None = None, *, may_prompt: bool = False) -> Server:
    """Sign in; raises ConnectError, within 10 seconds. See `connection.sign_in`."""
    server = Server(sign_in(base_url, may_prompt=may_prompt))
    if server._session.api.api_key is None:  # an identity token: wandb.Api() did not try it
        try:
            server.default_entity()
        except ServerError as error:
            raise ConnectError(
                f"{scrub(server.base_url)} does not take this identity token: {error}"
            ) from error
    return server


def _forget_service() -> None:
    """Close what is left of the session: at exit wandb would fail to, with a traceback."""
    import wandb

    with contextlib.suppress(Exception, SystemExit):  # it exits with wandb-core's code
        wandb.teardown()

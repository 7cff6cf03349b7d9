"""Talking to W&B over `wandb.Api()`'s session: every GraphQL document of ours is sent from here.

`api._service_api.execute_graphql` is the only private name of it that is touched, in
`Server.execute` alone.

The transport, measured with wandb-core 0.31.0 against a server that fails on purpose:

* 408, 429, 5xx (not 501) and dropped connections are repeated by wandb-core: once, as `sign_in`
  sets it up, after 2 s or what Retry-After says. Other statuses, and TLS errors, come back at once.
  More repetitions would be made without a word, and the error would not say what it was about.
* One attempt may take 30 s (WANDB_HTTP_TIMEOUT, x_graphql_timeout_seconds), then it is repeated.
  Our calls end before that: a document that takes long is never sent twice for it.
* `timeout=` bounds the whole call, and ends it: no attempt was seen after it. What the server had
  begun it may still finish.
* An answer with `errors` raises; `data` is lost. See `failures.py`.
* Calls from many threads at once are safe. Ctrl-C does not reach wandb-core (a session of its
  own), so a call in another thread ends as if nothing had happened. Where wandb-core itself is
  killed, the calls in flight and all later ones fail at once.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from math import inf
from typing import Any

from migrate.client.documents import (
    COUNT,
    RUN_IDS,
    RUN_STATES,
    RUNS,
    NodePage,
    list_document,
    read_names,
    read_page,
    read_run,
    read_state,
    rename_document,
    run_id_of,
)
from migrate.client.failures import SERVICE_STOPPED, failure
from migrate.client.listing import Filters, Nodes, list_all
from migrate.client.paths import ProjectPath, same_server
from migrate.client.retry import Note, PageSize, no_note
from migrate.client.runs import ProjectKey, RunState
from migrate.client.sign_in import Session, sign_in
from migrate.client.source import Page, Rename
from migrate.console import Bar, Progress, no_progress
from migrate.errors import (
    InputError,
    NoProject,
    RateLimited,
    Refused,
    ServerError,
    ServiceStopped,
    Unanswered,
    scrub,
)
from naming import CONFIG_KEYS

PAGE_SIZES = (1000, 250, 60)
"""How many runs are asked for at once; the next size where a server cannot serve one."""

ATTEMPT_SECONDS = 30.0
"""What wandb-core gives an attempt, where WANDB_HTTP_TIMEOUT does not say otherwise."""

HURRY_SECONDS = 10.0
"""What a reading may take once somebody waits for the end."""

_MOST_ENTITIES, _MOST_PROJECTS = 10, 200  # to complete a PATH with


class Server:
    """A signed-in session.

    Attributes:
        base_url: The API's address.
        app_url: Where people see the server's pages, as wandb derives it; never with a slash.
    """

    def __init__(self, session: Session) -> None:
        self.base_url = session.base_url
        self.app_url = session.app_url
        self._session = session
        # Before wandb-core's own attempt ends, so that it does not send the same once more.
        self._call_seconds = (session.http_timeout or ATTEMPT_SECONDS) - 1
        self._stopped = False

    def project(self, path: ProjectPath, keys: Sequence[str] = CONFIG_KEYS) -> Project:
        """The project of a PATH; `keys` are the config keys that its runs are listed with.

        Sends nothing, unless the default entity is needed.

        Raises:
            InputError: The project's page is another server's.
        """
        if path.host and not same_server(path.host, self.base_url, self.app_url):
            raise InputError(
                f"{path} is on {path.host}, and this session is with "
                f"{scrub(self.base_url)}. Give the other server with --base-url or WANDB_BASE_URL."
            )
        key = ProjectKey(path.entity or self.default_entity(), path.project)
        return Project(self, key, tuple(keys))

    def default_entity(self) -> str:
        """The entity of a PATH without one: wandb's setting, or the account's."""
        api = self._session.api
        try:
            entity = api.settings.get("entity") or api.default_entity
        except Exception as error:
            raise self._failed(error, self._call_seconds) from error
        if not isinstance(entity, str) or not entity:
            raise InputError("This account has no default entity. Write PATH as entity/project.")
        return entity

    def project_paths(self, typed: str) -> Iterator[str]:
        """The account's projects, as entity/project, whose entity fits what was typed so far.

        Not all of them where there are many; errors are wandb's own.
        """
        api = self._session.api
        entity, slash, _ = typed.partition("/")
        entities = [entity]
        if not slash:
            own = dict.fromkeys([api.default_entity, api.viewer.username, *api.viewer.teams])
            entities = [name for name in own if name and name.startswith(entity)]
        for name in entities[:_MOST_ENTITIES]:
            for project in islice(api.projects(name), _MOST_PROJECTS):
                yield f"{name}/{project.name}"

    def execute(
        self, query: str, variables: Mapping[str, object], most_seconds: float = inf
    ) -> dict[str, Any]:
        """Send one document; raises a ServerError of the kind that says what is known."""
        if self._stopped:
            raise ServiceStopped(SERVICE_STOPPED)
        execute = self._session.api._service_api.execute_graphql
        seconds = min(self._call_seconds, most_seconds)
        try:
            data: object = execute(query, variables=variables, timeout=seconds)
        except Exception as error:
            raise self._failed(error, seconds) from error
        return data if isinstance(data, dict) else {}

    def _failed(self, error: Exception, seconds: float) -> ServerError:
        failed = failure(error, self._session.secrets, seconds)
        if isinstance(failed, ServiceStopped) or self._stopped:
            self._stopped = True
            _forget_service()
            return ServiceStopped(SERVICE_STOPPED)
        if isinstance(failed, RateLimited | Unanswered):
            failed.advice = "Run the command again later."
        return failed


@dataclass(slots=True)
class Project:
    """One project on a server. `states` and `rename` may be called from many threads.

    Attributes:
        keys: The config keys that its runs are listed with.
        read_only: Whether the project takes no renames; known from the first page on.
        taken: Names that no run may get, besides those that its runs bear: none.
        hurry: Where it is set, no read waits for a second try.
    """

    server: Server
    key: ProjectKey
    keys: tuple[str, ...] = CONFIG_KEYS
    read_only: bool = field(default=False, init=False)
    taken: frozenset[str] = field(default=frozenset(), init=False)
    hurry: threading.Event = field(default_factory=threading.Event, init=False)
    _page_size: PageSize = field(default_factory=lambda: PageSize("runs", PAGE_SIZES), init=False)
    _knows_read_only: bool = field(default=True, init=False)

    def pages(self, note: Note = no_note) -> Iterator[Page]:
        """The project's runs, oldest first, each run once; complete, or an error.

        Raises:
            NoProject: There is no such project.
            Incomplete: The server lists fewer runs than it counts.
            ServerError: A page failed. What came before it is not the whole.
        """
        for nodes, total in self._listed(RUNS, None, note):
            runs = (read_run(node, self.key, self.read_only, self.keys) for node in nodes)
            yield Page(tuple(runs), total)

    def matching(self, filters: Mapping[str, object], bar: Bar) -> set[str]:
        """The ids of the runs that pass W&B's filters.

        Raises:
            InputError: The server refuses the filters.
            ServerError: As `pages`.
        """
        passing: set[str] = set()
        try:
            for nodes, total in self._listed(RUN_IDS, filters, bar.note):
                passing.update(map(run_id_of, nodes))
                bar.advance(len(passing), total)
        except Refused as error:
            raise InputError(f"{error}. Check --filters.") from error
        return passing

    def states(self, run_ids: Sequence[str], note: Note = no_note) -> dict[str, RunState]:
        """What these runs are now; one that is gone is absent.

        By `$in`, not by an aliased `run(name:)` each: one text for any number, one lookup on the
        server instead of one a run, and no document that a server finds too complex.
        """
        states: dict[str, RunState] = {}
        rest = list(dict.fromkeys(run_ids))
        while rest:
            ask = partial(self._ask_states, rest)
            found, answered = self._page_size.read(ask, note, self.hurry, len(rest))
            states |= found
            rest = [run_id for run_id in rest if run_id not in answered]
        return states

    def _ask_states(
        self, run_ids: Sequence[str], first: int
    ) -> tuple[dict[str, RunState], Collection[str]]:
        """What the first so many of these runs are, and which of them the answer is about."""
        asked = run_ids[:first]
        page = self._ask_page(RUN_STATES, {"name": {"$in": asked}}, None, first)
        found = {run_id_of(node): read_state(node, read_only=self.read_only) for node in page.nodes}
        # A server that gives fewer at once than it was asked for is asked for the others.
        return found, found if page.more and found else asked

    def rename(self, renames: Sequence[Rename]) -> dict[str, str]:
        """Send new names, one document.

        Returns:
            Storage id to the name that the server's answer carries; absent without an answer.

        Raises:
            TooLarge: Nothing was done; send less at once.
            RateLimited: Nothing was done; wait.
            Refused: `complaints` say for which of `renames`, where the server does. What they are
                not about may have been done.
            Unanswered: The outcome is unknown.
        """
        variables: dict[str, object] = {}
        for number, rename in enumerate(renames):
            variables[f"i{number}"] = rename.storage_id
            variables[f"n{number}"] = rename.name
        data = self.server.execute(rename_document(len(renames)), variables)
        return read_names(data, len(renames))

    def _listed(
        self, of_run: str, filters: Filters, note: Note
    ) -> Iterator[tuple[Nodes, int | None]]:
        """A listing's pages, with the server's count."""

        def ask(these: Filters, after: str | None) -> NodePage:
            ask_page = partial(self._ask_page, of_run, these, after)
            return self._page_size.read(ask_page, note, self.hurry)

        return list_all(ask, self._count, filters, f"in {self.key}")

    def _count(self, filters: Filters) -> int | None:
        """How many runs the server counts; None where it does not say, for whatever reason."""
        try:
            project = self._ask_project(COUNT, {"filters": _json(filters)})
        except ServiceStopped:
            raise
        except ServerError:
            return None
        count = project.get("runCount")
        return count if type(count) is int and count >= 0 else None

    def _ask_page(self, of_run: str, filters: Filters, after: str | None, first: int) -> NodePage:
        variables: dict[str, object] = {"first": first, "after": after, "filters": _json(filters)}
        if of_run is RUNS:
            variables["keys"] = list(self.keys)
        asks_read_only = self._knows_read_only
        document = list_document(of_run, read_only=asks_read_only)
        try:
            project = self._ask_project(document, variables)
        except Refused as error:
            if "readOnly" not in str(error) or not asks_read_only:
                raise
            self._knows_read_only = False
            return self._ask_page(of_run, filters, after, first)
        self.read_only = project.get("readOnly") is True
        page = read_page(project, "runs")
        if not all(map(run_id_of, page.nodes)):
            raise Unanswered("The server's list holds an entry without a run id. Try again later.")
        return page

    def _ask_project(self, document: str, variables: Mapping[str, object]) -> dict[str, Any]:
        named = {"entity": self.key.entity, "project": self.key.project}
        seconds = HURRY_SECONDS if self.hurry.is_set() else inf
        data = self.server.execute(document, {**named, **variables}, seconds)
        if "project" not in data:
            raise Unanswered("The server's answer is empty. Check that this is a W&B server.")
        project = data["project"]
        if not isinstance(project, dict):
            raise NoProject(
                f"There is no project {self.key} on {scrub(self.server.base_url)}, or this key "
                "may not see it. Check the spelling, and which account the key belongs to."
            )
        return project


def _json(filters: Filters) -> str | None:
    return None if filters is None else json.dumps(filters)


def connect(
    base_url: str | None = None, progress: Progress = no_progress, *, may_prompt: bool = False
) -> Server:
    """Sign in; raises ConnectError, within 10 seconds. See `sign_in.sign_in`."""
    return Server(sign_in(base_url, progress, may_prompt=may_prompt))


def _forget_service() -> None:
    """Close what is left of the session: at exit wandb would fail to, with a traceback."""
    import wandb

    with suppress(Exception, SystemExit):  # it exits with wandb-core's code
        wandb.teardown()

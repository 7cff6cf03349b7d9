"""Talking to W&B: the one module that sends requests, all of them over `wandb.Api()`'s session.

`api._service_api.execute_graphql` is the only private name that is touched, in `_execute` alone.

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

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
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
from migrate.client.listing import Filters, Listing, Nodes, missing_runs
from migrate.client.paths import ProjectPath, same_server
from migrate.client.retry import Note, no_note, read_patiently
from migrate.client.runs import ProjectKey, RunState
from migrate.client.sign_in import Session, sign_in
from migrate.client.source import Page, Rename
from migrate.errors import (
    ConnectError,
    Incomplete,
    InputError,
    NoProject,
    Refused,
    ServerError,
    ServiceStopped,
    TooLarge,
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

_LESS = re.compile(r"\bfirst\b|limit|exceed|too large|too many|complex", re.I)


class Server:
    """A signed-in session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        # Before wandb-core's own attempt ends, so that it does not send the same once more.
        self._call_seconds = (session.http_timeout or ATTEMPT_SECONDS) - 1
        self._stopped = False

    @property
    def base_url(self) -> str:
        """The API's address."""
        return self._session.base_url

    @property
    def app_url(self) -> str:
        """Where people see the server's pages, as wandb derives it; never with a slash."""
        return self._session.app_url

    def project(self, path: ProjectPath, keys: Sequence[str] = CONFIG_KEYS) -> Project:
        """The project of a PATH. Sends nothing, unless the default entity is needed.

        Args:
            path: Which project.
            keys: The config keys that its runs are listed with.

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

    def read(
        self,
        query: str,
        variables: Mapping[str, object],
        note: Note = no_note,
        *,
        slow_again: bool = True,
    ) -> dict[str, Any]:
        """What a query answers, asked again where that may help; see `read_patiently`."""
        return read_patiently(lambda: self._execute(query, variables), note, slow_again=slow_again)

    def _execute(
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
    _size: int = field(default=PAGE_SIZES[0], init=False)
    _knows_read_only: bool = field(default=True, init=False)

    def pages(self, note: Note = no_note) -> Iterator[Page]:
        """The project's runs, oldest first, each run once; complete, or an error.

        Args:
            note: Is told what is waited for.

        Raises:
            NoProject: There is no such project.
            Incomplete: The server lists fewer runs than it counts.
            ServerError: A page failed. What came before it is not the whole.
        """
        for nodes, total in self._listed(RUNS, None, note):
            runs = (read_run(node, self.key, self.read_only, self.keys) for node in nodes)
            yield Page(tuple(runs), total)

    def matching(self, filters: Mapping[str, object], note: Note = no_note) -> set[str]:
        """The ids of the runs that pass W&B's filters.

        Raises:
            InputError: The server refuses the filters.
            ServerError: As `pages`.
        """
        try:
            return {
                run_id_of(node)
                for nodes, _ in self._listed(RUN_IDS, filters, note)
                for node in nodes
            }
        except Refused as error:
            raise InputError(f"{error}. Check --filters.") from error

    def states(self, run_ids: Sequence[str], note: Note = no_note) -> dict[str, RunState]:
        """What these runs are now; one that is gone is absent.

        By `$in`, not by an aliased `run(name:)` each: one text for any number, one lookup on the
        server instead of one a run, and no document that a server finds too complex.
        """
        states: dict[str, RunState] = {}
        rest = list(dict.fromkeys(run_ids))
        while rest:
            asked = tuple(rest)
            page, first = self._page(RUN_STATES, partial(_among, asked), None, note, len(asked))
            found = {
                run_id_of(node): read_state(node, read_only=page.read_only) for node in page.nodes
            }
            # A server that gives fewer at once than it was asked for is asked for the others.
            answered = set(found) if page.more and found else set(asked[:first])
            states |= found
            rest = [run_id for run_id in rest if run_id not in answered]
        return states

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
        data = self.server._execute(rename_document(len(renames)), variables)
        return read_names(data, len(renames))

    def _listed(
        self, of_run: str, filters: Filters, note: Note
    ) -> Iterator[tuple[Nodes, int | None]]:
        """A listing's pages with the server's count, which is asked for beside the first page."""

        def ask(these: Filters, after: str | None) -> NodePage:
            return self._page(of_run, lambda _: these, after, note, PAGE_SIZES[0])[0]

        listing = Listing(ask, self._count, filters)
        pool = ThreadPoolExecutor(1, thread_name_prefix="count")
        try:
            counting = pool.submit(self._count, filters)
            for nodes in _numbered(listing.pages()):
                yield nodes, counting.result() if counting.done() else None
            total = counting.result()
        finally:
            pool.shutdown(wait=False)
        # Runs may have been deleted since they were counted: count again before listing again.
        for again in (False, True):
            if total is None or len(listing.seen) >= total:
                return
            if again:
                more = Listing(ask, self._count, filters)
                for nodes in _numbered(more.pages()):
                    yield [node for node in nodes if run_id_of(node) not in listing.seen], total
                listing.seen |= more.seen
            total = self._count(filters)
        if total is not None and len(listing.seen) < total:
            raise missing_runs(len(listing.seen), total, f"in {self.key}")

    def _count(self, filters: Filters) -> int | None:
        """How many runs the server counts; None where it does not say, for whatever reason."""
        try:
            project = self._ask_project(COUNT, {"filters": filters and json.dumps(filters)})
        except ServiceStopped:
            raise
        except ServerError:
            return None
        count = project.get("runCount")
        return count if type(count) is int and count >= 0 else None

    def _page(
        self,
        of_run: str,
        filters: Callable[[int], Filters],
        after: str | None,
        note: Note,
        most: int,
    ) -> tuple[NodePage, int]:
        """A page, and how many runs were asked for: as many as the server can serve at once.

        Args:
            of_run: What is asked of each run.
            filters: Makes the filters for so many runs.
            after: The cursor.
            note: Is told what is waited for.
            most: How many runs to ask for at the most.
        """
        while True:
            first = min(self._size, most)
            try:
                return read_patiently(
                    lambda: self._ask_page(of_run, filters(first), after, first),  # noqa: B023
                    note,
                    self.hurry,
                    slow_again=first <= PAGE_SIZES[-1],
                ), first
            except Refused as error:
                if "readOnly" in str(error) and self._knows_read_only:
                    self._knows_read_only = False
                    continue
                smaller = _smaller(first) if _LESS.search(str(error)) else None
                failed: ServerError = error
            except TooLarge as error:  # it may be the list of ids that is too long
                smaller = _smaller(first) or first // 2
                failed = error
            except Unanswered as error:
                smaller = None if isinstance(error, ServiceStopped) else _smaller(first)
                failed = error
            if not smaller:
                raise failed
            self._size = smaller
            note(f"{first:,} runs at once are too many for the server; trying {smaller}")

    def _ask_page(self, of_run: str, filters: Filters, after: str | None, first: int) -> NodePage:
        variables: dict[str, object] = {"first": first, "after": after}
        variables["filters"] = None if filters is None else json.dumps(filters)
        if of_run is RUNS:
            variables["keys"] = list(self.keys)
        document = list_document(of_run, read_only=self._knows_read_only)
        page = read_page(self._ask_project(document, variables))
        self.read_only = page.read_only
        return page

    def _ask_project(self, document: str, variables: Mapping[str, object]) -> dict[str, Any]:
        named = {"entity": self.key.entity, "project": self.key.project}
        seconds = HURRY_SECONDS if self.hurry.is_set() else inf
        data = self.server._execute(document, {**named, **variables}, seconds)
        if "project" not in data:
            raise Unanswered("The server's answer is empty. Check that this is a W&B server.")
        project = data["project"]
        if not isinstance(project, dict):
            raise NoProject(
                f"There is no project {self.key} on {scrub(self.server.base_url)}, or this key "
                "may not see it. Check the spelling, and which account the key belongs to."
            )
        return project


def _among(run_ids: Sequence[str], first: int) -> Filters:
    """The filters for the first so many of these runs."""
    return {"name": {"$in": list(run_ids[:first])}}


def _numbered(pages: Iterator[Nodes]) -> Iterator[Nodes]:
    """The pages; the error of a later one says that the earlier ones do not count, either."""
    number = 1
    try:
        for nodes in pages:
            number += 1
            yield nodes
    except ServerError as error:
        if number > 1 and not isinstance(error, Incomplete | ServiceStopped):
            error.args = (f"The listing failed at page {number} and is not used: {error}",)
        raise


def _smaller(size: int) -> int | None:
    """The next smaller page size; None for the smallest."""
    return next((smaller for smaller in PAGE_SIZES if smaller < size), None)


def connect(base_url: str | None = None, *, may_prompt: bool = False) -> Server:
    """Sign in; raises ConnectError, within 10 seconds. See `sign_in.sign_in`."""
    server = Server(sign_in(base_url, may_prompt=may_prompt))
    if server._session.api.api_key is None:  # an identity token: wandb.Api() did not try it
        try:
            server.default_entity()
        except ServerError as error:
            raise ConnectError(
                f"{scrub(server.base_url)} rejects this identity token: {error}"
            ) from error
    return server


def _forget_service() -> None:
    """Close what is left of the session: at exit wandb would fail to, with a traceback."""
    import wandb

    with contextlib.suppress(Exception, SystemExit):  # it exits with wandb-core's code
        wandb.teardown()

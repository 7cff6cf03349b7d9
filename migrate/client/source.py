"""A project's runs, wherever they are: what mapping, renaming and verification know of them."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from migrate.client.retry import Note, no_note
from migrate.client.runs import ProjectKey, Run, RunState
from migrate.console import Bar


class Page(NamedTuple):
    """One page of a listing: `total` is how many runs there are, None where not known."""

    runs: tuple[Run, ...]
    total: int | None


class Rename(NamedTuple):
    """One run's new name; `storage_id` is that of its RunState."""

    storage_id: str
    name: str
    old_name: str


class Source(Protocol):
    """A project on a server (`server.Project`) or in a folder (`offline.OfflineProject`).

    `states` and `rename` may be called from many threads.

    Attributes:
        hurry: Where it is set, no read waits for a second try.
    """

    hurry: threading.Event

    @property
    def key(self) -> ProjectKey:
        """What the project is known by."""

    @property
    def read_only(self) -> bool:
        """Whether it takes no renames; known once it was listed."""

    @property
    def taken(self) -> Collection[str]:
        """Names that no run may get, besides those that its runs bear."""

    def pages(self, note: Note = no_note, /) -> Iterator[Page]:
        """Its runs, each once; complete, or an error."""

    def matching(self, filters: Mapping[str, object], bar: Bar, /) -> set[str]:
        """The ids of the runs that pass W&B's filters; raises InputError where it cannot tell."""

    def states(self, run_ids: Sequence[str], note: Note = no_note, /) -> dict[str, RunState]:
        """What these runs are now; one that is gone is absent."""

    def rename(self, renames: Sequence[Rename], /) -> dict[str, str]:
        """Give runs new names; storage id to the name that the run is known to have now.

        Raises:
            ServerError: Of the kind that says what is known; see `server.Project.rename`.
        """

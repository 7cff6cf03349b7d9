"""Where the runs are that a command is about: on a server, or in a folder of offline runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from migrate.client.offline import Folder
from migrate.client.paths import parse_folder, parse_path
from migrate.client.server import Server, connect
from migrate.client.source import Source
from migrate.console import MANNER, Output, Progress
from migrate.errors import InputError, scrub
from migrate.mapping.projects import list_runs
from migrate.text import visible
from naming import CONFIG_KEYS

Place = Server | Folder
_MOST_UNREADABLE = 20


@dataclass(frozen=True, slots=True)
class Sources:
    """The projects that a command is about, and where they are."""

    place: Place
    projects: list[Source]


def open_sources(
    paths: Sequence[str],
    base_url: str | None,
    against: str | None,
    progress: Progress,
    *,
    keys: Sequence[str] = CONFIG_KEYS,
    may_prompt: bool,
) -> Sources:
    """Sign in to the server, or read the folder, that PATHs are about.

    Args:
        paths: The PATHs, as they were typed.
        base_url: The server; None for wandb's own setting.
        against: A project on the server whose names are taken in the folder, too.
        progress: Opens a progress bar with a title.
        keys: The config keys that runs are listed with.
        may_prompt: Whether a key may be asked for.

    Raises:
        InputError: A PATH is not valid, or there is no offline run in the folder.
        MigrateError: There is no session, or `against` cannot be listed.
    """
    folders = [folder for path in paths if (folder := parse_folder(path)) is not None]
    if not folders:
        if against is not None:
            raise InputError("--against is for a folder of offline runs.")
        parsed = [parse_path(path) for path in paths]
        server = connect(base_url, may_prompt=may_prompt)
        return Sources(server, [server.project(path, keys) for path in parsed])
    if len(paths) > 1:
        raise InputError(
            "A folder of offline runs must be the only PATH. Of several, give the one above them."
        )
    other = None if against is None else parse_path(against)
    place = read_folder(folders[0], progress)
    if other is not None:
        project = connect(base_url, may_prompt=may_prompt).project(other)
        place.taken = frozenset(run.name for run in list_runs(project, progress))
    return Sources(place, [*place.projects()])


def read_folder(path: Path, progress: Progress) -> Folder:
    """Read the logs below a folder; InputError where there is none."""
    folder = Folder(path)
    with progress(f"Reading {path}") as bar:
        folder.read(bar)
    if not folder.projects() and not folder.unreadable:
        raise InputError(
            f"There are no offline runs in {path}: no file below it ends in .wandb. "
            "Give the folder wandb that the training script has written."
        )
    return folder


def open_address(address: str, base_url: str | None, progress: Progress) -> Place:
    """Open what a journal names; a server may be another, which the caller has to see to.

    Raises:
        InputError: It was a folder, and that is gone.
    """
    if not address.startswith("file:"):
        return connect(base_url, may_prompt=not MANNER.quiet)
    path = Path(unquote(urlsplit(address).path))
    if not path.is_dir():
        raise InputError(
            f"The journal is about offline runs in {path}, and there is no such folder. "
            "Put it back there, then run this again."
        )
    return read_folder(path, progress)


def in_words(place: Place) -> str:
    """Where the runs are, for a sentence."""
    return f"in {place.path}" if isinstance(place, Folder) else f"on {scrub(place.base_url)}"


def tell_unreadable(place: Place, output: Output) -> None:
    """Say which logs in a folder are left alone, and why."""
    unreadable = place.unreadable if isinstance(place, Folder) else []
    if unreadable:
        logs = "1 log is" if len(unreadable) == 1 else f"{len(unreadable)} logs are"
        output.tell(f"{logs} left alone:")
        for path, why in unreadable[:_MOST_UNREADABLE]:
            output.tell(f"  {visible(str(path))}: {why}")
        if len(unreadable) > _MOST_UNREADABLE:
            output.tell(f"  and {len(unreadable) - _MOST_UNREADABLE} more")

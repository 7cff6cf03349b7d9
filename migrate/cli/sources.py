"""Where the runs are that a command is about: on a server, or in a folder of offline runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from migrate.cli.request import Request
from migrate.client.offline import Folder
from migrate.client.paths import ProjectPath, parse_folder, parse_path
from migrate.client.server import Server, connect
from migrate.client.source import Source
from migrate.console import MANNER, Output, Progress
from migrate.errors import InputError, scrub
from migrate.mapping.projects import list_runs
from migrate.text import counted, first_lines, visible
from naming import CONFIG_KEYS

Place = Server | Folder
_MOST_UNREADABLE = 20


def open_sources(
    paths: Sequence[Path | ProjectPath],
    request: Request,
    progress: Progress,
    keys: Sequence[str] = CONFIG_KEYS,
    *,
    may_prompt: bool = True,
) -> tuple[Place, list[Source]]:
    """Sign in to the server, or read the folder, that PATHs are about; gives their projects.

    Runs are listed with the config values of `keys`. `may_prompt`: a key may be asked for, unless
    --quiet is given.

    Raises:
        InputError: The PATHs do not go together, or the folder holds no offline runs.
        MigrateError: There is no session, or `--against` cannot be listed.
    """
    folders = [path for path in paths if isinstance(path, Path)]
    against = request.against
    may_prompt = may_prompt and not MANNER.quiet
    if not folders:
        if against is not None:
            raise InputError("--against is for a folder of offline runs.")
        server = connect(request.base_url, progress, may_prompt=may_prompt)
        return server, [
            server.project(path, keys) for path in paths if isinstance(path, ProjectPath)
        ]
    if len(paths) > 1:
        raise InputError(
            "A folder of offline runs must be the only PATH. Of several, give the one above them."
        )
    other = None if against is None else parse_path(against)
    place = _read_folder(folders[0], keys, progress)
    if not place.projects():
        raise InputError(_nothing_in(place))
    if other is not None:
        project = connect(request.base_url, progress, may_prompt=may_prompt).project(other)
        place.taken = frozenset(run.name for run in list_runs(project, progress))
    return place, [*place.projects()]


def _read_folder(path: Path, keys: Sequence[str], progress: Progress) -> Folder:
    folder = Folder(path, keys)
    with progress(f"Reading {path}") as bar:
        bar.note("reading the logs")
        folder.read(bar)
    return folder


def _nothing_in(folder: Folder) -> str:
    """Why no run was found in a folder."""
    if folder.unreadable:
        return "\n".join([f"No offline run in {folder.path} can be used:", *_left_alone(folder)])
    return (
        f"There are no offline runs in {folder.path}: no file below it ends in .wandb. "
        "Give the folder wandb that the training script has written."
    )


def open_address(address: str, base_url: str | None, progress: Progress) -> Place:
    """Open what a journal names; a server may be another, which the caller has to see to.

    Raises:
        InputError: It was a folder, and that is gone.
    """
    if not address.startswith("file:"):
        return connect(base_url, progress, may_prompt=not MANNER.quiet)
    path = _path_at(address)
    if not path.is_dir():
        raise InputError(
            f"The journal is about offline runs in {path}, and there is no such folder. "
            "Put it back there, then run this again."
        )
    return _read_folder(path, CONFIG_KEYS, progress)


def _path_at(address: str) -> Path:
    """The opposite of `Path.as_uri`, whatever the encoding of file names is."""
    path = urlsplit(address).path
    if os.name == "nt":
        from urllib.request import url2pathname  # it imports http and ssl

        return Path(url2pathname(path))
    return Path(os.fsdecode(unquote_to_bytes(path)))


def paths_of(place: Place, projects: Iterable[object]) -> list[str]:
    """The PATHs to name projects with; a folder's are all in the folder."""
    if not isinstance(place, Folder):
        return [str(key) for key in projects]
    path = str(place.path)  # of ./runs, the beginning has been lost
    return [path if parse_folder(path) is not None else f"./{path}"]


def in_words(place: Place) -> str:
    """Where the runs are, for a sentence."""
    return f"in {place.path}" if isinstance(place, Folder) else f"on {scrub(place.base_url)}"


def tell_unreadable(place: Place, output: Output) -> None:
    """Say what in a folder is left alone, and why."""
    if isinstance(place, Folder) and place.unreadable:
        count = len(place.unreadable)
        logs = sum(path.suffix == ".wandb" for path, _ in place.unreadable)
        kinds = (("log", logs), ("folder", count - logs))
        found = [counted(number, kind) for kind, number in kinds if number]
        are = "is" if count == 1 else "are"
        output.tell(f"{' and '.join(found)} {are} left alone:")
        for line in _left_alone(place):
            output.tell(line)


def _left_alone(folder: Folder) -> list[str]:
    """A line for each of the first that are left alone, and how many more there are."""
    lines = [f"{visible(str(path))}: {why}" for path, why in folder.unreadable]
    return [f"  {line}" for line in first_lines(lines, _MOST_UNREADABLE)]

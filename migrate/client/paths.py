"""What the user points at: PATH and `--filters`. Checked before anything is imported or asked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from migrate.errors import InputError, scrub

# CoreWeave's Forge hosts, and the W&B hosts behind them: `FORGE_HOSTS` in wandb/sdk/lib/urls.py
# (0.31). Both are one deployment; the app is at /wandb on a Forge host.
_FORGE = {"forge.coreweave.com": "wandb.ai", "qa.forge.coreweave.com": "qa.wandb.ai"}
_ENTITY = re.compile(r"[^\s/\\?#%:@\x00-\x1f\x7f]+")
_PROJECT = re.compile(r"[^/\\?#%:]+")  # what wandb forbids, and W&B's server with it


@dataclass(frozen=True, slots=True)
class ProjectPath:
    """A PATH: `entity` is None for the default entity; `host`, with its port, is a URL's."""

    entity: str | None
    project: str
    host: str | None = None

    def __str__(self) -> str:
        """`entity/project`, or `project` alone."""
        return self.project if self.entity is None else f"{self.entity}/{self.project}"


def parse_folder(text: str) -> Path | None:
    """Read a PATH that is a folder of offline runs; None where it is a project's.

    Besides what begins like a folder: one that is called `wandb`, or holds a log.

    Raises:
        InputError: It can only be a folder, and there is none.
    """
    try:
        folder = Path(text).expanduser()
        exists = folder.is_dir()
    except (OSError, RuntimeError):  # it may not be seen, or cannot be a folder's name
        folder, exists = Path(text), False
    if text.startswith((".", "/", "~")):
        if not exists:
            raise InputError(f"There is no folder {scrub(text)}.")
        return folder
    is_one = exists and (folder.name == "wandb" or any(folder.glob("*.wandb")))
    return folder if is_one else None


def parse_path(text: str) -> ProjectPath:
    """Read a PATH: `entity/project`, `project`, or the address of a project's page.

    >>> parse_path("https://forge.coreweave.com/wandb/ycx/RSST/runs/7k3v1x2p")
    ProjectPath(entity='ycx', project='RSST', host='forge.coreweave.com')
    >>> parse_path("https://wandb.ai/ycx/at%20home")
    ProjectPath(entity='ycx', project='at home', host='wandb.ai')

    Raises:
        InputError: The text is not one of these.
    """
    stripped, host = text.strip(), None
    parts = stripped.split("/")
    try:
        if "://" in stripped:
            url = urlsplit(stripped)
            host = url.netloc.rpartition("@")[2].lower()
            _ = url.port  # ValueError where it cannot be one
            parts = [unquote(part, errors="strict") for part in url.path.split("/") if part]
            if url.hostname in _FORGE and parts[:1] == ["wandb"]:
                del parts[0]
            if url.scheme not in ("http", "https") or not url.hostname or len(parts) < 2:
                raise ValueError
            parts = parts[:2]
        entity, project = parts if len(parts) > 1 else (None, parts[0])
        if not _is_project(project) or (entity is not None and not _ENTITY.fullmatch(entity)):
            raise ValueError
    except ValueError:
        raise InputError(
            f"{scrub(text)!r} is not a project's path. "
            "Write entity/project as in ycx/RSST, project alone, or paste the project's URL."
        ) from None
    return ProjectPath(entity, project, host)


def _is_project(name: str) -> bool:
    """Whether it can be a project's name: it may hold spaces, and nothing that is not seen."""
    return bool(_PROJECT.fullmatch(name)) and name.isprintable() and name == name.strip()


def same_server(address: str, *others: str) -> bool:
    """Whether an address is on the same server as any of the others.

    Each is a URL of the API or of a page, or a host with or without a port. Every comparison of
    servers goes through here: of a PATH, a plan, a journal and the session.

    >>> same_server("https://api.wandb.ai", "https://API.forge.coreweave.com:443/")
    True
    >>> same_server("http://localhost:8080", "http://localhost:8081")
    False
    """
    return _deployment(address) in map(_deployment, others)


def _deployment(address: str) -> tuple[str, int | None]:
    """One host, and a port other than the usual ones, for all addresses of a server."""
    try:
        url = urlsplit(address if "://" in address else f"//{address}")
        host, port = url.hostname or "", url.port
    except ValueError:
        return address, None
    host = host.rstrip(".")
    # As wandb derives a page's address: api.wandb.ai → wandb.ai, api.example.com → app.example.com.
    named = host.removeprefix("api.").removeprefix("app.")
    return _FORGE.get(named, named), None if port in (80, 443) else port


def parse_filters(given: str | Mapping[str, object]) -> dict[str, object]:
    """Read `--filters`: a JSON object in W&B's filter language, or what may become one."""
    try:
        text = given if isinstance(given, str) else json.dumps({**given})
        filters = json.loads(text)
        why = f"must be a JSON object, not {scrub(text)}"
    except (ValueError, TypeError, RecursionError) as error:
        filters, why = None, f"is not JSON ({scrub(error)})"
    if not isinstance(filters, dict):
        example = """Write it as in --filters '{"state": "finished"}'."""
        raise InputError(f"--filters {why}. {example}")
    return filters

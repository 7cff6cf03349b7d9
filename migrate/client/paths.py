"""What the user points at: PATH and `--filters`. Checked before anything is imported or asked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from migrate.errors import InputError, scrub

# wandb.ai and CoreWeave's Forge are one service under several names; the app is at /wandb there.
_SAAS = frozenset(
    {"wandb.ai", "app.wandb.ai", "api.wandb.ai"}
    | {"forge.coreweave.com", "api.forge.coreweave.com"}
)
_NAME = re.compile(r"[^\s/\\?#%:@\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class ProjectPath:
    """A PATH: `entity` is None for the default entity, `host` is set where PATH was a URL."""

    entity: str | None
    project: str
    host: str | None = None

    def __str__(self) -> str:
        """`entity/project`, or `project` alone."""
        return self.project if self.entity is None else f"{self.entity}/{self.project}"


def parse_path(text: str) -> ProjectPath:
    """Read a PATH: `entity/project`, `project`, or the address of a project's page.

    >>> parse_path("https://wandb.ai/ycx/RSST/runs/7k3v1x2p")
    ProjectPath(entity='ycx', project='RSST', host='wandb.ai')
    """
    stripped, host = text.strip(), None
    if "://" in stripped:
        try:
            url = urlsplit(stripped)
            host = url.hostname
        except ValueError:
            raise _malformed(text) from None
        parts = [unquote(part) for part in url.path.split("/") if part]
        if host in _SAAS and parts[:1] == ["wandb"]:
            del parts[0]
        if url.scheme not in ("http", "https") or not host or len(parts) < 2:
            raise _malformed(text)
        parts = parts[:2]
    else:
        parts = stripped.split("/")
    if len(parts) > 2 or not all(_NAME.fullmatch(part) for part in parts):
        raise _malformed(text)
    return ProjectPath(parts[0] if len(parts) == 2 else None, parts[-1], host)


def same_server(host: str, *own: str) -> bool:
    """Whether a page's host belongs to the server with these addresses."""
    hosts = {urlsplit(url).hostname for url in own}
    return host in hosts or (host in _SAAS and not hosts.isdisjoint(_SAAS))


def parse_filters(text: str) -> dict[str, object]:
    """Read `--filters`: a JSON object in W&B's filter language."""
    try:
        filters = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"--filters is not JSON ({scrub(error)}). "
            """Write it as in --filters '{"state": "finished"}'."""
        ) from None
    if not isinstance(filters, dict):
        raise InputError(
            f"--filters must be a JSON object, not {scrub(text)}. "
            """Write it as in --filters '{"state": "finished"}'."""
        )
    return filters


def _malformed(text: str) -> InputError:
    return InputError(
        f"{scrub(text)!r} is not a project's path. "
        "Write entity/project as in ycx/RSST, project alone, or paste the project's URL."
    )

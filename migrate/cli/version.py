"""What `--version` says: what a report about a fault needs."""

from __future__ import annotations

import platform
from importlib import metadata


def version() -> str:
    """The versions of rsst-migrate, wandb and Python, in a line.

    Read from the installed packages' own metadata: importing wandb would take a second.
    """
    versions = {name: metadata.version(name) for name in ("rsst-migrate", "wandb")}
    listed = ", ".join(f"{name} {number}" for name, number in versions.items())
    return f"{listed}, Python {platform.python_version()} on {platform.system()}"

"""The sandbox's sample of runs in review, as a listing gives it: for tests without a server."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from migrate.client.runs import Run, RunKey
from migrate.sandbox.review import review_store


def review_runs() -> list[Run]:
    """Its runs."""
    return [
        Run(
            RunKey("ycx", "RSST", stored.name),
            stored.displayName or "",
            stored.state,
            datetime.fromisoformat(stored.createdAt.removesuffix("Z")).replace(tzinfo=UTC),
            stored.readOnly,
            {k: v["value"] for k, v in json.loads(stored.config).items() if k != "_wandb"},
        )
        for stored in review_store().project("ycx", "RSST").runs.values()
    ]

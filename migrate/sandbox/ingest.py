"""Takes in runs that are sent: new runs, and the file stream that brings their history.

What `wandb sync` and an online run send, measured with wandb 0.31.0: `upsertBucket` makes the run,
`POST /files/ENTITY/PROJECT/RUN/file_stream` brings lines of its files and how it ended, and
`createRunFiles` says where to upload other files, which are not kept here. Artifacts, as of a
logged `wandb.Table`, are refused; their run arrives all the same. What a file stream means is taken
from wandb-core's `core/internal/filestream`.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from migrate.sandbox.store import HISTORY, SUMMARY, Store, StoredRun

UPLOADS = "/uploads"
"""Where files are uploaded to. The server takes what comes there and throws it away."""

_STREAM = re.compile(r"/files/([^/]+)/([^/]+)/([^/]+)/file_stream")


class StreamError(ValueError):
    """A part of a file stream that the server refuses, with an HTTP status."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def now() -> str:
    """The server's time, as W&B writes it."""
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None).isoformat()


def new_run(store: Store, given: dict[str, Any], entity: str) -> StoredRun | None:
    """The run that `upsertBucket` makes, not in the store yet; None where it would make none.

    Args:
        store: The runs that there are.
        given: The mutation's input. A run is made by its `name` in a project (`modelName`), which
            need not exist; a storage id (`id`) names a run that does.
        entity: The entity where the input names none.
    """
    run_id, project = given.get("name"), given.get("modelName")
    entity = given.get("entityName") or entity
    if given.get("id") or not run_id or not project:
        return None
    if entity not in {known for known, _ in store.projects}:
        return None
    run = StoredRun(
        run_id,
        displayName=run_id,  # W&B makes up words
        state="running",
        createdAt=now(),
        heartbeatAt=now(),
        summaryMetrics="{}",
        systemMetrics="{}",
        commit=given.get("commit"),
        historyLineCount=0,
        entity=entity,
        project=project,
    )
    return None if run.id in store.deleted else run


def take_in(store: Store, path: str, body: bytes) -> None:
    """Take in a request to a run's file stream.

    Args:
        store: The runs.
        path: The request's path.
        body: Its body, JSON: lines of files with the offset of the first, and how the run ended.

    Raises:
        StreamError: There is no such run, or the body is not valid.
    """
    match = _STREAM.fullmatch(path)
    entity, project, run_id = map(unquote, match.groups()) if match else ("", "", "")
    there = store.projects.get((entity, project))
    run = there.runs.get(run_id) if there else None
    if run is None:
        raise StreamError(404, f'run "{run_id}" not found')
    try:
        content = json.loads(body)
        for name, part in content.get("files", {}).items():
            lines = run.lines.setdefault(name, {})
            lines.update(enumerate(map(str, part["content"]), int(part["offset"])))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StreamError(400, "not a file stream") from None
    run.heartbeatAt = now()
    if history := run.lines.get(HISTORY):
        run.historyLineCount = 1 + max(history)
    if summary := run.lines.get(SUMMARY):  # only the last line counts
        run.summaryMetrics = summary[max(summary)]
    if content.get("preempting"):
        run.state = "preempting"
    if content.get("complete"):
        ended = "failed" if content.get("exitcode") else "finished"
        run.state = "preempted" if run.state == "preempting" else ended

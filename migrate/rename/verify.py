"""One independent reading of all runs at the end: what it says is what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migrate.client.runs import RunKey, RunState
from migrate.client.source import Source
from migrate.console import Bar
from migrate.errors import ServerError
from migrate.rename.plan import DONE, Outcome, PlannedRename, classify

READ_AT_ONCE = 1000

LAG_SECONDS = (2.0, 3.0, 5.0)
"""Before each further reading of what an answer said is done and the reading does not show: a
server may read from a copy that is some seconds behind (our assumption; W&B says nothing of it)."""


def verify(
    todo: Sequence[PlannedRename],
    believed: Mapping[RunKey, Outcome],
    project: Source,
    bar: Bar,
) -> dict[RunKey, Outcome]:
    """Read all the runs again: what became of each, by what the server says now.

    Args:
        todo: What was to be done, in this project.
        believed: What became of runs so far; one without an outcome was not reached.
        project: Its `hurry` is respected: then each name is read once, or not.
        bar: Shows how far it is.
    """
    verified: dict[RunKey, Outcome] = {}
    to_read = todo
    try:
        for seconds in (*LAG_SECONDS, None):
            states = _states(to_read, project, bar)
            verified |= {
                r.key: _judge(r, states.get(r.key.run_id), believed.get(r.key)) for r in to_read
            }
            to_read = [rename for rename in to_read if verified[rename.key].code == "reverted"]
            if not to_read or seconds is None or project.hurry.is_set():
                break
            bar.note(f"{len(to_read)} names are not shown yet, reading them again")
            project.hurry.wait(seconds)
    except ServerError as error:
        return verified | unverified(to_read, believed, str(error))
    return verified


def unverified(
    todo: Sequence[PlannedRename], believed: Mapping[RunKey, Outcome], why: str
) -> dict[RunKey, Outcome]:
    """What became of runs that cannot be read again, in the words `why`."""
    outcomes = {}
    for rename in todo:
        outcome = believed.get(rename.key, Outcome("not-reached"))
        unread = outcome.code in ("done", "altered")
        outcomes[rename.key] = Outcome("not-verified", why) if unread else outcome
    return outcomes


def _states(todo: Sequence[PlannedRename], project: Source, bar: Bar) -> dict[str, RunState]:
    states: dict[str, RunState] = {}
    for start in range(0, len(todo), READ_AT_ONCE):
        bar.advance(start, len(todo))
        page = todo[start : start + READ_AT_ONCE]
        states |= project.states([rename.key.run_id for rename in page], bar.note)
    return states


def _judge(rename: PlannedRename, state: RunState | None, believed: Outcome | None) -> Outcome:
    """What became of a run, by what was believed and what it is now."""
    now = classify(rename, state, include_running=True)
    if now == DONE:
        return DONE
    if believed is None:
        return Outcome("not-reached")
    if believed.code not in ("done", "altered"):
        return believed
    if believed.code == "altered" and state is not None and state.name == believed.text:
        return believed
    if state is not None and state.name == rename.old_name:
        return Outcome("reverted")
    return now or Outcome("reverted")

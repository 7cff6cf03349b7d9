"""What is to change, and what became of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from migrate.client.runs import ALIVE, HELD, ProjectKey, RunKey, RunState
from migrate.mapping.rows import Row, Settled

Direction = Literal["rename", "undo"]

OutcomeCode = Literal[
    "done",
    "altered",
    "gone",
    "drifted",
    "read-only",
    "running",
    "held",
    "refused",
    "unanswered",
    "reverted",
    "not-verified",
    "not-reached",
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a rename, as a value; `report/outcomes.py` has the words.

    Attributes:
        code: `done`: the run bears its new name. `altered`: the server made `text` of the new
            name. `gone`: the run no longer exists. `drifted`: somebody else named it `text`.
            `read-only`: this key may not rename it. `running`: its process may write the name
            back; its state is `text`. `held`: an offline run in the state `text`, one of HELD.
            `refused`, `unanswered`: in the words `text`. And, known at the end only:
            `reverted`: it had the new name, and has its old one again.
            `not-verified`: it could not be read back, for the reason `text`. `not-reached`: its
            turn never came.
        text: The data that the code speaks of, in other people's words; else empty.
    """

    code: OutcomeCode
    text: str = ""


DONE = Outcome("done")


@dataclass(frozen=True, slots=True)
class PlannedRename:
    """One run's rename: from the name that it must have to the one that it is to get.

    `settled` is what rules and options supplied to the new name, in the words of a report.
    """

    key: RunKey
    old_name: str
    new_name: str
    settled: str = ""

    @property
    def where(self) -> ProjectKey:
        """The run's project."""
        return self.key.where

    def back(self) -> PlannedRename:
        """The rename that takes this one back."""
        return PlannedRename(self.key, self.new_name, self.old_name)


def planned(
    rows: Iterable[Row], words: Callable[[tuple[Settled, ...]], str]
) -> list[PlannedRename]:
    """The renames among the rows; `words` says what was settled."""
    return [
        PlannedRename(row.key, row.old_name, row.new_name, words(row.settled))
        for row in rows
        if row.new_name is not None
    ]


def is_done(rename: PlannedRename, state: RunState) -> bool:
    """Whether a run bears its new name, and its old one nowhere.

    An offline run has a log for each time that it was resumed: a rename that was killed may have
    written some of them.
    """
    return state.name == rename.new_name and rename.old_name not in state.earlier_names


def classify(
    rename: PlannedRename, state: RunState | None, *, include_running: bool
) -> Outcome | None:
    """Where a run stands: done, or why it is left alone; None where it is to be renamed."""
    if state is None:
        return Outcome("gone")
    if is_done(rename, state):
        return DONE
    if state.name not in (rename.old_name, rename.new_name):
        return Outcome("drifted", state.name)
    if not state.storage_id:
        return Outcome("refused", "the server gives no id to rename it by")
    if state.read_only:
        return Outcome("read-only")
    if state.state in HELD:
        return Outcome("held", state.state)
    if state.state in ALIVE and not include_running:
        return Outcome("running", state.state)
    return None

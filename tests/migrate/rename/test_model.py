"""Random histories: renames with faults and crashes, other people's edits, resume, undo.

After each step the promises are checked against a model that knows who gave a run its name.
A crash is made of a finished rename by taking away what a crash would have prevented: the end of
the journal, and any of the writes whose outcome the rest of it lacks (`test_kills.py` kills for
real, at every point).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from migrate.client.server import Project
from migrate.rename import batches, pace
from migrate.rename.execute import Result, run
from migrate.rename.journal import Header, Journal, read
from migrate.rename.plan import Direction, PlannedRename, planned
from migrate.report.outcomes import outcome_words
from migrate.report.words import settled_text
from migrate.sandbox.faults import Faults, Refusal
from migrate.sandbox.sample import arguments, wire_config
from migrate.sandbox.server import Sandbox
from migrate.sandbox.store import Store, StoredRun
from naming import legacy_name
from tests.migrate.mapped import map_runs

RUNS = 14
RUN = st.integers(0, RUNS - 1)
REFUSALS = st.sampled_from(
    [
        Refusal(),
        Refusal("the run is locked", "INVALID_VALUE"),
        Refusal("run not found", "NOT_FOUND"),
        Refusal("conflict", "DELETED"),
        Refusal("permission denied to change a name of rate limits", "PERMISSION_ERROR"),
    ]
)
# Faults that are answered at once; those that wandb-core repeats are test_faults.py's.
FAULTS = st.fixed_dictionaries(
    {
        "denied": st.dictionaries(RUN.map(lambda number: _id(number)), REFUSALS, max_size=4),
        "answers": st.sampled_from(["status", "status", "path"]),
        "others": st.sampled_from(["undone", "done", "skipped"]),
        "max_mutations": st.sampled_from([None, None, 1, 3]),
        "read_only_key": st.sampled_from([False, False, False, True]),
    }
)


@pytest.fixture(scope="module", autouse=True)
def small_documents() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "MOST", 4)
        patch.setattr(batches, "FIRST", 2)
        yield


def fill(store: Store) -> None:
    store.projects.clear()
    store.by_id.clear()
    for number in range(RUNS):
        arch = ("vit_small", "res20s")[number % 2]
        values = arguments(arch, "cifar100", rate=0.1 + number // 3 / 100)  # twins among them
        made = StoredRun(_id(number), legacy_name(values), wire_config(values), summaryMetrics="{}")
        store.add("ycx", "RSST", made)


def _id(number: int) -> str:
    return f"run{number:02d}"


def _records(path: Path) -> list[dict[str, Any]]:
    """The whole records of a journal."""
    whole = path.read_bytes()
    return [json.loads(line) for line in whole[: whole.rfind(b"\n") + 1].splitlines()]


def _runs(records: list[dict[str, Any]], kind: str) -> set[str]:
    return {entry[2] for one in records if one["record"] == kind for entry in one["runs"]}


class History(RuleBasedStateMachine):
    sandbox: Sandbox
    project: Project
    folder: Path
    plan: Sequence[PlannedRename] = ()

    @initialize()
    def begin(self) -> None:
        fill(self.sandbox.store)
        self.sandbox.faults.__dict__.update(Faults().__dict__)
        self.sandbox.service.mutations.clear()
        self.before = self.sandbox.store.state()
        self.theirs: dict[str, str] = {}
        self.deleted: set[str] = set()
        self.plan = []
        self.path = self.folder / "none"
        self.count = 0

    def runs(self) -> dict[str, StoredRun]:
        return self.sandbox.store.project("ycx", "RSST").runs

    def names(self) -> dict[str, str | None]:
        return self.sandbox.store.names("ycx", "RSST")

    # What others do.

    @rule(number=RUN)
    def somebody_renames(self, number: int) -> None:
        self.count += 1
        if _id(number) in self.runs():
            name = f"theirs {self.count}"
            self.runs()[_id(number)].displayName = self.theirs[_id(number)] = name

    @rule(number=RUN)
    def somebody_deletes(self, number: int) -> None:
        if _id(number) in self.runs():
            self.sandbox.store.remove(self.runs()[_id(number)])
            self.deleted.add(_id(number))

    # What we do. A new journal only where the last one is undone, as a careful user does.

    @precondition(lambda self: not self.plan)
    @rule(faults=FAULTS, late=st.sets(RUN, max_size=2))
    def rename(self, faults: dict[str, Any], late: set[int]) -> None:
        listed = [one for page in self.project.pages() for one in page.runs]
        self.plan = planned(map_runs(listed), settled_text)
        self.path = self.folder / f"{next(_numbers)}.jsonl"
        for number in late:  # between plan and write
            self.somebody_renames(number)
        with Journal.create(self.path, Header.of("s", self.plan), self.plan) as journal:
            self._work(journal, "rename", self.plan, faults)

    @precondition(lambda self: self.plan)
    @rule(faults=FAULTS)
    def resume(self, faults: dict[str, Any]) -> None:
        journal, recorded = Journal.reopen(self.path)
        with journal:
            self._work(journal, "rename", recorded.plan, faults)

    @precondition(lambda self: self.plan)
    @rule(faults=FAULTS)
    def undo(self, faults: dict[str, Any]) -> None:
        journal, recorded = Journal.reopen(self.path)
        with journal:
            self._work(journal, "undo", recorded.concerned("undo"), faults)
        new = {one.key.run_id: one.new_name for one in self.plan}
        if not any(name == new.get(run_id) for run_id, name in self.names().items()):
            self.plan = []

    def _work(
        self,
        journal: Journal,
        direction: Direction,
        plan: Sequence[PlannedRename],
        faults: dict[str, Any],
    ) -> None:
        self.sandbox.faults.__dict__.update(faults)
        self.sandbox.service.mutations.clear()
        counts = self.sandbox.counts.requests
        documents = counts.get("mutation", 0)
        journal.begin(direction)
        result = run(plan, {self.project.key: self.project}, journal, direction)
        self._check_journaled(direction)
        self._check_result(result, {one.key.run_id: one.new_name for one in plan}, faults)
        if faults["read_only_key"] and not faults["max_mutations"]:
            assert counts.get("mutation", 0) - documents <= 40
        self.sandbox.faults.__dict__.update(Faults().__dict__)

    @precondition(lambda self: self.plan)
    @rule(when=st.floats(0, 1), lost=st.sets(RUN), torn=st.integers(0, 20))
    def crash(self, when: float, lost: set[int], torn: int) -> None:
        """Put the journal and the server back to what a crash would have left."""
        whole = self.path.read_bytes()
        lines = whole[: whole.rfind(b"\n") + 1].splitlines(keepends=True)
        records = _records(self.path)
        begun = max(i for i, one in enumerate(records) if one["record"] == "begin")
        if records[begun]["direction"] != "rename":
            return
        kept = begun + 1 + round(when * (len(lines) - begun - 1))
        self.path.write_bytes(b"".join(lines[:begun]))
        earlier = {key[2] for key in read(self.path).sent}
        intended = _runs(records[begun:kept], "intent") - _runs(records[begun:kept], "outcome")
        answered = _runs(records[begun:kept], "outcome")
        for one in self.plan:
            run_id = one.key.run_id
            made = self.runs().get(run_id)
            if made is None or made.displayName != one.new_name:
                continue
            if run_id in earlier or run_id in answered:
                continue
            if run_id not in intended or int(run_id[3:]) in lost:
                made.displayName = one.old_name
        rest = lines[kept][:torn] if kept < len(lines) else b""
        self.path.write_bytes(b"".join(lines[:kept]) + rest)

    # The promises.

    def _check_journaled(self, direction: Direction) -> None:
        recorded = read(self.path)
        new = {one.key.run_id: one.new_name for one in recorded.plan}
        old = {one.key.run_id: one.old_name for one in recorded.plan}
        ids = {made.id: made.name for made in self.runs().values()}
        intended = _runs(_records(self.path), "intent")
        for given in self.sandbox.service.mutations:
            assert set(given) == {"id", "displayName"}
            run_id = ids[given["id"]]
            assert run_id in intended
            assert given["displayName"] == (new if direction == "rename" else old)[run_id]

    def _check_result(self, result: Result, after: dict[str, str], faults: dict[str, Any]) -> None:
        names = self.names()
        assert {key[2] for key in result.done} == {
            run_id for run_id, name in after.items() if names.get(run_id) == name
        }
        assert {key[2] for key in result.failed} == set(after) - {key[2] for key in result.done}
        words = {key.run_id: outcome_words(it.code, it.text) for key, it in result.failed.items()}
        if faults["read_only_key"]:
            return
        # What is refused, or other people's, costs every other run nothing.
        assert result.stopped is None
        denied = faults["denied"]
        assert set(words) <= set(denied) | self.deleted | set(self.theirs)
        for run_id in set(words) & set(denied) - self.deleted - set(self.theirs):
            assert words[run_id] == f"refused: {denied[run_id].words}"

    @invariant()
    def only_names_change(self) -> None:
        state = self.sandbox.store.state()
        for key, fields in state.items():
            was = {**self.before[key], "displayName": fields["displayName"]}
            assert fields == was

    @invariant()
    def nobody_is_overwritten(self) -> None:
        names = self.names()
        for run_id, name in self.theirs.items():
            assert run_id in self.deleted or names[run_id] == name

    @invariant()
    def every_name_is_somebodys(self) -> None:
        new = {one.key.run_id: one.new_name for one in self.plan}
        for run_id, name in self.names().items():
            was = self.before["ycx", "RSST", run_id]["displayName"]
            assert name in (was, new.get(run_id), self.theirs.get(run_id))

    def teardown(self) -> None:
        """Whatever happened, without faults all of it can be finished, and taken back."""
        if not self.plan:
            return
        none: dict[str, Any] = {"denied": {}, "max_mutations": None, "read_only_key": False}
        self.resume(none)
        self.undo(none)
        for run_id, name in self.names().items():
            was = self.before["ycx", "RSST", run_id]["displayName"]
            assert name == self.theirs.get(run_id, was)


_numbers = iter(range(10**9))


@pytest.mark.timeout(300)
def test_any_history_keeps_the_promises(sandbox: Sandbox, project: Project) -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = type(
            "Here", (History,), {"sandbox": sandbox, "project": project, "folder": Path(folder)}
        )
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=60,
                stateful_step_count=12,
                deadline=None,
                phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
                suppress_health_check=list(HealthCheck),
            ),
        )

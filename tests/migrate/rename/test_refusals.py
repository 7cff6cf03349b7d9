"""One refused run costs every other run nothing but time, however the server says it.

A real server answers with an HTTP status, of which the client hears no path; what became of the
document's other renames differs by server.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from migrate.client.runs import RunKey
from migrate.client.server import Project
from migrate.rename.execute import Result, run
from migrate.rename.journal import Header, Journal, read
from migrate.rename.plan import PlannedRename
from migrate.report.outcomes import outcome_words
from migrate.sandbox.faults import Faults, Refusal
from migrate.sandbox.server import Sandbox
from migrate.sandbox.store import StoredRun

REFUSALS = (
    Refusal("permission denied", "PERMISSION_ERROR"),
    Refusal("the owner of this run says no; ask them", "PERMISSION_ERROR"),
    Refusal("run not found", "NOT_FOUND"),
    Refusal("the run is locked", "INVALID_VALUE"),
    Refusal("run was previously created and deleted", "DELETED"),
)
ANSWERS, OTHERS = ("status", "path"), ("undone", "done", "skipped")


def run_id(number: int) -> str:
    return f"run{number:05d}"


def planned(runs: int) -> list[PlannedRename]:
    return [
        PlannedRename(RunKey("ycx", "RSST", run_id(number)), f"old {number}", f"new {number}")
        for number in range(runs)
    ]


def fill(sandbox: Sandbox, runs: int) -> list[PlannedRename]:
    """A project with so many runs, and the plan that renames them all."""
    store = sandbox.store
    store.projects.clear()
    store.by_id.clear()
    for number in range(runs):
        made = StoredRun(run_id(number), f"old {number}", summaryMetrics="{}")
        store.add("ycx", "RSST", made)
    sandbox.service.mutations.clear()
    sandbox.counts.requests.clear()
    sandbox.faults.__dict__.update(Faults().__dict__)
    return planned(runs)


def rename(project: Project, plan: list[PlannedRename], path: Path) -> Result:
    with Journal.create(path, Header.of("s", plan), plan) as journal:
        journal.begin("rename")
        return run(plan, {project.key: project}, journal, "rename")


def check(
    sandbox: Sandbox, project: Project, runs: int, denied: Mapping[int, Refusal]
) -> dict[str, str]:
    """Rename a project of which some runs are refused; gives the words of each that failed."""
    plan = planned(runs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j.jsonl"
        result = rename(project, plan, path)
        sent = read(path).sent
    names = sandbox.store.names("ycx", "RSST")
    assert names == {
        run_id(number): f"{'old' if number in denied else 'new'} {number}" for number in range(runs)
    }
    assert result.stopped is None
    words = {key.run_id: outcome_words(it.code, it.text) for key, it in result.failed.items()}
    assert words == {run_id(number): f"refused: {it.words}" for number, it in denied.items()}
    assert {key.run_id for key in result.written} == names.keys() - words.keys()
    assert {key.run_id for key in sent} == names.keys() - words.keys()
    return words


@st.composite
def mixtures(draw: st.DrawFn) -> tuple[int, dict[int, Refusal]]:
    """How many runs, and which of them are refused, with what: alone, in clusters, anywhere."""
    runs = draw(st.integers(1, 60))
    place = st.integers(0, runs - 1)
    refused = set(draw(st.lists(place, max_size=12)))
    for start in draw(st.lists(place, max_size=2)):
        refused |= set(range(start, min(runs, start + draw(st.integers(1, 15)))))
    # A key that may write at all: at least a third of the runs.
    refused = set(sorted(refused)[: 2 * runs // 3])
    words = draw(st.lists(st.sampled_from(REFUSALS), min_size=1, max_size=3))
    return runs, {number: words[number % len(words)] for number in refused}


def spread(runs: int, number: int) -> tuple[int, dict[int, Refusal]]:
    """So many refused runs, spread over a plan of so many."""
    step = runs // number
    return runs, {n * step: REFUSALS[n % len(REFUSALS)] for n in range(number)}


@pytest.mark.timeout(400)
def test_exactly_the_refused_runs_keep_their_names(
    sandbox: Sandbox, project: Project, quick: None
) -> None:
    @settings(
        max_examples=100,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(mixtures(), st.sampled_from(ANSWERS), st.sampled_from(OTHERS))
    def any_mixture(mixture: tuple[int, dict[int, Refusal]], answers: str, others: str) -> None:
        runs, denied = mixture
        fill(sandbox, runs)
        sandbox.faults.denied = {run_id(number): refusal for number, refusal in denied.items()}
        sandbox.faults.answers = answers  # type: ignore[assignment]
        sandbox.faults.others = others  # type: ignore[assignment]
        check(sandbox, project, runs, denied)

    any_mixture()


@pytest.mark.parametrize(
    ("mixture", "answers", "others", "most"),
    [
        (spread(1000, 1), "status", "undone", 35),
        (spread(1000, 40), "status", "undone", 360),
        (spread(1000, 200), "status", "undone", 1100),
        (spread(1000, 40), "status", "skipped", 130),
        (spread(1000, 40), "status", "done", 80),
        (spread(1000, 40), "path", "undone", 80),
        ((1000, dict.fromkeys(range(60), REFUSALS[0])), "status", "undone", 200),
        ((1000, dict.fromkeys(range(940, 1000), REFUSALS[0])), "status", "undone", 140),
        ((1000, dict.fromkeys(range(400, 600), REFUSALS[0])), "status", "done", 420),
        ((200, dict.fromkeys(range(0, 200, 4), REFUSALS[0])), "status", "undone", 280),
    ],
)
def test_how_many_documents_refusals_cost(sandbox, project, quick, mixture, answers, others, most):
    """Less than twice what group testing needs, where a refused document is undone as a whole.

    Where the server goes on after a refused run, one more for each of them; where it stops there,
    two.
    """
    runs, denied = mixture
    fill(sandbox, runs)
    sandbox.faults.denied = {run_id(number): refusal for number, refusal in denied.items()}
    sandbox.faults.answers, sandbox.faults.others = answers, others
    check(sandbox, project, runs, denied)
    assert sandbox.counts.requests["mutation"] <= most


@pytest.mark.parametrize(
    ("refused", "code"),
    [(number, "PERMISSION_ERROR") for number in (0, 9, 10, 350, 699)] + [(0, "DELETED")],
)
def test_one_of_seven_hundred(sandbox, project, refused, code):
    """Also the oldest, which stands in the first document."""
    fill(sandbox, 700)
    refusal = Refusal("not this one", code)
    sandbox.faults.denied = {run_id(refused): refusal}
    check(sandbox, project, 700, {refused: refusal})
    # To find one among a hundred takes two documents for each halving at the most.
    assert sandbox.counts.requests["mutation"] <= 8 + 2 * 7 + 5


def test_one_that_is_too_large_by_itself(sandbox, project, tmp_path):
    """In the words in which documents are refused; the others go in large ones all the same."""
    plan = fill(sandbox, 1000)
    sandbox.faults.denied = {run_id(40): Refusal("value too large", "INVALID_VALUE")}
    result = rename(project, plan, tmp_path / "j.jsonl")
    assert [key.run_id for key in result.failed] == [run_id(40)]
    assert (len(result.done), result.stopped) == (999, None)
    assert sandbox.counts.requests["mutation"] <= 60


def test_a_server_that_blames_all_that_follow(sandbox, project):
    """HTTP 200, and an error for each alias from the refused one on."""
    fill(sandbox, 300)
    denied = dict.fromkeys((0, 5, 70, 71, 299), Refusal("not this one"))
    sandbox.faults.denied = {run_id(number): refusal for number, refusal in denied.items()}
    sandbox.faults.answers, sandbox.faults.others = "path", "skipped"
    execute = sandbox.service.answer

    async def answer(query, variables):
        given = await execute(query, variables)
        for error in [*given.body.get("errors", [])]:
            number = int(error["path"][0].removeprefix("r"))
            for after in range(number + 1, sandbox.service.count_mutations(query)):
                given.body["errors"].append({"message": "not executed", "path": [f"r{after}"]})
        return given

    sandbox.service.answer = answer
    check(sandbox, project, 300, denied)


@pytest.mark.parametrize("answers", ANSWERS)
@pytest.mark.parametrize("refused", [10, 15, 25])
def test_a_first_document_of_refused_runs_alone(sandbox, project, refused, answers):
    fill(sandbox, 300)
    denied = dict.fromkeys(range(refused), REFUSALS[0])
    sandbox.faults.denied = {run_id(number): it for number, it in denied.items()}
    sandbox.faults.answers = answers
    check(sandbox, project, 300, denied)


@pytest.mark.parametrize(
    ("runs", "answers", "others"),
    [
        *((60, answers, others) for answers in ANSWERS for others in OTHERS),
        *((runs, "status", "undone") for runs in (1, 5, 39, 1000)),
        (1000, "path", "done"),
    ],
)
def test_a_key_that_may_write_nothing(sandbox, project, tmp_path, runs, others, answers):
    plan = fill(sandbox, runs)
    sandbox.faults.read_only_key = True
    sandbox.faults.answers, sandbox.faults.others = answers, others
    result = rename(project, plan, tmp_path / "j.jsonl")
    assert set(sandbox.store.names("ycx", "RSST").values()) == {one.old_name for one in plan}
    assert sandbox.counts.requests["mutation"] <= 40
    assert not result.done | result.written
    assert not read(tmp_path / "j.jsonl").sent
    codes = {outcome.code for outcome in result.failed.values()}
    if runs == 1000:
        assert codes == {"refused", "not-reached"}
        assert (result.stopped.code, result.stopped.count) == ("refused", 40)
        # It was tried all over the plan, and not only at its beginning.
        tried = {one["id"] for one in sandbox.service.mutations}
        places = [
            number
            for number in range(runs)
            if sandbox.store.project("ycx", "RSST").runs[run_id(number)].id in tried
        ]
        assert max(places) > 900
        assert max(after - before for before, after in itertools.pairwise(places)) < 60
    else:
        assert codes <= {"refused", "not-reached"}


def test_a_key_that_loses_its_right_in_the_middle(sandbox, project, tmp_path):
    plan = fill(sandbox, 1000)

    def withdraw(operation):
        if operation == "mutation" and len(sandbox.service.mutations) >= 300:
            sandbox.faults.read_only_key = True

    sandbox.faults.before = withdraw
    result = rename(project, plan, tmp_path / "j.jsonl")
    assert 300 <= len(result.done) < 800
    assert result.stopped.code == "refused"
    assert result.done == read(tmp_path / "j.jsonl").sent
    assert sandbox.counts.requests["mutation"] < 60


def test_refused_and_undone_runs_can_be_finished_later(sandbox, project, tmp_path, renamer_of):
    """Exit 1 with one refused; once its owner agrees, `resume` renames it, and it alone."""
    plan = fill(sandbox, 60)
    sandbox.faults.denied = {run_id(30): "ask me"}
    renamer = renamer_of(sandbox)
    result = renamer.rename(plan)
    assert [key.run_id for key in result.failed] == [run_id(30)]
    sandbox.faults.denied = {}
    before = len(sandbox.service.mutations)
    assert not renamer.again("rename").failed
    assert len(sandbox.service.mutations) == before + 1
    assert not renamer.again("undo").failed
    assert set(sandbox.store.names("ycx", "RSST").values()) == {one.old_name for one in plan}

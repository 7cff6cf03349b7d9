"""The report's table on a terminal: names that can be read whole, at any width."""

import io
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len
from rich.console import Console

from migrate.client.runs import RunKey
from migrate.mapping.rows import Reason, Row
from migrate.report.terminal import print_report

OLD = "rsst_exp_custom_exponents_l1_vit_small_imagenet_cifar100_trigger"
NEW = f"rsst_vit_small_imagenet_cifar100_trigger_sched_{'exp_custom_' * 6}rate_1e-05_0602_0930"
LONG_ID = "sweep-7k3v1x2p_trial_0001_" * 4
MADE = datetime(2025, 6, 2, 9, 30, tzinfo=UTC)


def row(number=0, **changes):
    run_id = changes.pop("run_id", f"run{number:05d}")
    known = {
        "key": RunKey("ycx", changes.pop("project", "RSST"), run_id), "state": "finished",
        "created_at": MADE, "status": "rename", "reasons": (), "old_name": OLD, "new_name": NEW,
        "fields": {},
    }  # fmt: skip
    return Row(**{**known, **changes})


def printed(rows, width):
    stream = io.StringIO()
    print_report(Console(file=stream, width=width, markup=False, highlight=False), rows)
    lines = stream.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    assert all(len(line.rstrip()) >= len(line) - 1 for line in lines), "nothing is filled up"
    return lines


@pytest.mark.parametrize("width", [60, 80, 200])
def test_names_are_broken_behind_underscores_and_lose_nothing(width):
    lines = printed([row()], width)[:-2]
    while not lines[0].startswith("run00000"):  # the heading
        lines = lines[1:]
    at = len("run00000  2025-06-02  rename  ")
    names = [line[at:] for line in lines]
    assert lines[0].startswith("run00000  2025-06-02  rename  rsst_")
    assert all(line[:at].isspace() for line in lines[1:])
    assert "".join(names) == f"{OLD}→ {NEW}"
    assert all(name.endswith("_") for name in names if not name.endswith(("trigger", "_0930")))


def test_a_long_run_id_stands_whole_in_its_column():
    lines = printed([row(run_id=LONG_ID), row(1)], 80)
    column = "".join(line[:20].strip() for line in lines[:-1])
    assert column == f"run{LONG_ID}run00001"
    wide = printed([row(run_id="模型" * 30)], 80)
    assert sum(line.startswith("模型" * 5 + "  ") for line in wide) == 6


def test_of_several_projects_each_row_says_which():
    lines = printed(
        [row(), row(1, project="other", status="hold", reasons=(Reason("running", ("running",)),))],
        200,
    )
    assert lines[1].endswith("rename  ycx/RSST")
    assert lines[4].endswith("hold    ycx/other")


def test_a_long_table_comes_while_it_is_made_and_keeps_its_columns():
    rows = [
        row(run_id=f"{n}" * (n % 7 + 1), old_name=f"old_{n}", new_name=f"new_{n}")
        for n in range(1000)
    ]
    pieces = []

    class Terminal(io.StringIO):
        def flush(self):
            pieces.append(self.getvalue())

    print_report(Console(file=Terminal(), width=100), rows)
    assert len(pieces[0]) < len(pieces[-1]) / 3
    heading, *lines = pieces[-1].splitlines()
    olds = [line for line in lines if "old_" in line]
    assert len(olds) == 1000
    assert {line.index("old_") for line in olds} == {heading.index("old name")}
    assert not any("old name" in line for line in lines)


def test_in_a_pipe_names_stay_in_one_piece(monkeypatch):
    monkeypatch.delenv("COLUMNS")
    stream = io.StringIO()
    print_report(Console(file=stream), [row(run_id=LONG_ID)])
    assert stream.getvalue().splitlines()[1:3] == [
        f"{LONG_ID}  2025-06-02  rename  {OLD}",
        f"{' ' * len(LONG_ID)}                      → {NEW}",
    ]

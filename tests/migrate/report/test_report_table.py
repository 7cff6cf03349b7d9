"""The report on a terminal: names that can be read, copied and looked for in one piece."""

import io
import re
from datetime import UTC, datetime

import pytest
from rich.console import Console

from migrate.client.runs import RunKey
from migrate.mapping.rows import Reason, Row
from migrate.report.terminal import print_renames, print_report
from migrate.report.words import count_by_status

OLD = "rsst_exp_custom_exponents_l1_vit_small_imagenet_cifar100_trigger"
NEW = (
    "rsst_vit_small_imagenet_cifar100_trigger_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1"
    "_rate_1e-05_0602_0930"
)
FIELDS = {
    "struct": "rsst", "schedule": "exp_custom_exponents", "criteria": "l1",
    "arch": "vit_small_imagenet", "dataset": "cifar100_trigger", "rate": 1e-05,
}  # fmt: skip
MADE = datetime(2025, 6, 2, 9, 30, tzinfo=UTC)
MARKED = re.compile(r"\x1b\[1;4m(.*?)\x1b\[0m")
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def row(number=0, **changes):
    run_id = changes.pop("run_id", f"run{number:05d}")
    known = {
        "key": RunKey("ycx", changes.pop("project", "RSST"), run_id), "state": "finished",
        "created_at": MADE, "status": "rename", "reasons": (), "old_name": OLD, "new_name": NEW,
        "fields": FIELDS,
    }  # fmt: skip
    return Row(**{**known, **changes})


def held(number, state, **changes):
    reasons = (Reason("running", (state,)),)
    return row(number, status="hold", state=state, reasons=reasons, new_name=None, **changes)


def printed(print_it, *what, width=80, **how):
    stream = io.StringIO()
    print_it(Console(file=stream, width=width, markup=False, highlight=False, **how), *what)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_few_plain_lines_a_run_that_the_terminal_wraps(width):
    """However narrow it is: a name that is copied, or looked for in a pipe, is in one piece."""
    assert printed(print_report, [row(), row(1, created_at=None)], width=width) == [
        "run00000  2025-06-02  rename",
        f"    {OLD}",
        f"  → {NEW}",
        "run00001  -  rename",
        f"    {OLD}",
        f"  → {NEW}",
        "",
        "2 runs: 2 rename",
    ]


def test_a_run_without_a_new_name_has_its_reasons_there():
    missing = row(2, status="review", reasons=(Reason("missing", ("rate",)),), new_name=None)
    current = row(3, status="current", new_name=None)
    lines = printed(print_report, [missing, held(0, "running"), held(1, "pending"), current])
    assert lines == [
        "run00002  2025-06-02  review",
        f"    {OLD}",
        "    missing: rate",
        "run00000  2025-06-02  hold",
        f"    {OLD}",
        "    running",
        "run00001  2025-06-02  hold",
        f"    {OLD}",
        "    running (pending)",
        "",
        "4 runs: 1 review, 2 hold, 1 current",
    ]


def test_what_a_new_name_adds_is_marked_and_what_moved_is_not():
    how = {"force_terminal": True, "color_system": "standard", "no_color": False}
    _, old, new, *_ = printed(print_report, [row()], **how)
    assert MARKED.findall(old) == []
    assert MARKED.findall(new) == ["reg_0.5_exp3", "rate_1e-05_0602_0930"]
    assert STYLE.sub("", new) == f"  → {NEW}"
    # A saved plan has both names and no fields: the new name says them.
    _, old, new, *_ = printed(print_renames, [(row().key, OLD, NEW, "")], **how)
    assert MARKED.findall(old) == []
    assert MARKED.findall(new) == ["reg_0.5_exp3", "rate_1e-05_0602_0930"]


def test_of_several_projects_each_row_says_which():
    lines = printed(print_report, [row(), held(1, "running", project="other")])
    assert lines[0] == "ycx/RSST/run00000  2025-06-02  rename"
    assert lines[3] == "ycx/other/run00001  2025-06-02  hold"


def test_renames_that_nothing_else_is_known_of():
    """A saved plan's, which may be of any names; an undo's, which go the other way."""
    renames = [
        (row().key, OLD, "mine", "assumed rate=0.2"),
        (row(1, project="other").key, NEW, OLD, ""),
    ]
    assert printed(print_renames, renames) == [
        "ycx/RSST/run00000",
        f"    {OLD}",
        "  → mine",
        "    assumed rate=0.2",
        "ycx/other/run00001",
        f"    {NEW}",
        f"  → {OLD}",
        "",
        "2 runs",
    ]


def test_a_long_report_comes_while_it_is_made():
    pieces = []

    class Terminal(io.StringIO):
        def flush(self):
            pieces.append(self.getvalue())

    print_report(Console(file=Terminal(), width=100), [row(n) for n in range(1000)])
    assert len(pieces[0]) < len(pieces[-1]) / 3
    assert pieces[-1].count(NEW) == 1000


def test_rows_are_counted_in_the_order_of_the_statuses():
    custom = row(status="custom", new_name=None)
    rows = [custom, row(), row(status="review", new_name=None), custom]
    assert count_by_status(rows) == "1 rename, 1 review, 2 custom"
    assert count_by_status([]) == ""

"""What an audit finds in rows, and how it stands on terminals of any width."""

import io
import json
import re
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len
from rich.console import Console

import naming
from migrate.cli.rules import parse_assume
from migrate.client.runs import RunKey
from migrate.mapping.rows import STATUSES, Reason, Row
from migrate.report.audit import Gap, Pair, Picked, SharedName, audit
from migrate.report.terminal import print_audit
from migrate.text import shortened

VIT = {"struct": "rsst", "arch": "vit_small", "dataset": "cifar100", "schedule": "x", "rate": 0.15}
LONG_ARCH = "deit_" + "x" * 60
OTHER = {"project": "other"}
GAPS = "Missing config values, and options that would supply them (check first)"


def row(number=0, status="rename", *reasons, **fields):
    """A row; `project` and `old_name` are the row's own, everything else is a field."""
    project = fields.pop("project", "RSST")
    old_name = fields.pop("old_name", f"name_{project}_{number}")
    known = {key: value for key, value in {**VIT, **fields}.items() if value is not None}
    made = datetime(2026, 1, 1, tzinfo=UTC)
    key = RunKey("ycx", project, f"run{number}")
    return Row(key, "finished", made, status, reasons, old_name, None, known)


def lacking(number, keys="rate", **fields):
    missing = Reason("missing", tuple(keys.split(", ")))
    return row(number, "review", missing, **{"rate": None, **fields})


def printed(rows, width=80, project="ycx/RSST"):
    stream = io.StringIO()
    print_audit(Console(file=stream, width=width, markup=False), audit(project, rows))
    lines = stream.getvalue().splitlines()
    assert not [line for line in lines if line.endswith(" ")]
    assert max(map(cell_len, lines)) <= width
    return lines


def sections(lines):
    """Heading to the lines below it."""
    found, heading = {}, ""
    for before, line in zip(["", *lines], lines, strict=False):
        if line and not before:
            heading = line
            found[heading] = []
        elif line:
            found[heading].append(line)
    return found


# Gaps.


@pytest.mark.parametrize(
    ("others", "option", "alike", "values"),
    [
        ([row(1), row(2, arch="vit_base")], "rate=0.15", 2, ("0.15",)),
        ([row(1), row(2, arch="res18", rate=0.2), row(3, schedule="exp")], "rate=0.15", 1,
         ("0.15",)),
        ([row(1), row(2, status="custom"), row(3, status="current")], "rate=0.15", 3, ("0.15",)),
        ([row(1), row(2, rate=0.2)], "rate=VALUE", 0, ("0.15", "0.2")),
        ([row(1), row(2, rate=0.2), row(3, rate=0.2)], "rate=VALUE", 0, ("0.2", "0.15")),
        ([row(1, arch="res18"), row(2, struct="refill")], "rate=VALUE", 0, ()),
        ([row(1, arch="my_net")], "rate=VALUE", 0, ()),
        ([], "rate=VALUE", 0, ()),
    ],
)  # fmt: skip
def test_a_value_is_suggested_where_the_others_of_its_kind_agree(others, option, alike, values):
    (gap,) = audit("ycx/RSST", [lacking(0), *others]).gaps
    assert gap == Gap("rate", 1, f"--assume {option}", alike, values)


def test_runs_of_two_kinds_must_agree():
    rows = [lacking(0), lacking(1, arch="res18"), row(2), row(3, arch="res50", rate=0.2)]
    assert audit("", rows).gaps == (Gap("rate", 2, "--assume rate=VALUE", 0, ("0.15", "0.2")),)
    assert audit("", [*rows[:3], row(3, arch="res50")]).gaps[0].assume == "--assume rate=0.15"


def test_a_kind_without_any_value_gets_none_from_another_kind():
    rows = [lacking(0), lacking(1, arch="res18"), row(2), row(3)]
    assert audit("", rows).gaps == (Gap("rate", 2, "--assume rate=VALUE", 0, ("0.15",)),)


def test_nobody_knows_the_family_of_an_unlisted_architecture():
    rows = [lacking(0, arch="my_net"), row(1, arch="their_net"), row(2)]
    assert audit("", rows).gaps[0].alike == 0
    assert audit("", [*rows, row(3, arch="my_net", rate=0.3)]).gaps[0].assume.endswith("=0.3")


def test_gaps_name_config_keys_that_assume_takes():
    keys = "reg_granularity_prune, exponents, rate"
    rows = [lacking(0, keys), lacking(1), row(2, reg=1.0, exponents=4, rate=1e-05)]
    gaps = audit("", rows).gaps
    assert [(gap.key, gap.runs, gap.assume) for gap in gaps] == [
        ("rate", 2, "--assume rate=1e-05"),
        ("reg_granularity_prune", 1, "--assume reg_granularity_prune=1.0"),
        ("exponents", 1, "--assume exponents=4"),
    ]
    pairs = [gap.assume.removeprefix("--assume ") for gap in gaps]
    assert [parse_assume(pair)[0] for pair in pairs] == [gap.key for gap in gaps]


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([0.15], "rate=0.15   suggested: the only other run of this kind has it"),
        ([0.15, 0.15], "rate=0.15   suggested: the 2 other runs of this kind have it"),
        ([0.15, 0.2], "rate=VALUE  other runs disagree: 0.15, 0.2"),
        ([n / 10 for n in range(1, 8)],
         "rate=VALUE  other runs disagree: 0.1, 0.2, 0.3, 0.4, 0.5, …"),
        ([], "rate=VALUE  no other run of this kind has one"),
    ],
)  # fmt: skip
def test_a_gap_says_what_its_suggestion_stands_on(others, words):
    rows = [lacking(0), *(row(1 + n, rate=rate) for n, rate in enumerate(others))]
    (line,) = sections(printed(rows))[GAPS]
    assert re.sub(" +", " ", line) == re.sub(" +", " ", f"1  --assume {words}")


def test_a_gap_of_several_kinds_says_that_some_have_no_value():
    rows = [lacking(0), lacking(1, arch="res18"), row(2)]
    (line,) = sections(printed(rows, 200))[GAPS]
    assert line.endswith("--assume rate=VALUE  only some of these kinds of run have a value: 0.15")


# Shared and picked names, several projects.


def test_names_are_shared_within_a_project():
    rows = [row(n, old_name="same") for n in range(5)] + [row(9, old_name="same", **OTHER)]
    rows += [row(6, old_name="two"), row(7, old_name="two")]
    assert audit("all", rows).shared == (
        SharedName("ycx/RSST", "same", ("run0", "run1", "run2", "run3", "run4")),
        SharedName("ycx/RSST", "two", ("run6", "run7")),
    )
    below = sections(printed(rows))["Names that several runs share"]
    assert below == ["5  same  run0 run1 run2 …", "2  two   run6 run7"]


def test_custom_names_with_advice():
    names = ["test1", "paper_fig3_vit", "word", "vit_small_cifar100_" + "and_more_" * 5]
    rows = [row(n, "custom", old_name=name) for n, name in enumerate(names)]
    rows += [
        row(
            8,
            "custom",
            Reason("near-miss", (naming.Reason("near-miss", "case"),)),
            old_name="RSST_x",
        ),
        row(9, old_name="test1"),
    ]
    found = audit("ycx/RSST", rows).picked
    assert [one.name for one in found] == [names[0], *names[2:], "RSST_x"]
    assert found[0] == Picked("ycx/RSST", "run0", "test1", ("too plain to tell runs apart",))
    assert found[-1].advice == ("near-miss: wrong case: our names are in lower case",)
    below = sections(printed(rows))["Custom names, with the guide's advice"]
    assert below[0].split("  ")[-1].strip() == "too plain to tell runs apart"
    assert any(re.match(r"run3  vit_small\w+…\w+_and_more_  ", line) for line in below)


def test_several_projects_together_leave_single_names_to_each():
    rows = [row(n, "custom", old_name="test1") for n in range(2)]
    alone, together = sections(printed(rows)), sections(printed(rows, project="all"))
    assert alone.keys() - together.keys() == {
        "ycx/RSST: 2 runs",
        "Names that several runs share",
        "Custom names, with the guide's advice",
    }
    assert together.keys() == {"all: 2 runs", "Runs by architecture and dataset"}


# The matrix.


def matrix(rows, width=80):
    return sections(printed(rows, width))["Runs by architecture and dataset"]


def test_every_run_is_in_the_matrix():
    rows = [row(n, arch=f"a{n % 3}", dataset=f"a_dataset_{n % 9}") for n in range(30)]
    rows.append(row(30, arch=None, dataset=None))
    head, *lines = matrix(rows)
    assert head.split()[-3:] == ["6", "more", "all"]
    for line in lines:
        *_, counts = line.partition(") " if line.startswith("(") else " ")
        *parts, total = [0 if count == "·" else int(count) for count in counts.split()]
        assert sum(parts) == total
    assert lines[-1].startswith("(not known)")
    assert "more" not in matrix(rows, 200)[0]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_long_names_are_cut_in_the_middle(width):
    swin = "swin_v2_base_patch4_window12_192_22k_to_imagenet1k_finetuned_again"
    names = [LONG_ARCH, swin, "vit_small"]
    lines = matrix([row(n, arch=name, dataset="d" * 200) for n, name in enumerate(names)], width)
    room = max(24, width // 3)
    assert [line.split()[0] for line in lines[1:]] == [shortened(name, room) for name in names]
    shared = [row(n, old_name=LONG_ARCH * 9) for n in range(2)]
    (line,) = sections(printed(shared, width))["Names that several runs share"]
    assert "…" in line


def test_words_take_a_few_lines_at_most():
    names = [(field, "x" * 60, "y" * 60) for field in ("struct", "schedule", "criteria", "arch")]
    lines = printed([row(0, "review", Reason("conflict", tuple(names)))])
    assert len(sections(lines)["Needs attention"]) <= 5
    assert lines[4].startswith("1  review  conflict: struct is")


def test_a_word_in_the_way_of_one_more_line_is_not_left_out():
    rows = [row(n, "review", Reason("invalid", (("rate", f"'{n}'"),))) for n in range(13)]
    assert len(sections(printed(rows))["Needs attention"]) == 13
    rows.append(row(13, "review", Reason("missing", ("arch",))))
    below = sections(printed(rows))["Needs attention"]
    assert below[-1] == "… and 2 more; --json has them all"
    assert len(below) == 13


def test_one_run():
    assert printed([row(0)])[0] == "ycx/RSST: 1 run"


def test_nothing():
    assert printed([]) == ["ycx/RSST: 0 runs", "0 rename, 0 review, 0 hold, 0 current, 0 custom"]


# JSON.


def test_json_has_everything():
    rows = [
        lacking(0, "rate"),
        row(1, old_name="same"),
        row(2, old_name="same"),
        row(3, "custom", old_name="test1", arch=None),
        row(4, "hold", Reason("running", ("pending",))),
    ]
    found = json.loads(json.dumps(audit("ycx/RSST", rows).to_dict()))
    assert found.pop("pairs") == [
        {"arch": "vit_small", "dataset": "cifar100", "runs": 4},
        {"arch": None, "dataset": "cifar100", "runs": 1},
    ]
    assert found == {
        "project": "ycx/RSST",
        "runs": 5,
        "statuses": dict(zip(STATUSES, [2, 1, 1, 0, 1], strict=True)),
        "reasons": [
            {"status": "review", "reason": "missing: rate", "runs": 1},
            {"status": "hold", "reason": "running", "runs": 1},
        ],
        "shared": [{"project": "ycx/RSST", "name": "same", "run_ids": ["run1", "run2"]}],
        "picked": [
            {
                "project": "ycx/RSST",
                "run_id": "run3",
                "name": "test1",
                "advice": ["too plain to tell runs apart"],
            }
        ],
        "gaps": [
            {
                "key": "rate",
                "runs": 1,
                "assume": "--assume rate=0.15",
                "alike": 3,
                "values": ["0.15"],
            },
        ],
        "weeks": [{"week": "2026-W01", "legacy": 4, "current": 0, "custom": 1}],
    }


def test_pairs_count_every_run():
    pairs = audit("", [row(0), row(1), row(2, arch=None)]).pairs
    assert pairs == (Pair("vit_small", "cifar100", 2), Pair(None, "cifar100", 1))


@pytest.mark.parametrize(
    ("status", "old"), [("rename", 1), ("review", 1), ("hold", 1), ("custom", 0)]
)
def test_check_counts_old_names(status, old):
    assert audit("", [row(0, status), row(1, "current")]).old_names == old

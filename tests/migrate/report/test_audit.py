"""What an audit finds in rows, and how it stands on terminals of any width."""

import io
import json
import re
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len
from rich.console import Console

import naming
from migrate.client.runs import RunKey
from migrate.mapping.kinds import Case, Group, Kind, Problem
from migrate.mapping.rows import STATUSES, Reason, Row
from migrate.report.audit import Pair, Picked, SharedName, audit
from migrate.report.terminal import print_audit
from migrate.text import shortened

VIT = {"struct": "rsst", "arch": "vit_small", "dataset": "cifar100", "schedule": "x", "rate": 0.15}
LONG_ARCH = "deit_" + "x" * 60
OTHER = {"project": "other"}
GAPS = "Missing config values, and what other runs of the kind have"


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

VIT_GROUP = Group("rsst", "vit", None, "exp_custom_exponents")


def kind(runs, key="rate", others=(), group=VIT_GROUP, code="missing"):
    cases = tuple(Case(None, lacking(number)) for number in range(runs))
    return Kind(Problem(code, (key,)), group, (), cases, others)


def gaps_of(found):
    return json.loads(json.dumps(found.to_dict()))["gaps"]


def test_a_gap_says_what_other_runs_of_the_kind_have():
    found = audit("ycx/RSST", [lacking(0)], [kind(45, others=((0.15, 181), (0.2, 2))), kind(2)])
    gaps = gaps_of(found)
    assert gaps == [
        {
            "key": "rate",
            "struct": "rsst",
            "family": "vit",
            "arch": None,
            "schedule": "exp_custom_exponents",
            "runs": 45,
            "others": [{"value": 0.15, "runs": 181}, {"value": 0.2, "runs": 2}],
            "suggested": None,
        },
        {**gaps[0], "runs": 2, "others": []},
    ]
    assert gaps_of(audit("", [], [kind(1, others=((0.2, 1),))]))[0]["suggested"] == 0.2
    assert audit("", [], [kind(1, code="invalid")]).gaps == ()


def test_gaps_on_a_terminal():
    refill = Group("refill", "other", "my_net", None)
    kinds = [
        kind(73, "reg_granularity_prune", ((0.5, 12),)),
        kind(6, "rate", group=refill),
        kind(1, "rate", tuple((n / 10, 1) for n in range(1, 8))),
    ]
    stream = io.StringIO()
    found = audit("ycx/RSST", [], kinds)
    print_audit(Console(file=stream, width=200, markup=False), found)
    assert [
        re.sub("  +", "  ", line) for line in sections(stream.getvalue().splitlines())[GAPS]
    ] == [
        "73  reg_granularity_prune  rsst, ViT, exp_custom_exponents: 12 others have 0.5",
        " 6  rate  refill, my_net: no other has a value",
        " 1  rate  rsst, ViT, exp_custom_exponents: "
        "1 other has 0.1, 1 has 0.2, 1 has 0.3, 1 has 0.4, 1 has 0.5, 2 have another",
    ]


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


@pytest.mark.parametrize("width", [40, 60, 80])
def test_our_own_words_are_never_cut(width):
    """Only other people's are: names, and long words of theirs among ours."""
    keys = ("reg_granularity_prune", "exponents", "fillback_rate", "rate")
    sides = [("arch", "res20s", "res56s"), ("dataset", "x" * 60, "cifar10")]
    rows = [
        row(0, "custom", old_name="x" * 150),
        row(1, "review", Reason("missing", keys)),
        row(2, "review", Reason("conflict", tuple(sides))),
    ]
    shown = sections(printed(rows, width))
    words = re.sub(r"\s+", " ", " ".join(shown["Needs attention"]))
    assert f"missing: {', '.join(keys)}" in words
    assert "arch is res20s in the name, res56s in the config and dataset is x" in words
    assert words.endswith("in the name, cifar10 in the config")
    assert ("…" in words) == (width < 80)
    (first, *others) = shown["Custom names, with the guide's advice"]
    advice = " ".join([re.sub(r"^run0 +\S+ +", "", first), *map(str.strip, others)])
    assert advice == (
        "too long to read (150 characters; W&B keeps 128 characters); "
        "no prefix: give the runs of a series a common one"
    )


def test_gaps_on_a_narrow_terminal():
    stream = io.StringIO()
    kinds = [kind(2, "reg_granularity_prune", ((0.15, 31), (0.1, 1)))]
    print_audit(Console(file=stream, width=40, markup=False), audit("ycx/RSST", [], kinds))
    assert "2  reg_granularity_prune  rsst, ViT," in stream.getvalue()
    assert "…" not in stream.getvalue()


def test_gaps_on_a_very_narrow_terminal():
    """What other runs have is never squeezed out of sight by the key."""
    stream = io.StringIO()
    kinds = [kind(2, "reg_granularity_prune", ((0.15, 31),), Group("rsst", "vit", None, "x"))]
    print_audit(Console(file=stream, width=26, markup=False), audit("ycx/RSST", [], kinds))
    assert re.sub(r"\s", "", stream.getvalue()).endswith("rsst,ViT,x:31othershave0.15")


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
        "gaps": [],
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

"""Plan files: everything that is wrong with one is said at once, with its place."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from migrate.errors import InputError
from migrate.rename.plan_file import list_problems, read_plan

COLUMNS = ("entity", "project", "run_id", "status", "old_name", "new_name")
GOOD = dict(zip(COLUMNS, ("ycx", "RSST", "a", "rename", "old a", "new a"), strict=True))
OTHER = {**GOOD, "run_id": "b", "old_name": "old b", "new_name": "new b"}


def saved(rows, suffix="csv"):
    path = Path(f"plan.{suffix}")
    if suffix == "json":
        path.write_text(json.dumps(rows))
        return path
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), newline="")
    return path


def refusal(path):
    with pytest.raises(InputError) as caught:
        read_plan(path)
    return str(caught.value)


def pairs(plan):
    return [(one.key.run_id, one.new_name) for one in plan]


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_its_rows_with_status_rename_are_the_plan(suffix):
    rows = [
        {**GOOD, "status": "review", "new_name": ""},
        GOOD,
        {**OTHER, "status": "custom", "new_name": "new a"},
        OTHER,
    ]
    assert pairs(read_plan(saved(rows, suffix))) == [("a", "new a"), ("b", "new b")]


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_what_was_settled_comes_with_it(suffix):
    words = "assumed rate=0.2; set RST_schedule=x (was =1+1)"
    rows = [{**GOOD, "settled": words}, {**OTHER, "settled": ""}]
    rows += [{**OTHER, "run_id": "c", "new_name": "new c", "settled": None}]
    assert [one.settled for one in read_plan(saved(rows, suffix))] == [words, "", ""]


def test_a_plan_whose_settled_is_not_text_is_a_plan_all_the_same():
    assert read_plan(saved([{**GOOD, "settled": 1}], "json"))[0].settled == ""


WRONG = [
    ({"status": "renam"}, "unknown status 'renam'"),
    ({"run_id": ""}, "run_id is empty"),
    ({"entity": "", "project": ""}, "entity, project is empty"),
    ({"old_name": ""}, "old_name is empty, so undo could not restore it"),
    ({"new_name": " "}, "new_name is empty"),
    ({"new_name": "x" * 129}, "new_name has 129 characters, and W&B keeps 128"),
    ({"new_name": "a\x1bb"}, "new_name has characters that cannot be seen: a\\x1bb"),
    ({"new_name": "a\u200bb"}, "new_name has characters that cannot be seen: a\\u200bb"),
    ({"new_name": "a\u202eb"}, "new_name has characters that cannot be seen: a\\u202eb"),
    ({"new_name": "a\xa0b"}, "new_name has characters that cannot be seen: a\\xa0b"),
    ({"new_name": "a\u3164b"}, "new_name has characters that cannot be seen: a\\u3164b"),
    ({"new_name": "a\U000e0101"}, "new_name has characters that cannot be seen: a\\U000e0101"),
    ({"new_name": "a\u3000"}, "new_name has characters that cannot be seen: a\\u3000"),
    ({"new_name": "a b "}, "new_name begins or ends with a space: 'a b '"),
    ({"new_name": " a"}, "new_name begins or ends with a space: ' a'"),
    ({"new_name": "old a"}, "new_name is the old name"),
]


@pytest.mark.parametrize(("changes", "words"), WRONG)
@pytest.mark.parametrize(("suffix", "place"), [("csv", "line 2"), ("json", "row 1")])
def test_a_row_that_is_wrong(changes, words, suffix, place):
    path = saved([{**GOOD, **changes}, OTHER], suffix)
    assert refusal(path) == (
        f"The plan {path} cannot be used, nothing was touched:\n  {place}: {words}"
    )


def test_all_that_is_wrong_is_said_at_once():
    rows = [
        {**GOOD, "run_id": f"r{n}", "new_name": f"new {n}", **changes}
        for n, (changes, _) in enumerate(WRONG)
    ]
    said = refusal(saved(rows)).splitlines()
    assert [line.partition(":")[0] for line in said[1:]] == [
        f"  line {n}" for n in range(2, 2 + len(WRONG))
    ]


@pytest.mark.parametrize("odd", [None, 7, ["a"], {}])
@pytest.mark.parametrize("column", ["entity", "project", "run_id", "old_name", "new_name"])
def test_values_of_a_json_plan_that_are_no_text(column, odd):
    said = refusal(saved([{**GOOD, column: odd}, {**OTHER, "run_id": ""}], "json"))
    assert "row 1: entity, project, run_id and both names must be strings" in said
    assert "row 2: run_id is empty" in said


def test_a_status_of_any_kind_and_length_is_cut():
    for odd in ("x" * 1000, None, ["rename"]):
        said = refusal(saved([{**GOOD, "status": odd}, {**OTHER, "run_id": ""}], "json"))
        assert "row 1: unknown status" in said
        assert "row 2: run_id is empty" in said
        assert max(map(len, said.splitlines())) <= 202


def test_a_run_or_a_new_name_that_stands_there_twice():
    rows = [GOOD, OTHER, {**GOOD, "new_name": "new c"}, {**GOOD, "run_id": "d"}]
    assert refusal(saved(rows)).splitlines()[1:] == [
        "  line 4: run a is already in line 2",
        "  line 5: new a is already the new name in line 2",
    ]


def test_a_new_name_that_is_wrong_is_not_wrong_for_standing_there_twice():
    rows = [{**row, "new_name": name} for name in ("", "x" * 129) for row in (GOOD, OTHER)]
    rows = [{**row, "run_id": f"r{n}"} for n, row in enumerate(rows)]
    assert [line.partition(" ")[2] for line in refusal(saved(rows)).splitlines()[1:]] == [
        " line 2: new_name is empty",
        " line 3: new_name is empty",
        " line 4: new_name has 129 characters, and W&B keeps 128",
        " line 5: new_name has 129 characters, and W&B keeps 128",
    ]


def test_projects_do_not_disturb_each_other():
    rows = [GOOD, {**GOOD, "project": "P2"}, {**GOOD, "entity": "me"}]
    assert len(read_plan(saved(rows))) == 3


def test_a_name_of_just_the_length_that_fits():
    assert pairs(read_plan(saved([{**GOOD, "new_name": "x" * 128}]))) == [("a", "x" * 128)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_file_from_any_system(end, delimiter):
    header = delimiter.join(COLUMNS)
    lines = [header, *(delimiter.join(row.values()) for row in (GOOD, OTHER)), ""]
    Path("plan.csv").write_text(end.join(lines), newline="")
    assert pairs(read_plan(Path("plan.csv"))) == [("a", "new a"), ("b", "new b")]


def test_a_plan_that_a_spreadsheet_has_saved():
    """Semicolons, a byte order mark, empty rows, cells that were guarded."""
    text = f"{';'.join(COLUMNS)};note\r\nycx;RSST;'12e34567;rename;a;A;\r\n;;;;;;\r\n"
    Path("plan.csv").write_bytes(text.encode("utf-8-sig"))
    assert pairs(read_plan(Path("plan.csv"))) == [("12e34567", "A")]


def test_semicolons_in_cells_do_not_delimit_them():
    note = dict.fromkeys(["note; mine"], "a; b")
    rows = [{**row, "old_name": "o;;;;;;;;", **note} for row in (GOOD, OTHER)]
    path = Path("plan.csv")
    path.write_text("\n".join(",".join(cells) for cells in [rows[0], *(r.values() for r in rows)]))
    assert [one.old_name for one in read_plan(path)] == ["o;;;;;;;;"] * 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "Cannot read the plan plan: No such file or directory."),
        (b"entity\xff", "The plan plan is not UTF-8 (byte 6). Save it as CSV UTF-8."),
        (b'{"entity": "ycx"}', "The plan plan is not an array of objects"),
        (b" \n[1]", "The plan plan is not an array of objects"),
        (b"[", "The plan plan is not JSON: Expecting value"),
        (b"[{}]", "The plan plan has rows without entity, project, run_id, status, old_name, new_"),
        (b"entity,entity,project,project", "The plan plan has two columns entity, project;"),
        (b"old,new", "The plan plan has no column entity, project, run_id, status, old_name, new_"),
        (b"old,new", "nothing was touched. Save one with `rsst-migrate report PATH -o plan.csv`."),
        (b"", "The plan plan has no column entity, project, run_id, status, old_name, new_"),
        (b"entity,project", "The plan plan has no column run_id, status, old_name, new_name;"),
        pytest.param(b"[" * 50_000, "The plan plan is not JSON: ", id="deep"),
        (b'[{"entity": "ycx"}]', "The plan plan has rows without project, run_id, status,"),
        (f'{",".join(COLUMNS)}\nycx,RSST,"a,rename\n'.encode(), "The plan plan is not CSV: line "),
        (f"{','.join(COLUMNS)}\ne,p,a,rename,a,b, c\n".encode(), "line 2: more cells than columns"),
    ],
)
def test_what_is_no_plan(data, words):
    path = Path("plan")
    if data is not None:
        path.write_bytes(data)
    assert words in refusal(path)


def test_cells_that_are_not_there_are_empty():
    path = Path("plan.csv")
    path.write_text(",".join(COLUMNS) + "\nycx,RSST,a,rename\nycx,RSST,b,custom\n")
    said = refusal(path).splitlines()[1:]
    assert said == [
        "  line 2: old_name is empty, so undo could not restore it",
        "  line 2: new_name is empty",
    ]


def test_of_very_many_problems_the_first_twenty_are_listed():
    problems = [f"problem {n}" for n in range(1, 23)]
    assert list_problems("No", problems[:20]).splitlines()[-2:] == ["  problem 19", "  problem 20"]
    assert list_problems("No", problems[:21]).splitlines()[-2:] == ["  problem 20", "  and 1 more"]
    assert list_problems("No", problems).splitlines()[-1] == "  and 2 more"

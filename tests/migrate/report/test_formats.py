"""What people compute with, pass on and edit: the DataFrame, Parquet, Markdown, CSV in Calc."""

from __future__ import annotations

import io
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from migrate.client.runs import ProjectKey, RunKey
from migrate.mapping.rows import STATUSES, Row
from migrate.rename.plan_file import read_plan
from migrate.report import frame, html, markdown
from migrate.report.columns import COLUMNS, write_csv
from migrate.report.files import FORMATS
from migrate.report.origin import Origin
from migrate.text import csv_cell, from_csv_cell, visible

ORIGIN = Origin("https://wandb.ai", datetime(2026, 3, 1, 12, tzinfo=UTC))


def row(number=0, status="rename", **changes):
    """A row; names of columns change the row, `fields` are added to its fields."""
    arch = ["vit_small", "res20s"][number % 2]
    fields = {"arch": arch, "rate": [0.15, 0.2][number % 2], "reg": 1.0, "exponents": 3}
    made = {
        "key": RunKey(
            changes.pop("entity", "ycx"),
            changes.pop("project", "RSST"),
            changes.pop("run_id", f"run{number}"),
        ),
        "state": "finished",
        "created_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number),
        "status": status,
        "reasons": (),
        "old_name": f"old_{number}",
        "new_name": f"new_{number}" if status == "rename" else None,
        "fields": {**fields, "pretrained": True, **changes.pop("fields", {})},
    }
    return Row(**{**made, **changes})


# The DataFrame.

TYPES = {
    **dict.fromkeys(COLUMNS, "string"),
    "created_at": "datetime64[us, UTC]",
    "status": "category",
    **dict.fromkeys(["reg", "rate", "fillback_rate"], "Float64"),
    "exponents": "Int64",
    "pretrained": "boolean",
}
NO_FIELDS = replace(row(9, "custom", created_at=None), fields={})


def through_parquet(rows, made=None):
    return pandas.read_parquet(io.BytesIO(frame.write_parquet(rows, made)))


MADE_WITH = {
    "options": {"timezone": "Asia/Shanghai", "match": "`a|b`\n<i>"},
    "rules": [
        {"file": "rsst-migrate.toml", "number": 2, "where": {"arch": "\ud800"}, "prefer": "name"},
        {"option": "--assume rate=0.15", "assume": {"rate": 0.15}},
    ],
}


def test_what_people_keep_says_what_it_was_made_with():
    data = through_parquet([row()], MADE_WITH).attrs["made_with"]
    assert data == MADE_WITH
    origin = replace(ORIGIN, made_with=MADE_WITH)
    text = markdown.write([row()], origin).decode()
    assert "\n<summary>Made with</summary>\n\n- " in text
    assert "\n- `--assume rate=0.15`\n" in text
    assert 'rule 2 of rsst-migrate.toml: where {"arch": "\\ud800"}; prefer name' in text
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    assert sum(token.type == "list_item_open" for token in tokens) == 3
    page = html.write([row()], origin).decode()
    assert '<li class="mono">--assume rate=0.15</li>' in page
    assert "&lt;i&gt;" in page
    assert "Made with" not in html.write([row()], ORIGIN).decode()


@pytest.mark.parametrize(
    "rows", [[], [row()], [NO_FIELDS], [row(0), row(1, "review"), NO_FIELDS]], ids=len
)
def test_types_do_not_depend_on_the_rows_and_survive_parquet(rows):
    made = frame.frame(rows)
    assert {name: str(kind) for name, kind in made.dtypes.items()} == TYPES
    assert list(made["status"].dtype.categories) == list(STATUSES)  # type: ignore[union-attr]
    assert made["status"].dtype.ordered  # type: ignore[union-attr]
    read = through_parquet(rows)
    assert {name: str(kind) for name, kind in read.dtypes.items()} == TYPES
    if rows:  # Parquet keeps no categories without a value
        pandas.testing.assert_frame_equal(read, made)


@pytest.mark.parametrize("read", [frame.frame, through_parquet])
def test_computing_just_works(read):
    table = read([row(n) for n in range(6)] + [row(6, "review", fields={"rate": None}), NO_FIELDS])
    runs = table.groupby(["arch", "rate"], observed=True).size()
    assert runs.to_dict() == {("res20s", 0.2): 3, ("vit_small", 0.15): 3}
    assert table["rate"].mean() == pytest.approx(0.175)
    assert table["rate"].isna().sum() == 2
    assert table.groupby("status", observed=True).size().to_dict() == {
        "rename": 6, "review": 1, "custom": 1,
    }  # fmt: skip
    assert (table["status"] <= "review").sum() == 7
    assert table.loc[table["created_at"] >= "2026-01-01T05:00Z", "run_id"].tolist() == [
        "run5", "run6",
    ]  # fmt: skip
    shanghai = table["created_at"].dt.tz_convert("Asia/Shanghai")
    assert str(shanghai[0]) == "2026-01-01 08:00:00+08:00"
    assert table["pretrained"].sum() == 7
    assert table["old_name"].str.startswith("old_").all()


def test_what_no_column_can_hold():
    odd = row(fields={"exponents": 2**70}, created_at=datetime(9999, 12, 31, tzinfo=UTC))
    early = row(1, old_name="lone \ud800", created_at=datetime(1, 1, 1, tzinfo=UTC))
    table = through_parquet([odd, early])
    assert table["exponents"].isna().tolist() == [True, False]
    assert table["created_at"].dt.year.tolist() == [9999, 1]
    assert table["old_name"][1] == "lone \\ud800"


# Markdown.


def cells_of(text):
    """The cells of the table's body, as they are seen, and all HTML that is in the text."""
    found, html = [], []
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for place, token in enumerate(tokens):
        if token.type == "tr_open":
            found.append([])
        elif token.type == "td_open":
            parts = tokens[place + 1].children or []
            assert {part.type for part in parts} <= {"text", "code_inline"}
            found[-1].append("".join(part.content for part in parts))
        elif token.type == "html_block":
            html.append(token.content)
    return found[1:], "".join(html)


def test_a_short_table_is_open_and_a_long_one_collapsed():
    short = markdown.write([row(n) for n in range(30)], ORIGIN).decode()
    rows, html = cells_of(short)
    assert (len(rows), html) == (30, "")
    assert short.startswith("`ycx/RSST`: 30 runs (30 rename)\n\n| ")
    assert "| `run0` | rename | `old_0` | `new_0` |  |\n" in short
    assert rows[0] == ["run0", "rename", "old_0", "new_0", ""]
    rows, html = cells_of(markdown.write([row(n) for n in range(31)], ORIGIN).decode())
    assert len(rows) == 31
    assert html == "<details>\n<summary>All 31 runs</summary>\n</details>\n"


def test_of_several_projects_each_row_says_which():
    text = markdown.write([row(0), row(1, entity="lab", project="a|b")], ORIGIN).decode()
    rows, _ = cells_of(text)
    assert text.startswith("`lab/a|b`, `ycx/RSST`: 2 runs (2 rename)\n\n| project | run_id | ")
    assert rows == [
        ["ycx/RSST", "run0", "rename", "old_0", "new_0", ""],
        ["lab/a|b", "run1", "rename", "old_1", "new_1", ""],
    ]


def test_one_row_in_markdown():
    assert markdown.write([row()], ORIGIN).decode().startswith("`ycx/RSST`: 1 run (1 rename)\n")


def test_no_rows_in_markdown():
    assert markdown.write([], ORIGIN).decode().startswith("no project: 0 runs (none)\n")


def test_a_part_of_a_project_says_so_in_markdown():
    projects = {
        ProjectKey("ycx", "RSST"): 420,
        ProjectKey("lab", "x"): 1,
        ProjectKey("lab", "y"): 0,
    }
    origin = replace(ORIGIN, projects=projects)
    text = markdown.write([row(), row(1, entity="lab", project="x")], origin).decode()
    assert text.splitlines()[:4] == [
        "`lab/x`, `lab/y`, `ycx/RSST`: 2 runs (2 rename)",
        "",
        "A part of the project: 1 of 420 runs of `ycx/RSST`.",
        "",
    ]
    assert text.count("A part") == 1


# CSV.

IDS = """609354432 123456789012345 1234567890123456
    12e34567 00012345 1e5 1E5 1e-5 1.5e3 .5 1. 1,5 1,000 2026-01-08 1/2/26 3:45 5% $5 (5) mar1
    Sept2 12dec TRUE false =1+1 '=1 '' +1 -1 @a 7k3v1x2p 0x1F nan #N/A 1_000 plain ٣""".split()
IDS += ["1 000", "1e5 ", " 1", "Jan 5", "9:00 AM", 'a,b;c"d', "two\nlines", " spaced ", "模型_é"]


IDS += [
    "\x1b[31mred",
    r"\x1b[31mred",
    r"\\x1b",
    r"a\nb",
    "a\\\nb",
    "C:\\",
    r"\U000e0001",
    r"\U0011ffff",
]

# Any text, and what is made of the very pieces that an escaped cell is made of.
TEXTS = st.text() | st.lists(st.sampled_from([*"\\'=nx1bu02U\n\x1b\ud800\U000e0001", "1e5"])).map(
    "".join
)


@given(TEXTS)
@example("'1e5")
@example("1e5\n")
@example(r"\U0011ffff")
@example("e" * 5000)
@example("jun" * 5000 + "!")
def test_a_cell_comes_back(text):
    cell = csv_cell(text)
    assert from_csv_cell(cell) == text
    assert visible(cell) == cell
    assert not cell.startswith(tuple("=+-@\t\r"))


@pytest.mark.parametrize(
    "text",
    [
        *("7k3v1x2p", "rsst_x", "march", "e", "may_1", "2025-06-02T09:30:00Z"),
        *("609354432", "0", "1", "9" * 15),  # the spreadsheet keeps 15 digits
    ],
)
def test_what_a_spreadsheet_keeps_as_it_is_is_left_alone(text):
    assert csv_cell(text) == text
    assert from_csv_cell(f"'{text}") == (text if text.isdigit() else f"'{text}")


@pytest.mark.parametrize("text", ["1" * 16, "00", "01", "-1", "+1", "1 ", "1.0"])
def test_other_numbers_get_a_quote(text):
    assert csv_cell(text) == f"'{visible(text)}"


SOFFICE = shutil.which("soffice")
FILTER = "Text - txt - csv (StarCalc):44,34,76,1,,0,false"


@pytest.fixture
def calc(tmp_path):
    """Convert a file with LibreOffice Calc."""
    if SOFFICE is None:
        pytest.skip("needs LibreOffice Calc (`soffice`)")

    def convert(path, kind, *options):
        folder = tmp_path / f"calc{len(list(tmp_path.iterdir()))}"
        profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
        how = [SOFFICE, profile, "--headless", *options]
        words = [*how, "--convert-to", kind, "--outdir", folder, path]
        subprocess.run(words, check=True, capture_output=True, timeout=100)
        (made,) = folder.iterdir()
        return made

    return convert


@pytest.mark.parametrize("detect", ["true", "false"])
def test_a_spreadsheet_changes_no_id_and_no_name(calc, tmp_path, detect):
    """Opened, saved as a workbook, saved as CSV again: it is still the same plan."""
    rows = [row(n, run_id=one, old_name=one) for n, one in enumerate(IDS)]
    saved = tmp_path / "plan.csv"
    saved.write_bytes(write_csv(rows))
    book = calc(saved, "xlsx", f"--infilter={FILTER},{detect}")  # detect: numbers like 1e5, dates
    plan = read_plan(calc(book, f"csv:{FILTER},true,false,false,false,-1"))
    assert [(one.key.run_id, one.old_name, one.new_name) for one in plan] == [
        (one.key.run_id, one.old_name, one.new_name) for one in rows
    ]


def test_help_names_every_format(cli):
    told = cli("report", "--help").stdout
    assert all(name in told for name in FORMATS)

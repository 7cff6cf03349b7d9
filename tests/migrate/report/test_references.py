"""References in words: on a terminal, as JSON and on the page."""

import io
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from migrate.client.runs import ProjectKey
from migrate.mapping.references import Condition, Finding, Place, Reference, References
from migrate.report import html
from migrate.report.origin import Origin
from migrate.report.references import (
    as_objects,
    condition_words,
    failures,
    notes,
    print_references,
    reference_words,
)

HERE = ProjectKey("ycx", "RSST")
HOSTILE = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "hostile.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


def found(*findings, kind="report", name="A report", **more):
    listed = [Reference(kind, "id1", name, "https://wandb.ai/ycx/RSST/x", one) for one in findings]
    return References(HERE, renames=3, listed=listed, seen=Counter({kind: 2}), **more)


def printed(*references):
    stream = io.StringIO()
    console = Console(file=stream, width=80, highlight=False, markup=False, emoji=False)
    print_references(console, references)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition("=", ("a",)), 'Name = "a"'),
        (Condition("!=", ("a",)), 'Name ≠ "a"'),
        (Condition("in", ("a", "b")), 'Name IN "a", "b"'),
        (Condition("in", tuple("abcd")), 'Name IN "a", "b", "c", "d"'),
        (Condition("not in", tuple("abcdef")), 'Name NOT IN "a", "b", "c" and 3 more'),
        (Condition("contains", ("a",)), 'Name contains "a"'),
        (Condition("regex", ("^a",), negated=True), 'not: Name matches "^a"'),
        (Condition(">=", ("a",)), 'Name >= "a"'),
        (Condition("search", ("a.*",), regex=True), 'search "a.*" (regular expression)'),
        (Condition("search", ("a",), regex=False), 'search "a"'),
        (Condition("=", ("a" * 300,)), f'Name = "{"a" * 199}…"'),
    ],
)
def test_a_filter_as_people_see_it(condition, words):
    assert condition_words(condition) == words


@pytest.mark.parametrize(
    ("finding", "kind", "words"),
    [
        (Finding("grouping", Place("run set", "CNN")), "report", 'run set "CNN": grouped by Name'),
        (Finding("grouping", Place("run set", "Run set")), "workspace", "grouped by Name"),
        (Finding("sort", Place("panel", "Best")), "workspace", 'panel "Best": sorted by Name'),
        (
            Finding("override", Place(), overrides=(("ab12", "best"), ("cd34", "worst"))),
            "workspace",
            'goes on showing "best" for ab12, "worst" for cd34',
        ),
    ],
)
def test_what_it_is_about(finding, kind, words):
    assert reference_words(found(finding, kind=kind).listed[0]) == words


def test_on_a_terminal():
    equal = Finding("filter", Place("run set", "CNN"), Condition("=", ("a",)), counts=(12, 0))
    less = Finding("search", Place(), Condition("search", ("b",)), counts=(2, 1))
    shown = printed(found(equal, less, Finding("sort", Place())))
    assert shown.splitlines() == [
        "report  A report",
        "    https://wandb.ai/ycx/RSST/x",
        '    12 → 0 runs  run set "CNN": Name = "a"',
        '    2 → 1 run    search "b"',
        "                 sorted by Name",
        "",
        "ycx/RSST: 3 references in 1 of 2 (2 reports)",
    ]


def test_several_projects_and_none_to_rename():
    other = References(ProjectKey("ycx", "empty"), renames=0)
    shown = printed(found(Finding("sort", Place())), other)
    assert "report  A report  ycx/RSST" in shown
    assert shown.endswith(
        "ycx/RSST: 1 reference in 1 of 2 (2 reports)\n"
        "ycx/empty: the plan renames no run, so nothing changes\n"
    )


def test_notes():
    counted = Finding("filter", Place(), Condition("=", ("a",)), counts=(1, 0))
    reference = found(
        counted,
        hidden=Counter({"workspace": 2, "draft": 1}),
        skipped=Counter({"disabled": 2, "elsewhere": 1}),
        failed={"automation": "The server refuses: no"},
    )
    assert list(notes([reference]))[:-1] == [
        "The numbers are the runs of the project that the filter on the name alone matches, before "
        "and after the rename.",
        "Left out: filters that are switched off (2), run sets of other projects (1).",
        "ycx/RSST: 2 workspaces are not visible to this key.",
        "ycx/RSST: 1 draft is not visible to this key.",
    ]
    assert failures([reference]) == [
        "ycx/RSST: automations could not be read: The server refuses: no"
    ]


def test_hostile_words():
    everything = [
        found(
            Finding("filter", Place("panel", text), Condition("in", (text,)), counts=(1, 0)),
            Finding("override", Place("run set", text), overrides=((text, text),)),
            name=text,
        )
        for text in HOSTILE
    ]
    objects = json.loads(json.dumps(as_objects(everything)))
    assert [row["name"] for row in objects[::2]] == HOSTILE
    for hostile in everything:
        shown = printed(hostile)
        assert all(letter.isprintable() for letter in shown.replace("\n", ""))
        assert len(shown.splitlines()) == 6
    origin = Origin("https://wandb.ai", datetime(2026, 1, 8, tzinfo=UTC), {}, everything)
    page = html.write([], origin).decode()
    section = page[page.index('aria-labelledby="h-references"') : page.index('id="runs"')]
    assert set(re.findall(r"<(\w+)", section)) == set(
        "h2 span p div table thead tbody tr th td a section".split()
    )
    assert "javascript:" not in re.findall(r'href="([^"]*)"', section)


def test_the_page_in_both_languages():
    counted = Finding("filter", Place(), Condition("=", ("a",)), counts=(4993, 0))
    reference = found(
        counted,
        hidden=Counter({"report": 1000}),
        skipped=Counter({"disabled": 2, "elsewhere": 1}),
        failed={"automation": "no"},
    )
    page = html.write(
        [], Origin("https://wandb.ai", datetime(2026, 1, 8, tzinfo=UTC), {}, [reference])
    )
    section = page.decode().partition('aria-labelledby="h-references"')[2].partition('id="runs"')[0]
    assert '<td class="number">4,993</td>' in section
    texts = {
        language: re.sub("<[^>]*>", "", re.sub(f'<span class="{other}".*?</span>', "", section))
        for language, other in (("en", "zh"), ("zh", "en"))
    }
    for language, words in [
        ("en", "report 2 (not visible: 1,000)"),
        ("en", "Left out: filters that are switched off (2), run sets of other projects (1)"),
        ("en", "ycx/RSST: automations could not be read: no"),
        ("zh", "报告 2（不可见：1,000）"),
        ("zh", "未列出：已停用的筛选条件（2）、属于其他项目的 run set（1）"),
        ("zh", "ycx/RSST：无法读取自动化：no"),
        ("zh", "以下视图、报告和自动化在改名后会匹配到不同的实验，或继续显示其他名称。"),
    ]:
        assert words in texts[language]


def test_the_page_without_and_with_nothing_found():
    at = datetime(2026, 1, 8, tzinfo=UTC)
    assert "h-references" not in html.write([], Origin("https://wandb.ai", at)).decode()
    page = html.write([], Origin("https://wandb.ai", at, {}, [found()])).decode()
    assert "h-references" in page
    assert '<table class="references">' not in page

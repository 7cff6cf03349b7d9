"""`references` on the sandbox's sample project, through the real client."""

import json
from pathlib import Path

import pytest

from migrate.cli import look
from migrate.cli.references import references
from migrate.cli.request import Request
from migrate.errors import InputError
from migrate.sandbox.sample import sample_store
from migrate.sandbox.store import StoredView


@pytest.fixture
def sample(serve):
    return serve(sample_store())


def test_json(sample, capsys):
    before = sample.store.state()
    assert references(Request(["ycx/RSST", "ycx/empty"], base_url=sample.url), as_json=True) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [list(row) for row in found] == [
        ["entity", "project", "kind", "id", "name", "url", "what", "text", "before", "after"]
    ] * len(found)
    assert [(row["kind"], row["what"], row["before"], row["after"]) for row in found] == [
        ("workspace", "override", None, None),
        ("workspace", "search", 30, 11),
        ("workspace", "sort", None, None),
        ("workspace", "filter", 9, 7),
        ("report", "filter", 7, 6),
        ("report", "grouping", None, None),
        ("report", "grouping", None, None),
        ("draft", "filter", 87, 89),
        ("automation", "filter", 57, 14),
    ]
    assert found[4] == {
        "entity": "ycx",
        "project": "RSST",
        "kind": "report",
        "id": "Vmlldzo1NzIxOTA1",
        "name": "Schedules compared",
        "url": f"{sample.url}/ycx/RSST/reports/Schedules-compared--Vmlldzo1NzIxOTA1",
        "what": "filter",
        "text": 'run set "ViT-S": Name = "rsst_exp_custom_exponents_l1_vit_small_cifar100"',
        "before": 7,
        "after": 6,
    }
    assert "Left out: filters that are switched off (1), run sets of other projects (1)." in err
    assert sample.store.state() == before
    # Two for each listing and four for RSST's views: the plan of the empty project renames nothing.
    assert sample.counts.requests == {"viewer": 1, "query": 8}


def test_the_options_of_a_plan_apply(sample, capsys):
    request = Request(["ycx/RSST"], base_url=sample.url, match="vit_small")
    assert references(request, as_json=True) == 0
    by_kind = {row["kind"]: row for row in json.loads(capsys.readouterr().out)}
    assert (by_kind["automation"]["before"], by_kind["automation"]["after"]) == (57, 54)


def test_after_the_rename_there_is_nothing(serve, capsys):
    sample = serve(sample_store())
    for run in sample.store.project("ycx", "RSST").runs.values():
        run.displayName = "x"
    assert references(Request(["ycx/RSST"], base_url=sample.url), as_json=False) == 0
    assert capsys.readouterr().out == "ycx/RSST: the plan renames no run, so nothing changes\n"


def test_what_cannot_be_read_is_said(sample, capsys):
    sample.faults.lacks = frozenset({"Entity.triggers"})
    views = sample.store.project("ycx", "RSST").views
    views += [StoredView("a", "nw-a-v", "a", "project-view", "[" * 9999)]
    views += [StoredView("b", "nw-b-v", "b", "project-view", "{}", hidden=True)]
    assert references(Request(["ycx/RSST"], base_url=sample.url), as_json=True) == 1
    out, err = capsys.readouterr()
    assert len(json.loads(out)) == 8
    assert "views that are not JSON (1)" in err
    assert "ycx/RSST: 1 workspace is not visible to this key." in err
    assert "ycx/RSST: automations could not be read: The server refuses: Cannot query" in err


def test_in_the_html_report(sample):
    request = Request(["ycx/RSST"], base_url=sample.url)
    assert look.report(request, file=Path("r.html"), references=True) == 0
    page = Path("r.html").read_text("utf-8")
    assert f'href="{sample.url}/ycx/RSST?nw=vitsmall100"' in page
    assert "Name contains &#34;rsst_exp_custom&#34;" in page
    with pytest.raises(InputError, match=r"\n  rsst-migrate references ycx/RSST$"):
        look.report(request, file=Path("r.csv"), references=True)


def test_the_command(sample, cli):
    done = cli("references", "ycx/RSST")
    assert done.returncode == 0
    assert done.stdout.endswith(
        "\nycx/RSST: 9 references in 5 of 8 (4 workspaces, 1 report, 1 draft, 2 automations)\n"
    )
    assert "    9 → 7 runs  Name IN " in done.stdout

"""The HTML report, as its reader has it: in a browser, with clicks and keys."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

import naming
from migrate.client.runs import ProjectKey, RunKey
from migrate.mapping.rows import REASONS, STATUSES, Reason, Row, RuleSource, Settled, Status
from migrate.rename.plan import planned
from migrate.rename.plan_file import read_plan
from migrate.report import charts, html
from migrate.report.audit import Pair, ReasonCount, Week, audit
from migrate.report.columns import flat, write_csv
from migrate.report.origin import Origin
from migrate.report.words import EN, WORDS, ZH, clause, settled_text
from migrate.sandbox.server import Sandbox
from migrate.text import visible

HOSTILE: list[str] = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "hostile.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
ORIGIN = Origin("https://wandb.ai", datetime(2026, 3, 1, 12, tzinfo=UTC))
RSST = ProjectKey("ycx", "RSST")
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync""".split()

Open = Callable[..., Page]


def row(number: int = 0, status: Status = "rename", **changes: Any) -> Row:
    """A row; `fields` are added to those that every row has."""
    arch, dataset = [("vit_small", "cifar100"), ("res20s", "cifar10")][number % 2]
    fields = {"arch": arch, "dataset": dataset, "rate": 1e-05, "reg": 1.0, "pretrained": True}
    old = f"rsst_x_l1_{arch}_{dataset}"
    made = Row(
        key=RunKey(
            changes.pop("entity", "ycx"),
            changes.pop("project", "RSST"),
            changes.pop("run_id", f"run{number:05d}"),
        ),
        state="finished",
        created_at=datetime(2025, 6, 2, tzinfo=UTC) + timedelta(hours=number),
        status=status,
        reasons=(),
        old_name=old,
        new_name=f"rsst_{arch}_{dataset}_sched_x_reg_1.0_crit_l1_rate_1e-05_pretrained_{number:04d}",
        fields={**fields, **changes.pop("fields", {})},
    )
    if status != "rename":
        made = replace(made, new_name=None)
    return replace(made, **changes)


def missing(*keys: str) -> Reason:
    return Reason("missing", keys)


ROWS = [
    *(row(number) for number in range(30)),
    row(30, "review", reasons=(missing("rate", "exponents"),), run_id="12e34567"),
    row(31, "review", reasons=(Reason("conflict", (("dataset", "a", "b"),)), missing("rate"))),
    row(32, "hold", reasons=(Reason("running", ("running",)),), state="running"),
    row(33, "current"),
    row(34, "custom", old_name="paper_fig3", fields={"arch": None, "dataset": None}),
]


def test_each_status_has_words_and_colours() -> None:
    assert {*STATUSES, *REASONS} <= WORDS.keys()
    style = (files("migrate.report") / "page" / "report.css").read_text("utf-8")
    for status in STATUSES:
        assert re.search(rf"\.fill-{status}\b.*{{", style), status
        assert f".tag-{status} {{" in style, status


@pytest.mark.parametrize("fault", ["", "length", "case", "white-space", "before", "after", "part"])
def test_what_is_wrong_with_a_name_is_said_in_both_languages(fault: str) -> None:
    reason = Reason("near-miss", (naming.Reason("near-miss", fault, "zz", "vit", "_reg_NUMBER"),))
    english, zh = clause(reason), clause(reason, ZH)
    assert zh.startswith("near-miss：")
    assert zh.count("zz") == english.count("zz")
    assert ("_reg_NUMBER" in zh) == ("_reg_NUMBER" in english)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, once for all tests here."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("the HTML report is tested in `chromium`, which is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Write rows to a file and open it; at the end the page must have kept still."""
    opened: list[tuple[Any, list[str]]] = []

    def open_page(
        rows: list[Row], origin: Origin = ORIGIN, *, may_complain: bool = False, **options: Any
    ) -> Page:
        file = tmp_path / f"report{len(list(tmp_path.iterdir()))}.html"
        file.write_bytes(html.write(rows, origin))
        context = browser.new_context(**{"locale": "en-US", **options})
        page = context.new_page()
        page.set_default_timeout(10_000)
        noise: list[str] = []
        if not may_complain:
            opened.append((context, noise))
        page.on("console", lambda message: noise.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: noise.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (noise.append(dialog.message), dialog.dismiss()))  # type: ignore[call-overload, func-returns-value]
        page.on("request", lambda request: noise.append(request.url))
        page.goto(file.as_uri())
        assert noise == [file.as_uri()], "the page asks for nothing but itself"
        noise.clear()
        return page

    yield open_page
    for context, noise in opened:
        context.close()
        assert [line for line in noise if not line.startswith("blob:")] == []


def run_ids(page: Page) -> list[str]:
    """The runs in the table, as far as it is in the page."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('#rows tr .c-run_id')]"
        ".map(cell => cell.firstChild.textContent)"
    )
    return found


def downloaded(page: Page) -> Path:
    with page.expect_download() as waiting:
        page.click("#download")
    assert waiting.value.suggested_filename == "rsst-plan.csv"
    return waiting.value.path()


def test_the_command_writes_the_page(sandbox: Sandbox, cli: Any) -> None:
    done = cli("report", "ycx/RSST", "-o", "report.html")
    assert done.returncode == 0, done.stderr
    text = Path("report.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert f'"{sandbox.url}/ycx/RSST"' in text
    printed = cli("report", "ycx/RSST", "--format", "html")
    assert printed.stdout.startswith("<!doctype html>")


def test_a_project_without_runs_is_named(sandbox: Sandbox, cli: Any, show: Open) -> None:
    sandbox.store.project("ycx", "empty")
    done = cli("report", "ycx/empty", "--format", "md")
    assert done.stdout.startswith("`ycx/empty`: 0 runs (none)\n")
    assert "ycx/empty" in cli("report", "ycx/empty", "--format", "html").stdout
    page = show([], replace(ORIGIN, projects={ProjectKey("ycx", "empty"): 0}))
    expect(page.locator("h1 a")).to_have_attribute("href", "https://wandb.ai/ycx/empty")
    expect(page.locator("#nothing")).to_have_text(re.compile("No runs"))
    expect(page).to_have_title("ycx/empty · rsst-migrate")


def test_a_part_of_a_project_says_so(show: Open) -> None:
    page = show(ROWS, replace(ORIGIN, projects={RSST: 1420, ProjectKey("ycx", "empty"): 0}))
    part = page.locator(".part")
    expect(part).to_have_text(re.compile("A part of the project: 35 of 1,420 runs of ycx/RSST"))
    page.click("#language")
    assert part.inner_text() == "只含项目的一部分：ycx/RSST 的 1,420 个实验中的 35 个"
    whole = show(ROWS, replace(ORIGIN, projects={RSST: len(ROWS)}))
    assert whole.locator(".part").count() == 0


def test_counts_and_charts_stand_without_javascript(show: Open) -> None:
    page = show(ROWS, java_script_enabled=False)
    expect(page.locator("#statuses")).to_contain_text(re.compile(r"rename\s+30\s+86%"))
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.locator("#runs")).to_be_hidden()
    for heading in ("by status", "by week", "by architecture", "Needs attention"):
        expect(page.locator("h2", has_text=heading)).to_be_visible()
    reasons = page.locator(".reasons li")
    assert [text.split("\n")[-1].strip() for text in reasons.all_inner_texts()] == ["1"] * 4
    assert page.locator("svg[role=img]").count() == 2
    cells = page.locator(".matrix tr", has_text="vit_small").locator("th, td")
    assert cells.all_inner_texts() == ["vit_small", "17", "17", "", ""]


def test_filters(show: Open) -> None:
    page = show(ROWS)
    count = page.locator("#count")
    expect(count).to_have_text("35 of 35 runs · 30 to rename")
    page.fill("#words", "RES20S paper")
    expect(page.locator("#nothing")).to_be_visible()
    expect(page.locator("#download")).to_be_disabled()
    page.fill("#words", "12E34")
    assert run_ids(page) == ["12e34567"]
    page.click("#clear")
    page.select_option("#f-status", "review")
    expect(count).to_have_text("2 of 35 runs · 0 to rename")
    page.select_option("#f-reason", "conflict")
    assert run_ids(page) == ["run00031"]
    page.click("#clear")
    page.select_option("#f-family", "cnn")
    expect(count).to_contain_text("17 of 35")
    page.select_option("#f-dataset", "cifar100")
    expect(count).to_contain_text("0 of 35")
    page.select_option("#f-family", "")
    page.select_option("#f-dataset", "?")
    assert run_ids(page) == ["run00034"]
    expect(page.locator("#f-reason option").nth(1)).to_have_text(
        "missing (2) · the config lacks a value"
    )
    running = page.locator("#f-reason option", has_text="running")  # its words are the code alone
    expect(running).to_have_text("running (1) · the run has not ended")


CHARTED = [
    ("#statuses a", "review", "#status=review", ["12e34567", "run00031"]),
    (".reasons a", "missing: rate, exponents", "#status=review&reason=", ["12e34567"]),
    (".matrix thead a", "unknown", "#dataset=%3F", ["run00034"]),
    (".matrix tbody th a", "vit_small", "#arch=vit_small", None),
    (".matrix td a", "17", "#arch=vit_small&dataset=cifar100", None),
]


def test_a_click_in_a_chart_filters_and_the_address_is_a_link_to_that(show: Open) -> None:
    page = show(ROWS, may_complain=True)  # it is loaded again and again
    vits = [one.key.run_id for one in ROWS if one.fields["arch"] == "vit_small"]
    for place, text, address, runs in CHARTED:
        link = page.locator(place, has_text=text).first
        link.click()
        expect(link).to_have_attribute("aria-current", "true")
        assert run_ids(page) == (runs or vits), place
        assert page.evaluate("location.hash").startswith(address)
        page.click("#language")
        assert run_ids(page) == (runs or vits), place
        page.reload()
        assert run_ids(page) == (runs or vits), place
        link.click()  # once more: all runs again
        assert len(run_ids(page)) == len(ROWS)
        expect(link).to_have_attribute("aria-current", "false")
    page.context.close()


def test_what_is_typed_and_chosen_is_in_the_address(show: Open) -> None:
    page = show(ROWS)
    page.fill("#words", "é & RES20S ")
    page.select_option("#f-status", "rename")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#words=%C3%A9+%26+RES20S+&status=rename"
    for address, count in [("#words=RES20S++&status=rename", 15), ("#status=none&colour=red", 35)]:
        page.evaluate(f"location.hash = '{address}'")
        expect(page.locator("#count")).to_contain_text(f"{count} of 35")
    expect(page.locator("#f-status")).to_have_value("")


def test_reasons_are_in_the_pages_language(show: Open) -> None:
    page = show(ROWS, locale="zh-CN")
    expect(page.locator(".reasons")).to_contain_text("conflict：dataset 在名称中为 a，在配置中为 b")
    page.select_option("#f-reason", "missing: rate, exponents")
    expect(page.locator("#f-reason option:checked")).to_have_text("missing：rate、exponents (1)")
    expect(page.locator(".why")).to_have_text("missing：rate、exponents")
    page.click("#language")
    expect(page.locator(".why")).to_have_text("missing: rate, exponents")


def test_a_name_that_javascript_knows_is_a_name_like_any_other(show: Open) -> None:
    page = show([row(fields={"arch": "constructor"})], locale="zh-CN")
    expect(page.locator("#f-arch option").nth(1)).to_have_text("constructor (1)")


def test_what_rules_supplied_is_marked_with_the_rule(show: Open) -> None:
    rule = RuleSource(file="rsst-migrate.toml", number=2)
    settled = (
        Settled("assumed", "rate", 1e-05, None, rule),
        Settled("preferred", "dataset", "name", "cifar10", RuleSource(option="--prefer name")),
    )
    fields = {"struct": "rsst", "schedule": "x", "criteria": "l1"}
    page = show([row(0, settled=settled, fields=fields), row(1)], locale="zh-CN")
    dataset, rate = page.locator(".settled").all()
    assert dataset.inner_text() == "cifar100"
    assert (rate.inner_text(), rate.evaluate("e => e.tagName")) == ("rate_1e-05", "INS")
    assert rate.get_attribute("title") == "假定 rate=1e-05 · rsst-migrate.toml 第 2 条规则"
    page.click("#language")
    rate = page.locator("ins.settled")
    words = "assumed rate=1e-05 · rule 2 of rsst-migrate.toml"
    assert rate.get_attribute("title") == words
    described = page.locator(f"#{rate.get_attribute('aria-describedby')}")
    taken = "took dataset from the name (config: cifar10) · --prefer name"
    expect(described).to_have_text(f"{words}; {taken}")
    assert page.locator(".rules").count() == 1
    assert page.locator("#rows .new").first.inner_text().startswith("rsst_vit_small_cifar100_sched")


def test_keyboard(show: Open) -> None:
    page = show(ROWS)
    page.keyboard.press("/")
    expect(page.locator("#words")).to_be_focused()
    page.keyboard.type("fig3/")
    expect(page.locator("#words")).to_have_value("fig3/")
    expect(page.locator("#count")).to_contain_text("0 of 35")
    page.keyboard.press("Escape")
    expect(page.locator("#count")).to_contain_text("35 of 35")
    for name in ("f-status", "f-reason", "f-family", "f-arch", "f-dataset", "clear", "download"):
        page.keyboard.press("Tab")
        expect(page.locator(f"#{name}")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("[data-column=run_id]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("th.c-run_id")).to_have_attribute("aria-sort", "ascending")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_sorting_by_every_column(show: Open) -> None:
    page = show(ROWS[25:])
    rank = ["rename", "review", "hold", "current", "custom"].index
    for column in (
        "run_id", "created_at", "state", "status", "old_name", "new_name", "reason", "arch",
        "dataset",
    ):  # fmt: skip

        def key(one: Row, column: str = column) -> Any:
            value = flat(one)[column]
            return rank(value) if column == "status" else value  # type: ignore[arg-type]

        filled = [one for one in ROWS[25:] if key(one) not in (None, "")]
        empty = [one.key.run_id for one in ROWS[25:] if key(one) in (None, "")]
        page.click(f"[data-column={column}]")
        up = [one.key.run_id for one in sorted(filled, key=key)]
        assert run_ids(page) == up + empty, column
        assert page.get_attribute(f"th.c-{column}", "aria-sort") == "ascending"
        page.click(f"[data-column={column}]")
        down = [one.key.run_id for one in sorted(filled, key=key, reverse=True)]
        page_down = run_ids(page)
        assert page_down[len(filled) :] == empty, "what is empty stays last"
        if len(set(map(key, filled))) == len(filled):
            assert page_down == down + empty, column
        assert page.locator("#table th:not([aria-sort=none])").count() == 1


@pytest.mark.parametrize("width", [1280, 375])
def test_rows_come_as_they_are_asked_for(show: Open, width: int) -> None:
    page = show([row(number) for number in range(1250)], viewport={"width": width, "height": 720})
    more = page.locator("#more")
    assert run_ids(page) == [f"run{number:05d}" for number in range(100)]
    assert page.get_attribute("#table", "aria-rowcount") == "1251"
    for label, there in [("Show 500 more", 600), ("Show 500 more", 1100), ("Show 150 more", 1250)]:
        expect(more).to_have_text(label)
        before = len(run_ids(page))
        more.press("Enter")
        assert run_ids(page) == [f"run{number:05d}" for number in range(there)]
        # Who reads by keyboard or ear goes on at the first of the new rows.
        focused = page.evaluate("document.activeElement.querySelector('a').textContent")
        assert focused == f"run{before:05d}"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == focused
    expect(more).to_be_hidden()
    page.fill("#words", "vit_small")
    assert len(run_ids(page)) == 100
    expect(more).to_have_text("Show 500 more")
    page.fill("#words", "run0003")
    expect(more).to_be_hidden()


def test_twenty_thousand_runs_are_searched_as_one_types(show: Open) -> None:
    page = show([row(number) for number in range(20_000)])
    page.wait_for_timeout(500)
    page.focus("#words")
    times = [
        page.evaluate(
            """async key => {
              const start = performance.now();
              document.execCommand("insertText", false, key);
              await new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)));
              return performance.now() - start;
            }""",
            key,
        )
        for key in "res20s"
    ]
    expect(page.locator("#count")).to_contain_text("10,000 of 20,000")
    assert median(times) < 1000, "less than a tenth of that on a machine with nothing else to do"


def test_what_a_new_name_adds_and_drops_is_marked_and_not_what_moved(show: Open) -> None:
    fields = {"struct": "rsst", "schedule": "x", "criteria": "l1"}
    refill = row(
        2,
        old_name="refill_x_l1_vit_small_cifar100",
        new_name="refill_vit_small_cifar100_fill_0.1_crit_l1_rate_1e-05_0108_1430",
        fields={**fields, "struct": "refill", "fillback_rate": 0.1},
    )
    page = show([row(0, fields=fields), refill])
    renamed, filled = page.locator("#rows tr").all()
    assert renamed.locator(".old").inner_text() == "rsst_x_l1_vit_small_cifar100"
    assert renamed.locator("del").count() == 0, "all of it stands in the new name, too"
    assert renamed.locator("ins").all_inner_texts() == ["reg_1.0", "rate_1e-05_pretrained_0000"]
    assert filled.locator("del").all_inner_texts() == ["x"]
    assert filled.locator("ins").all_inner_texts() == ["fill_0.1", "rate_1e-05_0108_1430"]


def test_no_name_is_broken_within_a_number(show: Open) -> None:
    page = show([row(0)])
    name = page.locator("#rows .new")
    for width in range(300, 1121, 20):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(20)
        assert name.locator(".whole").evaluate("e => e.getClientRects().length") == 1
    assert name.locator(".whole").inner_text() == "1e-05_"


@pytest.mark.parametrize("clipboard", [True, False], ids=["clipboard", "without"])
def test_copying_a_new_name(show: Open, clipboard: bool) -> None:
    page = show(ROWS)
    if not clipboard:  # as over http
        page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    button = page.locator("button.copy").nth(2)
    button.click()
    expect(button).to_have_text("Copied")
    expect(page.locator("#announcement")).to_have_text("Copied")
    page.focus("#words")
    page.keyboard.press("Control+V")
    expect(page.locator("#words")).to_have_value(ROWS[2].new_name or "")
    expect(page.locator("#count")).to_contain_text("1 of 35")


def test_links_go_to_the_run_on_its_own_server(show: Open) -> None:
    app_url = "https://wandb.example:8443/sub"
    odd = row(entity="a team", project="R&D#1?", run_id="x/y'(é)*!~ %")
    page = show([odd, row(1)], Origin(app_url, ORIGIN.read_at))
    links = [link.get_attribute("href") for link in page.locator("#rows a").all()]
    assert links == [
        f"{app_url}/a%20team/R%26D%231%3F/runs/x%2Fy%27%28%C3%A9%29%2A%21~%20%25",
        f"{app_url}/ycx/RSST/runs/run00001",
    ]
    assert "a team/R&D#1?" in page.locator("#rows").inner_text()


@pytest.mark.parametrize("app_url", ["javascript:alert(1)//", "file:///tmp", ""])
def test_no_other_address_becomes_a_link(show: Open, app_url: str) -> None:
    page = show(ROWS, Origin(app_url, ORIGIN.read_at))
    assert page.locator("a:not([href^='#'])").count() == 0


def test_the_chosen_rows_as_a_plan(show: Open) -> None:
    page = show(ROWS)
    page.click("[data-column=new_name]")
    page.click("[data-column=new_name]")  # the order of the table is not the plan's
    page.fill("#words", "res20s")
    file = downloaded(page)
    chosen = [one for one in ROWS if one.fields["arch"] == "res20s"]
    assert file.read_bytes() == write_csv(chosen)
    assert read_plan(file) == planned(chosen, settled_text)
    page.fill("#words", "")
    assert downloaded(page).read_bytes() == write_csv(ROWS)


def hostile_rows() -> list[Row]:
    """Each name everywhere that other people's text can be."""
    rows = []
    for number, name in enumerate(HOSTILE):
        fields = {"arch": name, "dataset": name, "reg": name, "rate": 5, "struct": name}
        rows.append(row(number, old_name=name, run_id=name or "-", state=name, fields=fields))
        rows.append(row(number, "review", reasons=(missing(name, name),), old_name=name))
        rows.append(row(number, entity=name or "-", project=name or "-", new_name=f"{name}_new"))
    return rows


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_hostile_names_are_shown_and_do_nothing(show: Open, locale: str) -> None:
    rows = hostile_rows()
    page = show(rows, Origin("https://wandb.ai/</script><!--\ud800", ORIGIN.read_at), locale=locale)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")  # every row at once
    cells = page.evaluate("[...document.querySelectorAll('#rows .old')].map(e => e.textContent)")
    assert cells == [visible(one.old_name) for one in rows]
    reasons = page.evaluate("[...document.querySelectorAll('.why')].map(e => e.textContent)")
    words = [clause(one.reasons[0], ZH if locale == "zh-CN" else EN) for one in rows if one.reasons]
    assert reasons == [*map(visible, words)]
    assert page.locator("img, iframe, style:not(head *)").count() == 0
    assert page.locator("script").count() == 2
    for element in page.locator("[onmouseover], [onfocus], [onerror], [autofocus]").all():
        pytest.fail(element.inner_text())
    assert page.locator("a:not([href^='#']):not([href^='https:'])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    for name in HOSTILE[:6]:
        page.fill("#words", name)
        expect(page.locator("#count")).not_to_contain_text(re.compile(r"^0 "))
        page.hover("#rows .names >> nth=0")
    page.click("#clear")
    assert downloaded(page).read_bytes() == write_csv(rows)


def test_hostile_plan_is_read_back(show: Open) -> None:
    # An empty name could not be put back, so a plan refuses it.
    names = [name for name in HOSTILE if name]
    rows = [
        row(number, old_name=name, entity=name or "-", project=name or "-", run_id=name or "-")
        for number, name in enumerate(names)
    ]
    assert read_plan(downloaded(show(rows))) == planned(rows, settled_text)


def test_policy_is_first_and_refuses_what_the_page_does_not_need(show: Open) -> None:
    text = html.write(ROWS, ORIGIN).decode()
    head = text[text.index("<head>") :]
    assert re.match(r'<head>\s*<meta http-equiv="Content-Security-Policy" content="default', head)
    assert " style=" not in re.sub(r"<(script|style)[\s\S]*?</\1>", "", text)
    page = show(ROWS, may_complain=True)
    violations = page.evaluate(
        """async () => {
          const seen = [];
          const add = (tag, textContent) =>
            document.body.append(Object.assign(document.createElement(tag), { textContent }));
          document.addEventListener("securitypolicyviolation", e => seen.push(e.violatedDirective));
          add("script", "stop()");
          add("style", "a{}");
          await fetch("https://localhost:9/").catch(() => {});
          new Image().src = "https://localhost:9/x.png";
          await new Promise(done => setTimeout(done, 100));
          return seen.map(one => one.split("-")[0]).sort();
        }"""
    )
    assert violations == ["connect", "img", "script", "style"]
    page.context.close()


@pytest.mark.parametrize(
    ("locale", "lang", "count"),
    [("zh-CN", "zh-CN", "35 / 35 个实验"), ("zh-TW", "zh-CN", "35 / 35"), ("de-DE", "en", "35 of")],
)
def test_language_of_the_browser(show: Open, locale: str, lang: str, count: str) -> None:
    page = show(ROWS, locale=locale)
    assert page.get_attribute("html", "lang") == lang
    expect(page.locator("#count")).to_contain_text(count)
    page.select_option("#f-status", "review")
    page.click("#language")
    assert page.get_attribute("html", "lang") != lang
    expect(page.locator("#count")).to_contain_text("2")
    expect(page.locator("h1")).to_contain_text("Run names" if lang == "zh-CN" else "实验名称")
    expect(page.locator("h1 .en" if lang == "zh-CN" else "h1 .zh")).to_be_visible()
    expect(page.locator("h1 .zh" if lang == "zh-CN" else "h1 .en")).to_be_hidden()


def test_dark_and_light(show: Open) -> None:
    shades = []
    for scheme in ("light", "dark"):
        page = show(ROWS, color_scheme=scheme)
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        shades.append(sum(map(int, re.findall(r"\d+", color)[:3])))
    assert shades[0] > 600 > 150 > shades[1]


def contrast(one: Sequence[int], other: Sequence[int]) -> float:
    """The contrast of two colours, as WCAG 2 defines it; parts are from 0 to 255."""

    def light(color: Sequence[int]) -> float:
        parts = (part / 255 for part in color)
        red, green, blue = (p / 12.92 if p < 0.04 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast(scheme: int) -> None:
    """WCAG AA: 4.5 for text, 3 for what is drawn."""
    sheet = html._part("report.css").split("@media print")[0]
    blocks = re.findall(r":root \{([^}]*--page[^}]*)\}", sheet)
    colors = dict(re.findall(r"--([\w-]+): (#\w{6})", blocks[scheme]))

    def contrasted(*names: str) -> float:
        return contrast(
            *([int(colors[name][at : at + 2], 16) for at in (1, 3, 5)] for name in names)
        )

    marked = {"gone-text": "gone", "added-text": "added"}
    words = ["text", "quiet", "accent", *(name for name in colors if name.endswith("-text"))]
    for word in words:
        for on in [marked[word]] if word in marked else ["card", "page"]:
            assert contrasted(word, on) >= 4.5, (word, on)
    for drawn in ("rename", "review", "hold", "current", "custom", "accent"):
        assert contrasted(drawn, "card") >= 3, drawn


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_a_phone_never_scrolls_sideways(show: Open, locale: str) -> None:
    page = show(hostile_rows(), locale=locale, viewport={"width": 375, "height": 800})
    for at in (0, 1000, 3000, 6000):
        page.evaluate(f"scrollTo(0, {at})")
        page.wait_for_timeout(40)
        assert page.evaluate("document.documentElement.scrollWidth") == 375
    expect(page.locator("[data-column=dataset]")).to_be_visible()


@pytest.mark.parametrize("width", [768, 900, 1000, 1120, 1121, 1280])
def test_the_table_fits_every_window(show: Open, width: int) -> None:
    page = show(ROWS, viewport={"width": width, "height": 800})
    card = page.locator("#runs").bounding_box()
    assert card
    assert card["x"] + card["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for one in [*page.locator("[data-column]").all(), *page.locator(".copy").all()]:
        box = one.bounding_box()
        assert box
        assert box["x"] + box["width"] <= card["x"] + card["width"]
        assert box["height"] < 40, "a heading stands on one line"


def test_print_has_every_row_that_passes_the_filters_up_to_a_limit(show: Open) -> None:
    page = show([row(number) for number in range(5100)])
    note = page.locator("#print-note")
    page.fill("#words", "vit_small")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert run_ids(page) == [f"run{number:05d}" for number in range(0, 5100, 2)]
    for hidden in ("#filters", "#more", "#download", "#print-note"):
        expect(page.locator(hidden)).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.keyboard.press("Escape")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(run_ids(page)) == 5000
    expect(note).to_have_text("The first 5,000 of these 5,100 rows are printed.")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert len(run_ids(page)) == 100
    page.emulate_media(media="screen")
    expect(note).to_be_hidden()
    expect(page.locator("#more")).to_have_text("Show 500 more")


def test_print_puts_the_statuses_in_a_line_and_explains_in_no_larger_letters(show: Open) -> None:
    page = show(ROWS, viewport={"width": 688, "height": 900})  # A4 without its margins
    page.emulate_media(media="print")
    boxes = [one.bounding_box() for one in page.locator(".figure").all()]
    assert len({box["y"] for box in boxes if box}) == 1
    size = "e => parseFloat(getComputedStyle(e).fontSize)"
    why = page.locator(".reasons li").first
    assert why.locator(".quiet").evaluate(size) <= why.locator(".mono").evaluate(size)


def long_project() -> list[Row]:
    """200 weeks, 100 architectures on 60 datasets, very long names."""
    start = datetime(2022, 1, 3, tzinfo=UTC)
    return [
        row(
            number,
            created_at=start + timedelta(weeks=number % 200),
            fields={
                "arch": f"arch_{'long_' * 30}{number % 100}",
                "dataset": f"dataset{'x' * 80}{number % 60}",
            },
        )
        for number in range(6000)
    ]


@pytest.mark.parametrize("rows", [[], ROWS[:1], long_project()], ids=["none", "one", "long"])
def test_charts_of_any_size(show: Open, rows: list[Row]) -> None:
    page = show(rows)
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    expect(page.locator("#count")).to_contain_text(f"{len(rows):,} of {len(rows):,}")


def test_the_widest_matrix_fits_on_paper(show: Open) -> None:
    page = show(long_project(), viewport={"width": 688, "height": 900})
    page.emulate_media(media="print")
    assert page.locator(".matrix thead th").count() == 10
    assert page.evaluate("document.documentElement.scrollWidth") == 688


@pytest.mark.parametrize("width", [320, 390, 600, 601, 1001, 1440])
def test_dates_of_the_timeline_keep_apart(show: Open, width: int) -> None:
    start = datetime(2025, 6, 2, tzinfo=UTC)
    rows = [row(number, created_at=start + timedelta(weeks=number)) for number in range(21)]
    rows += [row(number, created_at=start) for number in range(21, 1200)]  # a wide scale
    page = show(rows, viewport={"width": width, "height": 800})
    edge = page.evaluate("document.querySelector('.time').getBoundingClientRect().right")
    boxes = [one.bounding_box() for one in page.locator(".dates span:visible").all()]
    right = [box["x"] + box["width"] for box in boxes if box]
    assert len(right) in (2, 4)
    assert all(a < box["x"] for a, box in zip(right, boxes[1:], strict=False) if box)
    assert right[-1] <= edge, "the last is not cut off"
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [390, 1440])
def test_headings_of_the_matrix_keep_apart(show: Open, width: int) -> None:
    datasets = ["cifar100_trigger", "imagenet21k", "d" * 90, "图像数据集_第一版", "图像分类数据集"]
    archs = ["vit_base_patch16_224_a", "vit_base_patch16_224_b", "视觉模型_大型_预训练版本二"]
    fields = [{"arch": arch, "dataset": dataset} for arch in archs for dataset in datasets]
    rows = [row(number, fields=one) for number, one in enumerate(fields)]
    page = show(rows, viewport={"width": width, "height": 800})
    headings = page.locator(".matrix th").all()
    for heading in headings:
        assert heading.evaluate("e => e.scrollWidth <= e.clientWidth"), heading.inner_text()
    shown = [heading.inner_text() for heading in headings]
    assert len(set(shown)) == len(shown), "all are told apart"
    assert {*archs[:2], *datasets[:2]} <= {*shown}, "whole, where there is room"
    assert any("…" in text for text in shown)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_shade_of_the_matrix_can_be_read(show: Open, scheme: str) -> None:
    fields = {"dataset": "cifar10"}
    rows = [
        row(number, fields={**fields, "arch": f"a{arch}"})
        for arch, runs in enumerate((100, 60, 30, 12, 3))
        for number in range(runs)
    ]
    page = show(rows, color_scheme=scheme)
    cells = page.locator(".matrix td[class^=shade]")
    assert {cell.get_attribute("class") for cell in cells.all()} == {
        f"shade-{shade}" for shade in range(1, charts.SHADES + 1)
    }
    # A pixel of a canvas has the colour as the screen has it, whatever CSS calls it.
    pixels: list[list[list[int]]] = cells.evaluate_all(
        """cells => cells.map(cell => ["color", "backgroundColor"].map(property => {
          const context = document.createElement("canvas").getContext("2d");
          context.fillStyle = getComputedStyle(cell)[property];
          context.fillRect(0, 0, 1, 1);
          return [...context.getImageData(0, 0, 1, 1).data];
        }))"""
    )
    for color, background in pixels:
        assert color[3] == background[3] == 255
        assert contrast(color[:3], background[:3]) >= 4.5
    assert len({tuple(background) for _, background in pixels}) == charts.SHADES


def test_timeline() -> None:
    assert charts.timeline([]) is None
    one = charts.timeline([Week("2026-W02", 3, 0, 1)])
    assert one
    assert [(bar.place, bar.first_day) for bar in one.bars] == [(0, date(2026, 1, 5))]
    assert (one.weeks, one.top, one.ticks) == (20, 4, [date(2026, 1, 5)])
    gap = charts.timeline([Week("2025-W52", 1, 0, 0), Week("2026-W03", 0, 2, 2)])
    assert gap
    assert [(bar.place, [*bar.counts.values()]) for bar in gap.bars] == [
        (0, [1, 0, 0]),
        (3, [0, 2, 2]),
    ]
    ages = charts.timeline([Week("0001-W01", 1, 0, 0), Week("9999-W52", 0, 0, 5)])
    assert ages
    assert ages.bars[-1].place < ages.weeks
    assert len(ages.ticks) == 4
    every = charts.timeline(audit("all", long_project()).weeks)
    assert every
    assert len(every.bars) == every.weeks == 200


def test_matrix_sums_up_what_does_not_fit() -> None:
    pairs = [Pair(f"a{n % 100}", f"d{n % 60}", 1) for n in range(6000)] + [Pair(None, "d1", 7)]
    found = charts.matrix(pairs)
    assert [arch for arch, _ in found.lines[-2:]] == [86, None]
    assert found.datasets[-1] == 52
    assert sum(sum(counts) for _, counts in found.lines) == 6007
    assert charts.matrix([]).lines == []


def test_every_reason_most_frequent_first() -> None:
    rows = [row(n, "review", reasons=(missing(f"key{n % 20}"),)) for n in range(50)]
    found = audit("all", rows).reasons
    assert found[0] == ReasonCount("review", missing("key0"), 3)
    assert len(found) == 20

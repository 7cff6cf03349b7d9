"""References in words: for a terminal, as JSON, and for the HTML report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.text import Text

from migrate.mapping.references import Condition, Finding, Reference, References, Skipped
from migrate.report.words import EN, Language
from migrate.text import counted, few, visible

_SHOWN = 3  # values of a list, and overrides, before `and 4 more`
_LONGEST = 200  # characters of a value

_OPERATORS = {"!=": "≠", "in": "IN", "not in": "NOT IN", "regex": "matches"}
SKIPPED: Final[dict[Skipped, tuple[str, str]]] = {
    "disabled": ("filters that are switched off", "已停用的筛选条件"),
    "unknown": ("filters in an unknown form", "形式未知的筛选条件"),
    "pattern": (
        "regular expressions that are not valid or take too long",
        "无效或过慢的正则表达式",
    ),
    "too-many": ("filters of views with very many", "筛选条件过多的视图中的其余条件"),
    "elsewhere": ("run sets of other projects", "属于其他项目的 run set"),
    "unreadable": ("views that are not JSON", "不是 JSON 的视图"),
}
"""What is left out, in English and in Chinese."""

KINDS_ZH: Final = {
    "workspace": "工作区",
    "report": "报告",
    "draft": "草稿",
    "automation": "自动化",
}


def as_objects(found: Sequence[References]) -> list[dict[str, object]]:
    """Every reference as an object of `references --json`."""
    return [
        {
            **project.project._asdict(),
            "kind": reference.kind,
            "id": reference.view_id,
            "name": reference.name,
            "url": reference.url,
            "what": reference.finding.what,
            "text": reference_words(reference),
            "before": counts[0],
            "after": counts[1],
        }
        for project in found
        for reference in project.listed
        for counts in [reference.finding.counts or (None, None)]
    ]


def print_references(console: Console, found: Sequence[References]) -> None:
    """Print each view with what was found in it, and a line that counts all."""
    for project in found:
        for _, group in groupby(project.listed, lambda found: (found.kind, found.view_id)):
            references = list(group)
            heading = Text(f"{references[0].kind}  ", "yellow")
            heading.append(visible(references[0].name), "bold")
            if len(found) > 1:
                heading.append(visible(f"  {project.project}"), "dim")
            console.print(heading, soft_wrap=True)
            console.print(Text(f"    {visible(references[0].url)}", "dim"), soft_wrap=True)
            matches = [count_words(reference.finding) for reference in references]
            width = max(map(len, matches)) + 2
            for reference, count in zip(references, matches, strict=True):
                line = f"    {count:{width}}{visible(reference_words(reference))}"
                console.print(Text(line), soft_wrap=True)
    if any(project.listed for project in found):
        console.print()
    for project in found:
        console.print(Text(visible(count_line(project))), soft_wrap=True)


def count_words(finding: Finding) -> str:
    """How many runs match, before and after: `12 → 0 runs`; empty where counting means nothing."""
    before, after = finding.counts or (None, None)
    return "" if after is None else f"{before} → {counted(after, 'run')}"


def reference_words(reference: Reference) -> str:
    """What was found, as people see it in W&B: `run set "ViT": Name = "rsst_…"`."""
    finding = reference.finding
    match finding.what:
        case "grouping":
            words = "grouped by Name"
        case "sort":
            words = "sorted by Name"
        case "override":
            shown = [f"{_quoted(text)} for {run}" for run, text in finding.overrides]
            words = f"goes on showing {few(shown, _SHOWN)}"
        case _:
            words = condition_words(finding.condition) if finding.condition else ""
    kind, title = finding.place
    # A workspace has one run set, which people see as the workspace itself.
    if not kind or (kind, reference.kind) == ("run set", "workspace"):
        return words
    return f"{kind} {_quoted(title)}: {words}"


def condition_words(condition: Condition) -> str:
    """A condition on the name.

    >>> condition_words(Condition("not in", ("a", "b", "c", "d", "e")))
    'Name NOT IN "a", "b", "c" and 2 more'
    >>> condition_words(Condition("search", ("rsst_.*_l1",), regex=True))
    'search "rsst_.*_l1" (regular expression)'
    """
    values = few([_quoted(value) for value in condition.values], _SHOWN)
    if condition.operator == "search":
        return f"search {values}{' (regular expression)' if condition.regex else ''}"
    sign = _OPERATORS.get(condition.operator, condition.operator)
    return f"{'not: ' if condition.negated else ''}Name {sign} {values}"


def _quoted(text: str) -> str:
    return f'"{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"}"'


def count_line(found: References) -> str:
    """What was looked at: `ycx/RSST: 5 references in 3 of 9 (6 workspaces, 2 reports, …)`."""
    if not found.renames:
        return f"{found.project}: the plan renames no run, so nothing changes"
    views = {(reference.kind, reference.view_id) for reference in found.listed}
    seen = [counted(number, kind) for kind, number in found.seen.items()]
    return (
        f"{found.project}: {counted(len(found.listed), 'reference')} in {len(views)} of "
        f"{found.seen.total()} ({', '.join(seen)})"
    )


def skipped_of(found: Sequence[References]) -> Counter[Skipped]:
    """What was left out of all of them."""
    return sum((project.skipped for project in found), Counter())


def notes(found: Sequence[References]) -> Iterator[str]:
    """What the list does not say: what counts mean, what was left out, what was not visible."""
    if any(reference.finding.counts for project in found for reference in project.listed):
        yield (
            "The numbers are the runs of the project that the filter on the name alone matches, "
            "before and after the rename."
        )
    skipped = skipped_of(found)
    if skipped:
        left_out = (f"{SKIPPED[code][0]} ({number})" for code, number in skipped.items())
        yield f"Left out: {', '.join(left_out)}."
    for project in found:
        for kind, number in project.hidden.items():
            hidden = counted(number, f"{kind} is", f"{kind}s are")
            yield f"{project.project}: {hidden} not visible to this key."
    if any(project.renames for project in found):
        yield (
            "W&B may hide other people's workspaces and drafts from this key. Scripts, notes and "
            "artifact names are not looked at."
        )


def failures(found: Sequence[References], language: Language = EN) -> list[str]:
    """What could not be read, and why, in the server's words."""
    form = ("{0}: {1}s could not be read: {3}", "{0}：无法读取{2}：{3}")[language]
    return [
        form.format(project.project, kind, KINDS_ZH[kind], why)
        for project in found
        for kind, why in project.failed.items()
    ]

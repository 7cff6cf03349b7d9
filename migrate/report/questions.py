"""The words of a question about a kind: what is open, examples, the evidence, how to answer."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from migrate.mapping.kinds import Case, Kind
from migrate.mapping.rows import number_of_runs
from migrate.mapping.settling import Effect, readings
from migrate.report.kinds import config_text, dates_text, examples, kind_text, others_text, shown
from migrate.report.words import reason_text
from migrate.text import shortened, visible
from naming import MAX_LENGTH

HELP = """\
Enter      the value that all the other runs of the kind have, where they agree
a value    for every run of the kind
n, c       where name and config disagree: the name is right, or the config is
s          skip: leave this kind open
e          look at every run of the kind
b          back: take the last answer out of the file again
q          quit; what was answered is in the file"""

_OTHERWISE = "s skip, e every run, b back, q quit, ?"


def question(kind: Kind, width: int) -> list[str]:
    """What is shown of a kind before it is answered: a screen of so many columns."""
    lines = [*wrap(kind_text(kind), width), f"Created {dates_text(kind)}", ""]
    for case in examples(kind):
        lines += case_lines(kind, case, width)
    evidence = [line for words in _evidence(kind) for line in wrap(words, width)]
    return [*lines, "", *evidence] if evidence else lines


def case_lines(kind: Kind, case: Case, width: int) -> list[str]:
    """A run of a kind: its name, and what its config says."""
    row = case.row
    date = f"{row.created_at:%Y-%m-%d}" if row.created_at else "-"
    label = f"  {visible(row.key.run_id)}  {date}  "
    return [
        label + shortened(visible(row.old_name), max(20, width - len(label))),
        shortened(f"    config: {config_text(kind, case)}", width),
    ]


def _evidence(kind: Kind) -> Iterator[str]:
    """What speaks for an answer, or what there is to choose from."""
    what = kind.problem.data[0]
    match kind.problem.code:
        case "missing" | "invalid":
            yield f"Of such runs, {others_text(kind.others)}"
        case "ambiguous":
            for number, (arch, dataset) in enumerate(readings(kind), 1):
                yield f"  {number}  arch {shown(arch)}, dataset {shown(dataset)}"
        case "too-long":
            word = str(kind.problem.data[1])
            yield f"{what} has {len(word)} characters; a whole name can have {MAX_LENGTH}"
        case "unseen" | "new-name":
            yield f"{what} is {shown(kind.problem.data[1])}"


def how_to_answer(kind: Kind) -> str:
    """The line above the prompt."""
    match kind.problem.code:
        case "conflict":
            return f"n name is right, c config is right, {_OTHERWISE}"
        case "ambiguous":
            return f"Number of the right reading, {_OTHERWISE}"
        case "too-long" | "unseen" | "new-name":
            return f"Another {kind.key} to write instead, {_OTHERWISE}"
    if kind.suggested is None:
        return f"A value, {_OTHERWISE}"
    return f"Enter for {shown(kind.suggested)}, a value, {_OTHERWISE}"


def prompt(kind: Kind) -> str:
    """What stands before the answer."""
    if kind.problem.code in ("conflict", "ambiguous"):
        return "Answer"
    return f"{kind.key}" if kind.suggested is None else f"{kind.key} [{shown(kind.suggested)}]"


def effect_lines(effect: Effect) -> list[str]:
    """What an answer did: how many runs it settles, one new name, and what else is in the way."""
    lines = []
    if effect.settled:
        lines.append(f"Settles {number_of_runs(len(effect.settled))}")
        if effect.example is not None:
            lines[-1] += ", for example"
            lines.append(f"  {visible(effect.example.new_name or '')}")
    if effect.open:
        runs = number_of_runs(len(effect.open))
        lines.append(f"Still open: {runs} of this kind ({reason_text(effect.open[0].reasons)})")
    return lines

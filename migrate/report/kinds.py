"""The words for kinds of runs in review: what is open, and the question that settles it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from textwrap import wrap

from migrate.mapping.kinds import Case, Group, Kind
from migrate.mapping.settling import Effect, readings
from migrate.report.words import reason_text
from migrate.text import counted, shortened, visible
from naming import MAX_LENGTH, RSST, cut

FAMILY_NAMES = {"cnn": "CNN", "vit": "ViT", "mamba": "Mamba"}
_MOST_VALUES = 4
_EXAMPLES = 3
_LEAST_NAME = 20

HELP = """\
Enter      the value that all the other runs of the kind have, where they agree
a value    for every run of the kind
n, c       where name and config disagree: the name is right, or the config is
s          skip: leave this kind open
e          look at every run of the kind
b          back: take the last answer out of the file again
q          quit; what was answered is in the file"""
HELP_INDENT = " " * 11

_OPEN = {
    "missing": " without {what}",
    "invalid": " with {what} {value}, which is not valid",
    "ambiguous": ": {what} in the name can be split in several ways",
    "too-long": " with {what} {value}: the new name would be too long",
    "unseen": " with {what} {value}: it has characters that cannot be seen",
    "new-name": " with {what} {value}: it would not read back from the new name",
}
_OTHERWISE = "s skip, e every run, b back, q quit, ?"


def kind_text(kind: Kind) -> str:
    """How many runs a kind has, and what keeps them in review: on one line, without a stop."""
    runs = counted(len(kind.cases), "run")
    if kind.group is not None:
        runs += f" ({group_text(kind.group)})"
    if kind.problem.code == "conflict":
        return f"{runs}: {_sides(kind)}"
    if kind.problem.code == "stuck":
        return f"{runs}: {reason_text(kind.cases[0].row.reasons)}"
    what, value = visible(str(kind.problem.data[0])), shown(kind.problem.data[-1])
    return f"{runs}{_OPEN[kind.problem.code].format(what=what, value=value)}"


def group_text(group: Group) -> str:
    """A group of runs, in words.

    >>> group_text(Group("rsst", "cnn", None, "x^2"))
    'rsst, CNN, x^2'
    >>> group_text(Group("refill", "other", "my_net", None))
    'refill, my_net'
    """
    family = FAMILY_NAMES.get(group.family, group.arch or group.family)
    return ", ".join(shown(word) for word in (group.struct, family, group.schedule) if word)


def _sides(kind: Kind) -> str:
    """Both sides of a conflict; of one in several fields, the config's."""
    if len(kind.problem.data) > 1:
        values = (f"{field} {shown(in_config)}" for field, _, in_config in kind.problem.data)
        return f"the config has {' and '.join(values)}, the name has others"
    ((field, in_name, in_config),) = kind.problem.data
    return f"{field} is {shown(in_name)} in the name, {shown(in_config)} in the config"


def others_text(others: Sequence[tuple[object, int]]) -> str:
    """What other runs have for a value: the evidence for an answer.

    >>> others_text([(0.15, 181), (0.2, 2)]), others_text([("x", 1)])
    ('181 others have 0.15, 2 have 0.2', '1 other has x')
    """
    if not others:
        return "no other has a value"
    (value, count), *more = others
    parts = [f"{counted(count, 'other has', 'others have')} {shown(value)}"]
    parts += [f"{counted(n, 'has', 'have')} {shown(v)}" for v, n in more[:_MOST_VALUES]]
    if len(more) > _MOST_VALUES:
        parts.append(f"{sum(n for _, n in more[_MOST_VALUES:])} have another")
    return ", ".join(parts)


def shown(value: object) -> str:
    """A value of a config, harmless and not too long."""
    return visible(cut(str(value)))


# The question about a kind.


def question(kind: Kind, width: int) -> list[str]:
    """What is shown of a kind before it is answered: a screen of so many columns."""
    lines = [*wrap(kind_text(kind), width), f"Created {_dates(kind)}", ""]
    for case in _examples(kind):
        lines += case_lines(kind, case, width)
    evidence = [line for words in _evidence(kind) for line in wrap(words, width)]
    return [*lines, "", *evidence] if evidence else lines


def case_lines(kind: Kind, case: Case, width: int) -> list[str]:
    """A run of a kind: its name, and what its config says."""
    row = case.row
    date = f"{row.created_at:%Y-%m-%d}" if row.created_at else "-"
    label, name = f"  {visible(row.key.run_id)}  {date}  ", visible(row.old_name)
    if width - len(label) >= _LEAST_NAME:
        first = [label + shortened(name, width - len(label))]
    else:
        first = [label.rstrip(), f"    {shortened(name, width - 4)}"]
    return [*first, *wrap(f"    config: {_config(kind, case)}", width, subsequent_indent="      ")]


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
    return str(kind.key) if kind.suggested is None else f"{kind.key} [{shown(kind.suggested)}]"


def effect_lines(effect: Effect) -> list[str]:
    """What an answer did: how many runs it settles, one new name, and what else is in the way."""
    lines = []
    if effect.settled:
        lines.append(f"Settles {counted(len(effect.settled), 'run')}")
        if effect.example is not None:
            lines[-1] += ", for example"
            lines.append(f"  {visible(effect.example.new_name or '')}")
    if effect.open:
        runs = counted(len(effect.open), "run")
        lines.append(f"Still open: {runs} of this kind ({reason_text(effect.open[0].reasons)})")
    return lines


def _dates(kind: Kind) -> str:
    """The first and the last day on which its runs were created, in UTC."""
    days = sorted({f"{at:%Y-%m-%d}" for case in kind.cases if (at := case.row.created_at)})
    return " to ".join(dict.fromkeys([days[0], days[-1]])) if days else "no dates"


def _examples(kind: Kind) -> list[Case]:
    """A few of its runs, with different names as far as there are such."""
    distinct: dict[str, Case] = {}
    for case in kind.cases:
        distinct.setdefault(case.row.old_name, case)
    first = [*distinct.values()][:_EXAMPLES]
    others = (case for case in kind.cases if case not in first)
    return [*first, *islice(others, _EXAMPLES - len(first))]


def _config(kind: Kind, case: Case) -> str:
    """What a run's config says of the values that its kind is about."""
    config = case.subject.run.config or {}
    return ", ".join(
        f"no {key}" if config.get(key) is None else f"{key}={shown(config[key])}"
        for key in _keys(kind, case)
    )


def _keys(kind: Kind, case: Case) -> Iterator[str]:
    """The config keys that matter for a kind: of a number, those of the other numbers as well."""
    if kind.group is not None:
        template = RSST.new[kind.group.struct]
        for part in template.parts:
            if part.kind is not None and part.kind.type in (int, float):
                key = RSST.by_name[part.name].keys[0]
                if not part.optional or key == kind.key or key in (case.subject.run.config or {}):
                    yield key
    elif kind.problem.code == "conflict":
        yield from (RSST.by_name[field].keys[0] for field, _, _ in kind.problem.data)
    elif kind.problem.code == "ambiguous":
        yield from ("arch", "dataset")
    elif kind.key is not None:
        yield kind.key

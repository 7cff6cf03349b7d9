"""The words for kinds of runs in review: what is open, what speaks for an answer, examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from migrate.mapping.kinds import Case, Group, Kind
from migrate.mapping.rows import number_of_runs
from migrate.report.words import reason_text
from migrate.text import visible
from naming import RSST, cut

FAMILY_NAMES = {"cnn": "CNN", "vit": "ViT", "mamba": "Mamba"}
_MOST_VALUES = 4
_EXAMPLES = 3


def kind_text(kind: Kind) -> str:
    """How many runs a kind has, and what keeps them in review: on one line, without a stop."""
    runs = _runs(kind)
    what, value = kind.problem.data[0], shown(kind.problem.data[-1])
    match kind.problem.code:
        case "missing":
            return f"{runs} without {what}"
        case "invalid":
            return f"{runs} with {what} {value}, which is not valid"
        case "conflict":
            return f"{runs}: {_sides(kind)}"
        case "ambiguous":
            return f"{runs}: {visible(what)} in the name can be split in several ways"
        case "too-long":
            return f"{runs} with {what} {value}: the new name would be too long"
        case "unseen":
            return f"{runs} with {what} {value}: it has characters that cannot be seen"
        case "new-name":
            return f"{runs} with {what} {value}: it would not read back from the new name"
    return f"{runs}: {reason_text(kind.cases[0].row.reasons)}"


def _runs(kind: Kind) -> str:
    """How many runs, and of which group."""
    runs = number_of_runs(len(kind.cases))
    return runs if kind.group is None else f"{runs} ({group_text(kind.group)})"


def group_text(group: Group) -> str:
    """A group of runs, in words.

    >>> group_text(Group("rsst", "cnn", None, "x^2"))
    'rsst, CNN, x^2'
    >>> group_text(Group("refill", "other", "my_net", None))
    'refill, my_net'
    """
    family = FAMILY_NAMES.get(group.family, group.arch or group.family)
    return visible(", ".join(word for word in (group.struct, family, group.schedule) if word))


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
    parts = [f"{count} {'other has' if count == 1 else 'others have'} {shown(value)}"]
    parts += [f"{n} {'has' if n == 1 else 'have'} {shown(v)}" for v, n in more[:_MOST_VALUES]]
    if len(more) > _MOST_VALUES:
        parts.append(f"{sum(n for _, n in more[_MOST_VALUES:])} have another")
    return ", ".join(parts)


def dates_text(kind: Kind) -> str:
    """The first and the last day on which its runs were created, in UTC."""
    days = sorted({f"{at:%Y-%m-%d}" for case in kind.cases if (at := case.row.created_at)})
    return " to ".join(dict.fromkeys([days[0], days[-1]])) if days else "no dates"


def examples(kind: Kind) -> list[Case]:
    """A few of its runs, with different names as far as there are such."""
    distinct: dict[str, Case] = {}
    for case in kind.cases:
        distinct.setdefault(case.row.old_name, case)
    first = [*distinct.values()][:_EXAMPLES]
    others = (case for case in kind.cases if case not in first)
    return [*first, *islice(others, _EXAMPLES - len(first))]


def config_text(kind: Kind, case: Case) -> str:
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


def shown(value: object) -> str:
    """A value of a config, harmless and not too long."""
    return visible(cut(str(value)))

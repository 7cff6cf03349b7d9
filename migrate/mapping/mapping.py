"""Runs in, rows out: what is to become of each name, and why. Pure.

A project is mapped as a whole, whatever part of it is shown or renamed later: the architectures
and datasets that its configs name help to read its other names, and a new name must be free in
all of it. So a run gets the same new name however the project is cut up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Literal

from migrate.client.runs import ALIVE, Run
from migrate.mapping.rows import Reason, Row, Status
from migrate.text import with_blanks_visible
from naming import (
    FIELDS,
    GUIDE_STYLE,
    IN_OLD_NAMES,
    KEYS,
    MAX_LENGTH,
    VOCABULARY,
    Experiment,
    Fields,
    FieldsError,
    ParsedName,
    Style,
    Vocabulary,
    cut,
    experiment,
    is_exp_name,
    legacy_name,
    parse_name,
    read_fields,
    write_name,
)

_MOST_READINGS = 3  # of an ambiguous name; a hostile one has hundreds
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the user decided about the mapping.

    Attributes:
        style: How to write new names.
        timezone: The zone of their timestamps.
        assume: Config values for runs that lack them, by config key.
        prefer: Which side settles a conflict of name and config; None leaves it to a person.
        vocabulary: The architectures and datasets to count on, besides the project's own.
        include_running: Rename runs whose process is alive or will start again (ALIVE), too.
    """

    style: Style = GUIDE_STYLE
    timezone: tzinfo = UTC
    assume: Mapping[str, object] = field(default_factory=dict)
    prefer: Literal["name", "config"] | None = None
    vocabulary: Vocabulary = VOCABULARY
    include_running: bool = False


def map_runs(runs: Sequence[Run], rules: Rules | None = None) -> list[Row]:
    """Map all the runs of one project.

    Args:
        runs: Every run of the project, in any order.
        rules: What the user decided.

    Returns:
        A row for each run, in order of (created_at, run id); the result does not depend on the
        order of `runs`. The new names are unique, among themselves and against every name that
        a run keeps.
    """
    rules = rules or Rules()
    rules = replace(rules, vocabulary=_with_the_projects_own(runs, rules.vocabulary))
    ordered = sorted(runs, key=lambda run: (run.created_at or _NEVER, run.key.run_id))
    rows = [_map_run(run, rules) for run in ordered]
    return _with_ordinals(rows)


def _with_the_projects_own(runs: Iterable[Run], vocabulary: Vocabulary) -> Vocabulary:
    """The vocabulary with every arch and dataset that a config of the project names."""
    seen: dict[str, set[str]] = {"arch": set(), "dataset": set()}
    for run in runs:
        for key, values in seen.items():
            value = (run.config or {}).get(key)
            if isinstance(value, str) and value:
                values.add(value)
    return vocabulary.extended(seen["arch"], seen["dataset"])


def _map_run(run: Run, rules: Rules) -> Row:
    """The row of one run; its new name is not yet unique."""
    config = run.config or {}
    from_config = read_fields(config)
    # --exp_name overrides everything, so such a name is a person's, whatever it looks like.
    if is_exp_name(run.name, config.get("exp_name"), rules.style):
        return _row(run, "custom", [Reason("exp-name")], from_config.known)

    # The strongest evidence, before any parsing: the script joined five of its arguments, and
    # those of this run's own config make this name. Then no vocabulary has a say.
    if legacy_name(config) == run.name:
        return _map_old_name(run, from_config, {}, [], rules)

    parsed = parse_name(run.name, style=rules.style, vocabulary=rules.vocabulary)
    if parsed.format == "custom":
        return _row(run, "custom", [_reason_of(parsed)], from_config.known)
    if parsed.format == "current":
        from_name = _given(parsed.readings[0]) if parsed.fields else {}
        return _row(run, "current", [], {**from_config.known, **from_name})
    from_name, problems = _settle(parsed.readings, config, from_config, rules)
    return _map_old_name(run, from_config, from_name, problems, rules)


def _settle(
    readings: Sequence[Mapping[str, object]],
    config: Mapping[str, object],
    from_config: Fields,
    rules: Rules,
) -> tuple[dict[str, object], list[Reason]]:
    """Settle what an old name says against what the config says.

    `main_imp_fillback.py` joined struct, schedule, criteria, arch and dataset with `_`. The
    first three are closed sets. The last two are open, since people add models, and hold `_`
    themselves (`res18_2`, `cifar10_trigger`): with both unknown a name has several readings, and
    only the config can tell which is meant. A config in turn may lack any value (the run died
    early, or another script made it), or have another one than the name (somebody changed it).
    Then nothing says which is right, and the choice is a person's: `--prefer`.

    Args:
        readings: Each way to read the name, at least one.
        config: The config's values, as they are.
        from_config: The same, read as fields.
        rules: What the user decided.

    Returns:
        The fields to take from the name, over the config's; and what keeps it from a new name.
    """
    # What the config has is compared as it is: a list with the right word in it is not that word.
    in_config = {
        name: config[KEYS[name]]
        for name in (*from_config.known, *from_config.invalid)
        if name in KEYS
    }
    conflicts = [
        [name for name in IN_OLD_NAMES if name in in_config and in_config[name] != reading[name]]
        for reading in readings
    ]
    # The reading that the config contradicts in the fewest fields is meant; among equals, the
    # one that fits --assume.
    fewest = min(map(len, conflicts))
    likely = [i for i, conflicting in enumerate(conflicts) if len(conflicting) == fewest]
    likely = [i for i in likely if _fits_assumed(readings[i], rules.assume)] or likely
    reading, conflicting = readings[likely[0]], conflicts[likely[0]]
    from_name = _given(reading)

    # Where the config is right about arch and dataset, it does not matter how the name splits
    # into them.
    split_matters = rules.prefer != "config" or not {"arch", "dataset"} <= set(conflicting)
    if (len(likely) > 1 and split_matters) or not _is_certain(reading, from_config, rules):
        agreed = {
            name: value
            for name, value in from_name.items()
            if all(readings[i][name] == value for i in likely)
        }
        return agreed, [_ambiguous([readings[i] for i in likely])]
    if not conflicting or rules.prefer == "name":
        return from_name, []
    if rules.prefer == "config":
        return {name: from_name[name] for name in from_name if name not in conflicting}, []
    data = ((name, str(reading[name]), cut(str(in_config[name]))) for name in conflicting)
    return from_name, [Reason("conflict", tuple(data))]


def _fits_assumed(reading: Mapping[str, object], assume: Mapping[str, object]) -> bool:
    """Whether a reading agrees with `--assume arch=…` and `--assume dataset=…`."""
    return all(assume.get(name) in (None, reading[name]) for name in ("arch", "dataset"))


def _is_certain(reading: Mapping[str, object], from_config: Fields, rules: Rules) -> bool:
    """Whether anything but the name itself says where arch ends and dataset begins.

    A name with one side known has one reading; with neither known, `mine_yours` could as well
    be an architecture without its dataset.
    """
    return (
        reading["arch"] in rules.vocabulary.architectures
        or reading["dataset"] in rules.vocabulary.datasets
        or "arch" in from_config.known
        or "dataset" in from_config.known
        or rules.assume.get("arch") == reading["arch"]
        or rules.assume.get("dataset") == reading["dataset"]
    )


def _ambiguous(readings: Sequence[Mapping[str, object]]) -> Reason:
    shown = [(reading["arch"], reading["dataset"]) for reading in readings[:_MOST_READINGS]]
    return Reason("ambiguous", (*shown, len(readings) - len(shown)))


def _map_old_name(
    run: Run,
    from_config: Fields,
    from_name: Mapping[str, object],
    problems: Iterable[Reason],
    rules: Rules,
) -> Row:
    """The row of a run with an old name.

    Args:
        run: The run.
        from_config: What its config says.
        from_name: What its name says, which counts for more.
        problems: What is wrong with it so far.
        rules: What the user decided.
    """
    filled = _with_assumed(run, from_config, rules)
    known = {**filled.known, **from_name}
    invalid = {name: text for name, text in filled.invalid.items() if name not in known}
    problems = list(problems)
    if run.config is None:
        problems.append(Reason("invalid", (("config",),)))
    if run.created_at is None:
        problems.append(Reason("invalid", (("createdAt",),)))
    try:
        # Without a time there is a problem already; any time will do to find the others.
        moment = (run.created_at or _ANY_TIME).astimezone(rules.timezone)
        values = experiment(
            Fields(known, invalid, filled.extras),
            moment,
            style=rules.style,
            vocabulary=rules.vocabulary,
        )
    except FieldsError as error:
        problems += _problems_of(error, run)
        return _row(run, "review", problems, known)
    except OverflowError:  # in that zone it is before year 1, or after 9999
        problems.append(Reason("invalid", (("createdAt", str(run.created_at)),)))
    if problems:
        return _row(run, "review", problems, known)

    name = write_name(values, rules.style)
    known["pretrained"] = values.fields["pretrained"]
    if len(name) > MAX_LENGTH:
        return _row(run, "review", [_too_long(name)], known)
    if with_blanks_visible(name) != name:
        return _row(run, "review", [Reason("invalid", (("unseen",),))], known)
    if not _reads_back(name, values, rules):
        return _row(run, "review", [Reason("invalid", (("new-name",),))], known)
    if run.read_only:
        return _row(run, "hold", [Reason("read-only")], known)
    if run.state in ALIVE and not rules.include_running:
        return _row(run, "hold", [Reason("running", (run.state,))], known)
    return _row(run, "rename", [], known, name)


def _with_assumed(run: Run, from_config: Fields, rules: Rules) -> Fields:
    """The config's fields, with assumed values for keys that it has not got."""
    config = run.config or {}
    lacking = {key: value for key, value in rules.assume.items() if config.get(key) is None}
    return read_fields({**config, **lacking}) if lacking else from_config


def _problems_of(error: FieldsError, run: Run) -> list[Reason]:
    """What keeps an experiment from a name."""
    # Without arch and dataset the name is ambiguous, and without a config every value is missing:
    # both are reported already.
    missing = tuple(key for key in error.missing if key not in ("arch", "dataset"))
    problems = [Reason("missing", missing)] if missing and run.config is not None else []
    if error.invalid:
        pairs = [(argument.key, cut(repr(argument.value))) for argument in error.invalid]
        problems.append(Reason("invalid", tuple(pairs)))
    return problems


def _reads_back(name: str, values: Experiment, rules: Rules) -> bool:
    """Whether a new name reads as what it was made of: a dataset may end like an extra part."""
    parsed = parse_name(name, style=rules.style, vocabulary=rules.vocabulary)
    return parsed.format == "current" and any(
        all(reading[field] == values.fields[field] for field in ("arch", "dataset"))
        for reading in parsed.readings
    )


def _with_ordinals(rows: Sequence[Row]) -> list[Row]:
    """Make the new names unique: `_2`, `_3`, … in the order of the rows.

    The free ordinals of a name are handed out in order. A run that was renamed earlier bears the
    one that it was promised, so planning again gives the others theirs.
    """
    taken = {row.old_name for row in rows if row.new_name is None}
    next_ordinal: dict[str, int] = {}
    result = []
    for row in rows:
        if row.new_name is None:
            result.append(row)
            continue
        ordinal = next_ordinal.get(row.new_name, 1)
        while True:
            name = row.new_name if ordinal == 1 else f"{row.new_name}_{ordinal}"
            ordinal += 1
            if name not in taken:
                break
        next_ordinal[row.new_name] = ordinal
        taken.add(name)
        if len(name) > MAX_LENGTH:
            too_long = (_too_long(name),)
            result.append(replace(row, status="review", reasons=too_long, new_name=None))
        elif name == row.new_name:
            result.append(row)
        else:
            result.append(replace(row, new_name=name))
    return result


def _given(reading: Mapping[str, object]) -> dict[str, object]:
    """The fields that a reading has a value for."""
    return {name: reading[name] for name in FIELDS if reading[name] is not None}


def _too_long(name: str) -> Reason:
    return Reason("too-long", (len(name),))


def _reason_of(parsed: ParsedName) -> Reason:
    """Why a name is custom, as `naming` says it."""
    return Reason("not-ours" if parsed.why is None else parsed.why.code, (parsed.why,))


def _row(
    run: Run,
    status: Status,
    reasons: Sequence[Reason],
    fields: Mapping[str, object],
    new_name: str | None = None,
) -> Row:
    return Row(
        key=run.key,
        state=run.state,
        created_at=run.created_at,
        status=status,
        reasons=tuple(reasons),
        old_name=run.name,
        new_name=new_name,
        fields=fields,
    )

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

from migrate.rows import Row, Run, Status
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
        include_running: Rename runs that are running, too.
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
    ordered = sorted(runs, key=lambda run: (run.created_at or _NEVER, run.run_id))
    rows = [_map_run(run, rules) for run in ordered]
    return _with_ordinals(rows)


def _with_the_projects_own(runs: Iterable[Run], vocabulary: Vocabulary) -> Vocabulary:
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
    told = read_fields(config)
    if is_exp_name(run.name, config.get("exp_name"), rules.style):
        return _row(run, "custom", "exp-name: a person gave it with --exp_name", told.known)

    if legacy_name(config) == run.name:
        return _map_old_name(run, told, {}, [], rules)

    parsed = parse_name(run.name, style=rules.style, vocabulary=rules.vocabulary)
    if parsed.format == "custom":
        return _row(run, "custom", parsed.reason, told.known)
    if parsed.format == "current":
        said = _said(parsed.readings[0]) if parsed.fields else {}
        return _row(run, "current", "", {**told.known, **said})
    reading, problems = _settle(parsed.readings, config, told, rules)
    return _map_old_name(run, told, reading, problems, rules)


def _settle(
    readings: Sequence[Mapping[str, object]],
    config: Mapping[str, object],
    told: Fields,
    rules: Rules,
) -> tuple[dict[str, object], list[str]]:
    """What an old name says, held against the config: the fields to use, and what is wrong."""
    in_config = {part: config[KEYS[part]] for part in (*told.known, *told.invalid) if part in KEYS}
    disagreements = [
        [part for part in IN_OLD_NAMES if part in in_config and in_config[part] != reading[part]]
        for reading in readings
    ]
    fewest = min(map(len, disagreements))
    best = [i for i, parts in enumerate(disagreements) if len(parts) == fewest]
    best = [i for i in best if _fits_assumed(readings[i], rules.assume)] or best
    reading, parts = readings[best[0]], disagreements[best[0]]
    said = _said(reading)

    # Where the config is right about both, it does not matter how the name splits into them.
    told_apart = rules.prefer == "config" and {"arch", "dataset"} <= set(parts)
    if (len(best) > 1 and not told_apart) or not _is_certain(reading, told, rules):
        # What all the readings agree on is still known.
        said = {
            part: value
            for part, value in said.items()
            if all(readings[i][part] == value for i in best)
        }
        return said, [_ambiguous([readings[i] for i in best])]
    if not parts or rules.prefer == "name":
        return said, []
    if rules.prefer == "config":
        return {part: value for part, value in said.items() if part not in parts}, []
    clauses = [
        f"{part} is {reading[part]} in the name, {cut(str(in_config[part]))} in the config"
        for part in parts
    ]
    return said, ["conflict: " + " and ".join(clauses)]


def _fits_assumed(reading: Mapping[str, object], assume: Mapping[str, object]) -> bool:
    return all(assume.get(part) in (None, reading[part]) for part in ("arch", "dataset"))


def _is_certain(reading: Mapping[str, object], told: Fields, rules: Rules) -> bool:
    """Whether anything but the name itself speaks for where arch ends and dataset begins."""
    return (
        reading["arch"] in rules.vocabulary.architectures
        or reading["dataset"] in rules.vocabulary.datasets
        or "arch" in told.known
        or "dataset" in told.known
        or rules.assume.get("arch") == reading["arch"]
        or rules.assume.get("dataset") == reading["dataset"]
    )


def _ambiguous(readings: Sequence[Mapping[str, object]]) -> str:
    shown = [f"{reading['arch']} on {reading['dataset']}" for reading in readings[:3]]
    more = [f"{len(readings) - 3} more"] if len(readings) > 3 else []
    if len(readings) == 1:
        return f"ambiguous: neither side of {shown[0]} is known; name one with --arch or --dataset"
    return f"ambiguous: {' or '.join(shown + more)}"


def _map_old_name(
    run: Run, told: Fields, reading: Mapping[str, object], problems: list[str], rules: Rules
) -> Row:
    """The row of a run with an old name: `reading` is what its name settles over its config."""
    filled = _assumed(run, told, rules)
    known = {**filled.known, **reading}
    invalid = {part: text for part, text in filled.invalid.items() if part not in known}
    if run.config is None:
        problems = [*problems, "invalid: the config is not a JSON object"]
    if run.created_at is None:
        problems = [*problems, "invalid: createdAt is not a time"]
    try:
        moment = (run.created_at or _NEVER.replace(year=2000)).astimezone(rules.timezone)
        described = experiment(
            Fields(known, invalid, filled.extras),
            moment,
            style=rules.style,
            vocabulary=rules.vocabulary,
        )
    except FieldsError as error:
        # Where the config is no config, every value is missing: said once. So is an ambiguity,
        # which alone leaves arch and dataset out.
        missing = tuple(key for key in error.missing if key not in ("arch", "dataset"))
        clauses = FieldsError(missing, error.invalid).clauses() if run.config is not None else []
        return _row(run, "review", "; ".join([*problems, *clauses]), known)
    except OverflowError:
        problems = [*problems, f"invalid: createdAt is {run.created_at}"]
    if problems:
        return _row(run, "review", "; ".join(problems), known)

    name = write_name(described, rules.style)
    known["pretrained"] = described.fields["pretrained"]
    if len(name) > MAX_LENGTH:
        return _row(run, "review", _too_long(name), known)
    if not _reads_back(name, described, rules):
        reason = "invalid: arch or dataset would not read back from a new name"
        return _row(run, "review", reason, known)
    if run.read_only:
        return _row(run, "hold", "read-only", known)
    if run.state == "running" and not rules.include_running:
        return _row(run, "hold", "running", known)
    return _row(run, "rename", "", known, name)


def _reads_back(name: str, run: Experiment, rules: Rules) -> bool:
    """Whether a new name says what it was made of: an arch or a dataset may look like a part."""
    parsed = parse_name(name, style=rules.style, vocabulary=rules.vocabulary)
    return parsed.format == "current" and any(
        all(reading[part] == run.fields[part] for part in ("arch", "dataset"))
        for reading in parsed.readings
    )


def _assumed(run: Run, told: Fields, rules: Rules) -> Fields:
    """The config's fields, with assumed values for keys that it has not got."""
    config = run.config or {}
    lacking = {key: value for key, value in rules.assume.items() if config.get(key) is None}
    return read_fields({**config, **lacking}) if lacking else told


def _with_ordinals(rows: Sequence[Row]) -> list[Row]:
    """Make the new names unique: `_2`, `_3`, … in the order of the rows.

    The free slots of a name are handed out in order. A run that was renamed earlier occupies
    the slot that it was promised, so the others get theirs again.
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
            result.append(replace(row, status="review", reason=_too_long(name), new_name=None))
        elif name == row.new_name:
            result.append(row)
        else:
            result.append(replace(row, new_name=name))
    return result


def _said(reading: Mapping[str, object]) -> dict[str, object]:
    return {part: reading[part] for part in FIELDS if reading[part] is not None}


def _too_long(name: str) -> str:
    return f"too-long: {len(name)} characters"


def _row(
    run: Run,
    status: Status,
    reason: str,
    fields: Mapping[str, object],
    new_name: str | None = None,
) -> Row:
    return Row(
        entity=run.entity,
        project=run.project,
        run_id=run.run_id,
        state=run.state,
        created_at=run.created_at,
        status=status,
        reason=reason,
        old_name=run.name,
        new_name=new_name,
        fields=fields,
    )

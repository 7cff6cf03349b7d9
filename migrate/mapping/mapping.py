"""Runs in, rows out: what is to become of each name, and why. Pure.

A project is mapped as a whole, whatever part of it is shown or renamed later: the architectures
and datasets that its configs name help to read its other names, and a new name must be free in
all of it. So a run gets the same new name however the project is cut up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from itertools import chain

from migrate.client.runs import ALIVE, HELD, Run, RunKey
from migrate.mapping.old_names import (
    OldName,
    given_fields,
    settle,
    what_was_settled,
    without_replaced,
)
from migrate.mapping.rows import Reason, Row, Settled, Status
from migrate.mapping.rules import NOTHING, Decided, Rule, RuleBook, Subject
from migrate.text import with_blanks_visible
from naming import (
    CONFIG_KEYS,
    FIELDS,
    GUIDE_STYLE,
    MAX_LENGTH,
    VOCABULARY,
    Fields,
    FieldsError,
    Style,
    Vocabulary,
    cut,
    is_exp_name,
    legacy_name,
    parse_name,
    parts_of,
    read_fields,
    write_name,
)

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Options:
    """What the user decided about the mapping.

    Attributes:
        style: How to write new names.
        timezone: The zone of their timestamps.
        vocabulary: The architectures and datasets to count on, besides the project's own.
        include_running: Rename runs whose process is alive or will start again (ALIVE), too.
        rules: Values for runs in review; of two that give the same value the later one wins.
    """

    style: Style = GUIDE_STYLE
    timezone: tzinfo = UTC
    vocabulary: Vocabulary = VOCABULARY
    include_running: bool = False
    rules: tuple[Rule, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The config keys that the mapping looks at."""
        extra = [key for key, _ in self.style.parts.values()]
        asked = [key for rule in self.rules for key in rule.where.values if key not in FIELDS]
        return tuple(dict.fromkeys([*CONFIG_KEYS, *extra, *asked]))


class Survey:
    """A project mapped without rules: where any number of sets of rules can begin.

    Args:
        runs: Every run of the project; the rows do not depend on their order.
        options: What the user decided.
        taken: Names that no run may get, besides those that others bear.

    Attributes:
        options: What the user decided; the vocabulary has the project's own words, too.
        rows: A row for each run, in order of (created_at, run id). The new names are unique,
            among themselves and against every name that a run keeps.
    """

    def __init__(self, runs: Sequence[Run], options: Options, taken: Iterable[str] = ()) -> None:
        self._taken = frozenset(taken)
        self._decided: dict[RunKey, tuple[Decided, Row]] = {}
        vocabulary = _with_the_projects_own(runs, options.vocabulary)
        self.options = replace(options, vocabulary=vocabulary)
        ordered = sorted(runs, key=lambda run: (run.created_at or _NEVER, run.key.run_id))
        self._old: dict[RunKey, OldName] = {}
        rows = []
        for run in ordered:
            read = _read(run, self.options)
            if isinstance(read, OldName):
                self._old[run.key] = read
                read = _map_old_name(read, self.options)
            rows.append(read)
        self.rows = _with_ordinals(rows, self._taken)

    @cached_property
    def subjects(self) -> dict[RunKey, Subject]:
        """The runs in review, as rules see them."""
        vocabulary = self.options.vocabulary
        return {
            row.key: Subject(self._old[row.key].run, row, vocabulary)
            for row in self.rows
            if row.status == "review"
        }

    def with_rules(self, rules: Sequence[Rule]) -> list[Row]:
        """The rows with those in review mapped again, by the rules that match them.

        The others keep the new names that they have without rules; the names of these must differ.
        """
        if not rules:
            return self.rows
        book = RuleBook(rules, self.options.vocabulary)
        again: dict[RunKey, Row] = {}
        for key, subject in self.subjects.items():
            decided = self._old[key].choose(book.decide(subject))
            if decided != NOTHING:
                again[key] = self._mapped(self._old[key], decided, book.words(subject, decided))
        others = (row.new_name or row.old_name for row in self.rows if row.key not in again)
        taken = chain(self._taken, others)
        again = dict(zip(again, _with_ordinals([*again.values()], taken), strict=True))
        return [again.get(row.key, row) for row in self.rows]

    def _mapped(self, old: OldName, decided: Decided, vocabulary: Vocabulary) -> Row:
        """A row by what rules give for it; one rule more changes that for few of the runs."""
        before = self._decided.get(old.run.key)
        if before is None or before[0] != decided:
            row = _map_old_name(old, self.options, decided, vocabulary)
            before = self._decided[old.run.key] = (decided, row)
        return before[1]


def _with_the_projects_own(runs: Iterable[Run], vocabulary: Vocabulary) -> Vocabulary:
    """The vocabulary with every arch and dataset that a config of the project names."""
    seen: dict[str, set[str]] = {"arch": set(), "dataset": set()}
    for run in runs:
        for key, values in seen.items():
            value = (run.config or {}).get(key)
            if isinstance(value, str) and value:
                values.add(value)
    return vocabulary.extended(seen["arch"], seen["dataset"])


def _read(run: Run, options: Options) -> Row | OldName:
    """The row of a run whose name is not an old one; else the old name, read."""
    config = run.config or {}
    from_config = read_fields(config, style=options.style)
    # --exp_name overrides everything, so such a name is a person's, whatever it looks like.
    if is_exp_name(run.name, config.get("exp_name"), options.style):
        return _row(run, "custom", [Reason("exp-name")], from_config.known)

    # The strongest evidence, before any parsing: the script joined five of its arguments, and
    # those of this run's own config make this name. Then no vocabulary has a say.
    if legacy_name(config) == run.name:
        return OldName(run, config, from_config, ())

    parsed = parse_name(run.name, style=options.style, vocabulary=options.vocabulary)
    if parsed.format == "custom" and parsed.why is not None:  # as it always says
        return _row(run, "custom", [Reason(parsed.why.code, (parsed.why,))], from_config.known)
    if parsed.format == "current":
        from_name = given_fields(parsed.readings[0]) if parsed.fields else {}
        return _row(run, "current", [], {**from_config.known, **from_name})
    return OldName(run, config, from_config, parsed.readings)


def _map_old_name(
    old: OldName,
    options: Options,
    decided: Decided = NOTHING,
    aliases: Vocabulary | None = None,
) -> Row:
    """The row of a run with an old name, and what rules give for it; its name is not yet unique.

    `aliases` is the vocabulary with what rules write in place of the run's arch and dataset.
    """
    run, vocabulary = old.run, aliases or options.vocabulary
    from_name = settle(old, decided, options.vocabulary)
    filled = old.with_supplied(decided, options.style)
    known = {**filled.known, **without_replaced(from_name.fields, decided)}
    settled: tuple[Settled, ...] = ()
    if decided != NOTHING:
        needed = parts_of(known, style=options.style, vocabulary=vocabulary).keys()
        settled = tuple(what_was_settled(old, decided, from_name, options.style, needed))
        # What was assumed and is not needed must not look known.
        for name in known.keys() - needed - old.from_config.known.keys() - from_name.fields.keys():
            del known[name]
    invalid = {name: text for name, text in filled.invalid.items() if name not in known}
    problems = list(from_name.problems)
    if run.config is None:
        problems.append(Reason("invalid", (("config",),)))
    if run.created_at is None:
        problems.append(Reason("invalid", (("createdAt",),)))
    try:
        # Without a time there is a problem already; any time will do to find the others.
        moment = (run.created_at or _ANY_TIME).astimezone(options.timezone)
        fields = Fields(known, invalid, filled.extras)
        name = write_name(fields, moment, style=options.style, vocabulary=vocabulary)
    except FieldsError as error:
        problems += _problems_of(error, run)
    except OverflowError:  # in that zone it is before year 1, or after 9999
        problems.append(Reason("invalid", (("createdAt", str(run.created_at)),)))
    if problems:
        return _row(run, "review", problems, known, settled=settled)
    known.setdefault("pretrained", False)
    status, reasons = _judge(run, name, known, options, vocabulary)
    return _row(run, status, reasons, known, name if status == "rename" else None, settled)


def _judge(
    run: Run,
    name: str,
    fields: Mapping[str, object],
    options: Options,
    vocabulary: Vocabulary,
) -> tuple[Status, list[Reason]]:
    """Whether a run can have its new name now, and why not."""
    if len(name) > MAX_LENGTH:
        return "review", [Reason("too-long", (len(name),))]
    if with_blanks_visible(name) != name:
        return "review", [Reason("invalid", (("unseen",),))]
    if not _reads_back(name, fields, options, vocabulary):
        return "review", [Reason("invalid", (("new-name",),))]
    if run.read_only:
        return "hold", [Reason("read-only")]
    if run.state in HELD:
        return "hold", [Reason(run.state)]
    if run.state in ALIVE and not options.include_running:
        return "hold", [Reason("running", (run.state,))]
    return "rename", []


def _problems_of(error: FieldsError, run: Run) -> list[Reason]:
    """What keeps a run from a new name."""
    # Without arch and dataset the name is ambiguous, and without a config every value is missing:
    # both are reported already.
    missing = tuple(key for key in error.missing if key not in ("arch", "dataset"))
    problems = [Reason("missing", missing)] if missing and run.config is not None else []
    if error.invalid:
        pairs = [(argument.key, cut(repr(argument.value))) for argument in error.invalid]
        problems.append(Reason("invalid", tuple(pairs)))
    return problems


def _reads_back(
    name: str, fields: Mapping[str, object], options: Options, vocabulary: Vocabulary
) -> bool:
    """Whether a new name reads as what it was made of: a dataset may end like an extra part.

    Without the rules that made it, it must still read as a new name.
    """
    parsed = parse_name(name, style=options.style, vocabulary=vocabulary)
    if vocabulary is not options.vocabulary:
        bare = parse_name(name, style=options.style, vocabulary=options.vocabulary)
        if bare.format != "current":
            return False
    return parsed.format == "current" and any(
        all(reading[field] == fields[field] for field in ("arch", "dataset"))
        for reading in parsed.readings
    )


def _with_ordinals(rows: Sequence[Row], others: Iterable[str]) -> list[Row]:
    """Make the new names unique: `_2`, `_3`, … in the order of the rows.

    No row gets one of the names of `others`. The free ordinals of a name are handed out in order.
    A run that was renamed earlier bears the one that it was promised, so planning again gives the
    others theirs.
    """
    taken = {*others, *(row.old_name for row in rows if row.new_name is None)}
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
            too_long = (Reason("too-long", (len(name),)),)
            result.append(replace(row, status="review", reasons=too_long, new_name=None))
        elif name == row.new_name:
            result.append(row)
        else:
            result.append(replace(row, new_name=name))
    return result


def _row(
    run: Run,
    status: Status,
    reasons: Sequence[Reason],
    fields: Mapping[str, object],
    new_name: str | None = None,
    settled: tuple[Settled, ...] = (),
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
        settled=settled,
    )

"""Old names: what one says, what its run's config says, and what rules add to both. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from migrate.client.runs import Run
from migrate.mapping.rows import Reason, Settled
from migrate.mapping.rules import Decided, comparable, same_value
from naming import FIELDS, IN_OLD_NAMES, KEYS, RSST, Fields, Style, Vocabulary, cut, read_fields

_FIELD_OF = {key: field.name for key, field in RSST.by_key.items()}
_ONLY_KEYS = frozenset(KEYS.values())  # of a field that depends on one argument
_MOST_READINGS = 3  # of an ambiguous name; a hostile one has hundreds


@dataclass(frozen=True, slots=True)
class OldName:
    """A run with an old name, read: where its mapping begins, with rules and without.

    Attributes:
        run: The run.
        config: Its config; empty where it has none.
        from_config: What the config says of the fields.
        readings: Each way to read the name; none where the config's own values make it.
    """

    run: Run
    config: Mapping[str, object]
    from_config: Fields
    readings: tuple[Mapping[str, object], ...]

    def in_config(self, key: str) -> object:
        """What the config has for an argument, or where it lacks it for its field; else None.

        Of a field with several arguments it is always what these say together.
        """
        field = RSST.by_key.get(key)
        value = self.config.get(key)
        if field is None or key == field.switch or (value is not None and len(field.keys) == 1):
            return value
        return self.from_config.known.get(field.name)

    def lacks(self, key: str) -> bool:
        """Whether the config has nothing for an argument, nor for another that says the same.

        A run with `vit_pretrained` false says of itself that it used no pretrained weights:
        nothing can be assumed for `pretrained`.
        """
        return all(self.config.get(same) is None for same in same_value(key))

    def choose(self, decided: Decided) -> Decided:
        """What rules give this run: where both assume and set a value, the one that it takes."""
        assume, to_set = dict(decided.assume), dict(decided.replace)
        for key in decided.assume:
            for same in same_value(key):
                if same in to_set:
                    # An old name never lacks a value for one of its fields.
                    if self.lacks(key) and _FIELD_OF.get(key) not in IN_OLD_NAMES:
                        del to_set[same]
                    else:
                        del assume[key]
        return Decided(assume, to_set, decided.prefer)

    def with_supplied(self, decided: Decided, style: Style) -> Fields:
        """What the config says of the fields, with what rules assume and set."""
        if not (decided.assume or decided.replace):
            return self.from_config
        if not style.parts and _ONLY_KEYS.issuperset((*decided.assume, *decided.replace)):
            return self._with_single(decided)
        config = dict(self.config)
        for key, supplied in decided.assume.items():
            if self.lacks(key):
                config[key] = supplied.value
        for key in decided.replace:  # the other arguments of its field have no say any more
            config.update(dict.fromkeys(same_value(key)))
        config.update({key: supplied.value for key, supplied in decided.replace.items()})
        return read_fields(config, style=style)

    def _with_single(self, decided: Decided) -> Fields:
        """The same for arguments of which each is a field's only one: nothing is read again."""
        known, invalid = dict(self.from_config.known), dict(self.from_config.invalid)
        for key, supplied in decided.assume.items():
            if self.config.get(key) is None:
                known[_FIELD_OF[key]] = supplied.value
        for key, supplied in decided.replace.items():
            known[_FIELD_OF[key]] = supplied.value
            invalid.pop(_FIELD_OF[key], None)
        return Fields(known, invalid, self.from_config.extras)


@dataclass(frozen=True, slots=True)
class FromName:
    """What an old name says, settled against what the config says.

    Attributes:
        fields: The fields to take from the name, over the config's.
        problems: What keeps it from a new name.
        conflicts: The conflicts that a rule settled: field, in the name, in the config.
        chosen: Whether it takes a rule to tell how the name splits into arch and dataset.
    """

    fields: Mapping[str, object]
    problems: tuple[Reason, ...] = ()
    conflicts: tuple[tuple[str, str, str], ...] = ()
    chosen: bool = False


def settle(old: OldName, decided: Decided, vocabulary: Vocabulary) -> FromName:
    """Settle what an old name says against what the config says.

    `main_imp_fillback.py` joined struct, schedule, criteria, arch and dataset with `_`. The
    first three are closed sets. The last two are open, since people add models, and hold `_`
    themselves (`res18_2`, `cifar10_trigger`): with both unknown a name has several readings, and
    only the config can tell which is meant. A config in turn may lack any value (the run died
    early, or another script made it), or have another one than the name (somebody changed it).
    Then nothing says which is right, and the choice is a person's: a rule.
    """
    if not old.readings:
        return FromName({})
    in_config = _compared(old)
    compared = [
        (reading, [name for name, value in in_config.items() if value != reading[name]])
        for reading in old.readings
    ]
    # The reading that the config contradicts in the fewest fields is meant; among equals, the
    # one that fits the rules.
    supplied = {**decided.assume, **decided.replace}
    given = {name: supplied[name].value for name in ("arch", "dataset") if name in supplied}
    fewest = min(len(conflicting) for _, conflicting in compared)
    likely = [pair for pair in compared if len(pair[1]) == fewest]
    fitting = [pair for pair in likely if given.items() <= pair[0].items()] or likely
    readings = [reading for reading, _ in fitting]
    reading, conflicting = fitting[0]
    conflicting = [name for name in conflicting if KEYS[name] not in decided.replace]
    from_name = {
        name: value
        for name, value in given_fields(reading).items()
        if all(other[name] == value for other in readings)
    }

    # Where arch and dataset both come from elsewhere, it does not matter how the name splits.
    elsewhere = {name for name in ("arch", "dataset") if name in decided.replace}
    if decided.prefer is not None and decided.prefer.value == "config":
        elsewhere |= set(conflicting)
    split_matters = not {"arch", "dataset"} <= elsewhere
    anchored = _is_anchored(reading, old.from_config, vocabulary)
    certain = len(fitting) == 1 and (
        anchored or any(reading[name] == value for name, value in given.items())
    )
    if split_matters and not certain:
        return FromName(from_name, (_ambiguous(readings),))
    chosen = len(likely) > 1 or not anchored
    data = tuple((name, str(reading[name]), cut(str(in_config[name]))) for name in conflicting)
    if not data or decided.prefer is None:
        problems = (Reason("conflict", data),) if data else ()
        return FromName(from_name, problems, chosen=chosen)
    if decided.prefer.value == "config":
        from_name = {name: from_name[name] for name in from_name if name not in conflicting}
    return FromName(from_name, conflicts=data, chosen=chosen)


def _compared(old: OldName) -> dict[str, object]:
    """What the config has for the fields of old names, as it is.

    A list with the right word in it is not that word.
    """
    there = old.from_config.known.keys() | old.from_config.invalid.keys()
    return {name: old.config[KEYS[name]] for name in IN_OLD_NAMES if name in there}


def _is_anchored(
    reading: Mapping[str, object], from_config: Fields, vocabulary: Vocabulary
) -> bool:
    """Whether anything but the name itself says where arch ends and dataset begins.

    A name with one side known has one reading; with neither known, `mine_yours` could as well
    be an architecture without its dataset.
    """
    return (
        reading["arch"] in vocabulary.architectures
        or reading["dataset"] in vocabulary.datasets
        or "arch" in from_config.known
        or "dataset" in from_config.known
    )


def _ambiguous(readings: Sequence[Mapping[str, object]]) -> Reason:
    shown = [(reading["arch"], reading["dataset"]) for reading in readings[:_MOST_READINGS]]
    return Reason("ambiguous", (*shown, len(readings) - len(shown)))


def given_fields(reading: Mapping[str, object]) -> dict[str, object]:
    """The fields that a reading has a value for."""
    return {name: reading[name] for name in FIELDS if reading[name] is not None}


def without_replaced(fields: Mapping[str, object], decided: Decided) -> dict[str, object]:
    """The fields of an old name without those for which rules set a value."""
    if not decided.replace:
        return dict(fields)
    replaced = {_FIELD_OF.get(key) for key in decided.replace}
    return {name: value for name, value in fields.items() if name not in replaced}


def what_was_settled(
    old: OldName,
    decided: Decided,
    from_name: FromName,
    style: Style,
    needed: AbstractSet[str],
) -> Iterator[Settled]:
    """What rules supply to a run, and neither its name nor its config says.

    It counts where one of the `needed` fields, those in its new name, or an extra part has it.
    """
    labels = {key: label for label, (key, _) in style.parts.items()}

    def said_by_name(field: str, value: object) -> object:
        in_name = from_name.fields.get(field)
        # Where the value itself tells how the name splits, the name alone does not say it.
        chooses = from_name.chosen and field in ("arch", "dataset") and in_name == value
        return None if chooses else in_name

    for key, (value, source) in decided.assume.items():
        name = _FIELD_OF.get(key, key)
        in_name = said_by_name(name, value)
        if old.lacks(key) and (name in needed or key in labels) and in_name is None:
            yield Settled("assumed", key, value, None, source)
    for key, (value, source) in decided.replace.items():
        name = _FIELD_OF.get(key, key)
        others = [old.in_config(key), said_by_name(name, value)]
        present = [other for other in others if other is not None]
        wrong = [other for other in present if comparable(key, other) != comparable(key, value)]
        if (wrong or not present) and (name in needed or key in labels or name in IN_OLD_NAMES):
            was = cut(str(wrong[0])) if wrong else None
            yield Settled("set", key, value, was, source)
    for name, in_name, in_config in from_name.conflicts:
        if decided.prefer is not None:
            side, source = decided.prefer
            yield Settled("preferred", name, side, in_config if side == "name" else in_name, source)

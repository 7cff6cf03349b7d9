"""From a run's arguments to the values that its name is made of."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import datetime
from typing import Mapping, Union

from naming import values
from naming.fields import BY_NAME, IN_NAMES, KEYS, PRETRAINED_KEYS, Experiment
from naming.style import EXTRAS, GUIDE_STYLE, Style
from naming.vocabulary import EXPONENTS_SCHEDULE, STRUCT_TARGETS, VOCABULARY, Vocabulary

Arguments = Union[argparse.Namespace, Mapping[str, object]]
"""A run's arguments: a namespace, a mapping, or a W&B config (`{"rate": {"value": 0.15}}`)."""


class FieldsError(ValueError):
    """A run that cannot be named: every field that is missing or does not parse, at once.

    Attributes:
        missing: The arguments that are missing: `rate`, `reg_granularity_prune`.
        invalid: A clause for each that does not parse: `rate is 'abc'`.
    """

    def __init__(self, missing: tuple[str, ...], invalid: tuple[str, ...]) -> None:
        self.missing = missing
        self.invalid = invalid
        super().__init__("; ".join(self.clauses()))

    def clauses(self) -> list[str]:
        """The same as text: `missing: rate, exponents`, `invalid: rate is 'abc'`."""
        listed = [("missing", self.missing), ("invalid", self.invalid)]
        return [f"{code}: {', '.join(names)}" for code, names in listed if names]


@dataclass(frozen=True)
class Fields:
    """What a run's arguments say, before anything is demanded of them.

    Attributes:
        known: Field to canonical value, for the fields that are there and parse.
        invalid: Field to a clause (`rate is 'abc'`), for those that do not parse.
        extras: Label of an extra part to its text in a name.
    """

    known: Mapping[str, object]
    invalid: Mapping[str, str]
    extras: Mapping[str, str]


def plain(arguments: Arguments) -> Mapping[str, object]:
    """The arguments as one flat mapping; W&B's `{"value": …}` wrappers are taken off."""
    if isinstance(arguments, argparse.Namespace):
        return vars(arguments)
    return {
        key: value["value"] if isinstance(value, dict) and "value" in value else value
        for key, value in arguments.items()
    }


def read_fields(arguments: Arguments) -> Fields:
    """Read whatever a run's arguments say; nothing is required, nothing is invented.

    Only the absence of a switch says something: a run without any argument for pretrained
    weights used none. Where none of these arguments is there, `pretrained` is not known either.

    >>> fields = read_fields({"rate": {"value": 1, "desc": None}, "exponents": "abc"})
    >>> fields.known["rate"], fields.invalid
    (1.0, {'exponents': "exponents is 'abc'"})
    """
    given = {key: value for key, value in plain(arguments).items() if value is not None}
    known: dict[str, object] = {}
    invalid: dict[str, str] = {}
    extras: dict[str, str] = {}

    for field, key in KEYS.items():
        if key in given:
            try:
                known[field] = BY_NAME[field].kind.parse(given[key])
            except ValueError:
                invalid[field] = clause(key, given[key])

    switches = [given[key] for key in PRETRAINED_KEYS if key in given]
    if switches:
        known["pretrained"] = any(map(values.flag, switches))

    if values.flag(given.get("vit_structured")):
        target = given.get("vit_prune_target")
        if not values.flag(target):
            target = STRUCT_TARGETS[0]
        if target in STRUCT_TARGETS:
            known["struct_target"] = target
        else:
            invalid["struct_target"] = clause("vit_prune_target", target)

    for label, (key, parse) in EXTRAS.items():
        if given.get(key) not in (None, "", "None"):
            try:
                extras[label] = str(parse(given[key]))
            except ValueError:
                invalid[label] = clause(key, given[key])
    return Fields(known, invalid, extras)


def required_fields(fields: Fields, style: Style, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The fields that this run's new name cannot do without."""
    known = fields.known
    exponents = known.get("schedule") == EXPONENTS_SCHEDULE and (
        style.cnn_exponents or vocabulary.family(str(known.get("arch"))) != "cnn"
    )
    in_name = IN_NAMES[str(known.get("struct", "rsst"))]
    return tuple(
        name
        for name, field in BY_NAME.items()
        if name in ("struct", "arch", "dataset")
        or (field in in_name and (not field.optional or (name == "exponents" and exponents)))
    )


def experiment(
    fields: Fields,
    created_at: datetime,
    *,
    style: Style = GUIDE_STYLE,
    vocabulary: Vocabulary = VOCABULARY,
) -> Experiment:
    """The run that these fields describe, in the zone that `created_at` has.

    Raises:
        FieldsError: Naming every required field that is missing or does not parse.
    """
    required = required_fields(fields, style, vocabulary)
    wanted = (*required, "struct_target", *style.extras)
    invalid = tuple(fields.invalid[field] for field in wanted if field in fields.invalid)
    missing = tuple(
        KEYS[field]
        for field in required
        if field not in fields.known and field not in fields.invalid
    )
    if missing or invalid:
        raise FieldsError(missing, invalid)
    return Experiment(
        created_at=created_at,
        pretrained=bool(fields.known.get("pretrained")),
        struct_target=fields.known.get("struct_target"),  # type: ignore[arg-type]
        extras=tuple(
            (label, fields.extras[label]) for label in style.extras if label in fields.extras
        ),
        **{field: fields.known[field] for field in required},  # type: ignore[arg-type]
    )


def clause(key: str, value: object) -> str:
    """`rate is 'abc'`, cut where the value is long."""
    return f"{key} is {cut(repr(value))}"


def cut(text: str) -> str:
    """A value for a reason: 60 characters at most."""
    return text if len(text) <= 60 else text[:59] + "…"

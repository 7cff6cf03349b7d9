"""What a run is: the values that its name is made of."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import datetime
from typing import Callable, Mapping, Union

from naming import values
from naming.style import EXTRAS, GUIDE_STYLE, Style
from naming.vocabulary import (
    CRITERIA,
    EXPONENTS_SCHEDULE,
    SCHEDULES,
    STRUCT_TARGETS,
    STRUCTS,
    VOCABULARY,
    Vocabulary,
)

Arguments = Union[argparse.Namespace, Mapping[str, object]]
"""A run's arguments: a namespace, a mapping, or a W&B config (`{"rate": {"value": 0.15}}`)."""

FIELDS = (
    "struct",
    "schedule",
    "criteria",
    "arch",
    "dataset",
    "reg",
    "exponents",
    "rate",
    "fillback_rate",
    "pretrained",
    "struct_target",
)
"""The fields of a run, in the order of the report's columns."""

KEYS = {
    "struct": "struct",
    "schedule": "RST_schedule",
    "criteria": "criteria",
    "arch": "arch",
    "dataset": "dataset",
    "reg": "reg_granularity_prune",
    "exponents": "exponents",
    "rate": "rate",
    "fillback_rate": "fillback_rate",
}
"""Field to the argument, and so the config key, that it comes from."""

PRETRAINED_KEYS = ("pretrained", "vit_pretrained", "vit_pretrained_21k", "mamba_pretrained")
STRUCTURED_KEYS = ("vit_structured", "vit_prune_target")

CONFIG_KEYS = (
    *KEYS.values(),
    *PRETRAINED_KEYS,
    *STRUCTURED_KEYS,
    *(key for key, _ in EXTRAS.values()),
    "exp_name",
)
"""Every config key that this package reads."""

_PARSERS: dict[str, Callable[[object], object]] = {
    "struct": lambda value: values.one_of(value, STRUCTS),
    "schedule": lambda value: values.one_of(value, SCHEDULES),
    "criteria": lambda value: values.one_of(value, CRITERIA),
    "arch": values.word,
    "dataset": values.word,
    "reg": values.number,
    "exponents": values.integer,
    "rate": values.number,
    "fillback_rate": values.number,
}


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


@dataclass(frozen=True)
class Experiment:
    """The values that a new name is made of, all of them there and canonical.

    A refill run has a `fillback_rate`, an rsst run has `schedule` and `reg`; `exponents` is None
    where the name does not carry them. `extras` are pairs of label and text, in writing order.
    """

    struct: str
    arch: str
    dataset: str
    criteria: str
    rate: float
    created_at: datetime
    schedule: str | None = None
    reg: float | None = None
    exponents: int | None = None
    fillback_rate: float | None = None
    pretrained: bool = False
    struct_target: str | None = None
    extras: tuple[tuple[str, str], ...] = ()


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
                known[field] = _PARSERS[field](given[key])
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
    if known.get("struct") == "refill":
        return ("struct", "criteria", "arch", "dataset", "fillback_rate", "rate")
    exponents = known.get("schedule") == EXPONENTS_SCHEDULE and (
        style.cnn_exponents or vocabulary.family(str(known.get("arch"))) != "cnn"
    )
    return (
        *("struct", "schedule", "criteria", "arch", "dataset", "reg"),
        *(("exponents",) if exponents else ()),
        "rate",
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

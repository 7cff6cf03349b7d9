"""The fields of a run, a line each: what it comes from, and how it stands in a name.

The rest follows from these lines: the columns of a report and their types, the config keys that
are asked for, how new names are written and read, what is said of one that is nearly right. A new
field is a line in `_FIELDS`, its place in `IN_NAMES`, and an attribute of `Experiment`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Callable, Iterable

from naming import values
from naming.style import EXTRAS
from naming.vocabulary import CRITERIA, SCHEDULES, STRUCT_TARGETS, STRUCTS


@dataclass(frozen=True)
class Kind:
    """What a field's values are.

    Attributes:
        type: The type of a canonical value.
        parse: Makes a value canonical, whatever type it comes in; ValueError for none of this kind.
        pattern: How one stands in a name; empty for a switch, which is there or not.
        example: One as it stands in a name.
    """

    type: type
    parse: Callable[[object], object]
    pattern: str
    example: str


def _one_of(words: tuple[str, ...]) -> Kind:
    pattern = "|".join(map(re.escape, words))
    return Kind(str, lambda value: values.one_of(value, words), pattern, words[0])


_WORD = Kind(str, values.word, ".+", "x")
# A float as Python writes one, or an integer: the January script wrote reg_1.
NUMBER = Kind(float, values.number, r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", "1.0")
_INTEGER = Kind(int, values.integer, r"-?\d+", "1")
_SWITCH = Kind(bool, values.flag, "", "")


@dataclass(frozen=True)
class Field:
    """One field of a run.

    Attributes:
        name: What it is called here, and in a report's columns.
        key: The argument, and so the config key, that it comes from; empty where several have a
            say (`read_fields` knows which).
        kind: What its values are.
        mark: What stands before its value in a new name.
        optional: Whether a new name may do without it.
    """

    name: str
    key: str
    kind: Kind
    mark: str = ""
    optional: bool = False

    def write(self, value: object) -> str:
        """The field as a part of a new name."""
        return self.mark if self.kind is _SWITCH else f"{self.mark}{value}"

    def read(self, text: str | None) -> object:
        """The value that stands behind its mark in a name, None for no such part.

        Raises:
            ValueError: A number that no float can hold.
        """
        if self.kind is _SWITCH:
            return text is not None
        return None if text is None else self.kind.parse(text)

    def stands(self, text: str) -> bool:
        """Whether a value may stand like this behind its mark in a name."""
        try:
            self.kind.parse(text)
        except ValueError:
            return False
        return re.fullmatch(self.kind.pattern, text) is not None


_FIELDS = (
    Field("struct", "struct", _one_of(STRUCTS)),
    Field("schedule", "RST_schedule", _one_of(SCHEDULES), "sched_"),
    Field("criteria", "criteria", _one_of(CRITERIA), "crit_"),
    Field("arch", "arch", _WORD),
    Field("dataset", "dataset", _WORD),
    Field("reg", "reg_granularity_prune", NUMBER, "reg_"),
    Field("exponents", "exponents", _INTEGER, "exp", optional=True),
    Field("rate", "rate", NUMBER, "rate_"),
    Field("fillback_rate", "fillback_rate", NUMBER, "fill_"),
    Field("pretrained", "", _SWITCH, "pretrained", optional=True),
    Field("struct_target", "", _one_of(STRUCT_TARGETS), "struct_", optional=True),
)
BY_NAME = {field.name: field for field in _FIELDS}

FIELDS = tuple(BY_NAME)
"""The fields of a run, in the order of the report's columns."""

FIELD_TYPES = {field.name: field.kind.type for field in _FIELDS}
"""Field to the type of its canonical values: str, float, int or bool."""


def _named(names: str) -> tuple[Field, ...]:
    return tuple(BY_NAME[name] for name in names.split())


IN_NAMES = {
    "rsst": _named("schedule reg exponents criteria rate pretrained struct_target"),
    "refill": _named("fillback_rate criteria rate pretrained struct_target"),
}
"""Struct to the fields of its new names, as they follow upon struct, arch, dataset and extras."""

IN_OLD_NAMES = _named("struct schedule criteria arch dataset")
"""The fields that an old name joins."""

KEYS = {field.name: field.key for field in _FIELDS if field.key}
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

    def parts(self) -> Iterable[str]:
        """The parts of the new name that its fields make, in order."""
        for field in IN_NAMES[self.struct]:
            value = getattr(self, field.name)
            if value is not None and value is not False:
                yield field.write(value)

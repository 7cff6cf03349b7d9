"""A format of run names as data: its fields, its templates, and what they compile to.

`naming/rsst.py` is written in these terms, and nothing here knows what it says. A `Scheme` is a
value: reading and writing take one, so another format could stand beside RSST's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Callable, Mapping, NamedTuple, Pattern

from naming import values

ARCH, DATASET = "arch", "dataset"
"""The two open fields. They stand together in every template, and a `Vocabulary` splits them."""

EXTRAS_PART, TIME_PART = "extras", "time"
"""The parts of a template that are not fields: what a `Style` asks for, and the time."""


@dataclass(frozen=True)
class Kind:
    """What a field's values are.

    Attributes:
        type: The type of a canonical value.
        parse: Makes a value canonical, whatever type it comes in; ValueError if it is not valid.
        pattern: The regular expression of a value in a name.
        noun: What a near miss calls a value that it expected: `NUMBER`.
        words: All the values of a closed field.
    """

    type: type
    parse: Callable[[object], object]
    pattern: str = ""
    noun: str = ""
    words: tuple[str, ...] = ()


# The pattern accepts what Python writes for a float, and integers: the January script wrote reg_1.
NUMBER = Kind(float, values.number, r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", "NUMBER")
INTEGER = Kind(int, values.integer, r"-?\d+", "INTEGER")
OPEN = Kind(str, values.word, noun="ARCH_DATASET")
PART = Kind(object, values.part, "[^_]+")
"""An extra part about which nothing is declared: any value that can be read back."""
SWITCH = Kind(bool, values.flag)
"""A part of a name that is there or not: the field's own name."""


def closed(*words: str) -> Kind:
    """A field that has one of these values and no other."""
    return Kind(
        str,
        lambda value: values.one_of(value, words),
        "|".join(map(re.escape, sorted(words, key=len, reverse=True))),
        words=words,
    )


class When(NamedTuple):
    """A condition on a run: another field has this value, and the family is none of these."""

    field: str
    value: str
    unless: tuple[str, ...] = ()

    def holds(self, fields: Mapping[str, object], family: str) -> bool:
        """Whether these fields, and an architecture of this family, meet the condition."""
        return fields.get(self.field) == self.value and family not in self.unless


@dataclass(frozen=True)
class Field:
    """One field of a run.

    A part of a name that is optional in the template and has no conditions is written when the
    run has a value. One with conditions has all three.

    Attributes:
        keys: The arguments, and so the config keys, that it comes from. A switch is on when any
            of them is.
        switch: An argument without which the field has no value, whatever its own key says.
        default: The value where `switch` is on and the field's own argument is not given.
        written: When a new name has it.
        must: When a name that lacks it is not in this format.
        may: When a name that has it is in this format.
        option: The attribute of a `Style` that has it written whenever it may be there.
    """

    name: str
    kind: Kind
    keys: tuple[str, ...]
    switch: str = ""
    default: str = ""
    written: When | None = None
    must: When | None = None
    may: When | None = None
    option: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """Every argument that the field depends on."""
        return (self.switch, *self.keys) if self.switch else self.keys

    def is_sensible(self, value: object) -> bool:
        """Whether a canonical value is in the range that makes sense.

        Names with other values are read and written all the same: they say what was run.
        """
        return not isinstance(value, (int, float)) or (
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
        )

    def is_written(self, fields: Mapping[str, object], family: str, style: object) -> bool:
        """Whether the new name of a run with these fields needs this one, if it is optional."""
        when = self.may if self.option and getattr(style, self.option) else self.written
        return when is not None and when.holds(fields, family)

    def fits(self, fields: Mapping[str, object], family: str) -> bool:
        """Whether a name with these fields has this one, or lacks it, as it should."""
        if fields.get(self.name) is None:
            return self.must is None or not self.must.holds(fields, family)
        return self.may is None or self.may.holds(fields, family)


class Part(NamedTuple):
    """A part of a template: `_reg_{reg}`, `[_exp{exponents}]`.

    Attributes:
        mark: The text before the value.
        name: The field, or EXTRAS_PART or TIME_PART, which have no kind.
    """

    mark: str
    name: str
    optional: bool
    kind: Kind | None

    @property
    def pattern(self) -> str:
        """The regular expression of the part, its value in a group of the field's name.

        Architecture, dataset and extras are one group `what`: only a vocabulary can split them.
        """
        if self.name in (DATASET, EXTRAS_PART):
            return ""
        mark = re.escape(self.mark)
        if self.kind is OPEN:
            return f"{mark}(?P<what>.+)"
        if self.kind is None:
            return rf"{mark}(?P<time>[-\dT_.:]+)"
        value = self.name if self.kind is SWITCH else self.kind.pattern
        part = f"{mark}(?P<{self.name}>{value})"
        return f"(?:{part})?" if self.optional else part


_PART = re.compile(r"(\[)?([^\[\]{}]*)\{(\w+)\}(?(1)\])")


class Template:
    """A template in the guide's notation, made ready to read and write names with.

    Attributes:
        parts: Its parts, in order.
        steps: The parts that a reader takes one by one: architecture, dataset and extras as one.
        names: The names of its parts.
        fields: The names of those that are fields.
        valued: The fields, with their kinds, that `pattern` has a group for.
        required: The parts that names cannot lack.
        marks: Their marks, `_sched_`, `_reg_` and so on, from the second step on.
        conditional: The fields that a name has or lacks by conditions.
    """

    def __init__(self, text: str, fields: Mapping[str, Field]) -> None:
        """Take a template apart: `{field}` for a value, `[…]` around a part that is optional.

        Raises:
            ValueError: The text is not a template, or arch and dataset do not stand together.
        """
        found = _PART.findall(text)
        names = [name for _, _, name in found]
        self.names = frozenset(names)
        unknown = self.names - {*fields, EXTRAS_PART, TIME_PART}
        together = [ARCH, DATASET, EXTRAS_PART] if EXTRAS_PART in names else [ARCH, DATASET]
        first = names.index(ARCH) if ARCH in names else len(names)
        pair = names[first : first + len(together)]
        if _PART.sub("", text) or unknown or pair != together:
            raise ValueError(f"not a template of these fields: {text}")

        self.parts = tuple(
            Part(mark, name, opens == "[", fields[name].kind if name in fields else None)
            for opens, mark, name in found
        )
        self.steps = tuple(part for part in self.parts if part.pattern)
        self.fields = tuple(name for name in names if name in fields)
        self.valued = tuple(
            (part.name, part.kind) for part in self.steps if part.kind and part.kind is not OPEN
        )
        self.required = frozenset(part.name for part in self.parts if not part.optional)
        self.marks = tuple(
            step.mark for step in self.steps[1:] if step.mark != "_" and not step.optional
        )
        self.conditional = tuple(fields[name] for name in self.fields if fields[name].may)

    @cached_property
    def pattern(self) -> Pattern[str]:
        """The regular expression of names; `re.ASCII`, since Python writes numbers so."""
        text = ""
        for step in self.steps:
            # Open words take all they can, up to the last mark that follows; but not where the
            # next part has no mark to be recognized by, or may be missing.
            if text.endswith("(?P<what>.+)") and (step.optional or step.mark == "_"):
                text = text[:-1] + "?)"
            text += step.pattern
        return re.compile(text, re.ASCII)


@dataclass(eq=False)
class Scheme:
    """A format of run names.

    Attributes:
        fields: Every field, in the order of a report's columns.
        chosen_by: The closed field whose value says which template a new name follows: each
            template begins with one of its values.
        extras: Label of an extra part to its argument and the kind of its values.
        name_key: The argument that gives a run's name, and overrides everything.
        name_time_key: The argument that appends the time to that name.
        guide: Field to the value that the guide means where it leaves one out.
        guide_by_family: Family to such values, where they differ for its architectures.
        new: Value of the field `chosen_by` to the template of its new names.
        by_key: Argument to the field that depends on it.
        kinds: Every argument of a field or an extra part to what its values are.
        keys: Field to its argument, for the fields that depend on just one.
        config_keys: Every argument that names are made of.
    """

    fields: tuple[Field, ...]
    chosen_by: str
    templates: tuple[str, ...]
    old_template: str
    extras: Mapping[str, tuple[str, Kind]]
    name_key: str
    name_time_key: str
    guide: Mapping[str, object]
    guide_by_family: Mapping[str, Mapping[str, object]]

    def __post_init__(self) -> None:
        self.by_name = {field.name: field for field in self.fields}
        self.by_key = {key: field for field in self.fields for key in field.arguments}
        self.new = {text.partition("_")[0]: Template(text, self.by_name) for text in self.templates}
        self.old = Template(self.old_template, self.by_name)
        self.keys = {
            field.name: field.keys[0] for field in self.fields if len(field.arguments) == 1
        }
        self.kinds = {
            **{
                key: SWITCH if key == field.switch else field.kind
                for key, field in self.by_key.items()
            },
            **dict(self.extras.values()),
        }
        self.switch_keys = tuple(key for key, kind in self.kinds.items() if kind is SWITCH)
        self.config_keys = (*self.kinds, self.name_key)

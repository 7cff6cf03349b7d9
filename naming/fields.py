"""From a run's arguments to the values that its name is made of."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Mapping, NamedTuple, Union

from naming import values
from naming.rsst import RSST
from naming.scheme import ARCH, SWITCH, Field, Scheme, Template
from naming.style import GUIDE_STYLE, Style
from naming.vocabulary import VOCABULARY, Vocabulary

Arguments = Union[argparse.Namespace, Mapping[str, object]]
"""A run's arguments: a namespace, a mapping, or a W&B config (`{"rate": {"value": 0.15}}`)."""


class Argument(NamedTuple):
    """An argument of a run and the value that it was given, in whatever type it came.

    >>> str(Argument("rate", "abc"))
    "rate is 'abc'"
    """

    key: str
    value: object

    def __str__(self) -> str:
        return f"{self.key} is {cut(repr(self.value))}"


class FieldsError(ValueError):
    """A run that cannot be named: every argument that is missing or not valid, at once.

    Its text is like `missing: rate, exponents; invalid: reg_granularity_prune is 'abc'`.
    """

    def __init__(self, missing: tuple[str, ...], invalid: tuple[Argument, ...]) -> None:
        self.missing = missing
        self.invalid = invalid
        texts = {"missing": ", ".join(missing), "invalid": ", ".join(map(str, invalid))}
        super().__init__("; ".join(f"{code}: {text}" for code, text in texts.items() if text))


@dataclass(frozen=True)
class Fields:
    """The fields that a run's arguments give, before anything is required of them.

    Attributes:
        known: Field to canonical value, for the fields that are there and valid.
        invalid: Field to the argument and its value, for those that are not valid.
        extras: Label of an extra part to its text in a name.
    """

    known: Mapping[str, object]
    invalid: Mapping[str, Argument]
    extras: Mapping[str, str]


def plain(arguments: Arguments) -> Mapping[str, object]:
    """The arguments as one flat mapping, without W&B's `{"value": …}` wrappers."""
    if isinstance(arguments, argparse.Namespace):
        return vars(arguments)
    return {
        key: value["value"] if isinstance(value, dict) and "value" in value else value
        for key, value in arguments.items()
    }


def read_fields(arguments: Arguments, scheme: Scheme = RSST, style: Style = GUIDE_STYLE) -> Fields:
    """Read the fields that a run's arguments give; nothing is required, nothing is invented.

    Only the absence of a switch has a meaning: a run without any argument for pretrained weights
    used none. A run that has none of these arguments leaves `pretrained` unknown, too.

    >>> fields = read_fields({"rate": {"value": 1, "desc": None}, "exponents": "abc"})
    >>> fields.known["rate"], fields.invalid
    (1.0, {'exponents': Argument(key='exponents', value='abc')})
    """
    given = {key: value for key, value in plain(arguments).items() if value is not None}
    known: dict[str, object] = {}
    invalid: dict[str, Argument] = {}
    extras: dict[str, str] = {}

    for field in scheme.fields:
        argument = _argument(field, given)
        if argument is not None:
            try:
                known[field.name] = field.kind.parse(argument.value)
            except ValueError:
                invalid[field.name] = argument

    for label, (key, kind) in {**scheme.extras, **style.parts}.items():
        if given.get(key) not in (None, "", "None"):
            try:
                extras[label] = str(kind.parse(given[key]))
            except ValueError:
                invalid[label] = Argument(key, given[key])
    return Fields(known, invalid, extras)


def _argument(field: Field, given: Mapping[str, object]) -> Argument | None:
    """The argument that a field's value comes from; None where the run does not give one."""
    key = field.keys[0]
    if field.switch:
        if not values.flag(given.get(field.switch)):
            return None
        return Argument(key, given[key] if values.flag(given.get(key)) else field.default)
    if len(field.keys) == 1:  # as with most fields
        return Argument(key, given[key]) if key in given else None
    present = [Argument(key, given[key]) for key in field.keys if key in given]
    on = [argument for argument in present if field.kind is SWITCH and values.flag(argument.value)]
    return next(iter(on or present), None)


def parts_of(
    known: Mapping[str, object],
    *,
    style: Style = GUIDE_STYLE,
    vocabulary: Vocabulary = VOCABULARY,
    scheme: Scheme = RSST,
) -> dict[str, bool]:
    """The fields in the new name of a run with these, each with whether it must have a value.

    >>> parts_of({"struct": "refill"})["rate"], parts_of({"struct": "refill"})["pretrained"]
    (True, False)
    """
    family = vocabulary.family(str(known.get(ARCH)))
    template = template_of(known, scheme)
    parts = {}
    for name, field in scheme.by_name.items():
        if name == scheme.chosen_by or name in template.required:
            parts[name] = True
        elif name in template.names:
            # An optional field with conditions is either required or left out.
            required = field.is_written(known, family, style)
            if required or field.written is None:
                parts[name] = required
    return parts


def template_of(known: Mapping[str, object], scheme: Scheme) -> Template:
    """The template of a run's new name.

    A run that does not say which it follows is not named, but is told what is missing by the first.
    """
    return scheme.new.get(str(known.get(scheme.chosen_by))) or next(iter(scheme.new.values()))


def with_guide_defaults(
    args: Mapping[str, object], vocabulary: Vocabulary = VOCABULARY, scheme: Scheme = RSST
) -> dict[str, object]:
    """The arguments, and what the guide means where it leaves a hyperparameter out.

    For previewing a name only: renaming never invents a value.
    """
    given = {key: value for key, value in args.items() if value is not None}
    arch = given.get(scheme.keys[ARCH], scheme.guide.get(ARCH))
    of_family = scheme.guide_by_family.get(vocabulary.family(str(arch)), {})
    guide = {**scheme.guide, **of_family}
    return {**{scheme.keys[name]: value for name, value in guide.items()}, **given}


def cut(text: str) -> str:
    """A value for a reason: 60 characters at most."""
    return text if len(text) <= 60 else text[:59] + "…"

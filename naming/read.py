"""Reading names: the new format, the old one, and names in neither."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping, NamedTuple

from naming.near_miss import Reason, near_miss
from naming.rsst import RSST
from naming.scheme import ARCH, DATASET, Scheme, Template
from naming.style import GUIDE_STYLE, GUIDE_TIMESTAMPS, Style, is_timestamp
from naming.vocabulary import VOCABULARY, Vocabulary, is_known_pair, split_pair

LONGEST = 1024
"""Our names are never near this length; longer texts are not looked into."""

_AMBIGUOUS = Reason("ambiguous")
_ORDINAL = re.compile(r"(?P<timestamp>.+)_(?P<ordinal>[2-9]|[1-9]\d+)", re.ASCII)


@dataclass(frozen=True)
class ParsedName:
    """A name, read.

    Attributes:
        name: The name that was read.
        format: `current` (the new format), `legacy` (the old one) or `custom`.
        readings: Each way to read it: one dict a reading, with every key of `FIELDS` (None where
            the name does not say). A name in the new format has `extras` (label to value),
            `timestamp` (as written) and `ordinal` (1 without one) besides.
        why: Why it is custom, or has several readings; else None.
    """

    name: str
    format: str
    readings: tuple[dict[str, object], ...] = ()
    why: Reason | None = None

    @property
    def fields(self) -> dict[str, object] | None:
        """The only reading; None where there is none, or more than one."""
        return self.readings[0] if len(self.readings) == 1 else None

    @property
    def reason(self) -> str:
        """`why` as text, `near-miss: trailing text 'v2'`; empty where there is nothing to say."""
        if self.why is None:
            return ""
        if self.why.code == "ambiguous":
            shown = [f"{reading[ARCH]} on {reading[DATASET]}" for reading in self.readings]
            more = [f"{len(shown) - 3} more"] if len(shown) > 3 else []
            return f"ambiguous: {' or '.join(shown[:3] + more)}"
        return f"{self.why.code}: {self.why.words()}"


def parse_name(
    name: str,
    *,
    style: Style = GUIDE_STYLE,
    vocabulary: Vocabulary = VOCABULARY,
    scheme: Scheme = RSST,
) -> ParsedName:
    """Read a run's name.

    Args:
        name: Any text.
        style: Its timestamp format is read besides the two of the guide.
        vocabulary: The architectures and datasets that are known. A name with one side unknown is
            read by the other; with both unknown, every split is a reading.
        scheme: The format.

    >>> parse_name("rsst_x_l1_res18_2_cifar10_trigger").fields["arch"]
    'res18_2'
    >>> parse_name("rsst_x_l1_res18").reason
    "near-miss: after 'res18': expected _DATASET"
    >>> len(parse_name("rsst_x_l1_my_net_my_data").readings)
    3
    """
    if len(name) > LONGEST:
        return ParsedName(name, "custom", (), Reason("not-ours", "length", str(len(name))))
    reader = _Reader(style, vocabulary, scheme)
    for name_format, template in reader.templates(name):
        readings = reader.read(name, template)
        if readings:
            why = _AMBIGUOUS if len(readings) > 1 else None
            return ParsedName(name, name_format, tuple(readings), why)
    fault = near_miss(name, reader.reads, reader.pairs, style, vocabulary, scheme)
    return ParsedName(name, "custom", (), fault or Reason("not-ours"))


class _Reader(NamedTuple):
    """What names are read with."""

    style: Style
    vocabulary: Vocabulary
    scheme: Scheme

    def templates(self, name: str) -> list[tuple[str, Template]]:
        """The templates that a name may follow, with the format of each, in order of trying."""
        old = ("legacy", self.scheme.old)
        new = self.scheme.new.get(name.partition("_")[0])
        return [old] if new is None else [("current", new), old]

    def reads(self, name: str) -> bool:
        """Whether a name is in one of our formats."""
        return any(self.read(name, template) for _, template in self.templates(name))

    def read(self, name: str, template: Template) -> list[dict[str, object]]:
        """Every reading of a name by a template."""
        match = template.pattern.fullmatch(name)
        if match is None:
            return []
        what = match["what"]
        after: dict[str, object] = {}
        if template.has_extras:
            what, extras = self._take_extras(what)
            if extras is None:
                return []
            after["extras"] = extras
        if template.has_time:
            time = _read_time(match["time"], self.style)
            if time is None:
                return []
            after["timestamp"], after["ordinal"] = time
        fields: dict[str, object] = dict.fromkeys(self.scheme.by_name)
        # Where the field that chooses the template is not in it, it is the template's first word.
        fields[self.scheme.chosen_by] = name.partition("_")[0]
        for field in template.words:
            fields[field] = match[field]
        for field in template.switches:
            fields[field] = match[field] is not None
        try:
            for field, parse in template.parsed:
                text = match[field]
                fields[field] = text if text is None else parse(text)
        except ValueError:  # a number that no float can hold
            return []
        readings = [
            {**fields, ARCH: arch, DATASET: dataset, **after}
            for arch, dataset in split_pair(what, self.vocabulary)
        ]
        if not template.conditional:
            return readings
        return [reading for reading in readings if self._fits(reading, template)]

    def _fits(self, reading: Mapping[str, object], template: Template) -> bool:
        """Whether the fields that have conditions are there, or missing, as they should be."""
        family = self.vocabulary.family(str(reading[ARCH]))
        return all(field.fits(reading, family) for field in template.conditional)

    def pairs(self, text: str, template: Template) -> list[tuple[str, str]]:
        """Every way to split the text where architecture, dataset and extras stand."""
        if not template.has_extras:
            return split_pair(text, self.vocabulary)
        what, extras = self._take_extras(text)
        return [] if extras is None else split_pair(what, self.vocabulary)

    def _take_extras(self, text: str) -> tuple[str, dict[str, object] | None]:
        """Take `bs_128`, `lr_0.1` and `seed_1` off the end; None if one of them is there twice.

        A known architecture and dataset keep what is theirs, even where it looks like an extra.
        """
        extras: dict[str, object] = {}
        match = self.scheme.extra_pattern.search(text)
        while match is not None and not is_known_pair(text, self.vocabulary):
            label, digits = match.groups()
            try:
                value = self.scheme.extras[label][1].parse(digits)
            except ValueError:
                break
            if label in extras:
                return text, None
            extras = {label: value, **extras}
            text = text[: match.start()]
            match = self.scheme.extra_pattern.search(text)
        return text, extras


def _read_time(text: str, style: Style) -> tuple[str, int] | None:
    """The timestamp and the ordinal after it, by the style's own format first."""
    for timestamp_format in (style.timestamp_format, *GUIDE_TIMESTAMPS):
        if is_timestamp(text, timestamp_format):
            return text, 1
        match = _ORDINAL.fullmatch(text)
        if match is not None and is_timestamp(match["timestamp"], timestamp_format):
            return match["timestamp"], int(match["ordinal"])
    return None

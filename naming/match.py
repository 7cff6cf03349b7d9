"""Holding names against the templates of a format: every way to read one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Mapping, NamedTuple, Pattern

from naming.scheme import ARCH, DATASET, NUMBER, PART, Kind, Scheme, Template
from naming.style import GUIDE_TIMESTAMPS, Style, is_timestamp
from naming.vocabulary import Vocabulary, known_pairs, split_pair

_ORDINAL = re.compile(r"(?P<timestamp>.+)_(?P<ordinal>[2-9]|[1-9]\d+)", re.ASCII)


class Matcher(NamedTuple):
    """What names are held against: a format, its known words, and the times of a style."""

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
        return any(self.readings(name, template) for _, template in self.templates(name))

    def readings(self, name: str, template: Template) -> list[dict[str, object]]:
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
        kinds, pattern = _extra_parts(self.style, self.scheme)
        match = pattern.search(text)
        while match is not None and not known_pairs(text, self.vocabulary):
            label, value = filter(None, match.groups())
            try:
                parsed = kinds[label].parse(value)
            except ValueError:
                break
            if label in extras:
                return text, None
            extras = {label: parsed, **extras}
            text = text[: match.start()]
            match = pattern.search(text)
        return text, extras


@lru_cache(maxsize=32)
def _extra_parts(style: Style, scheme: Scheme) -> tuple[Mapping[str, Kind], Pattern[str]]:
    """The kinds of the extra parts, by label, and the expression of such a part at the end."""
    kinds = {label: kind for label, (_, kind) in {**scheme.extras, **style.parts}.items()}
    labels: dict[str, list[str]] = {}
    for label, kind in kinds.items():
        labels.setdefault(PART.pattern if kind is PART else NUMBER.pattern, []).append(label)
    parts = (f"({'|'.join(map(re.escape, these))})_({value})" for value, these in labels.items())
    return kinds, re.compile(rf"_(?:{'|'.join(parts)})\Z", re.ASCII)


def _read_time(text: str, style: Style) -> tuple[str, int] | None:
    """The timestamp and the ordinal after it, by the style's own format first."""
    for timestamp_format in (style.timestamp_format, *GUIDE_TIMESTAMPS):
        if is_timestamp(text, timestamp_format):
            return text, 1
        match = _ORDINAL.fullmatch(text)
        if match is not None and is_timestamp(match["timestamp"], timestamp_format):
            return match["timestamp"], int(match["ordinal"])
    return None

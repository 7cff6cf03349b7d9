"""Holding names against the templates of a format: every way to read one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Mapping, NamedTuple, Pattern

from naming.scheme import (
    ARCH,
    DATASET,
    EXTRAS_PART,
    NUMBER,
    PART,
    SWITCH,
    TIME_PART,
    Kind,
    Scheme,
    Template,
)
from naming.style import Style, is_timestamp
from naming.vocabulary import Vocabulary, known_pairs, split_pair

_ORDINAL = re.compile(r"(?P<timestamp>.+)_(?P<ordinal>[2-9]|[1-9]\d+)", re.ASCII)


class Matcher(NamedTuple):
    """What names are held against: a format, its known words, and the times of a style."""

    style: Style
    vocabulary: Vocabulary
    scheme: Scheme

    def read(self, name: str) -> tuple[str, list[dict[str, object]]]:
        """The format of a name and every reading of it; `custom` where it has none."""
        new = self.scheme.new.get(name.partition("_")[0])
        readings = [] if new is None else self._readings(name, new)
        if readings:
            return "current", readings
        readings = self._readings(name, self.scheme.old)
        return ("legacy" if readings else "custom"), readings

    def _readings(self, name: str, template: Template) -> list[dict[str, object]]:
        """Every reading of a name by a template."""
        match = template.pattern.fullmatch(name)
        if match is None:
            return []
        after: dict[str, object] = {}
        pairs, extras = self.split(match["what"], template)
        if EXTRAS_PART in template.names:
            after["extras"] = extras
        if TIME_PART in template.names:
            time = _read_time(match[TIME_PART], self.style)
            if time is None:
                return []
            after["timestamp"], after["ordinal"] = time
        fields: dict[str, object] = dict.fromkeys(self.scheme.by_name)
        # Where the field that chooses the template is not in it, it is the template's first word.
        fields[self.scheme.chosen_by] = name.partition("_")[0]
        try:
            for field_name, kind in template.valued:
                text = match[field_name]
                if kind.words:
                    fields[field_name] = text
                elif kind is SWITCH:
                    fields[field_name] = text is not None
                elif text is not None:
                    fields[field_name] = kind.parse(text)
        except ValueError:  # a number that no float can hold
            return []
        readings = [{**fields, ARCH: arch, DATASET: dataset, **after} for arch, dataset in pairs]
        for field in template.conditional:
            readings = [
                reading
                for reading in readings
                if field.fits(reading, self.vocabulary.family(str(reading[ARCH])))
            ]
        return readings

    def split(
        self, text: str, template: Template
    ) -> tuple[list[tuple[str, str]], dict[str, object]]:
        """Every way to split the text where architecture, dataset and extras stand.

        Extras (`bs_128`, `lr_0.1`, `seed_1`) are taken off the end, but a known architecture and
        dataset keep what is theirs, even where it looks like one.

        Returns:
            The pairs of architecture and dataset, and the extras. No pairs where an extra is there
            twice.
        """
        extras: dict[str, object] = {}
        if EXTRAS_PART not in template.names:
            return split_pair(text, self.vocabulary), extras
        kinds, pattern = _extra_parts(self.style, self.scheme)
        match = pattern.search(text)
        while match is not None and not known_pairs(text, self.vocabulary):
            label, value = filter(None, match.groups())
            try:
                parsed = kinds[label].parse(value)
            except ValueError:
                break
            if label in extras:
                return [], {}
            extras = {label: parsed, **extras}
            text = text[: match.start()]
            match = pattern.search(text)
        return split_pair(text, self.vocabulary), extras


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
    for timestamp_format in style.timestamps:
        if is_timestamp(text, timestamp_format):
            return text, 1
        match = _ORDINAL.fullmatch(text)
        if match is not None and is_timestamp(match["timestamp"], timestamp_format):
            return match["timestamp"], int(match["ordinal"])
    return None

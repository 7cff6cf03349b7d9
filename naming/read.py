"""Reading names back: the new format, the old one, and what is neither."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterator, Mapping

from naming import values
from naming.fields import FIELDS, IN_NAMES, IN_OLD_NAMES, NUMBER, Field
from naming.near_miss import near_miss
from naming.style import EXTRAS, GUIDE_STYLE, GUIDE_TIMESTAMPS, Style, is_timestamp
from naming.vocabulary import EXPONENTS_SCHEDULE, VOCABULARY, Vocabulary

LONGEST = 1024
"""No name of ours comes near this length; longer texts are not looked into."""


def _value(field: Field) -> str:
    return f"(?P<{field.name}>{field.kind.pattern})"


def _part(field: Field) -> str:
    return f"(?:_{field.mark}{_value(field)}){'?' if field.optional else ''}"


_CURRENT = {
    struct: re.compile(
        f"{struct}_(?P<what>.+){''.join(map(_part, fields))}_(?P<timestamp>.+)", re.ASCII
    )
    for struct, fields in IN_NAMES.items()
}
_CLOSED = IN_OLD_NAMES[:3]  # of what an old name joins, all but arch and dataset
_LEGACY = re.compile(f"{'_'.join(map(_value, _CLOSED))}_(?P<what>.+)")
_EXTRA = re.compile(rf"_({'|'.join(EXTRAS)})_({NUMBER.pattern})\Z", re.ASCII)
_VARIANT = re.compile("(.+)_[a-z]")
_ORDINAL = re.compile(r"(?P<timestamp>.+)_(?P<ordinal>[2-9]|[1-9]\d+)", re.ASCII)


@dataclass(frozen=True)
class ParsedName:
    """What a name says.

    Attributes:
        name: The name that was read.
        format: `current` (the new format), `legacy` (the old one) or `custom`.
        readings: Each way to read it: one dict a reading, with every key of `FIELDS` (None where
            the name does not say). A name in the new format has `extras` (label to value),
            `timestamp` (as written) and `ordinal` (1 without one) besides.
        reason: Why it is custom, or what makes it ambiguous; else empty.
    """

    name: str
    format: str
    readings: tuple[dict[str, object], ...] = ()
    reason: str = ""

    @property
    def fields(self) -> dict[str, object] | None:
        """The only reading; None where there is none, or more than one."""
        return self.readings[0] if len(self.readings) == 1 else None


def parse_name(
    name: str, *, style: Style = GUIDE_STYLE, vocabulary: Vocabulary = VOCABULARY
) -> ParsedName:
    """Read a run's name.

    Args:
        name: Any text.
        style: Its timestamp format is read besides the two of the guide.
        vocabulary: The architectures and datasets to count on. A name with one side unknown is
            read by the other; with both unknown, every split is a reading.

    >>> parse_name("rsst_x_l1_res18_2_cifar10_trigger").fields["arch"]
    'res18_2'
    >>> parse_name("rsst_x_l1_res18").reason
    'near-miss: an old name without its dataset'
    >>> len(parse_name("rsst_x_l1_my_net_my_data").readings)
    3
    """
    if len(name) > LONGEST:
        return ParsedName(name, "custom", (), f"not-ours: {len(name)} characters long")
    readers = {"current": _read_current, "legacy": _read_legacy}
    for name_format, read in readers.items():
        readings = tuple(read(name, style, vocabulary))
        if readings:
            return ParsedName(name, name_format, readings, _ambiguity(readings))

    def reads(other: str) -> bool:
        return any(any(read(other, style, vocabulary)) for read in readers.values())

    reason = near_miss(name, reads, vocabulary) or "not-ours: a name of another kind"
    return ParsedName(name, "custom", (), reason)


def _read_current(name: str, style: Style, vocabulary: Vocabulary) -> Iterator[dict[str, object]]:
    struct = name.partition("_")[0]
    match = _CURRENT[struct].fullmatch(name) if struct in _CURRENT else None
    if match is None:
        return
    time = _read_time(match["timestamp"], style)
    what, extras = _take_extras(match["what"], vocabulary)
    if time is None or extras is None:
        return
    try:
        said = {field.name: field.read(match[field.name]) for field in IN_NAMES[struct]}
    except ValueError:
        return
    for arch, dataset in split_pair(what, vocabulary):
        if _exponents_fit(said, vocabulary.family(arch)):
            yield {
                **dict.fromkeys(FIELDS),
                **said,
                "struct": struct,
                "arch": arch,
                "dataset": dataset,
                "extras": extras,
                "timestamp": time[0],
                "ordinal": time[1],
            }


def _exponents_fit(said: Mapping[str, object], family: str) -> bool:
    """Whether exponents stand where they may: CNNs have them in the January names only."""
    exponents = said.get("exponents")
    if said.get("schedule") != EXPONENTS_SCHEDULE:
        return exponents is None
    return exponents is not None or family in ("cnn", "other")


def _read_legacy(name: str, style: Style, vocabulary: Vocabulary) -> Iterator[dict[str, object]]:
    match = _LEGACY.fullmatch(name)
    if match is None:
        return
    for arch, dataset in split_pair(match["what"], vocabulary):
        yield {
            **dict.fromkeys(FIELDS),
            **{field.name: match[field.name] for field in _CLOSED},
            "arch": arch,
            "dataset": dataset,
        }


def split_pair(text: str, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    """Every plausible way to split `{arch}_{dataset}`, which may both contain `_`.

    Splits into two known words come first and alone. Next come those with one known word, the
    longest there is on either side (a known dataset first: people add models more often). With
    neither known, every split is as good as another. There is none where the text is not a pair:
    one known word alone, two in the wrong order, or a known pair with more text behind it (where
    `cifar100_c` is no such text, but the name of a dataset).

    >>> split_pair("vit_small_imagenet_imagenet", VOCABULARY)
    [('vit_small_imagenet', 'imagenet')]
    >>> split_pair("mobilenet_v2_cifar10", VOCABULARY)
    [('mobilenet_v2', 'cifar10'), ('mobilenet', 'v2_cifar10')]
    """
    if not values.is_word(text):
        return []
    both = _known_pairs(text, vocabulary)
    if both:
        return both
    pairs = list(_pairs(text))
    with_arch = [pair for pair in pairs if pair[0] in vocabulary.architectures]
    with_dataset = [pair for pair in pairs if pair[1] in vocabulary.datasets]
    alone = text in vocabulary.architectures or text in vocabulary.datasets
    # The longest known architecture decides: in vit_small_imagenet_food101, "imagenet" is its own.
    if alone or any(_is_trailed(pair[1], vocabulary) for pair in with_arch[-1:]):
        return []
    if with_dataset or with_arch:
        return with_dataset[:1] + with_arch[-1:]
    swapped = any(a in vocabulary.datasets and b in vocabulary.architectures for a, b in pairs)
    return [] if swapped else pairs


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for i in range(1, len(text) - 1):
        if text[i] == "_":
            yield text[:i], text[i + 1 :]


def _known_pairs(text: str, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    return [
        (arch, dataset)
        for arch, dataset in _pairs(text)
        if arch in vocabulary.architectures and dataset in vocabulary.datasets
    ]


def _is_trailed(text: str, vocabulary: Vocabulary) -> bool:
    """Whether text is a known dataset and more after it: `cifar10_v2`, `cifar10-old`.

    `cifar100_c` is a dataset of its own: variants of known ones are named so, by a single letter
    (CIFAR-100-C and ImageNet-C of github.com/hendrycks/robustness, ImageNet-A and -O, -R).
    """
    variant = _VARIANT.fullmatch(text)
    if variant is not None and variant[1] in vocabulary.datasets:
        return False
    words = re.finditer(r"[^A-Za-z0-9]", text)
    return any(text[: word.start()] in vocabulary.datasets for word in words)


def _take_extras(text: str, vocabulary: Vocabulary) -> tuple[str, dict[str, object] | None]:
    """Take `bs_128`, `lr_0.1` and `seed_1` off the end; None for one that stands there twice.

    What is left of a known architecture and dataset is theirs, even where it looks like an extra.
    """
    extras: dict[str, object] = {}
    match = _EXTRA.search(text)
    while match is not None and not _known_pairs(text, vocabulary):
        label, digits = match.groups()
        parse = EXTRAS[label][1]
        try:
            value = parse(digits)
        except ValueError:
            break
        if label in extras:
            return text, None
        extras = {label: value, **extras}
        text = text[: match.start()]
        match = _EXTRA.search(text)
    return text, extras


def _read_time(text: str, style: Style) -> tuple[str, int] | None:
    """The timestamp and the ordinal behind it, by the style's own format first."""
    for timestamp_format in (style.timestamp_format, *GUIDE_TIMESTAMPS):
        if is_timestamp(text, timestamp_format):
            return text, 1
        match = _ORDINAL.fullmatch(text)
        if match is not None and is_timestamp(match["timestamp"], timestamp_format):
            return match["timestamp"], int(match["ordinal"])
    return None


def _ambiguity(readings: tuple[dict[str, object], ...]) -> str:
    if len(readings) == 1:
        return ""
    shown = " or ".join("{arch} on {dataset}".format(**reading) for reading in readings[:3])
    more = f" or {len(readings) - 3} more" if len(readings) > 3 else ""
    return f"ambiguous: {shown}{more}"

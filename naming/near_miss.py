"""Why a name that is almost one of ours is none: the words for its reason."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Callable

from naming.fields import IN_NAMES, IN_OLD_NAMES, Field
from naming.vocabulary import CRITERIA, SCHEDULES, STRUCTS, Vocabulary

_REQUIRED = {
    struct: tuple(field for field in fields if not field.optional)
    for struct, fields in IN_NAMES.items()
}
_OLD_PARTS = tuple(field.name for field in IN_OLD_NAMES)
_WRONG_CASE = "wrong case, our names have small letters only"
_CLOSED_WORDS = {
    **dict.fromkeys(CRITERIA, "criteria"),
    **dict.fromkeys(SCHEDULES, "schedule"),
    **dict.fromkeys(STRUCTS, "struct"),
}
_TIMED = re.compile(r"(.*_(?:\d{4}_\d{4}|\d{8}_\d{6}))(.+)", re.ASCII | re.DOTALL)

# Parts that read behind any arch and dataset, and before any time.
_GOOD_PARTS = {
    struct: "".join(
        f"_{field.mark}{field.kind.example}" for field in fields if field.name != "exponents"
    )
    for struct, fields in IN_NAMES.items()
}


def near_miss(name: str, reads: Callable[[str], bool], vocabulary: Vocabulary) -> str | None:
    """What is off in a name that does not read.

    Args:
        name: A name that is neither in the new format nor in the old one.
        reads: Whether another name is.
        vocabulary: The architectures and datasets to count on.

    Returns:
        `near-miss: ` and words, or None where the name is nowhere near.
    """
    if reads(name.lower()):
        return f"near-miss: {_WRONG_CASE}"
    if reads(name.strip()):
        return "near-miss: white space around the name"
    words = _new_format(name, reads, vocabulary) or _old_format(name, reads, vocabulary)
    return None if words is None else f"near-miss: {words}"


def _new_format(name: str, reads: Callable[[str], bool], vocabulary: Vocabulary) -> str | None:
    timed = _TIMED.fullmatch(name)
    if timed and reads(timed[1]):
        return f"trailing text {timed[2]!r} behind a name of the new format"
    for struct in STRUCTS:
        start = name.find(f"_{struct}_") + 1
        if start and reads(name[start:]):
            return f"text {name[:start]!r} before a name of ours"

    text = f"{name.lower()}_"
    refill = text.startswith("refill_") or ("_fill_" in text and not text.startswith("rsst_"))
    struct = "refill" if refill else "rsst"
    parts = {_label(field): text.rfind(f"_{field.mark}") for field in _REQUIRED[struct]}
    absent = [part for part, place in parts.items() if place < 0]
    ours = text.startswith(f"{struct}_")
    if len(parts) - len(absent) < (2 if ours else 3):
        return None
    if not ours:
        return f"a name of the new format begins with {' or '.join(STRUCTS)}"
    if absent:
        return f"without its {' and '.join(absent)}"
    ordered = sorted(parts, key=parts.__getitem__)
    if ordered != list(parts):
        return f"wrong order: {', '.join(ordered)} should be {', '.join(parts)}"
    return _wrong_value(name, struct, reads, vocabulary)


def _label(field: Field) -> str:
    return field.mark.rstrip("_")


def _wrong_value(
    name: str, struct: str, reads: Callable[[str], bool], vocabulary: Vocabulary
) -> str:
    """Which value of a name with all parts in order is none that the part can have."""
    said: dict[str, str] = {}
    start = name
    for field in reversed(_REQUIRED[struct]):
        start, mark, said[field.name] = start.rpartition(f"_{field.mark}")
        if not mark:
            return f"{_label(field)} has no value" if name == name.lower() else _WRONG_CASE
    what = start.partition("_")[2]
    if what in vocabulary.architectures:
        return "without its dataset"
    if what in vocabulary.datasets:
        return "without its architecture"
    if "_" not in what:
        return "without its architecture or dataset"
    if not reads(f"{struct}_{what}{_GOOD_PARTS[struct]}_0101_0000"):
        return f"{what!r} is not an architecture and a dataset"
    last = _REQUIRED[struct][-1]
    said[last.name], mark, rest = said[last.name].partition("_")
    for field in _REQUIRED[struct]:
        text = re.sub(rf"{_optional_behind(field, struct)}\Z", "", said[field.name], flags=re.ASCII)
        if not field.stands(text):
            return f"{_label(field)} is {text!r}"
    time = re.sub(rf"\A{_optional_behind(last, struct)}", "", mark + rest)[1:]
    if not time:
        return "without its timestamp"
    if not reads(f"{struct}_res20s_cifar10{_GOOD_PARTS[struct]}_{time}"):
        return f"{time!r} is not a timestamp"
    return "its exponents do not fit its schedule and architecture"


def _optional_behind(field: Field, struct: str) -> str:
    """The pattern of the optional parts between a part and the next that is not optional."""
    fields = IN_NAMES[struct]
    behind = takewhile(lambda one: one.optional, fields[fields.index(field) + 1 :])
    return "".join(rf"(?:_{one.mark}(?:{one.kind.pattern})(?=_|\Z))?" for one in behind)


def _old_format(name: str, reads: Callable[[str], bool], vocabulary: Vocabulary) -> str | None:
    words = _words(name, vocabulary)
    kinds = [kind for kind, _ in words]
    if kinds[: len(_OLD_PARTS)] == list(_OLD_PARTS):
        end = words[len(_OLD_PARTS) - 1][1]
        if not reads(name[:end]):
            return "the parts of an old name are joined with _ alone"
        more = name[end:].lstrip("_- ") or name[end:]
        return f"trailing text {more!r} behind a name of the old format"
    known = [kind for kind in kinds if kind is not None]
    if len(known) != len(set(known)) or len(known) < 3:
        return None
    if "schedule" not in known and "criteria" not in known:
        return None
    if known != sorted(known, key=_OLD_PARTS.index):
        return f"wrong order: {', '.join(known)} should be {', '.join(_OLD_PARTS)}"
    absent = [part for part in _OLD_PARTS if part not in known]
    if absent == ["arch", "dataset"] and kinds[-1] is None:
        return "an old name without its arch or dataset"
    if absent:
        return f"an old name without its {' and '.join(absent)}"
    return "other text among the parts of an old name"


def _words(name: str, vocabulary: Vocabulary) -> list[tuple[str | None, int]]:
    """The words of a name: which part of an old name each is, if any, and where it ends."""
    tokens = re.split("([^A-Za-z0-9^])", name)
    found: list[tuple[str | None, int]] = []
    place = 0
    while tokens:
        for size in range(min(len(tokens), 7), 0, -1):
            word = "".join(tokens[:size])
            kind = _kind(word, vocabulary)
            if kind is not None or size == 1:
                found.append((kind, place + len(word)))
                place += len("".join(tokens[: size + 1]))
                del tokens[: size + 1]
                break
    return found


def _kind(word: str, vocabulary: Vocabulary) -> str | None:
    if word in _CLOSED_WORDS:
        return _CLOSED_WORDS[word]
    if word in vocabulary.architectures:
        return "arch"
    return "dataset" if word in vocabulary.datasets else None

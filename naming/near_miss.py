"""Why a name that is almost one of ours is none: the words for its reason."""

from __future__ import annotations

import re
from typing import Callable

from naming import values
from naming.style import GUIDE_TIMESTAMPS, is_timestamp
from naming.vocabulary import CRITERIA, SCHEDULES, STRUCTS, Vocabulary

_NEW_PARTS = {"rsst": ("sched", "reg", "crit", "rate"), "refill": ("fill", "crit", "rate")}
_CLOSED = {"sched": SCHEDULES, "crit": CRITERIA}
_OLD_PARTS = ("struct", "schedule", "criteria", "arch", "dataset")
_TIMED = re.compile(r"(.*_(?:\d{4}_\d{4}|\d{8}_\d{6}))(.+)", re.ASCII | re.DOTALL)


def near_miss(name: str, reads: Callable[[str], bool], vocabulary: Vocabulary) -> str | None:
    """What is off in a name that does not read.

    Args:
        name: A name that is neither in the new format nor in the old one.
        reads: Whether another name is.
        vocabulary: The architectures and datasets to count on.

    Returns:
        `near-miss: ` and words, or None where the name is nowhere near.
    """
    if name.lower() != name and reads(name.lower()):
        return "near-miss: wrong case, our names have small letters only"
    if name.strip() != name and reads(name.strip()):
        return "near-miss: white space around the name"
    words = _new_format(name, reads, vocabulary) or _old_format(name, vocabulary)
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
    struct = "refill" if text.startswith("refill_") or "_fill_" in text else "rsst"
    parts = _NEW_PARTS[struct]
    places = {part: text.find(f"_{part}_") for part in parts}
    present = [part for part in parts if places[part] >= 0]
    ours = text.startswith((f"{struct}_", f"{struct.upper()}_"))
    if len(present) < (2 if ours else 3):
        return None
    if not ours:
        return f"a name of the new format begins with {' or '.join(STRUCTS)}"
    absent = [part for part in parts if places[part] < 0]
    if absent:
        return f"without its {' and '.join(absent)}"
    ordered = sorted(parts, key=places.__getitem__)
    if tuple(ordered) != parts:
        return f"wrong order: {', '.join(ordered)} should be {', '.join(parts)}"
    return _wrong_value(name, parts, vocabulary)


def _wrong_value(name: str, parts: tuple[str, ...], vocabulary: Vocabulary) -> str:
    """Which value of a name with all parts in order is none that the part can have."""
    pattern = "(.*)" + "".join(f"_{part}_(.*)" for part in parts)
    match = re.fullmatch(pattern, name, re.DOTALL)
    if match is None:
        return "wrong case, our names have small letters only"
    start, *found = match.groups()
    what = start.partition("_")[2]
    if what in vocabulary.architectures:
        return "without its dataset"
    if what in vocabulary.datasets:
        return "without its architecture"
    if "_" not in what:
        return "without its architecture or dataset"
    rate, _, rest = found[-1].partition("_")
    for part, text in zip(parts, [*found[:-1], rate]):
        if part in _CLOSED:
            if text not in _CLOSED[part]:
                return f"{part} is {text!r}"
        elif not _is_number(text.partition("_")[0]):
            return f"{part} is {text!r}"
    time = re.sub("^(pretrained_?)?(struct_(head|mlp|both)_?)?", "", rest)
    if not time:
        return "without its timestamp"
    if not any(is_timestamp(time, timestamp_format) for timestamp_format in GUIDE_TIMESTAMPS):
        return f"{time!r} is not a timestamp"
    return "its exponents do not fit its schedule and architecture"


def _old_format(name: str, vocabulary: Vocabulary) -> str | None:
    kinds = _kinds_of_words(name, vocabulary)
    known = [kind for kind in kinds if kind in _OLD_PARTS]
    absent = [part for part in _OLD_PARTS if part not in known]
    if len(known) != len(set(known)) or len(known) < 3:
        return None
    if not known or not ("schedule" in known or "criteria" in known):
        return None
    if not absent and kinds[: len(_OLD_PARTS)] == list(_OLD_PARTS):
        return f"trailing text {kinds[-1]!r} behind a name of the old format"
    if known != sorted(known, key=_OLD_PARTS.index):
        return f"wrong order: {', '.join(known)} should be {', '.join(_OLD_PARTS)}"
    if absent:
        return f"an old name without its {' and '.join(absent)}"
    return "other text between the parts of an old name"


def _kinds_of_words(name: str, vocabulary: Vocabulary) -> list[str]:
    """What each word of the name is: a part of an old name, or the word itself."""
    kinds = {
        **dict.fromkeys(vocabulary.datasets, "dataset"),
        **dict.fromkeys(vocabulary.architectures, "arch"),
        **dict.fromkeys(CRITERIA, "criteria"),
        **dict.fromkeys(SCHEDULES, "schedule"),
        **dict.fromkeys(STRUCTS, "struct"),
    }
    tokens = re.split("([^A-Za-z0-9^])", name)
    found: list[str] = []
    while tokens:
        for size in range(min(len(tokens), 7), 0, -1):
            words = "".join(tokens[:size])
            if words in kinds:
                found.append(kinds[words])
                del tokens[: size + 1]
                break
        else:
            found.append(tokens[0])
            del tokens[:2]
    return found


def _is_number(text: str) -> bool:
    try:
        values.number(text)
    except ValueError:
        return False
    return True

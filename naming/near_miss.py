"""Why a name that is almost one of ours is none: the words for its reason."""

from __future__ import annotations

import re
from typing import Callable

from naming.vocabulary import CRITERIA, SCHEDULES, STRUCTS, Vocabulary

_NEW_PARTS = {"rsst": ("sched", "reg", "crit", "rate"), "refill": ("fill", "crit", "rate")}
_WRONG_CASE = "wrong case, our names have small letters only"
_OLD_PARTS = ("struct", "schedule", "criteria", "arch", "dataset")
_CLOSED_WORDS = {
    **dict.fromkeys(CRITERIA, "criteria"),
    **dict.fromkeys(SCHEDULES, "schedule"),
    **dict.fromkeys(STRUCTS, "struct"),
}
_TIMED = re.compile(r"(.*_(?:\d{4}_\d{4}|\d{8}_\d{6}))(.+)", re.ASCII | re.DOTALL)

# Names that read whatever the vocabulary is. Where one does not any more with a value of another
# name in it, that value is wrong.
_GOOD_NAMES = {
    "rsst": "rsst_{what}_sched_{sched}_reg_{reg}_crit_{crit}_rate_{rate}_pretrained"
    "_struct_head_{time}",
    "refill": "refill_{what}_fill_{fill}_crit_{crit}_rate_{rate}_pretrained_struct_head_{time}",
}
_GOOD = {
    "what": "res20s_cifar10",
    "time": "0101_0000",
    "sched": "x",
    "reg": "1.0",
    "fill": "1.0",
    "crit": "l1",
    "rate": "1.0",
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
    parts = _NEW_PARTS[struct]
    places = {part: text.rfind(f"_{part}_") for part in parts}
    present = [part for part in parts if places[part] >= 0]
    ours = text.startswith(f"{struct}_")
    if len(present) < (2 if ours else 3):
        return None
    if not ours:
        return f"a name of the new format begins with {' or '.join(STRUCTS)}"
    absent = [part for part in parts if part not in present]
    if absent:
        return f"without its {' and '.join(absent)}"
    ordered = sorted(parts, key=places.__getitem__)
    if tuple(ordered) != parts:
        return f"wrong order: {', '.join(ordered)} should be {', '.join(parts)}"
    return _wrong_value(name, struct, reads, vocabulary)


def _wrong_value(
    name: str, struct: str, reads: Callable[[str], bool], vocabulary: Vocabulary
) -> str:
    """Which value of a name with all parts in order is none that the part can have."""

    def fits(part: str, text: str) -> bool:
        return reads(_GOOD_NAMES[struct].format(**{**_GOOD, part: text}))

    start = name
    said: dict[str, str] = {}
    for part in reversed(_NEW_PARTS[struct]):
        start, mark, text = start.rpartition(f"_{part}_")
        if not mark:
            return f"{part} has no value" if name == name.lower() else _WRONG_CASE
        said = {part: text, **said}
    what = start.partition("_")[2]
    if what in vocabulary.architectures:
        return "without its dataset"
    if what in vocabulary.datasets:
        return "without its architecture"
    if "_" not in what:
        return "without its architecture or dataset"
    if not fits("what", what):
        return f"{what!r} is not an architecture and a dataset"
    said["rate"], _, rest = said["rate"].partition("_")
    if "reg" in said:
        said["reg"] = re.sub(r"_exp-?\d+$", "", said["reg"], flags=re.ASCII)
    for part, text in said.items():
        if not fits(part, text):
            return f"{part} is {text!r}"
    time = re.sub("^(pretrained_?)?(struct_(head|mlp|both)_?)?", "", rest)
    if not time:
        return "without its timestamp"
    if not fits("time", time):
        return f"{time!r} is not a timestamp"
    return "its exponents do not fit its schedule and architecture"


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

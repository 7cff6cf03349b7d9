"""How new names are written where the guide leaves a choice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cached_property, lru_cache
from typing import Mapping, Pattern, Union

from naming.rsst import RSST
from naming.scheme import INTEGER, NUMBER, PART, Kind

EXTRAS = RSST.extras
"""The extra parts of the guide: label in the name, to the argument and the kind of its values."""

GUIDE_TIMESTAMPS = ("%m%d_%H%M", "%Y%m%d_%H%M%S")
"""The two forms of the time that the guide shows; the first is the default."""

_DIRECTIVES = {
    "Y": r"(?P<year>\d{4})",
    "y": r"(?P<short_year>\d\d)",
    "m": r"(?P<month>\d\d)",
    "d": r"(?P<day>\d\d)",
    "H": r"(?P<hour>\d\d)",
    "M": r"(?P<minute>\d\d)",
    "S": r"(?P<second>\d\d)",
}
_LABEL = re.compile(r"[A-Za-z][-\w]*", re.ASCII)
_FORMAT = re.compile(r"(?:%[YymdHMS][-_.:T]*)+")


class StyleError(ValueError):
    """A style that names cannot be written in: the attribute that is not valid, and why."""

    def __init__(self, attribute: str, text: str) -> None:
        self.attribute = attribute
        self.text = text
        super().__init__(f"{attribute}: {text}")


@dataclass(frozen=True)
class Style:
    """A way of writing new names.

    Attributes:
        timestamp_format: `strftime` directives `%Y %y %m %d %H %M %S`, each at most once, with
            `-`, `_`, `.`, `:` or `T` between them.
        extras: What to write after the dataset, in this order: a label of EXTRAS (`bs`), a label
            and the argument that it is for (`ep=epochs`), or an argument alone (`epochs`).
        cnn_exponents: Write `exp{exponents}` for CNN architectures too.

    Raises:
        StyleError: The format or a label is not one of these.

    >>> [(label, key) for label, (key, _) in Style(extras=("bs", "ep=epochs")).parts.items()]
    [('bs', 'batch_size'), ('ep', 'epochs')]
    """

    timestamp_format: str = GUIDE_TIMESTAMPS[0]
    extras: tuple[str, ...] = ()
    cnn_exponents: bool = False

    def __post_init__(self) -> None:
        timestamp_pattern(self.timestamp_format)
        if len(self.parts) != len(self.extras):
            raise StyleError("extras", f"a part is given twice: {','.join(self.extras)}")

    @cached_property
    def timestamps(self) -> tuple[str, ...]:
        """The forms in which a time is read: its own, and those of the guide."""
        return (self.timestamp_format, *GUIDE_TIMESTAMPS)

    @cached_property
    def parts(self) -> Mapping[str, tuple[str, Kind]]:
        """The extra parts: label in the name, to the argument and the kind of its values."""
        parts = {}
        for text in self.extras:
            label, equals, key = (word.strip() for word in text.partition("="))
            if not _LABEL.fullmatch(label):
                raise StyleError(
                    "extras",
                    f"{label!r} is not a label: write LABEL or LABEL=ARGUMENT, "
                    "the label in letters, digits, - and _, as in ep=epochs",
                )
            if equals and not key:
                raise StyleError("extras", f"{text!r} names no argument: write {label}=ARGUMENT")
            key = key or EXTRAS.get(label, (label, PART))[0]
            kind = RSST.kinds.get(key)
            parts[label] = (key, kind if kind in (NUMBER, INTEGER) else PART)
        return parts


def format_timestamp(moment: datetime, timestamp_format: str) -> str:
    """The time as it stands in a name, in the zone that `moment` has.

    >>> format_timestamp(datetime(2026, 1, 8, 14, 30), "%m%d_%H%M")
    '0108_1430'
    """
    # strftime does not pad the years before 1000 on every platform.
    return moment.strftime(timestamp_format.replace("%Y", f"{moment.year:04d}"))


@lru_cache(maxsize=32)
def timestamp_pattern(timestamp_format: str) -> Pattern[str]:
    """The pattern of the texts that a timestamp format writes.

    Raises:
        StyleError: The format has a directive that cannot be read back, or one twice.
    """
    directives = re.findall("%(.)", timestamp_format)
    if not _FORMAT.fullmatch(timestamp_format) or timestamp_format[-1] in "-_.:T":
        raise StyleError(
            "timestamp_format",
            f"{timestamp_format!r} cannot be read back from a name: "
            "use %Y %y %m %d %H %M %S with - _ . : T between them, like %m%d_%H%M",
        )
    if len(set(directives)) != len(directives):
        raise StyleError("timestamp_format", f"{timestamp_format!r} repeats a directive")
    pattern = "".join(
        _DIRECTIVES[part[1]] if part.startswith("%") else re.escape(part)
        for part in re.findall("%.|[^%]+", timestamp_format)
    )
    return re.compile(pattern, re.ASCII)


def is_timestamp(text: str, timestamp_format: str) -> bool:
    """Whether the text is a time in this format: `0229_2359` is one, `0230_2359` is not."""
    match = timestamp_pattern(timestamp_format).fullmatch(text)
    if match is None:
        return False
    parts = {unit: int(digits) for unit, digits in match.groupdict().items()}
    if "short_year" in parts:
        parts.setdefault("year", 2000 + parts.pop("short_year"))
    try:
        # Without a year in it, a name may speak of a 29 February.
        datetime(**{"year": 2000, "month": 1, "day": 1, **parts})  # type: ignore[arg-type]
    except ValueError:
        return False
    return True


def zone(name: Union[str, tzinfo]) -> tzinfo:
    """A time zone from its IANA name (Python 3.9 and later) or its offset from UTC.

    Raises:
        ValueError: `name` is not a time zone.

    >>> zone("+08:00")
    datetime.timezone(datetime.timedelta(seconds=28800))
    """
    if isinstance(name, tzinfo):
        return name
    if name.upper() in ("UTC", "Z"):
        return timezone.utc
    try:
        if name[:1] in ("+", "-"):
            sign = -1 if name[0] == "-" else 1
            moment = datetime.strptime(name[1:], "%H:%M")
            return timezone(sign * timedelta(hours=moment.hour, minutes=moment.minute))
        from zoneinfo import ZoneInfo

        return ZoneInfo(name)
    except ImportError:  # Python 3.8
        raise ValueError(
            f"zone names like {name!r} need Python 3.9: write an offset like +08:00"
        ) from None
    except (KeyError, OSError, ValueError):
        raise ValueError(
            f"{name!r} is not a time zone: write one like UTC, Asia/Shanghai or +08:00"
        ) from None


GUIDE_STYLE = Style()
"""The way the guide's examples are written."""

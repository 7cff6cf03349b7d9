"""Reading names: the new format, the old one, and names in neither."""

from __future__ import annotations

from dataclasses import dataclass

from naming.match import Matcher
from naming.near_miss import Reason, near_miss
from naming.rsst import RSST
from naming.scheme import ARCH, DATASET, Scheme
from naming.style import GUIDE_STYLE, Style
from naming.vocabulary import VOCABULARY, Vocabulary

LONGEST = 1024
"""Our names are never near this length; longer texts are not looked into."""


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
        style: Its timestamp format and its extra parts are read besides those of the guide.
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
    matcher = Matcher(style, vocabulary, scheme)
    name_format, readings = matcher.read(name)
    if not readings:
        return ParsedName(name, "custom", (), near_miss(name, matcher) or Reason("not-ours"))
    why = Reason("ambiguous") if len(readings) > 1 else None
    return ParsedName(name, name_format, tuple(readings), why)

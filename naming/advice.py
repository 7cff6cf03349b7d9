"""The guide's advice on names that people pick."""

from __future__ import annotations

import re
from typing import NamedTuple

from naming.write import MAX_LENGTH

READABLE_LENGTH = 48
"""The guide calls 61 characters too long to read; its longest good name has 36."""

_PLAIN = re.compile(
    r"(test|run|exp|try|tmp|temp|debug|demo|foo|new|final|experiment)?[-_.]?\d*", re.I
)


class Advice(NamedTuple):
    """One piece of advice: its code, what it says in English, and the guide's own words."""

    code: str
    text: str
    guide: str


def advise(name: str) -> tuple[Advice, ...]:
    """The guide's advice on a name that a person picked; nothing for a good one.

    >>> [advice.code for advice in advise("test1")]
    ['too-plain']
    >>> advise("paper_fig3_vit_cifar10")
    ()
    """
    if _PLAIN.fullmatch(name) or len(name) < 4:
        return (Advice("too-plain", "too plain to tell runs apart", "名称太简单，难以区分"),)
    found = []
    if len(name) > READABLE_LENGTH:
        more = f"; W&B keeps {MAX_LENGTH} characters" if len(name) > MAX_LENGTH else ""
        text = f"too long to read ({len(name)} characters{more})"
        found.append(Advice("too-long", text, "名称太长，难以阅读"))
    prefix = re.search(r"[^\W_]", name)
    if prefix is None or not re.search("[-_ ./]", name[prefix.end() :]):
        text = "no prefix: give the runs of a series a common one"
        found.append(Advice("no-prefix", text, "系列实验用统一前缀"))
    return tuple(found)

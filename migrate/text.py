"""Other people's text, made harmless: one function for each kind of output.

Run names, config values and server messages may hold anything. No output lets them act:
terminal control sequences, Markdown, spreadsheet formulas, bidirectional overrides, new lines.
Besides, what all our sentences need: numbers of things, the first of many, the word that was meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

from rich.cells import cell_len, chop_cells

# Controls (C0, DEL, C1), line separators, bidirectional marks, surrogates, and what Unicode calls
# Default_Ignorable_Code_Point: zero-width characters, fillers (U+3164), variation selectors (not
# U+FE0F, which emoji are written with); and the blank of Braille.
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# White space other than a space: U+00A0, U+3000.
_BLANK = re.compile(r"[^\S ]")
# What `csv_cell` spells out is read back from these, and from a doubled backslash.
_ESCAPE = r"(?:[nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U000[0-9a-f]{5})"
_AMBIGUOUS = re.compile(rf"\\(?=\\|{_ESCAPE}|{UNSEEN.pattern})")
_ESCAPED = re.compile(rf"\\(?:\\|{_ESCAPE})")
# What a spreadsheet runs as a formula, or reads as a number, a date or a truth: `12e34567` and
# `00012345` are ids, `2026-01-08`, `mar1` and `1,000` are names.
_ACTS = re.compile(
    r"[=+\-@\t\r]|(?:true|false)$|(?=\D*\d)(?:[0-9 \t\n\xa0.,:/%$€£¥()e'+-]|jan(?:uary)?"
    r"|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|jun|july?|aug(?:ust)?|sep(?:t(?:ember)?)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|am|pm)+$",
    re.ASCII | re.IGNORECASE,
)
# A number that it writes back as it was: it keeps 15 digits.
_KEPT_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")


def visible(text: str) -> str:
    r"""The text with everything that is not seen, or changes how the rest is seen, spelled out.

    >>> visible("two\nlines"), visible("\x1b[31mred")
    ('two\\nlines', '\\x1b[31mred')
    """
    return UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def with_blanks_visible(text: str) -> str:
    r"""`visible`, and white space other than a space spelled out as well.

    >>> with_blanks_visible("a b\u3000c")
    'a b\\u3000c'
    """
    return _BLANK.sub(lambda match: match[0].encode("unicode_escape").decode(), visible(text))


def shortened(text: str, width: int) -> str:
    """The text with `…` in place of its middle where it is wider than `width` columns.

    >>> shortened("vit_base_patch16_224_in21k", 20), shortened("模型_数据集", 9)
    ('vit_base_p…224_in21k', '模型…据集')
    """
    if cell_len(text) <= width:
        return text
    half = (width - 1) // 2
    end = text[-half:]
    while cell_len(end) > half:
        end = end[1:]
    return f"{chop_cells(text, width - 1 - half)[0]}…{end}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """So many of something, or what so many do.

    >>> counted(1, "run"), counted(2, "run"), counted(0, "run has", "runs have")
    ('1 run', '2 runs', '0 runs have')
    """
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def first_lines(lines: Sequence[str], most: int) -> list[str]:
    """The first of the lines; in place of the others, how many more there are.

    >>> first_lines(["a", "b", "c"], 1)
    ['a', 'and 2 more']
    """
    more = len(lines) - most
    return [*lines[:most], f"and {more} more"] if more > 0 else [*lines]


def few(words: Sequence[str], most: int) -> str:
    """The first of the words, and how many more there are; all where only one would be left out.

    >>> few(["a", "b", "c"], 1), few(["a", "b"], 1)
    ('a and 2 more', 'a, b')
    """
    if len(words) <= most + 1:
        return ", ".join(words)
    return f"{', '.join(words[:most])} and {len(words) - most} more"


def code_span(text: str) -> str:
    """The text as a code span in Markdown, in which nothing of it acts.

    >>> code_span("<b>_x_"), code_span("a`b"), code_span("`a"), code_span("")
    ('`<b>_x_`', '``a`b``', '`` `a ``', '')
    """
    shown = visible(text)
    if not shown:
        return ""
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    # A backtick would be taken for a part of the fence, and a space at both ends for padding.
    pad = " " if shown.strip(" ") and (shown[0] in " `" or shown[-1] in " `") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def csv_cell(text: str) -> str:
    r"""Text for a CSV cell that no spreadsheet runs, or takes for something else than text.

    It gets a leading `'`; so does a text that would otherwise lose one in `from_csv_cell`.
    What is not seen is spelled out, so that the file can be printed on a terminal; a backslash
    that would look like the beginning of that is doubled.

    >>> csv_cell("=1+1"), csv_cell("'=1+1"), csv_cell("12e34567"), csv_cell("609354432")
    ("'=1+1", "''=1+1", "'12e34567", '609354432')
    >>> print(csv_cell("\x1b[31m"), csv_cell(r"\x1b[31m"), csv_cell(r"a\b"))
    \x1b[31m \\x1b[31m a\b
    """
    cell = visible(_AMBIGUOUS.sub(r"\\\\", text))
    acts = _ACTS.match(cell.lstrip("'")) and not _KEPT_NUMBER.fullmatch(cell)
    return f"'{cell}" if acts else cell


def from_csv_cell(cell: str) -> str:
    """What `csv_cell` was given."""
    if cell.startswith("'") and _ACTS.match(cell.lstrip("'")):
        cell = cell[1:]
    return _ESCAPED.sub(lambda match: match[0].encode().decode("unicode_escape"), cell)


def did_you_mean(word: str, known: Sequence[str], otherwise: str | None = None) -> str:
    """The nearest of the known words, as a question; where none is near, `otherwise`, or all.

    >>> did_you_mean("vit_smal", ["vit_small", "res18"]), did_you_mean("linear", ["x", "exp"])
    ('did you mean vit_small?', 'known are x, exp')
    """
    if near := get_close_matches(word, known, 1):
        return f"did you mean {near[0]}?"
    return f"known are {', '.join(known)}" if otherwise is None else otherwise

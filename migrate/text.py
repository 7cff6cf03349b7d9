"""Other people's text, made harmless: one function for each kind of output.

Run names, config values and server messages may hold anything. No output lets them act:
terminal control sequences, Markdown, spreadsheet formulas, bidirectional overrides, new lines.
"""

from __future__ import annotations

import re

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
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~@:&$^=-])")
# What a spreadsheet runs as a formula, or reads as a number, a date or a truth: `12e34567` and
# `00012345` are ids, `2026-01-08`, `mar1` and `1,000` are names. The HTML report has it, too.
_ACTS = re.compile(
    r"[=+\-@\t\r]|(?:true|false)$|(?=\D*\d)(?:[0-9 \t\n\xa0.,:/%$€£¥()e'+-]|jan(?:uary)?"
    r"|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|jun|july?|aug(?:ust)?|sep(?:t(?:ember)?)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|am|pm)+$",
    re.ASCII | re.IGNORECASE,
)


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


def markdown(text: str) -> str:
    r"""The text for a cell of a Markdown table, with nothing in it that Markdown would act on.

    >>> markdown("a|b <i>")
    'a\\|b \\<i\\>'
    """
    # An entity instead of a backslash where GitHub links and mentions whatever the backslashes.
    escaped = _MARKDOWN.sub(r"\\\1", visible(text))
    return escaped.replace("\\@", "&#64;").replace("\\:", "&#58;").replace("www.", "www&#46;")


def csv_cell(text: str) -> str:
    """Text for a CSV cell that no spreadsheet runs, or takes for something else than text.

    It gets a leading `'`; so does a text that would otherwise lose one in `from_csv_cell`.

    >>> csv_cell("=1+1"), csv_cell("'=1+1"), csv_cell("12e34567"), csv_cell("plain")
    ("'=1+1", "''=1+1", "'12e34567", 'plain')
    """
    return f"'{text}" if _ACTS.match(text.lstrip("'")) else text


def from_csv_cell(cell: str) -> str:
    """What `csv_cell` was given."""
    return cell[1:] if cell.startswith("'") and _ACTS.match(cell.lstrip("'")) else cell

"""Rows as one HTML file that needs nothing else: no network, no other file, no server.

A Jinja2 template writes it. What other people named goes through `visible` and is escaped, on
both ways into the page: as text of the template, and as JSON that `report.js` reads and shows
as text. The policy in the page allows exactly the one style sheet and the one script in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Hashable, Iterable, Sequence
from importlib.resources import files
from itertools import chain, pairwise
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from migrate.mapping.rows import STATUSES, Row, Settled
from migrate.report import charts, chinese
from migrate.report.audit import audit
from migrate.report.columns import COLUMNS, flat, utc_text
from migrate.report.marks import Span, marks, settled_places
from migrate.report.origin import Origin
from migrate.report.words import WORDS, clause, made_with_lines, settled_clause, source_text
from migrate.text import csv_cell, shortened, visible
from naming import VOCABULARY

if TYPE_CHECKING:
    from migrate.mapping.references import References


def write(rows: Sequence[Row], origin: Origin) -> bytes:
    """The rows as an HTML file."""
    from jinja2 import Environment, StrictUndefined  # no other format needs it
    from markupsafe import Markup

    # Every value that the template shows comes by here; only what this module made is markup.
    def finalize(value: object) -> object:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clip"] = _clip
    environment.globals |= {"charts": charts, "chinese": chinese.clause, "link": _link}
    style, script = _part("report.css"), _part("report.js")
    projects = sorted({*origin.projects, *(row.key.where for row in rows)})
    page = environment.from_string(_part("report.html.jinja")).render(
        audit=audit("all", rows),
        data=Markup(_script_json(_data(rows, origin, several=len(projects) > 1))),
        policy=_policy(style, script),
        projects=[
            (f"{entity}/{project}", _address(origin.app_url, entity, project))
            for entity, project in projects
        ],
        made_with=[] if origin.made_with is None else made_with_lines(origin.made_with),
        parts=origin.parts(rows),
        read_at=origin.read_at,
        references=_references(origin.references),
        read_at_iso=utc_text(origin.read_at),
        script=Markup(script),
        server=origin.app_url,
        style=Markup(style),
        words=WORDS,
    )
    return page.encode()


def _references(found: Sequence[References] | None) -> dict[str, object] | None:
    """What the section on views, reports and automations shows; None without one."""
    if found is None:
        return None
    from migrate.report import references  # few reports have it

    return {
        "rows": references.as_objects(found),
        "kinds": references.KINDS_ZH,
        "projects": found,
        "skipped": [
            (*references.SKIPPED[code], number)
            for code, number in references.skipped_of(found).items()
        ],
        "failures": references.failures(found),
    }


def _part(name: str) -> str:
    return (files("migrate.report") / "page" / name).read_text(encoding="utf-8")


def _clip(text: str, width: int) -> str:
    return shortened(visible(text), width)


def _policy(style: str, script: str) -> str:
    """The Content-Security-Policy: this style and this script by their hashes, nothing else."""
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _address(app_url: str, *path: str) -> str | None:
    """The address of a page on the server; None where it cannot have one."""
    if urlsplit(app_url).scheme not in ("http", "https"):
        return None
    try:
        return "/".join([app_url, *(quote(part, safe="") for part in path)])
    except UnicodeEncodeError:  # half a surrogate pair has no place in a URL
        return None


def _link(**facets: str | None) -> str:
    """The address on this page of the runs with these values; None where it is not known.

    >>> _link(arch="vit_small", dataset=None)
    '#arch=vit_small&dataset=%3F'
    """
    return "#" + urlencode({name: visible(value or "?") for name, value in facets.items()})


def _data(rows: Sequence[Row], origin: Origin, *, several: bool) -> dict[str, object]:
    """What `report.js` reads: the columns of the CSV, and what the table needs besides."""
    flat_rows = [flat(row) for row in rows]
    values = {name: [row[name] for row in flat_rows] for name in COLUMNS}
    columns: dict[str, list[Hashable]] = {
        name: [_text(value) for value in column] for name, column in values.items()
    }
    names = [_names(row) for row in rows]
    columns["old_name"] = [old for old, _ in names]
    columns["new_name"] = [new for _, new in names]
    archs = [row.fields.get("arch") for row in rows]
    columns["family"] = [VOCABULARY.family(str(arch)) if arch else None for arch in archs]
    columns["codes"] = [row.codes for row in rows]
    columns["reasons"] = [_clauses(row) for row in rows]
    columns["rules"] = [_rules(row) for row in rows]
    columns["page"] = [
        _address(origin.app_url, *row.key.where, "runs", row.key.run_id) for row in rows
    ]
    return {
        "several": several,
        "csv": COLUMNS,
        "statuses": STATUSES,
        "words": WORDS,
        "chinese": {
            english: visible(words)
            for row in rows
            for english, words in (
                *zip(_clauses(row), map(chinese.clause, row.reasons), strict=True),
                *zip(_rules(row), map(chinese.settled_clause, row.settled), strict=True),
            )
        },
        "columns": {name: _packed(column) for name, column in columns.items()},
        "cells": {name: _odd_cells(column) for name, column in values.items()},
    }


def _text(value: object) -> str | None:
    """A value as it is shown. JavaScript would write 1.0 as 1 and 1e-05 as 0.00001."""
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else visible(str(value))


def _odd_cells(column: Iterable[object]) -> dict[int, str]:
    """The CSV cells that are not what is shown of their value, by place in the column."""
    texts = {place: value for place, value in enumerate(column) if isinstance(value, str)}
    cells = {place: csv_cell(text) for place, text in texts.items()}
    return {place: cell for place, cell in cells.items() if cell != visible(texts[place])}


def _clauses(row: Row) -> tuple[str, ...]:
    return tuple(visible(clause(reason)) for reason in row.reasons)


def _rules(row: Row) -> tuple[str, ...]:
    return tuple(map(_rule, row.settled))


def _rule(part: Settled) -> str:
    return visible(f"{settled_clause(part)} · {source_text(part.source)}")


Piece = str | tuple[str, bool, str]
"""A piece of a name; with whether the run's other name has not got it, and the rule behind it."""


def _names(row: Row) -> tuple[tuple[Piece, ...], tuple[Piece, ...] | None]:
    """The old and the new name, in pieces."""
    if row.new_name is None:
        return (visible(row.old_name),), None
    found = marks(row.old_name, row.new_name, row.fields)
    rules = settled_places(row.new_name, row.fields, row.settled)
    return _pieces(row.old_name, found.dropped, ()), _pieces(row.new_name, found.added, rules)


def _pieces(
    name: str, own: Sequence[Span], rules: Sequence[tuple[Span, Settled]]
) -> tuple[Piece, ...]:
    """A name cut where its own parts, and those that rules supplied, begin and end.

    >>> _pieces("a_b_reg_1.0", [(4, 11)], ())
    ('a_b_', ('reg_1.0', True, ''))
    """
    spans = [*own, *(span for span, _ in rules)]
    made: list[Piece] = []
    for start, end in pairwise(sorted({0, len(name), *chain.from_iterable(spans)})):
        is_own = any(first <= start < last for first, last in own)
        rule = next((_rule(part) for (first, last), part in rules if first <= start < last), "")
        text = visible(name[start:end])
        made.append((text, is_own, rule) if is_own or rule else text)
    return tuple(made)


def _packed(column: Sequence[Hashable]) -> object:
    """A column as it is, or where values repeat as each value once and its places."""
    places: dict[Hashable, int] = {}
    at = [places.setdefault(value, len(places)) for value in column]
    return column if len(places) > len(column) / 2 else {"values": list(places), "at": at}


def _script_json(data: object) -> str:
    r"""JSON that can stand in a <script> and in UTF-8, whatever texts are in it.

    >>> _script_json("</script>\u2028\ud800")
    '"\\u003c/script\\u003e\\u2028\\ud800"'
    """
    text = json.dumps(data, separators=(",", ":"))  # ASCII only
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text

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
from urllib.parse import quote, urlsplit

from migrate.mapping.rows import STATUSES, Row
from migrate.report import charts
from migrate.report.audit import audit
from migrate.report.columns import COLUMNS, flat, utc_text
from migrate.report.marks import Span, marks
from migrate.report.source import Source
from migrate.report.words import WORDS
from migrate.text import UNSEEN, csv_cell, shortened, visible
from naming import VOCABULARY

if TYPE_CHECKING:
    from migrate.mapping.references import References


def write(rows: Sequence[Row], source: Source) -> bytes:
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
    style, script = _part("report.css"), _part("report.js")
    projects = sorted({*source.projects, *(row.key.where for row in rows)})
    page = environment.from_string(_part("report.html.jinja")).render(
        audit=audit("all", rows),
        charts=charts,
        data=Markup(_script_json(_data(rows, source, several=len(projects) > 1))),
        policy=_policy(style, script),
        projects=[
            (f"{entity}/{project}", _address(source.app_url, entity, project))
            for entity, project in projects
        ],
        parts=source.parts(rows),
        read_at=source.read_at,
        references=_references(source.references),
        read_at_iso=utc_text(source.read_at),
        script=Markup(script),
        server=source.app_url,
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


def _data(rows: Sequence[Row], source: Source, *, several: bool) -> dict[str, object]:
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
    columns["page"] = [
        _address(source.app_url, *row.key.where, "runs", row.key.run_id) for row in rows
    ]
    return {
        "several": several,
        "unseen": UNSEEN.pattern,
        "csv": COLUMNS,
        "statuses": STATUSES,
        "words": WORDS,
        "columns": {name: _packed(column) for name, column in columns.items()},
        "cells": {name: _odd_cells(column) for name, column in values.items()},
    }


def _text(value: object) -> str | None:
    """A value as the CSV writes it. JavaScript would write 1.0 as 1 and 1e-05 as 0.00001."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _odd_cells(column: Iterable[object]) -> dict[int, str]:
    """The CSV cells that are not the text of their value, by place in the column."""
    cells = {}
    for place, value in enumerate(column):
        if isinstance(value, str):
            cell = csv_cell(value)
            if cell != value:
                cells[place] = cell
    return cells


def _names(row: Row) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """The old and the new name, each in parts: shared, its own, shared, and so on."""
    if row.new_name is None:
        return (row.old_name,), None
    found = marks(row.old_name, row.new_name, row.fields)
    return _parts(row.old_name, found.dropped), _parts(row.new_name, found.added)


def _parts(name: str, spans: Iterable[Span]) -> tuple[str, ...]:
    """A name cut where spans begin and end: they are every second part.

    >>> _parts("a_b_reg_1.0", [(4, 11)])
    ('a_b_', 'reg_1.0', '')
    """
    edges = [0, *chain.from_iterable(spans), len(name)]
    return tuple(name[start:end] for start, end in pairwise(edges))


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

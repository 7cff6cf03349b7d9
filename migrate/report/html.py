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
from urllib.parse import quote, unquote, urlencode, urlsplit

from migrate.mapping.rows import STATUSES, Reason, Row, Settled
from migrate.report import charts, references
from migrate.report.audit import audit
from migrate.report.columns import COLUMNS, flat
from migrate.report.marks import Piece, marked
from migrate.report.origin import Origin
from migrate.report.words import (
    EN,
    WORDS,
    ZH,
    Language,
    clause,
    made_with_lines,
    settled_clause,
    source_text,
)
from migrate.text import csv_cell, shortened, visible
from naming import VOCABULARY


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
    environment.filters |= {"clip": _clip, "number": "{:,}".format}
    style, script = _part("report.css"), _part("report.js")
    projects = sorted({*origin.projects, *(row.key.where for row in rows)})
    page = environment.from_string(_part("report.html.jinja")).render(
        audit=audit("all", rows),
        charts=charts,
        clause=clause,
        data=Markup(_script_json(_data(rows, origin, several=len(projects) > 1))),
        link=_link,
        made_with=made_with_lines(origin.made_with) if origin.made_with else [],
        origin=origin,
        parts=origin.parts(rows),
        policy=_policy(style, script),
        projects=[(str(project), _address(origin.app_url, *project)) for project in projects],
        read_from=_readable(origin.app_url),
        references=references,
        script=Markup(script),
        style=Markup(style),
        words=WORDS,
        ZH=ZH,
    )
    return page.encode()


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


def _readable(address: str) -> str:
    """An address as people read it: of a folder its path.

    >>> _readable("file:///runs/%E9%95%BF%20x"), _readable("https://wandb.ai")
    ('/runs/长 x', 'https://wandb.ai')
    """
    parts = urlsplit(address)
    return unquote(parts.path, errors="surrogateescape") if parts.scheme == "file" else address


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
    names = [
        marked(row.old_name, row.new_name, row.fields, row.settled)
        if row.new_name is not None
        else ([Piece(row.old_name)], None)
        for row in rows
    ]
    archs = [row.fields.get("arch") for row in rows]
    columns: dict[str, list[Hashable]] = {
        **{name: [_text(value) for value in column] for name, column in values.items()},
        "old_name": [_pieces(old) for old, _ in names],
        "new_name": [_pieces(new) if new is not None else None for _, new in names],
        "family": [VOCABULARY.family(str(arch)) if arch else None for arch in archs],
        "codes": [row.codes for row in rows],
        "reasons": [tuple(map(_clause, row.reasons)) for row in rows],
        "rules": [tuple(map(_rule, row.settled)) for row in rows],
        "page": [_address(origin.app_url, *row.key.where, "runs", row.key.run_id) for row in rows],
    }
    reasons = {_clause(part): _clause(part, ZH) for row in rows for part in row.reasons}
    rules = {_rule(part): _rule(part, ZH) for row in rows for part in row.settled}
    return {
        "several": several,
        "csv": COLUMNS,
        "statuses": STATUSES,
        "words": WORDS,
        "chinese": reasons | rules,
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
    return {
        place: cell
        for place, value in enumerate(column)
        if isinstance(value, str) and (cell := csv_cell(value)) != visible(value)
    }


def _clause(reason: Reason, language: Language = EN) -> str:
    return visible(clause(reason, language))


def _rule(part: Settled, language: Language = EN) -> str:
    return visible(f"{settled_clause(part, language)} · {source_text(part.source, language)}")


def _pieces(pieces: Iterable[Piece]) -> tuple[Hashable, ...]:
    """A name: texts, or texts with whether the other name lacks them, and the rule behind them."""
    return tuple(
        (visible(text), own, _rule(settled) if settled else "") if own or settled else visible(text)
        for text, own, settled in pieces
    )


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

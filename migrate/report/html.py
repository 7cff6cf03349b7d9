"""Rows as one HTML file that needs nothing else: no network, no other file, no server.

A Jinja2 template writes it. What other people named goes through `visible` and is escaped, on
both ways into the page: as text of the template, and as JSON that `report.js` reads and shows
as text, with the functions of `text.js`. The policy in the page allows exactly the one style
sheet and the one script in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from urllib.parse import quote, urlsplit

from rich.cells import cell_len, chop_cells

from migrate.mapping.rows import STATUSES, Row
from migrate.report import charts
from migrate.report.audit import audit
from migrate.report.columns import COLUMNS, flat, utc_text
from migrate.report.words import WORDS
from migrate.text import shortened, visible
from naming import VOCABULARY


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from: what a report that people read says besides the rows.

    Attributes:
        app_url: Where people see the server's pages; never with a slash at the end.
        read_at: When the rows were read.
        projects: What was read, as entity and project: of some there may be no row.
    """

    app_url: str
    read_at: datetime
    projects: tuple[tuple[str, str], ...] = ()


def write(rows: Sequence[Row], source: Source) -> bytes:
    """The rows as an HTML file."""
    from jinja2 import Environment, StrictUndefined  # no other format needs it
    from markupsafe import Markup

    # Every value that the template shows comes by here; only what this module made is markup.
    def shown(value: object) -> object:
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(clip=_clip, broken=_broken)
    style, script = _part("report.css"), _part("text.js") + _part("report.js")
    projects = sorted({*source.projects, *(row.key.where for row in rows)})
    found = audit("all", rows)
    page = environment.from_string(_part("report.html.jinja")).render(
        audit=found,
        charts=charts,
        data=Markup(_script_json(_data(rows, source, len(projects) > 1))),
        policy=_policy(style, script),
        projects=[(f"{one}/{two}", _page_of(source.app_url, one, two)) for one, two in projects],
        read_at=source.read_at,
        read_at_iso=utc_text(source.read_at),
        script=Markup(script),
        server=source.app_url,
        style=Markup(style),
        words=WORDS,
    )
    return page.encode()


def _part(name: str) -> str:
    return (files("migrate.report") / "page" / name).read_text(encoding="utf-8")


def _clip(text: str, width: int) -> str:
    return shortened(visible(text), width)


def _broken(text: str, width: int) -> list[str]:
    """A name in at most two lines, broken behind a `_` or `-` where one fits.

    >>> _broken("cifar100_trigger", 11), _broken("imagenet", 11)
    (['cifar100_', 'trigger'], ['imagenet'])
    """
    text = visible(text)
    if cell_len(text) <= width:
        return [text]
    first = chop_cells(text, width)[0]
    at = max(first.rfind("_"), first.rfind("-")) + 1 or len(first)
    return [text[:at], shortened(text[at:], width)]


def _policy(style: str, script: str) -> str:
    """The Content-Security-Policy: this style and this script by their hashes, nothing else."""
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _page_of(app_url: str, entity: str, project: str) -> str | None:
    """A project's page; None where there can be none."""
    if urlsplit(app_url).scheme not in ("http", "https"):
        return None
    try:
        return f"{app_url}/{quote(entity)}/{quote(project)}"
    except UnicodeEncodeError:  # half a surrogate pair has no place in a URL
        return None


def _data(rows: Sequence[Row], source: Source, several: bool) -> dict[str, object]:
    """What `report.js` reads: the columns of the CSV, and what the table needs besides."""
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    for row in rows:
        for name, value in flat(row).items():
            columns[name].append(_exact(value))
    archs = [row.fields.get("arch") for row in rows]
    columns["family"] = [VOCABULARY.family(str(arch)) if arch else None for arch in archs]
    columns["codes"] = [row.codes for row in rows]
    columns["page"] = [_page_of(source.app_url, *row.key.where) for row in rows]
    return {
        "runs": len(rows),
        "several": several,
        "csv": COLUMNS,
        "statuses": STATUSES,
        "words": WORDS,
        "columns": {name: _packed(values) for name, values in columns.items()},
    }


def _exact(value: object) -> object:
    """A value as the CSV writes it: text is text, anything else a list of its one text.

    JavaScript would write 1.0 as 1 and 1e-05 as 0.00001.
    """
    if value is None or isinstance(value, str):
        return value
    return (str(value).lower() if isinstance(value, bool) else str(value),)


def _packed(values: Iterable[object]) -> object:
    """A column as it is, or where values repeat as each value once and its places."""
    values = list(values)
    places: dict[object, int] = {}
    at = [places.setdefault(value, len(places)) for value in values]
    return values if len(places) > len(values) / 2 else {"values": list(places), "at": at}


def _script_json(data: object) -> str:
    r"""JSON that can stand in a <script> and in UTF-8, whatever texts are in it.

    >>> _script_json("</script>\u2028\ud800")
    '"\\u003c/script\\u003e\\u2028\\ud800"'
    """
    text = json.dumps(data, separators=(",", ":"))  # ASCII only
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text

"""The projects of a saved report as the sandbox serves them: for `sandbox --from`.

A saved report is somebody's file: it is checked here, as a whole, before anything is served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    FiniteFloat,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from migrate.errors import InputError
from migrate.mapping.rows import Status
from migrate.rename.plan_file import list_problems
from migrate.sandbox.sample import wire_config
from migrate.sandbox.store import Store, StoredRun
from migrate.text import visible
from naming import CONFIG_KEYS, KEYS, RSST, legacy_name

_KEYS = {field.name: field.keys[0] for field in RSST.fields}
_OPEN = ("arch", "dataset")
UNKNOWN = "(not in the report)"
"""A config value that is not valid, or not the name's: only that it is there is known."""

_Word = Annotated[str, StringConstraints(min_length=1)]


class SavedRow(BaseModel, strict=True):
    """A row of a JSON report; what else it has does not matter here."""

    entity: _Word
    project: _Word
    run_id: _Word
    state: str
    created_at: datetime
    status: Status
    reason: str | None
    old_name: str
    fields: dict[str, str | bool | int | FiniteFloat | None]
    settled: str | None = None

    @field_validator("created_at")
    @classmethod
    def _in_utc(cls, at: datetime) -> datetime:
        try:
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except OverflowError:
            raise ValueError("not a time of this calendar in UTC") from None


def read_rows(path: Path) -> list[SavedRow]:
    """The rows of a report that was saved as JSON.

    Raises:
        InputError: It is not one; listing what is wrong with it.
    """
    try:
        rows = TypeAdapter(list[SavedRow]).validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"Cannot read the report {path}: {error.strerror}.") from None
    except ValidationError as error:
        title = f"{path} is not a report as `rsst-migrate report -o FILE.json` saves it"
        problems = [f"{_where(problem['loc'])}{problem['msg']}" for problem in error.errors()]
        raise InputError(list_problems(title, problems)) from None
    seen: set[tuple[str, str, str]] = set()
    for number, row in enumerate(rows, 1):
        key = (row.entity, row.project, row.run_id)
        if key in seen:
            run_id = visible(row.run_id)
            raise InputError(f"The report {path} has run {run_id} twice (row {number}).")
        seen.add(key)
    if not rows:
        raise InputError(f"The report {path} has no runs.")
    return rows


def _where(place: tuple[int | str, ...]) -> str:
    """Where a problem is: nothing, for the file as a whole, or `row 3, fields.rate: `."""
    if not place:
        return ""
    row, *column = [part + 1 if isinstance(part, int) else visible(part) for part in place]
    return f"row {row}{', ' if column else ''}{'.'.join(map(str, column))}: "


def copied_store(rows: Iterable[SavedRow]) -> Store:
    """The projects of a report. A run's config is what the report's fields say."""
    store = Store()
    for row in rows:
        time = row.created_at.isoformat().replace("+00:00", "Z")
        reasons = {code: words for code, _, words in _clauses(row.reason)}
        run = StoredRun(
            name=row.run_id,
            displayName=row.old_name,
            config=wire_config(_config(row, reasons)),
            state=row.state,
            createdAt=time,
            heartbeatAt=time,
            readOnly="read-only" in reasons,
            summaryMetrics="{}",
        )
        store.add(row.entity, row.project, run)
    return store


def _clauses(text: str | None) -> Iterator[tuple[str, str, str]]:
    """The clauses of a column that scripts may split, each at its first colon."""
    return (clause.partition(": ") for clause in (text or "").split("; "))


def _config(row: SavedRow, reasons: Mapping[str, str]) -> dict[str, object]:
    """The arguments that a run had, as far as its row tells them.

    What a rule or an option supplied is taken out again, so that the copy needs the same ones.
    """
    known: dict[str, object] = {
        _KEYS[name]: value
        for name, value in row.fields.items()
        if name in _KEYS and value is not None
    }
    known["vit_structured"] = "vit_prune_target" in known
    if "exp-name" in reasons:
        known["exp_name"] = row.old_name
    for clause, _, _ in _clauses(row.settled):
        kind, _, what = clause.partition(" ")
        key = what.partition("=")[0]
        if kind == "assumed":  # the run lacked it; of the two open fields, it lacked both
            for lacking in _OPEN if key in _OPEN else (key,):
                known.pop(lacking, None)
        elif kind == "set":
            known[key] = _unreadable(row, known, key) if "(was " in what else None
        elif kind == "took" and " from the name" in what:
            known[_key(what, " from ")] = UNKNOWN
    if "conflict" in reasons:
        known[_key(reasons["conflict"])] = UNKNOWN
    if "invalid" in reasons:
        key = _key(reasons["invalid"])
        known[key] = _unreadable(row, known, key)
    return {key: value for key, value in known.items() if key in CONFIG_KEYS}


def _key(words: str, after: str = " is ") -> str:
    """The config key that a clause begins with: `dataset is x in the name, y in the config`."""
    name = words.partition(after)[0]
    return KEYS.get(name, name)


def _unreadable(row: SavedRow, known: Mapping[str, object], key: str) -> str:
    """A value that is not a field; one that old names hold is in the run's."""
    before, found, after = (legacy_name({**known, key: "\0"}) or "").partition("\0")
    name = row.old_name
    fits = found and name.startswith(before) and name.endswith(after)
    return name[len(before) : len(name) - len(after)] if fits else UNKNOWN

"""`references`: what else goes by the names that a rename changes. Reads only."""

from __future__ import annotations

import json
from collections.abc import Sequence

from migrate.cli.look import mapped_projects
from migrate.cli.request import Request
from migrate.client.server import Project
from migrate.client.views import KINDS, SavedView, read_saved
from migrate.console import Output, Progress
from migrate.errors import InputError, ServerError, ServiceStopped
from migrate.mapping.projects import Mapped
from migrate.mapping.references import (
    Names,
    Reference,
    References,
    find_in_automation,
    find_in_view,
)
from migrate.report.references import as_objects, failures, notes, print_references


def references(request: Request, *, as_json: bool) -> int:
    """List them; the exit code is 1 where some could not be read."""
    output = Output()
    _, mapped = mapped_projects(request, output)
    found = [find_references(project, output.progress) for project in mapped]
    if as_json:
        output.data(json.dumps(as_objects(found), indent=1) + "\n")
    else:
        print_references(output.out, found)
    return say_notes(found, output)


def say_notes(found: Sequence[References], output: Output) -> int:
    """Say what the list does not; the exit code."""
    for note in notes(found):
        output.say(note)
    for failure in failures(found):
        output.tell(failure)
    return 1 if any(project.failed for project in found) else 0


def find_references(mapped: Mapped, progress: Progress) -> References:
    """Everything that the plan of a project changes; nothing is asked for where it is empty."""
    project = mapped.project
    if not isinstance(project, Project):
        raise InputError("Offline runs have no saved views. Give their project as entity/project.")
    before = {row.key.run_id: row.old_name for row in mapped.rows}
    after = before | {row.key.run_id: row.new_name for row in mapped.chosen if row.new_name}
    names = Names(before, after)
    found = References(mapped.project.key, len(names.changed))
    if not names.changed:
        return found
    with progress(f"Reading views of {mapped.project.key}") as bar:
        for kind in KINDS:
            total = None
            found.seen[kind] = 0
            try:
                for page in read_saved(project, kind, bar.note):
                    total = page.total
                    for view in page.views:
                        _look_at(view, names, found)
                    bar.advance(found.seen.total(), None)
            except ServiceStopped:
                raise
            except ServerError as error:
                found.failed[kind] = str(error)
            else:
                if total is not None and total > found.seen[kind]:
                    found.hidden[kind] = total - found.seen[kind]
    return found


def _look_at(view: SavedView, names: Names, found: References) -> None:
    found.seen[view.kind] += 1
    if view.spec is None:
        found.skipped["unreadable"] += 1
        return
    if view.kind == "automation":
        here = find_in_automation(view.spec, names)
    else:
        here = find_in_view(view.spec, names, found.project)
    found.skipped += here.skipped
    found.listed += [
        Reference(view.kind, view.view_id, view.name, view.url, finding)
        for finding in here.findings
    ]

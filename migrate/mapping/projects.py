"""From a server to rows: list the projects, map them, keep what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrate.cli.options import Shared
from migrate.client.paths import parse_filters, parse_path
from migrate.client.runs import Run
from migrate.client.server import Project, Server
from migrate.console import Progress, unseen
from migrate.errors import InputError
from migrate.mapping.mapping import Rules, map_runs
from migrate.mapping.rows import Row


@dataclass(frozen=True, slots=True)
class Mapped:
    """A project, all of its rows, and those that were asked for."""

    project: Project
    every: list[Row]
    chosen: list[Row]


def check_input(paths: Sequence[str], shared: Shared) -> Rules:
    """Check everything that can be checked before anything is asked of a server."""
    for path in paths:
        parse_path(path)
    shared.pattern()
    if shared.filters is not None:
        parse_filters(shared.filters)
    return shared.rules()


def read_projects(
    server: Server, paths: Sequence[str], shared: Shared, progress: Progress = unseen
) -> list[Mapped]:
    """List and map the projects.

    Every project is listed whole, whatever part of it is asked for: a new name must be free in
    all of it. With `--filters` a second, light listing says which runs pass.
    """
    rules = check_input(paths, shared)
    pattern = shared.pattern()
    projects = [server.project(path) for path in paths]
    named = {project.where for project in projects}
    if len(named) != len(projects):
        raise InputError("A project is named twice.")
    mapped = []
    for project in projects:
        rows = map_runs(list_runs(project, progress), rules)
        passing = None if shared.filters is None else project.matching(shared.filters)
        chosen = [
            row
            for row in rows
            if pattern.search(row.old_name) and (passing is None or row.key.run_id in passing)
        ]
        mapped.append(Mapped(project, rows, chosen))
    return mapped


def list_runs(project: Project, progress: Progress = unseen) -> list[Run]:
    """Every run of a project."""
    runs: list[Run] = []
    with progress(f"Listing {'/'.join(project.where)}") as advance:
        for page in project.pages():
            runs.extend(page.runs)
            advance(len(runs), page.total)
    return runs

"""`audit` and `report`: list, map, and show. Both change nothing on the server."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from migrate.cli.request import Request, choices
from migrate.client.paths import parse_path
from migrate.client.server import Server, connect
from migrate.console import MANNER, Output
from migrate.errors import InputError
from migrate.mapping.kinds import Kinds
from migrate.mapping.projects import Mapped, Which, read_projects
from migrate.mapping.rows import REASONS, STATUSES, number_of_runs
from migrate.report.audit import audit as sum_up
from migrate.report.files import FORMATS, Source, format_of, is_stdout, save
from migrate.report.terminal import count_line, print_audit, print_report


def mapped_projects(
    paths: Sequence[str],
    request: Request,
    output: Output,
    *,
    statuses: Sequence[str] = (),
    codes: Sequence[str] = (),
) -> tuple[Server, list[Mapped]]:
    """Sign in, list and map. Errors in the call are raised before a server is contacted."""
    parsed, options = [parse_path(path) for path in paths], request.options()
    which = replace(
        request.which(),
        statuses=choices("status", statuses, STATUSES),
        codes=choices("reason", codes, REASONS),
    )
    server = connect(request.base_url, may_prompt=not MANNER.quiet)
    projects = [server.project(path) for path in parsed]
    mapped = read_projects(projects, options, which, output.progress)
    for project in mapped:
        if len(project.chosen) < len(project.rows):
            output.say(_part_words(project, which))
    return server, mapped


def _part_words(part: Mapped, which: Which) -> str:
    runs = number_of_runs(len(part.rows))
    if not part.chosen and which == Which(match=which.match):
        return f"{part.project.key}: no name matches; {runs} in the project"
    return f"{len(part.chosen)} of {runs} of {part.project.key}"


def audit(paths: Sequence[str], request: Request, *, as_json: bool, check: bool) -> int:
    """Summarize projects; the exit code is 1 where `check` finds an old name."""
    output = Output()
    _, mapped = mapped_projects(paths, request, output)
    kinds = Kinds({project.project.key: project.survey for project in mapped})
    audits = [
        sum_up(str(project.project.key), project.chosen, kinds.find(project.chosen))
        for project in mapped
    ]
    every = [row for project in mapped for row in project.chosen]
    total = sum_up("all", every, kinds.find(every))
    if as_json:
        settle = shlex.join(["rsst-migrate", "settle", *paths, *request.words()])
        found = {
            "projects": [found.to_dict() for found in audits],
            "total": total.to_dict(),
            "settle": settle if total.statuses["review"] else None,
        }
        with output.paging():
            output.data(json.dumps(found, indent=1) + "\n")
    else:
        with output.paging():
            for number, found_here in enumerate([*audits, total] if len(audits) > 1 else audits):
                if number:
                    output.out.print()
                print_audit(output.out, found_here)
    if check and total.old_names:
        has = "has" if total.old_names == 1 else "have"
        output.say(f"{number_of_runs(total.old_names)} still {has} an old name.")
    arguments = [*paths, *request.words()]
    if total.old_names:
        output.next_step("To see each run and its new name", "report", *arguments)
    _say_settle(output, total.statuses["review"], arguments)
    return 1 if check and total.old_names else 0


def _say_settle(output: Output, in_review: int, arguments: Sequence[str]) -> None:
    if in_review:
        need = "needs" if in_review == 1 else "need"
        what = f"{number_of_runs(in_review)} {need} a decision. To decide, once for each kind"
        output.next_step(what, "settle", *arguments)


def report(
    paths: Sequence[str],
    request: Request,
    *,
    file: Path | None = None,
    file_format: str | None = None,
    every: bool = False,
    statuses: Sequence[str] = (),
    codes: Sequence[str] = (),
) -> int:
    """Show the dry run, or write it to a file."""
    output = Output()
    chosen_format = format_of(file, file_format)
    if file is not None and is_stdout(file):
        file = None
    elif file is not None and not os.path.isdir(file.parent):  # noqa: PTH112 - Path's raises on some
        raise InputError(f"There is no folder {file.parent} to write {file.name} to.")
    if chosen_format == "parquet" and file is None and sys.stdout.isatty():
        raise InputError("Parquet is binary; write it to a file with -o FILE.")
    server, mapped = mapped_projects(paths, request, output, statuses=statuses, codes=codes)
    rows = [row for project in mapped for row in project.chosen]
    if chosen_format is None:
        with output.paging():
            print_report(output.out, rows, every=every or bool(statuses or codes))
    else:
        projects = {project.project.key: len(project.rows) for project in mapped}
        data = FORMATS[chosen_format](rows, Source(server.app_url, datetime.now(UTC), projects))
        if file is None:
            with output.paging():
                output.data(data)
        else:
            save(file, data)
            output.say(f"Wrote {file}: {count_line(rows)}.")
    found = Counter(row.status for row in rows)
    arguments = [*paths, *request.words()]
    _say_settle(output, found["review"], arguments)
    if found["rename"]:
        if file is not None and chosen_format in ("csv", "json"):
            arguments = ["--plan", str(file), *request.words(about_the_plan=False)]
        output.next_step(f"To rename {number_of_runs(found['rename'])}", "rename", *arguments)
    return 0

"""`audit` and `report`: list, map, and show. Both change nothing on the server."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path

from migrate.cli.config_file import each, read
from migrate.cli.request import Asked, Request
from migrate.cli.rules import one_of
from migrate.cli.sources import Place, open_sources, paths_of, tell_unreadable
from migrate.console import Output, command_line
from migrate.errors import InputError, NoProject
from migrate.mapping.kinds import Kinds
from migrate.mapping.projects import Mapped, Which, read_projects
from migrate.mapping.rows import REASONS, STATUSES
from migrate.report.audit import audit as sum_up
from migrate.report.files import FORMATS, format_of, is_stdout, save
from migrate.report.origin import PLAN, Origin
from migrate.report.remarks import on_assumed, on_extras, on_idle, on_known
from migrate.report.terminal import count_line, print_audit, print_report
from migrate.text import counted
from naming import VOCABULARY


def mapped_projects(
    request: Request,
    output: Output,
    *,
    asked: Asked | None = None,
    statuses: Sequence[str] = (),
    codes: Sequence[str] = (),
) -> tuple[Place, list[Mapped]]:
    """Sign in, list and map. Errors in the call are raised before a server is contacted.

    `asked` is what the request asks for, where the caller knows it already.

    Raises:
        InputError: The call or the configuration file is not valid, or no project is given.
        ServerError: A listing failed.
    """
    asked = asked or request.asked()
    which = replace(
        asked.which,
        statuses=frozenset(read("--status", each(partial(one_of, STATUSES)), [*statuses])),
        codes=frozenset(read("--reason", each(partial(one_of, REASONS)), [*codes])),
    )
    place, projects = open_sources(asked.paths, request, output.progress, asked.options.keys)
    tell_unreadable(place, output)
    try:
        mapped = read_projects(projects, asked.options, which, output.progress)
    except NoProject as error:
        for path in filter(os.path.isdir, map(str, asked.paths)):
            raise NoProject(f"{error}\nFor the folder {path} write ./{path}.") from None
        raise
    for project in mapped:
        if len(project.chosen) < len(project.rows):
            output.say(_part_words(project, which))
    for project in mapped:
        for warning in on_assumed(project.chosen, project.survey.rows, asked.options.vocabulary):
            output.tell(warning)
    for remark in _remarks(mapped, asked):
        output.say(remark)
    return place, mapped


def _remarks(mapped: Sequence[Mapped], asked: Asked) -> Iterator[str]:
    """What there is to say of rules and known names, now that the runs are known."""
    rows = list(chain.from_iterable(project.rows for project in mapped))
    yield from on_idle(asked.options.rules, [project.idle for project in mapped])
    yield from on_known("arch", asked.known_archs, VOCABULARY.architectures, rows)
    yield from on_known("dataset", asked.known_datasets, VOCABULARY.datasets, rows)
    yield from on_extras(asked.options, [project.absent for project in mapped])


def _part_words(part: Mapped, which: Which) -> str:
    runs = counted(len(part.rows), "run")
    if not part.chosen and which == Which(match=which.match):
        return f"{part.project.key}: no name matches; {runs} in the project"
    return f"{len(part.chosen)} of {runs} of {part.project.key}"


def audit(request: Request, *, as_json: bool, check: bool) -> int:
    """Summarize projects; the exit code is 1 where `check` finds an old name."""
    output = Output()
    _, mapped = mapped_projects(request, output)
    kinds = Kinds({project.project.key: project.survey for project in mapped})
    audits = [
        sum_up(str(project.project.key), project.chosen, kinds.find(project.chosen))
        for project in mapped
    ]
    if len(audits) == 1:
        total = replace(audits[0], project="all")
    else:
        every = [row for project in mapped for row in project.chosen]
        total = sum_up("all", every, kinds.find(every))
    arguments = request.words()
    with output.paging():
        if as_json:
            settle = command_line("settle", *arguments)
            found = {
                "projects": [found.to_dict() for found in audits],
                "total": total.to_dict(),
                "settle": settle if total.statuses["review"] else None,
            }
            output.data(json.dumps(found, indent=1) + "\n")
        else:
            for number, found_here in enumerate([*audits, total] if len(audits) > 1 else audits):
                if number:
                    output.out.print()
                print_audit(output.out, found_here)
    if check and total.old_names:
        runs = counted(total.old_names, "run still has", "runs still have")
        output.say(f"{runs} an old name.")
    if total.old_names:
        output.next_step("To see each run and its new name", "report", *arguments)
    _say_settle(output, total.statuses["review"], arguments)
    return 1 if check and total.old_names else 0


def _say_settle(output: Output, in_review: int, arguments: Sequence[str]) -> None:
    if in_review:
        runs = counted(in_review, "run needs", "runs need")
        purpose = f"{runs} a decision. To decide, once for each kind"
        output.next_step(purpose, "settle", *arguments)


def report(
    request: Request,
    *,
    file: Path | None = None,
    file_format: str | None = None,
    every: bool = False,
    statuses: Sequence[str] = (),
    codes: Sequence[str] = (),
    references: bool = False,
) -> int:
    """Show the dry run, or write it to a file; the exit code is 1 where it stays incomplete."""
    output = Output()
    chosen_format = format_of(file, file_format)
    if references and chosen_format != "html":
        raise InputError(
            "--references goes into an HTML report: add -o report.html. On a terminal:\n"
            f"  {command_line('references', *(request.paths or ()))}"
        )
    if file is not None and is_stdout(file):
        file = None
    elif file is not None and not os.path.isdir(file.parent):  # noqa: PTH112 - Path's raises on some
        raise InputError(f"There is no folder {file.parent} to write {file.name} to.")
    if chosen_format == "parquet" and file is None and sys.stdout.isatty():
        raise InputError("Parquet is binary; write it to a file with -o FILE.")
    place, mapped = mapped_projects(request, output, statuses=statuses, codes=codes)
    rows = [row for project in mapped for row in project.chosen]
    code = 0
    if chosen_format is None:
        with output.paging():
            print_report(output.out, rows, rows if every or statuses or codes else None)
    else:
        origin = _origin(place, mapped, request)
        if references:
            from migrate.cli.references import find_references, say_notes

            sought = [find_references(project, output.progress) for project in mapped]
            origin = replace(origin, references=sought)
            code = say_notes(sought, output)
        data = FORMATS[chosen_format](rows, origin)
        if file is None:
            with output.paging():
                output.data(data)
        else:
            save(file, data)
            output.say(f"Wrote {file}: {count_line(rows)}.")
    found = Counter(row.status for row in rows)
    arguments = request.words()
    _say_settle(output, found["review"], arguments)
    if found["rename"]:
        if file is not None and chosen_format in ("csv", "json"):
            command = _rename_of(str(file), place, request)
        else:
            command = ["rename", *arguments]
        output.next_step(f"To rename {counted(found['rename'], 'run')}", *command)
    return code


def _origin(place: Place, mapped: Sequence[Mapped], request: Request) -> Origin:
    """Where the rows of a report come from, and what renames a plan that is saved from it."""
    return Origin(
        place.app_url,
        datetime.now(UTC),
        {project.project.key: len(project.rows) for project in mapped},
        made_with=mapped[0].made_with,
        rename=command_line(*_rename_of(PLAN, place, request)),
    )


def _rename_of(plan: str, place: Place, request: Request) -> list[str]:
    """The command that renames the runs of a saved plan, which does not name its folder."""
    given = request.words(about_the_plan=False)
    return ["rename", *paths_of(place, ()), "--plan", plan, *given]

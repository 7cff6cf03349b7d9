"""The options of the commands, each declared once: a command has those that its parameters name."""

from __future__ import annotations

import inspect
import platform
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import wraps
from importlib import metadata
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperArgument, TyperCommand

from migrate.cli import completion
from migrate.console import MANNER
from migrate.mapping.rows import REASONS, STATUSES

WHICH, HOW, SETTLE, RUN = "Which runs", "How names are written", "Filling in and deciding", "Output"
_MS, _RUNS = (0, 60_000), (1, 1_000_000)


class Command(TyperCommand):
    """A command whose help shows no type of an argument, as of no option."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters."""
        params = super().get_params(ctx)
        for param in params:
            if isinstance(param, TyperArgument):
                param.display_type_rich = lambda ctx: None  # type: ignore[method-assign]  # noqa: ARG005
        return params


def option(form: str, text: str, panel: str | None = None, **more: Any) -> Any:
    """An option in the form that the help shows: `-o --output FILE`; without a value, a switch."""
    words = form.split()
    metavar = " " if words[-1].startswith("-") else words.pop()
    return typer.Option(*words, metavar=metavar, help=text, rich_help_panel=panel, **more)


def number(form: str, text: str, least: float, most: float | None = None) -> Any:
    """An option with a number as its value."""
    return option(form, text, min=least, max=most)


def _show_help(context: typer.Context, wanted: bool) -> None:
    if wanted:
        print(context.get_help())
        raise typer.Exit()


def _show_version(wanted: bool) -> None:
    if wanted:
        # From the packages' metadata: importing wandb would take a second.
        ours, wandb = (metadata.version(name) for name in ("rsst-migrate", "wandb"))
        python = f"Python {platform.python_version()} on {platform.system()}"
        print(f"rsst-migrate {ours}, wandb {wandb}, {python}")
        raise typer.Exit()


def _paths(where: str) -> Any:
    return typer.Argument(
        help=f"{where}; without one, the projects of rsst-migrate.toml.",
        metavar="PATH",
        autocompletion=completion.paths,
    )


_JOURNAL = typer.Argument(
    help="The journal of a rename.", metavar="JOURNAL", autocompletion=completion.journals
)
OPTIONS: Mapping[str, Any] = {
    "paths": _paths(
        "entity/project, project alone, the address of the project's page, or a folder of "
        "offline runs"
    ),
    "journal": _JOURNAL,
    "journals": _JOURNAL,
    "completed_shell": typer.Argument(metavar="SHELL"),
    # What there is to see.
    "as_json": option("--json", "As JSON."),
    "check": option("--check", "Exit 1 while any old name remains."),
    "file": option(
        "-o --output FILE", "Write to a file (- is stdout); its suffix picks the format."
    ),
    "file_format": option(
        "--format FORMAT", "csv, json, md, html or parquet.", case_sensitive=False
    ),
    "every": option("--all", "Show all runs, not only those with an old name."),
    "statuses": option(
        "--status STATUS",
        "Only runs with this status. Repeatable.",
        autocompletion=completion.among(STATUSES),
    ),
    "codes": option(
        "--reason CODE",
        "Only runs with this reason: missing, conflict, … Repeatable.",
        autocompletion=completion.among(REASONS),
    ),
    "references": option(
        "--references",
        "Include the views, reports and automations that depend on old names (HTML only).",
    ),
    "to_stdout": option("--print", "Write the suggested rules to stdout instead of asking."),
    # Renaming.
    "plan": option(
        "--plan FILE",
        "Rename exactly the rows with status rename of this saved CSV or JSON report.",
    ),
    "limit": number("--limit N", "Only the next N renames.", 1),
    "new_journal": option(
        "--journal FILE", "Where to write the journal (default: a new file in this folder)."
    ),
    "yes": option("--yes -y", "Do not ask."),
    "dry_run": option("--dry-run -n", "Show the plan and change nothing."),
    # The fields of `Request`.
    "base_url": option("--base-url URL", "The W&B server; without it, wandb's own setting."),
    "against": option(
        "--against PROJECT",
        "For a folder: the names in this project on the server count as taken, too.",
        WHICH,
    ),
    "filters": option(
        "--filters JSON",
        'Only runs that match this W&B filter, e.g. \'{"state": "finished"}\'.',
        WHICH,
    ),
    "match": option(
        "--match REGEX", "Only runs whose old name matches this regular expression.", WHICH
    ),
    "include_running": option(
        "--include-running",
        "Rename runs that are running, pending or preempted, too; their processes may write the "
        "old name back.",
        WHICH,
    ),
    "timezone": option(
        "--timezone ZONE", "The time zone of timestamps in names: Asia/Shanghai, +08:00.", HOW
    ),
    "timestamp_format": option(
        "--timestamp-format FORMAT", "The format of timestamps in names, as for strftime.", HOW
    ),
    "extra": option(
        "--extra LABELS",
        "Extra parts after the dataset, in this order: bs,lr,seed, or LABEL=KEY for any config "
        "key: ep=epochs.",
        HOW,
    ),
    "cnn_exponents": option(
        "--cnn-exponents", "Write exponents in CNN names too (the guide omits them).", HOW
    ),
    "assume": option(
        "--assume KEY=VALUE",
        "A config value for runs that lack it: rate=0.15. Repeatable.",
        SETTLE,
    ),
    "prefer": option(
        "--prefer name|config", "Which side is right where name and config disagree.", SETTLE
    ),
    "known_arch": option(
        "--known-arch NAME", "Treat NAME as a known architecture. Repeatable.", SETTLE
    ),
    "known_dataset": option(
        "--known-dataset NAME", "Treat NAME as a known dataset. Repeatable.", SETTLE
    ),
    "config": option(
        "--config FILE",
        "The configuration file (default: rsst-migrate.toml in this folder, or what "
        "RSST_MIGRATE_CONFIG names); none ignores it.",
        SETTLE,
    ),
    # The sandbox.
    "port": number("--port PORT", "The port; 0 takes any.", 0, 65535),
    "runs": number("--runs N", "How many runs ycx/RSST has.", *_RUNS),
    "sample": option(
        "--sample NAME",
        "kinds: runs of every kind (the default). review: 420 runs, of which 300 need review.",
    ),
    "report": option(
        "--from FILE",
        "Serve a copy of the projects in this saved JSON report, to rehearse its plan on.",
    ),
    "shell": option(
        "--shell SHELL",
        "Print the variables for bash (and zsh), fish or powershell (default: the one in use).",
    ),
    "request_ms": number("--latency-ms MS", "How long each request takes.", *_MS),
    "run_ms": number("--run-ms MS", "Query time of each run of a page.", *_MS),
    "upsert_ms": number("--upsert-ms MS", "Query time of each upsertBucket of a document.", *_MS),
    "count_ms": number("--count-ms MS", "Query time of each runCount.", *_MS),
    "limit_s": number(
        "--time-limit-s S",
        "Answer 500 (context deadline exceeded) after this query time.",
        0.001,
        3600,
    ),
    "quota": number(
        "--quota S", "Query time that a project may use per second; beyond that, 429.", 0.001, 1000
    ),
    "retry_after": option("--retry-after", "Send Retry-After with a 429."),
    "fail": option(
        "--fail SPEC",
        "Make requests fail, but not the sign-in: 429@mutationx3 the next three mutations, "
        "hang@query+2 the third query; the kinds are above. Repeatable.",
    ),
    # How a command speaks: the fields of `MANNER`.
    "no_pager": option("--no-pager", "Do not page long output.", RUN),
    "quiet": option("--quiet -q", "No progress, no advice.", RUN),
    "no_color": option("--no-color", "No colours.", RUN),
    "debug": option("--debug", "Show tracebacks.", RUN),
    # `parse` and `name` answer at once, so they have switches alone, and read the other words
    # themselves: for a parameter of any type but bool, and for its own --help, typer imports
    # pydantic (0.1 s).
    "show_help": option(
        "--help -h", "Show this message and exit.", is_eager=True, callback=_show_help
    ),
    "show_version": option(
        "--version",
        "Show the versions of rsst-migrate, wandb and Python.",
        is_eager=True,
        callback=_show_version,
    ),
}
"""By the name of the parameter that gets the value."""

OF_SERVER = {name: declared for name, declared in OPTIONS.items() if name != "against"}
"""For a command that takes no folder of offline runs."""
OF_SERVER["paths"] = _paths("entity/project, project alone, or the address of the project's page")

# Of what `plan()` takes as Python values, the command line has the text.
_TYPED = {"filters": str | None, "match": str | None, "assume": list[str] | None}


def for_typer(
    command: Callable[..., Any], *switches: str, options: Mapping[str, Any] = OPTIONS
) -> Callable[..., Any]:
    """A command with its options, as typer reads them from a signature.

    A parameter that is a dataclass is made of the options that are its fields. `switches` are more
    options, of which the command does not hear: those of `MANNER`, and those with a callback.
    """
    wanted: dict[str, tuple[Any, object]] = {}
    groups: dict[str, tuple[Any, list[str]]] = {}
    for name, part in inspect.signature(command, eval_str=True).parameters.items():
        if is_dataclass(part.annotation):
            there = [field for field in fields(part.annotation) if field.name in options]
            hints = get_type_hints(part.annotation) | _TYPED
            wanted |= {field.name: (hints[field.name], field.default) for field in there}
            groups[name] = (part.annotation, [field.name for field in there])
        else:
            wanted[name] = (part.annotation, part.default)
    wanted |= dict.fromkeys(switches, (bool, False))
    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=default,
            annotation=kind if kind is typer.Context else Annotated[kind, options[name]],
        )
        for name, (kind, default) in wanted.items()
    ]

    @wraps(command)
    def wrapper(**given: Any) -> Any:
        for name in switches:
            if given.pop(name) and hasattr(MANNER, name):
                setattr(MANNER, name, True)
        for name, (group, names) in groups.items():
            given[name] = group(**{option: given.pop(option) for option in names})
        return command(**given)

    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {part.name: part.annotation for part in parameters}
    return wrapper

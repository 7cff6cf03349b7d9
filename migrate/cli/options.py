"""The options that several commands share: declared once, and read where they are declared."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperArgument, TyperCommand

from migrate.cli import completion
from migrate.cli.request import Request
from migrate.console import MANNER

NAME = "rsst-migrate"
COMPLETE = "_RSST_MIGRATE_COMPLETE"  # in the environment when the shell asks

WHICH, HOW, SETTLE, RUN = "Which runs", "How names are written", "Filling in and deciding", "Output"


class Command(TyperCommand):
    """A command whose help shows no type: not of an argument, nor of --help, as of no flag."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters."""
        params = super().get_params(ctx)
        for param in params:
            if isinstance(param, TyperArgument):
                param.display_type_rich = lambda ctx: None  # type: ignore[method-assign]  # noqa: ARG005
        return params

    def get_help_option(self, ctx: Any) -> Any:
        """The option."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.metavar = " "
        return option


def _show_help(context: typer.Context, wanted: bool) -> None:
    if wanted:
        print(context.get_help())
        raise typer.Exit()


def _show_version(wanted: bool) -> None:
    if wanted:
        from migrate.cli.version import version

        print(version())
        raise typer.Exit()


# `parse` and `name` answer at once, so they have flags alone, and read the other words themselves:
# for a parameter of any type but bool, and for its own --help, typer imports pydantic (0.1 s).
Help = Annotated[
    bool,
    typer.Option(
        "--help",
        "-h",
        is_eager=True,
        callback=_show_help,
        metavar=" ",
        help="Show this message and exit.",
    ),
]
Version = Annotated[
    bool,
    typer.Option(
        "--version",
        is_eager=True,
        callback=_show_version,
        metavar=" ",
        help="Show the versions of rsst-migrate, wandb and Python.",
    ),
]


def option(
    text: str,
    metavar: str,
    panel: str | None = None,
    *,
    names: tuple[str, ...] = (),
    autocompletion: Callable[[str], list[str]] | None = None,
) -> Any:
    """An option with a value."""
    return typer.Option(
        *names,
        help=text,
        metavar=metavar,
        rich_help_panel=panel,
        autocompletion=autocompletion,
    )


def number(text: str, metavar: str, least: float, most: float | None = None) -> Any:
    """An option with a number as its value."""
    return typer.Option(help=text, metavar=metavar, min=least, max=most)


def flag(name: str, text: str, panel: str | None = None, short: str | None = None) -> Any:
    """A switch, without the `--no-…` that typer would add."""
    return typer.Option(
        f"--{name}", *([short] if short else []), help=text, metavar=" ", rich_help_panel=panel
    )


def _manner(name: str, text: str, short: str | None = None) -> Any:
    """A switch of how the command speaks: it is read here, and no command hears of it."""

    def read(value: bool) -> bool:
        if value:
            setattr(MANNER, name.replace("-", "_"), True)
        return value

    names = (f"--{name}", *([short] if short else []))
    return typer.Option(
        *names, help=text, metavar=" ", rich_help_panel=RUN, callback=read, is_eager=True
    )


Debug = Annotated[bool, _manner("debug", "Show tracebacks.")]
NoPager = Annotated[bool, _manner("no-pager", "Do not page long output.")]
NoColor = Annotated[bool, _manner("no-color", "No colours.")]
Quiet = Annotated[bool, _manner("quiet", "No progress, no advice.", "-q")]

PATH_HELP = (
    "entity/project, project alone, the address of the project's page, or a folder of offline "
    "runs; without one, the projects of rsst-migrate.toml."
)
PATHS = typer.Argument(help=PATH_HELP, metavar="PATH", autocompletion=completion.paths)
JOURNAL = typer.Argument(
    help="The journal of a rename.", metavar="JOURNAL", autocompletion=completion.journals
)
Yes = Annotated[bool, flag("yes", "Do not ask.", short="-y")]
DryRun = Annotated[bool, flag("dry-run", "Show the plan and change nothing.", short="-n")]
BaseUrl = Annotated[str | None, option("The W&B server; without it, wandb's own setting.", "URL")]

_SHARED = {
    "base_url": option("The W&B server; without it, wandb's own setting.", "URL"),
    "against": option(
        "Of a folder: names that runs of this project on the server have are taken, too.",
        "PROJECT",
        WHICH,
    ),
    "filters": option(
        'Only runs that match this W&B filter, e.g. \'{"state": "finished"}\'.', "JSON", WHICH
    ),
    "match": option("Only runs whose old name matches this regular expression.", "REGEX", WHICH),
    "include_running": flag(
        "include-running",
        "Rename runs that are running, pending or preempted too; their processes may write the "
        "old name back.",
        WHICH,
    ),
    "timezone": option("The zone of the times in names: Asia/Shanghai, +08:00.", "ZONE", HOW),
    "timestamp_format": option("The form of the times in names, as for strftime.", "FORMAT", HOW),
    "extra": option(
        "Extra parts after the dataset, in this order: bs,lr,seed, or LABEL=KEY for any config "
        "key: ep=epochs.",
        "LABELS",
        HOW,
    ),
    "cnn_exponents": flag(
        "cnn-exponents", "Write exponents in CNN names too (the guide omits them).", HOW
    ),
    "assume": option(
        "A config value for runs that lack it: rate=0.15. Repeatable.", "KEY=VALUE", SETTLE
    ),
    "prefer": option("Which side is right where name and config disagree.", "name|config", SETTLE),
    "known_arch": option("Count NAME among the architectures. Repeatable.", "NAME", SETTLE),
    "known_dataset": option("Count NAME among the datasets. Repeatable.", "NAME", SETTLE),
    "config": option(
        "The configuration file (default: rsst-migrate.toml in this folder, or what "
        "RSST_MIGRATE_CONFIG names); none for none.",
        "FILE",
        SETTLE,
    ),
}
"""The options of `Request`, by field."""


def with_request(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the shared options; it takes them as one argument, `request`."""
    typed = {"filters": str | None, "match": str | None, "assume": list[str] | None}
    hints = get_type_hints(Request) | typed
    keyword = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(
            field.name,
            keyword,
            default=field.default,
            annotation=Annotated[hints[field.name], _SHARED[field.name]],
        )
        for field in fields(Request)
    ]
    for name, manner in (("quiet", Quiet), ("no_color", NoColor), ("debug", Debug)):
        added.append(inspect.Parameter(name, keyword, default=False, annotation=manner))
    signature = inspect.signature(command, eval_str=True)
    own = [part for name, part in signature.parameters.items() if name != "request"]

    @wraps(command)
    def wrapper(**given: Any) -> int:
        request = {field.name: given.pop(field.name) for field in fields(Request)}
        mine = {part.name: given[part.name] for part in own}
        return command(**mine, request=Request(**request))

    parameters = [part.replace(kind=keyword) for part in own] + added
    wrapper.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {part.name: part.annotation for part in parameters}
    return wrapper


def with_help(**parts: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Put texts into a command's help; the names of `parts` stand in it in braces."""

    def fill(command: Callable[..., int]) -> Callable[..., int]:
        command.__doc__ = inspect.cleandoc(command.__doc__ or "").format(**parts)
        return command

    return fill

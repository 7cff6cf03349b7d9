"""The options that audit, report and rename share, and what they say about the mapping."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from typing import Annotated, Any, Literal, get_type_hints

import typer

from migrate.errors import InputError, scrub
from migrate.mapping import Rules
from migrate.training_flags import read_style
from naming import CONFIG_KEYS, GUIDE_STYLE, KEYS, VOCABULARY, read_fields, zone

WHICH, HOW, SETTLE, RUN = "Which runs", "How names are written", "What is settled", "Output"
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours.", rich_help_panel=RUN)]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.", rich_help_panel=RUN)]


@dataclass(frozen=True, slots=True)
class Shared:
    """The shared options, as they were typed."""

    base_url: Annotated[
        str | None,
        typer.Option(help="The W&B server; without it, wandb's own setting.", metavar="URL"),
    ] = None
    filters: Annotated[
        str | None,
        typer.Option(
            help='Only runs that pass W&B\'s filters: \'{"state": "finished"}\'.',
            metavar="JSON",
            rich_help_panel=WHICH,
        ),
    ] = None
    match: Annotated[
        str | None,
        typer.Option(
            help="Only runs whose old name has a match of this regular expression.",
            metavar="REGEX",
            rich_help_panel=WHICH,
        ),
    ] = None
    include_running: Annotated[
        bool,
        typer.Option(
            "--include-running",
            help="Runs that are running, too; their processes may write the old name back.",
            rich_help_panel=WHICH,
        ),
    ] = False
    timezone: Annotated[
        str,
        typer.Option(
            help="The zone of the times in names: Asia/Shanghai, +08:00.",
            metavar="ZONE",
            rich_help_panel=HOW,
        ),
    ] = "UTC"
    timestamp_format: Annotated[
        str,
        typer.Option(
            help="The form of the times in names, as strftime has it.",
            metavar="FORMAT",
            rich_help_panel=HOW,
        ),
    ] = GUIDE_STYLE.timestamp_format
    extra: Annotated[
        str,
        typer.Option(
            help="Extra parts after the dataset, in this order: bs,lr,seed.",
            metavar="LABELS",
            rich_help_panel=HOW,
        ),
    ] = ""
    cnn_exponents: Annotated[
        bool,
        typer.Option("--cnn-exponents", help="exp4 in CNN names, too.", rich_help_panel=HOW),
    ] = False
    assume: Annotated[
        list[str] | None,
        typer.Option(
            help="A config value for runs that lack it: rate=0.15. Repeatable.",
            metavar="KEY=VALUE",
            rich_help_panel=SETTLE,
        ),
    ] = None
    prefer: Annotated[
        Literal["name", "config"] | None,
        typer.Option(
            help="Which side is right where name and config disagree.", rich_help_panel=SETTLE
        ),
    ] = None
    arch: Annotated[
        list[str] | None,
        typer.Option(
            help="An architecture to know, besides those known. Repeatable.",
            metavar="NAME",
            rich_help_panel=SETTLE,
        ),
    ] = None
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            help="A dataset to know, besides those known. Repeatable.",
            metavar="NAME",
            rich_help_panel=SETTLE,
        ),
    ] = None
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="No progress, no advice.", rich_help_panel=RUN),
    ] = False
    no_color: NoColor = False
    debug: Debug = False

    def rules(self) -> Rules:
        """What the options say about the mapping; InputError where one is wrong."""
        if self.prefer not in (None, "name", "config"):  # in a notebook: typer sees to it elsewhere
            raise InputError(f"--prefer {self.prefer!r}: write name or config.")
        style = read_style(self.timestamp_format, self.extra, self.cnn_exponents)
        try:
            timezone = zone(self.timezone)
        except ValueError as error:
            raise InputError(f"--timezone: {error}.") from None
        return Rules(
            style=style,
            timezone=timezone,
            assume=parse_assume(self.assume or ()),
            prefer=self.prefer,
            vocabulary=VOCABULARY.extended(self.arch or (), self.dataset or ()),
            include_running=self.include_running,
        )

    def about_the_plan(self) -> list[str]:
        """The options given that decide what a plan holds."""
        others = ("base_url", "include_running", "quiet", "no_color", "debug")
        return [
            f"--{part.name.replace('_', '-')}"
            for part in fields(self)
            if part.name not in others and getattr(self, part.name) not in (part.default, [])
        ]

    def pattern(self) -> re.Pattern[str]:
        """`--match`; InputError where it is no regular expression."""
        try:
            with warnings.catch_warnings(action="ignore"):  # of what a later Python may read else
                return re.compile(self.match or "")
        except (re.error, RecursionError, OverflowError, ValueError) as error:
            raise InputError(
                f"--match {scrub(repr(self.match))} is no regular expression: {error}."
            ) from None


def with_shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the shared options; it takes them as one argument, `shared`."""
    hints = get_type_hints(Shared, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(part.name, keyword, default=part.default, annotation=hints[part.name])
        for part in fields(Shared)
    ]
    signature = inspect.signature(command, eval_str=True)
    own = [part for name, part in signature.parameters.items() if name != "shared"]

    @wraps(command)
    def wrapper(**given: Any) -> Any:
        shared = {part.name: given.pop(part.name) for part in added}
        return command(**given, shared=Shared(**shared))

    parameters = [part.replace(kind=keyword) for part in own] + added
    wrapper.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {part.name: part.annotation for part in parameters}
    return wrapper


def parse_assume(pairs: Sequence[str]) -> dict[str, object]:
    """`--assume KEY=VALUE`, with a field's name (`reg`) as good as its key.

    Raises:
        InputError: A pair is malformed, its key is none that names are made of, or its value
            is none that the key can have.
    """
    assumed: dict[str, object] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        key = KEYS.get(key.strip(), key.strip())
        if not equals or key not in CONFIG_KEYS or key == "exp_name":
            keys = ", ".join(one for one in CONFIG_KEYS if one != "exp_name")
            raise InputError(f"--assume {pair!r}: write KEY=VALUE, with KEY one of {keys}.")
        alone: dict[str, object] = {key: value}
        if key == "vit_prune_target":
            alone["vit_structured"] = True
        wrong = read_fields(alone).invalid
        if wrong:
            words = ", ".join(map(str, wrong.values()))
            raise InputError(f"--assume {pair!r}: {words}, which it cannot be.")
        if assumed.get(key, value) != value:
            raise InputError(f"--assume gives {key} two values.")
        assumed[key] = value
    return assumed

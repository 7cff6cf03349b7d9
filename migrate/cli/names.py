"""`parse` and `name`: what the naming core says, for a terminal. Needs neither wandb nor pandas."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from migrate.cli.config_file import FILE, ConfigFile, config_file
from migrate.cli.training_flags import read_flags
from migrate.console import Output, print_table
from migrate.errors import InputError
from migrate.text import did_you_mean, visible
from naming import (
    MAX_LENGTH,
    RSST,
    FieldsError,
    ParsedName,
    Vocabulary,
    advise,
    experiment_name,
    is_exp_name,
    parse_name,
    read_fields,
    with_guide_defaults,
)


def parse(words: Sequence[str], *, as_json: bool) -> int:
    """Parse names, or those on stdin where `-` stands in their place, and print their fields."""
    if not words:
        raise InputError("Give names to parse, or - to read them from stdin, a name a line.")
    parsed = parse_all(words, config_file())
    output = Output()
    if as_json:
        keys = ("name", "format", "fields", "readings", "reason")
        found = [{key: getattr(name, key) for key in keys} for name in parsed]
        output.data(json.dumps(found, indent=1) + "\n")
    else:
        describe(output.out, parsed)
    return 0


def name(words: Sequence[str]) -> int:
    """Print the name that a command line of the training script gives, and advice on it."""
    previewed, advice = preview(words, config_file())
    output = Output()
    output.data(f"{previewed}\n")
    for line in advice:
        output.say(line)
    return 0


def parse_all(names: Sequence[str], config: ConfigFile) -> list[ParsedName]:
    """Parse names; `-` alone reads them from stdin, one a line."""
    if "-" in names:
        if len(names) > 1:
            raise InputError("Give names, or - for stdin, not both.")
        if sys.stdin is None:
            raise InputError("stdin is closed; give names.")
        try:
            # Strict, whatever the locale makes of it; Windows writes a mark before the first name.
            lines = io.TextIOWrapper(sys.stdin.buffer, "utf-8-sig")
            names = [line.rstrip("\n") for line in lines]
        except UnicodeDecodeError:
            raise InputError("stdin is not UTF-8 text.") from None
        names = [line for line in names if line]
    style, vocabulary = config.style, config.vocabulary
    return [parse_name(name, style=style, vocabulary=vocabulary) for name in names]


def describe(console: Console, parsed: Sequence[ParsedName]) -> None:
    """Print what names say: the format, then the fields of each reading."""
    for number, name in enumerate(parsed):
        if number:
            console.print()
        # In a pipe a name stays in one piece, for whoever looks for it.
        console.print(Text(visible(name.name), "bold"), soft_wrap=not console.is_terminal)
        console.print(Text(f"{name.format}{': ' if name.reason else ''}{visible(name.reason)}"))
        for place, reading in enumerate(name.readings, 1):
            if len(name.readings) > 1:
                console.print(Text(f"reading {place} of {len(name.readings)}", "dim"))
            table = Table(box=None, show_header=False, pad_edge=True)
            for field, value in reading.items():
                if value not in (None, {}):
                    table.add_row(Text(field, "dim"), Text(visible(str(value))))
            print_table(console, table)


def preview(words: Sequence[str], config: ConfigFile) -> tuple[str, list[str]]:
    """The name that a command line of the training script gives, and what there is to say of it."""
    flags = read_flags(words, config)
    style, vocabulary = flags.config.style, flags.config.vocabulary
    arguments = with_guide_defaults(flags.given, vocabulary)
    try:
        name = experiment_name(
            arguments,
            at=flags.at,
            timezone=flags.config.timezone,
            style=style,
            vocabulary=vocabulary,
        )
    except FieldsError as error:
        raise InputError(f"No name: {error}.{_meant(error)}") from None
    except OverflowError:
        raise InputError(
            f"--at {flags.at} is too early or too late for a time in that zone."
        ) from None
    lines = []
    if flags.ignored:
        lines.append(f"ignored, not part of the name: {', '.join(flags.ignored)}")
    if is_exp_name(name, flags.given.get("exp_name"), style):
        lines += [f"advice: {advice.text} ({advice.guide})" for advice in advise(name)]
    else:
        lines += _unknown_words(arguments, vocabulary)
        if len(name) > MAX_LENGTH:
            lines.append(f"advice: {len(name)} characters, and W&B keeps {MAX_LENGTH}")
    return name, lines


def _meant(error: FieldsError) -> str:
    """On a line of its own, what the values that are not among the known few may have meant."""
    words = {key: field.kind.words for field in RSST.fields for key in field.keys}
    lines = [
        f"{key}: {did_you_mean(str(value), known)}"
        for key, value in error.invalid
        if (known := words.get(key))
    ]
    return f"\n{'; '.join(lines)}" if lines else ""


def _unknown_words(arguments: Mapping[str, object], vocabulary: Vocabulary) -> list[str]:
    """What to say of an architecture and a data set that nobody has listed."""
    fields = read_fields(arguments).known
    lines = []
    for field, noun, known in (
        ("arch", "architecture", vocabulary.architectures),
        ("dataset", "dataset", vocabulary.datasets),
    ):
        word = str(fields[field])
        if word not in known:
            meant = did_you_mean(word, sorted(known), f"known-{field}s in {FILE} adds it")
            lines.append(f"{word!r} is not a known {noun}; {meant}")
    return lines

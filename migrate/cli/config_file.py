"""`rsst-migrate.toml`: what a project has settled, to be committed beside the training script.

A table has the function that reads the value of each key; options are read by the same functions.
The rules, which hang on the time zone and the extra parts in force, are read in `cli/rules.py`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any

from migrate.client.paths import ProjectPath, parse_folder, parse_path
from migrate.errors import InputError, scrub
from migrate.text import did_you_mean
from naming import GUIDE_STYLE, VOCABULARY, Style, StyleError, Vocabulary, zone
from naming.values import is_word

FILE = "rsst-migrate.toml"
VARIABLE = "RSST_MIGRATE_CONFIG"
NO_FILE = "none"

Reader = Callable[[Any], Any]
"""Makes a value of what stands in the file, or was typed; ValueError or InputError says why not."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a configuration file says, by its keys; without one, nothing.

    Attributes:
        name: The file's name, for messages.
        extra: The extra parts, as `Style` takes them.
    """

    name: str = FILE
    projects: tuple[Path | ProjectPath, ...] = ()
    timezone: tzinfo | None = None
    timestamp_format: str = GUIDE_STYLE.timestamp_format
    cnn_exponents: bool = False
    extra: tuple[str, ...] = ()
    known_archs: tuple[str, ...] = ()
    known_datasets: tuple[str, ...] = ()
    rule: tuple[Mapping[str, object], ...] = ()

    @property
    def style(self) -> Style:
        """How names are written."""
        return Style(self.timestamp_format, self.extra, self.cnn_exponents)

    @property
    def vocabulary(self) -> Vocabulary:
        """What the scripts accept, and what the file adds."""
        return VOCABULARY.extended(self.known_archs, self.known_datasets)


NO_CONFIG = ConfigFile()


def config_file(given: str | None = None) -> ConfigFile:
    """The configuration file in force: `--config`, else the environment's, else this folder's.

    Args:
        given: A file's path, or `none`; None where no option gives one.

    Raises:
        InputError: It cannot be read, or is not valid.
    """
    named = _named(given)
    if named == NO_FILE or not (named or os.path.lexists(FILE)):
        return NO_CONFIG
    instead = f"--config {NO_FILE}" if given is not None else f"{VARIABLE}={NO_FILE}"
    return read_config(Path(named or FILE), instead)


def config_path(given: str | None = None) -> Path | None:
    """The path of that file, which need not exist; None where `none` is given."""
    named = _named(given)
    return None if named == NO_FILE else Path(named or FILE)


def _named(given: str | None) -> str | None:
    return os.environ.get(VARIABLE) if given is None else given


def read_config(path: Path, instead: str) -> ConfigFile:
    """Read a configuration file; `instead` is how to do without it.

    Raises:
        InputError: Naming the line or the key, and what is allowed.
    """
    name = scrub(path)
    try:
        values = tomllib.loads(path.read_bytes().decode("utf-8-sig"))  # Notepad writes a mark
    except OSError as error:
        raise InputError(
            f"Cannot read the configuration file {name}: {error.strerror}. "
            f"{instead} does without one."
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 (byte {error.start}).") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise InputError(f"{name} is not TOML: {scrub(error)}.") from None
    given = read(name, partial(read_table, _KEYS), values)
    config = ConfigFile(
        name=name,
        **{key.replace("-", "_"): value for key, value in given.items()},
    )
    return _with_valid_style(config, f"{name}: ")


def with_options(config: ConfigFile, options: object) -> ConfigFile:
    """What options say, and where they say nothing, the file; InputError where one is not valid.

    Args:
        config: The file.
        options: Has them as attributes, as they were typed, and as far as the command takes them.
    """
    given = {
        name: read(f"--{name.replace('_', '-')}", reader, value)
        for name, reader in _OPTIONS.items()
        if (value := getattr(options, name, None)) not in (None, False)
    }
    for name, known in (("known_arch", "known_archs"), ("known_dataset", "known_datasets")):
        given[known] = (*getattr(config, known), *given.pop(name, ()))
    return _with_valid_style(replace(config, **given), "--")


def _with_valid_style(config: ConfigFile, place: str) -> ConfigFile:
    try:
        _ = config.style
    except StyleError as error:
        key = "extra" if error.attribute == "extras" else "timestamp-format"
        raise InputError(f"{place}{key}: {error.text}.") from None
    return config


def read(what: str, reader: Reader, value: object) -> Any:
    """Read a value; InputError begins with what it is, an option or a key."""
    try:
        return reader(value)
    except (ValueError, InputError) as error:
        words = str(error)
        stop = "" if words.endswith((".", "?")) else "."
        raise InputError(f"{what}: {words}{stop}") from None


def read_table(readers: Mapping[str, Reader], value: object) -> dict[str, Any]:
    """Read a table, each of its values by the reader of its key; there may be no other keys."""
    values = table(value)
    for key in values:
        if key not in readers:
            raise ValueError(unknown(key, readers))
    return {key: read(key, readers[key], value) for key, value in values.items()}


def _of_type(type_: type, otherwise: str) -> Reader:
    def reader(value: object) -> object:
        if not isinstance(value, type_):
            raise ValueError(f"{shown(value)} is {otherwise}")
        return value

    return reader


text = _of_type(str, "not a string: write it in quotes")
table = _of_type(dict, "not a table: write { KEY = VALUE }")


def each(reader: Reader) -> Reader:
    """A reader of a list, or of one alone."""
    return lambda value: tuple(map(reader, value if isinstance(value, list) else [value]))


def read_path(value: object) -> Path | ProjectPath:
    """A PATH: a folder of offline runs, or a project's."""
    typed = text(value)
    return parse_folder(typed) or parse_path(typed)


def _word(value: object) -> str:
    word: str = text(value)
    if not word:
        raise ValueError("'' is empty: write a name")
    if not is_word(word):
        raise ValueError(f"{shown(word)} cannot stand in a name: write it without white space")
    return word


def _extra(value: object) -> tuple[str, ...]:
    arguments = read_table(dict.fromkeys(table(value), text), value)
    return tuple(f"{label}={argument}" for label, argument in arguments.items())


def _rules(value: object) -> tuple[Mapping[str, object], ...]:
    if not isinstance(value, list) or not all(isinstance(rule, dict) for rule in value):
        raise ValueError("a rule begins with [[rule]]")
    return tuple(value)


_KEYS: Mapping[str, Reader] = {
    "projects": each(read_path),
    "timezone": lambda value: zone(text(value)),
    "timestamp-format": text,
    "cnn-exponents": _of_type(bool, "neither true nor false"),
    "known-archs": each(_word),
    "known-datasets": each(_word),
    "extra": _extra,
    "rule": _rules,
}
"""What can stand in the file."""

_OPTIONS: Mapping[str, Reader] = {
    "timezone": _KEYS["timezone"],
    "timestamp_format": text,
    "cnn_exponents": _KEYS["cnn-exponents"],
    "known_arch": each(_word),
    "known_dataset": each(_word),
    "extra": lambda typed: tuple(filter(None, map(str.strip, typed.split(",")))),
}
"""The options that say the same."""


def unknown(key: str, known: Iterable[str]) -> str:
    """That a key is not a known one, with the nearest that is, or all of them."""
    return f"{shown(key)} is not a known key; {did_you_mean(str(key), [*known])}"


def shown(value: object) -> str:
    """A value of a file for a message: on one line, and not too long."""
    if isinstance(value, bool):
        return str(value).lower()
    return scrub(repr(value) if isinstance(value, str) else str(value))[:100]

"""`rsst-migrate.toml`: what a project has settled, to be committed beside the training script.

It is read in two steps. `read_config` checks its shape and the values that stand by themselves;
the rules, which hang on the time zone and the extra parts in force, are made of it in
`cli/rules.py`. Both are done before anything is asked of a server.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import NoReturn

from migrate.client.paths import parse_folder, parse_path
from migrate.errors import InputError, scrub
from migrate.text import did_you_mean
from naming import GUIDE_STYLE, VOCABULARY, Style, StyleError, Vocabulary, zone
from naming.values import is_word

FILE = "rsst-migrate.toml"
VARIABLE = "RSST_MIGRATE_CONFIG"
NO_FILE = "none"

_KNOWN = (
    *("projects", "timezone", "timestamp-format", "cnn-exponents", "known-archs"),
    *("known-datasets", "extra", "rule"),
)


class Table:
    """A table of the file, out of which values are taken; an error names the key.

    Attributes:
        place: What an error begins with: the file, and the table in it.
        values: What stands in the table.
    """

    def __init__(self, place: str, values: Mapping[str, object]) -> None:
        self.place = place
        self.values = values

    def fail(self, key: str, words: str) -> NoReturn:
        """Raise the error that a value is not what it must be."""
        raise InputError(f"{self.place}: {key}: {words}.")

    def only(self, known: Sequence[str]) -> None:
        """Refuse keys that are not known ones."""
        for key in self.values:
            if key not in known:
                raise InputError(f"{self.place}: {sentence(unknown(key, known))}")

    def text(self, key: str) -> str | None:
        """A text; None where it is not given."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            self.fail(key, f"{shown(value)} is not a text: write it in quotes")
        return value

    def texts(self, key: str) -> list[str]:
        """A text or a list of them; none where it is not given."""
        value = self.values.get(key, [])
        texts = []
        for text in value if isinstance(value, list) else [value]:
            if not isinstance(text, str):
                self.fail(key, f"{shown(text)} is not a text: write it in quotes")
            texts.append(text)
        return texts

    def flag(self, key: str) -> bool:
        """A truth; false where it is not given."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            self.fail(key, f"{shown(value)} is neither true nor false")
        return value

    def table(self, key: str) -> Table:
        """A table in this one; an empty one where it is not given."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.fail(key, f"{shown(value)} is not a table: write {{ KEY = VALUE }}")
        return Table(f"{self.place}: {key}", value)


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a configuration file says; without one, nothing.

    Attributes:
        name: The file's name, for messages.
        projects: The PATHs that are meant where none is given.
        timezone: The zone of the times in names; None where it does not say.
        timestamp_format: Their form; None where it does not say.
        cnn_exponents: Whether to write exponents in CNN names, too.
        extras: The extra parts, as `Style` takes them.
        known_archs: Architectures that count as known.
        known_datasets: Datasets that count as known.
        rules: The tables of its rules, in order.
        rule_lines: The lines that they begin in.
    """

    name: str = FILE
    projects: tuple[str, ...] = ()
    timezone: tzinfo | None = None
    timestamp_format: str | None = None
    cnn_exponents: bool = False
    extras: tuple[str, ...] = ()
    known_archs: tuple[str, ...] = ()
    known_datasets: tuple[str, ...] = ()
    rules: tuple[Table, ...] = ()
    rule_lines: tuple[int, ...] = ()

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
    return read_config(Path(named or FILE))


def config_path(given: str | None = None) -> Path | None:
    """Where that file is, or would be; None where `none` is given."""
    named = _named(given)
    return None if named == NO_FILE else Path(named or FILE)


def _named(given: str | None) -> str | None:
    return os.environ.get(VARIABLE) if given is None else given


def read_config(path: Path) -> ConfigFile:
    """Read a configuration file.

    Raises:
        InputError: Naming the line or the key, and what is allowed.
    """
    name = scrub(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")  # Notepad writes a mark
        values = tomllib.loads(text)
    except OSError as error:
        raise InputError(
            f"Cannot read the configuration file {name}: {error.strerror}. "
            f"--config {NO_FILE} does without one."
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 (byte {error.start}).") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise InputError(f"{name} is not TOML: {scrub(error)}.") from None
    table = Table(name, values)
    table.only(_KNOWN)
    config = ConfigFile(
        name=name,
        projects=tuple(_projects(table)),
        timezone=_zone(table),
        timestamp_format=table.text("timestamp-format"),
        cnn_exponents=table.flag("cnn-exponents"),
        extras=tuple(_extras(table.table("extra"))),
        known_archs=tuple(_words(table, "known-archs")),
        known_datasets=tuple(_words(table, "known-datasets")),
        rules=tuple(_rules(table)),
        rule_lines=_rule_lines(text),
    )
    try:
        form = config.timestamp_format
        Style(GUIDE_STYLE.timestamp_format if form is None else form, config.extras)
    except StyleError as error:
        table.fail("extra" if error.attribute == "extras" else "timestamp-format", error.text)
    return config


def _projects(table: Table) -> Iterator[str]:
    for path in table.texts("projects"):
        try:
            if parse_folder(path) is None:
                parse_path(path)
        except InputError as error:
            raise InputError(f"{table.place}: projects: {error}") from None
        yield path


def _zone(table: Table) -> tzinfo | None:
    text = table.text("timezone")
    try:
        return None if text is None else zone(text)
    except ValueError as error:
        table.fail("timezone", str(error))


def _words(table: Table, key: str) -> Iterator[str]:
    for word in table.texts(key):
        if not is_word(word):
            table.fail(key, f"{shown(word)} cannot stand in a name: write it without white space")
        yield word


def _extras(table: Table) -> Iterator[str]:
    for label in table.values:
        yield f"{label}={table.text(label)}"


def _rules(table: Table) -> Iterator[Table]:
    rules = table.values.get("rule", [])
    if not isinstance(rules, list):
        table.fail("rule", "a rule begins with [[rule]]")
    for number, values in enumerate(rules, 1):
        if not isinstance(values, dict):
            table.fail("rule", "a rule begins with [[rule]]")
        yield Table(f"{table.place}: rule {number}", values)


def _rule_lines(text: str) -> tuple[int, ...]:
    """The lines of `[[rule]]`, which tomllib does not tell."""
    lines = enumerate(text.split("\n"), 1)
    return tuple(number for number, line in lines if re.match(r"\s*\[\[\s*rule\s*\]\]", line))


def unknown(key: str, known: Sequence[str]) -> str:
    """That a key is not a known one, with the nearest that is, or all of them."""
    return f"{shown(key)} is not a known key; {did_you_mean(key, known)}"


def sentence(text: str) -> str:
    """A text with a full stop, unless it ends as a question."""
    return text if text.endswith("?") else f"{text}."


def shown(value: object) -> str:
    """A value of a file for a message: on one line, and not too long."""
    if isinstance(value, bool):
        return str(value).lower()
    return scrub(repr(value) if isinstance(value, str) else str(value))[:100]

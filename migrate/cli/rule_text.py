"""Rules as text for the configuration file: what `cli/rules.py` reads, written."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile

import tomlkit

from migrate.errors import InputError
from migrate.mapping.rules import Rule, Where, where_table
from migrate.text import visible


def rule_text(rule: Rule, comment: str) -> str:
    """A rule as a table of the file, under a comment that says what it answers."""
    supplies: dict[str, object] = {"assume": rule.assume, "set": rule.replace}
    if rule.prefer is not None:
        supplies["prefer"] = rule.prefer
    return _table(comment, rule.where, supplies)


def blank_text(rule: Rule, comment: str, hint: str) -> str:
    """The same as comments, with VALUE in place of what it supplies, and what that can be."""
    blank = dict.fromkeys((*rule.assume, *rule.replace), "VALUE")
    supplies: dict[str, object] = {
        "assume" if rule.assume else "set" if rule.replace else "prefer": blank or "VALUE"
    }
    _, *lines = _table(comment, rule.where, supplies).replace('"VALUE"', "VALUE").splitlines()
    blank_lines = "\n".join(f"# {line}" for line in lines)
    return f"# {visible(comment)}\n{blank_lines}  # {visible(hint)}\n"


def _table(comment: str, where: Where, supplies: Mapping[str, object]) -> str:
    lines = [f"# {visible(comment)}", "[[rule]]", f"where = {_value(where_table(where))}"]
    lines += [f"{key} = {_value(supplied)}" for key, supplied in supplies.items() if supplied]
    return "\n".join(lines) + "\n"


def check_can_add(path: Path) -> None:
    """Find out whether a rule can be written into a configuration file, before it is worth one.

    Raises:
        InputError: It cannot.
    """
    with_rule(path.read_bytes() if path.exists() else b"", "[[rule]]\n", path.name)
    try:
        # Where the file is to be replaced: as by `save`, which writes beside it first.
        with TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from None


def with_rule(content: bytes, text: str, name: str) -> bytes:
    """A configuration file with one rule more, at its end; all else stays as it is.

    Args:
        content: The file's text; empty where the file does not exist yet.
        text: The rule.
        name: The file's name, for messages.

    Raises:
        InputError: Its rules are not `[[rule]]` tables, so that none can be added.
    """
    gap = b"" if not content else b"\n" if content.endswith(b"\n") else b"\n\n"
    longer = content + gap + text.encode()
    try:
        tomllib.loads(longer.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise InputError(
            f"Cannot add a rule to {name}: write its rules as [[rule]] tables."
        ) from None
    return longer


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{tomlkit.key(key).as_string()} = {_value(v)}" for key, v in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, str) and "\\" in value and "'" not in value and value.isprintable():
        return f"'{value}'"  # a regular expression, with no backslash doubled
    return tomlkit.item(value).as_string()

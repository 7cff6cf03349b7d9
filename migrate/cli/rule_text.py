"""Rules as text for the configuration file: what `cli/rules.py` reads, written. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

import tomlkit

from migrate.errors import InputError
from migrate.mapping.rules import Rule, where_table
from migrate.text import visible


def rule_text(rule: Rule, comment: str) -> str:
    """A rule as a table of the file, under a comment that says what it answers."""
    supplies = {"assume": rule.assume, "set": rule.replace}
    lines = [f"# {visible(comment)}", "[[rule]]", f"where = {_inline(where_table(rule.where))}"]
    lines += [f"{key} = {_inline(values)}" for key, values in supplies.items() if values]
    if rule.prefer is not None:
        lines.append(f"prefer = {_value(rule.prefer)}")
    return "\n".join(lines) + "\n"


def with_rule(content: bytes, text: str, name: str) -> bytes:
    """A configuration file with one rule more, at its end; all else stays as it is.

    Args:
        content: The file; empty where there is none yet.
        text: The rule.
        name: The file's name, for messages.

    Raises:
        InputError: Its rules are not `[[rule]]` tables, so that none can be added.
    """
    gap = b"" if not content else b"\n" if content.endswith(b"\n") else b"\n\n"
    longer = content + gap + text.encode()
    try:
        tomllib.loads(longer.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise InputError(
            f"Cannot add a rule to {name}: write its rules as [[rule]] tables."
        ) from None
    return longer


def _inline(values: Mapping[str, object]) -> str:
    pairs = (f"{tomlkit.key(key).as_string()} = {_value(value)}" for key, value in values.items())
    return f"{{ {', '.join(pairs)} }}"


def _value(value: object) -> str:
    if isinstance(value, str) and "\\" in value and "'" not in value and value.isprintable():
        return f"'{value}'"  # a regular expression, with no backslash doubled
    return tomlkit.item(value).as_string()

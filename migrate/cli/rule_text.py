"""Rules as text for the configuration file: what `cli/rules.py` reads, written. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping

import tomlkit

from migrate.errors import InputError
from migrate.mapping.rules import Rule, Where
from migrate.text import visible


def rule_text(rule: Rule, comment: str) -> str:
    """A rule as a table of the file, under a comment that says what it answers."""
    supplies = {"assume": rule.assume, "set": rule.replace}
    lines = [f"# {visible(comment)}", "[[rule]]", f"where = {_inline(_where(rule.where))}"]
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


def _where(where: Where) -> dict[str, object]:
    """What `where` asks, by the keys of the file."""
    given: dict[str, object] = {"project": _few(where.projects), "family": _few(where.families)}
    given |= {key: _few([*map(_as_typed, values)]) for key, values in where.values.items()}
    given["name"] = where.name.pattern if where.name is not None else None
    given |= {"state": _few(where.states), "reason": _few(where.reasons)}
    given |= {"before": where.before, "after": where.after, "runs": _few(where.runs)}
    return {key: value for key, value in given.items() if value is not None}


def _as_typed(value: object) -> object:
    """A number that is compared, as a person would write it: 3 and not 3.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _few(values: Collection[object]) -> object:
    """One value as it is, several as a list."""
    ordered = sorted(values, key=str)
    return ordered[0] if len(ordered) == 1 else ordered or None


def _inline(values: Mapping[str, object]) -> str:
    pairs = (f"{tomlkit.key(key).as_string()} = {_value(value)}" for key, value in values.items())
    return f"{{ {', '.join(pairs)} }}"


def _value(value: object) -> str:
    if isinstance(value, str) and "\\" in value and "'" not in value and value.isprintable():
        return f"'{value}'"  # a regular expression, with no backslash doubled
    return tomlkit.item(value).as_string()

"""Rules as text for the configuration file: what `cli/rules.py` reads, written.

`settle` adds one to the file; `settle --print` gives the rules that other runs support, and those
to be filled in.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile

import tomlkit

from migrate.cli.rules import allowed
from migrate.errors import InputError
from migrate.mapping.kinds import Kind
from migrate.mapping.rules import Rule, Where, where_table
from migrate.mapping.settling import Settling, answer_of, readings
from migrate.report.kinds import kind_text, others_text
from migrate.text import counted, visible
from naming import RSST
from naming.scheme import PART


def rule_text(rule: Rule, comment: str) -> str:
    """A rule as a table of the file, under a comment that says what it answers."""
    supplies = {"assume": rule.assume, "set": rule.replace, "prefer": rule.prefer}
    return _table(comment, rule.where, {key: _value(v) for key, v in supplies.items() if v})


def blank_text(rule: Rule, comment: str, hint: str) -> str:
    """The same as comments, with VALUE in place of what it supplies, and what that can be."""
    if keys := (*rule.assume, *rule.replace):
        supplies = {"assume" if rule.assume else "set": _inline(dict.fromkeys(keys, "VALUE"))}
    else:
        supplies = {"prefer": "VALUE"}
    _, *lines = _table(comment, rule.where, supplies).splitlines()
    blank_lines = "\n".join(f"# {line}" for line in lines)
    return f"# {visible(comment)}\n{blank_lines}  # {visible(hint)}\n"


def _table(comment: str, where: Where, supplies: Mapping[str, str]) -> str:
    lines = [f"# {visible(comment)}", "[[rule]]", f"where = {_value(where_table(where))}"]
    lines += [f"{key} = {value}" for key, value in supplies.items()]
    return "\n".join(lines) + "\n"


def check_can_add(path: Path) -> None:
    """Raise InputError where no rule can be written into a configuration file."""
    with_rule(path.read_bytes() if path.exists() else b"", "[[rule]]\n", path.name)
    try:
        # Where the file is to be replaced: as by `save`, which writes beside it first.
        with TemporaryFile(dir=path.resolve().parent):
            pass
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from None


def with_rule(content: bytes, text: str, name: str) -> bytes:
    """A configuration file's content with one rule more, at its end; all else stays as it is.

    Raises:
        InputError: Its rules are not `[[rule]]` tables, so that none can be added.
    """
    gap = "" if not content else "\n" if content.endswith(b"\n") else "\n\n"
    end = "\r\n" if b"\r\n" in content else "\n"  # as the file has it
    longer = content + f"{gap}{text}".replace("\n", end).encode()
    try:
        tomllib.loads(longer.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise InputError(
            f"Cannot add a rule to {name}: write its rules as [[rule]] tables."
        ) from None
    return longer


def _inline(values: Mapping[str, str]) -> str:
    """A table on one line, of values that are TOML already."""
    pairs = (f"{tomlkit.key(key).as_string()} = {value}" for key, value in values.items())
    return f"{{ {', '.join(pairs)} }}"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return _inline({key: _value(v) for key, v in value.items()})
    if isinstance(value, str) and "\\" in value and "'" not in value and value.isprintable():
        return f"'{value}'"  # a regular expression, with no backslash doubled
    return tomlkit.item(value).as_string()


def suggested_rules(settling: Settling) -> str:
    """A configuration file of rules for what is open: those without evidence are comments."""
    before = settling.in_review
    if not before:
        return "# No run is in review.\n"
    texts = []
    failed: set[object] = set()
    while supported := [
        kind
        for kind in settling.kinds
        if kind.suggested is not None and kind.identity not in failed
    ]:
        kind = supported[0]
        effect = settling.effect(kind, answer_of(kind, kind.suggested))
        if effect.fails:
            failed.add(kind.identity)
        else:
            texts.append(rule_text(effect.rule, rule_comment(kind)))
            settling = settling.with_rules((*settling.rules, effect.rule))
    settled = before - settling.in_review
    head = f"# {counted(before, 'run')} in review; the rules below settle {settled} of them.\n"
    if settling.kinds:
        head += "# Those in comments do when a value stands in place of VALUE.\n"
    return "\n".join([head, *texts, *(_to_be_filled_in(settling, kind) for kind in settling.kinds)])


def _to_be_filled_in(settling: Settling, kind: Kind) -> str:
    """A rule without its value, in comments."""
    comment = rule_comment(kind)
    if kind.problem.code == "stuck":
        return f"# {visible(comment)}: no rule settles this\n"
    # Which runs a rule is about does not depend on the value: any will do to find out.
    answer = Rule(prefer="name")
    if kind.problem.code == "ambiguous":
        answer = answer_of(kind, readings(kind)[0][0])
    elif kind.problem.code != "conflict":
        field = RSST.by_key.get(kind.key or "")
        any_value = RSST.guide.get(field.name, field.default) if field is not None else 1
        answer = answer_of(kind, any_value)
    return blank_text(settling.effect(kind, answer).rule, comment, _values(kind))


def _values(kind: Kind) -> str:
    """What can stand in place of VALUE."""
    if kind.problem.code == "conflict":
        return 'write "name" or "config"'
    if kind.problem.code == "ambiguous":
        return "write " + " or ".join(f'"{arch}"' for arch, _ in readings(kind))
    if kind.is_about_a_word:
        return f"write another {kind.key}, in quotes"
    return allowed(RSST.kinds.get(str(kind.key), PART), RSST.by_key.get(str(kind.key)))


def rule_comment(kind: Kind) -> str:
    """What stands above a rule: what it answers, and what other runs have."""
    evidence = others_text(kind.others) if kind.problem.code in ("missing", "invalid") else ""
    return "; ".join([kind_text(kind), *([evidence] if evidence else [])])

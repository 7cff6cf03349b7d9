"""`settle --print`: the rules that other runs support, and those to be filled in. Pure."""

from __future__ import annotations

from collections.abc import Collection

from migrate.cli.rule_text import blank_text, rule_text
from migrate.cli.rules import allowed
from migrate.mapping.kinds import Kind
from migrate.mapping.rows import number_of_runs
from migrate.mapping.rules import Rule
from migrate.mapping.settling import Settling, answer_of, readings
from migrate.report.kinds import kind_text, others_text
from migrate.text import visible
from naming import RSST


def suggested_rules(settling: Settling) -> str:
    """A configuration file of rules for what is open: those without evidence are comments."""
    before = settling.in_review
    if not before:
        return "# No run is in review.\n"
    texts = []
    failed: set[object] = set()
    while kind := next((kind for kind in settling.kinds if _is_supported(kind, failed)), None):
        effect = settling.effect(kind, answer_of(kind, kind.suggested))
        if effect.fails:
            failed.add(kind.identity)
        else:
            texts.append(rule_text(effect.rule, rule_comment(kind)))
            settling = settling.with_rules((*settling.rules, effect.rule))
    settled = before - settling.in_review
    head = f"# {number_of_runs(before)} in review; the rules below settle {settled} of them.\n"
    if settling.kinds:
        head += "# Those in comments do when a value stands in place of VALUE.\n"
    return "\n".join([head, *texts, *(_to_be_filled_in(settling, kind) for kind in settling.kinds)])


def _is_supported(kind: Kind, failed: Collection[object]) -> bool:
    return kind.suggested is not None and kind.identity not in failed


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
    return allowed(str(kind.key))


def rule_comment(kind: Kind) -> str:
    """What stands above a rule: what it answers, and what other runs have."""
    evidence = others_text(kind.others) if kind.problem.code in ("missing", "invalid") else ""
    return "; ".join([kind_text(kind), *([evidence] if evidence else [])])

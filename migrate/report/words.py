"""The words for statuses and reasons: made here, for every output, and never read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from migrate.mapping.made_with import MadeWith
from migrate.mapping.rows import Reason, RuleSource, Settled

WORDS: Final = {
    "rename": ("old name; the new one is known", "旧名称，新名称已确定"),
    "review": ("old name; cannot be rewritten safely", "旧名称，无法安全改写，需人工处理"),
    "hold": ("old name; cannot be renamed yet", "旧名称，暂时不能改名"),
    "current": ("already in the new format", "已是新格式"),
    "custom": ("a custom name; left alone", "自定义名称，保持不变"),
    "missing": ("the config lacks a value", "配置中缺少取值"),
    "conflict": ("name and config disagree", "名称与配置不一致"),
    "invalid": ("a value is not valid", "取值无效"),
    "ambiguous": ("the name has several readings", "名称有多种解读"),
    "too-long": ("the new name would be too long", "新名称过长"),
    "running": ("the run has not ended", "实验尚未结束"),
    "read-only": ("this key may not rename it", "只读，当前密钥无权改名"),
    "being-written": ("a process is writing its log", "日志仍在写入"),
    "synced": ("it is on W&B already; rename it there", "已在 W&B 上，请在那里改名"),
    "near-miss": ("almost in one of our formats", "接近但不符合格式"),
    "exp-name": ("given with --exp_name", "由 --exp_name 指定"),
    "not-ours": ("not an RSST name", "不是 RSST 名称"),
    "legacy": ("old format", "旧格式"),
    "other": ("not a known architecture", "未收录的架构"),
}
"""Machine-readable words and what they mean, in English and in Chinese."""

_INVALID = {
    "config": "the config is not a JSON object",
    "createdAt": "createdAt is not a time",
    "unseen": "the new name would have characters that cannot be seen",
    "new-name": "arch or dataset would not read back from a new name",
}


def reason_text(reasons: Iterable[Reason]) -> str:
    r"""The column `reason`: a clause for each reason, joined by `; `.

    Scripts may split it there: a `;` of somebody else's is spelled out, so that no value can
    look like one more reason.

    >>> reason_text([Reason("missing", ("rate", "exponents")), Reason("read-only")])
    'missing: rate, exponents; read-only'
    >>> reason_text([Reason("conflict", (("dataset", "cifar10", "c; missing: rate"),))])
    'conflict: dataset is cifar10 in the name, c\\x3b missing: rate in the config'
    """
    return "; ".join(map(clause, reasons))


def clause(reason: Reason) -> str:
    """One reason in words: its code, and what there is to say besides.

    >>> clause(Reason("too-long", (131,))), clause(Reason("running", ("pending",)))
    ('too-long: 131 characters', 'running')
    """
    words = _data_in_words(reason.code, reason.data).replace(";", "\\x3b")
    return f"{reason.code}: {words}" if words else reason.code


def settled_text(settled: Iterable[Settled]) -> str:
    r"""The column `settled`: a clause for each value that a rule supplied, joined by `; `.

    >>> option = RuleSource(option="--prefer name")
    >>> settled_text([Settled("set", "RST_schedule", "x", "linear", option),
    ...               Settled("preferred", "dataset", "name", "a;b", option)])
    'set RST_schedule=x (was linear); took dataset from the name (config: a\\x3bb)'
    """
    return "; ".join(settled_clause(part) for part in settled)


def settled_clause(part: Settled) -> str:
    """One value that a rule supplied, without the rule."""
    return _settled_words(part).replace(";", "\\x3b")


def _settled_words(part: Settled) -> str:
    if part.kind == "preferred":
        other = "config" if part.value == "name" else "name"
        return f"took {part.key} from the {part.value} ({other}: {part.was})"
    was = "" if part.was is None else f" (was {part.was})"
    return f"{part.kind} {part.key}={part.value}{was}"


def source_text(source: RuleSource) -> str:
    """Where a rule stands.

    >>> source_text(RuleSource(file="rsst-migrate.toml", number=2))
    'rule 2 of rsst-migrate.toml'
    """
    return source.option or f"rule {source.number} of {source.file}"


def made_with_lines(made: MadeWith) -> list[str]:
    """The options that rows were made with, and the rules: a line each.

    >>> rule = {"file": "rsst-migrate.toml", "number": 1, "where": {"arch": "a"}, "prefer": "name"}
    >>> for line in made_with_lines(MadeWith({"timezone": "UTC", "extra": ["bs"]}, (rule,))):
    ...     print(line)
    timezone: UTC; extra: ["bs"]
    rule 1 of rsst-migrate.toml: where {"arch": "a"}; prefer name
    """
    return [_listed(made.options, ": "), *map(_rule_line, made.rules)]


def _rule_line(rule: Mapping[str, Any]) -> str:
    if "option" in rule:
        return str(rule["option"])
    parts = {key: value for key, value in rule.items() if key not in ("file", "number")}
    return f"{source_text(RuleSource('', rule['file'], rule['number']))}: {_listed(parts, ' ')}"


def _listed(values: Mapping[str, object], between: str) -> str:
    texts = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in values.items()
    }
    return "; ".join(f"{key}{between}{text}" for key, text in texts.items())


def _data_in_words(code: str, data: tuple[Any, ...]) -> str:
    match code:
        case "missing":
            return ", ".join(data)
        case "conflict":
            return " and ".join(
                f"{field} is {in_name} in the name, {in_config} in the config"
                for field, in_name, in_config in data
            )
        case "invalid":
            return ", ".join(
                f"{what} is {value[0]}" if value else _INVALID[what] for what, *value in data
            )
        case "ambiguous":
            return _ambiguous(data)
        case "too-long":
            return f"{data[0]} characters"
        case "exp-name":
            return "given with --exp_name"
        case "near-miss" | "not-ours":
            return str(data[0].words())
    return ""  # `running` (the column `state` says which) and the others say it all


def _ambiguous(data: tuple[Any, ...]) -> str:
    *pairs, more = data
    readings = [f"{arch} on {dataset}" for arch, dataset in pairs]
    if len(readings) == 1:
        options = "--known-arch or --known-dataset"
        return f"neither side of {readings[0]} is known (name one with {options})"
    return " or ".join([*readings, *([f"{more} more"] if more else [])])

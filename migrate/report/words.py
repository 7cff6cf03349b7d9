"""The words for statuses and reasons: made here, for every output, and never read back.

What the page shows is in English and in Chinese: pairs of words, of which a `Language` takes one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from migrate.mapping.rows import STATUSES, Reason, Row, RuleSource, Settled
from naming import Reason as NamingReason

Language = Literal[0, 1]
EN: Final = 0
ZH: Final = 1

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

_INVALID: Final = {
    "config": ("the config is not a JSON object", "配置不是 JSON 对象"),
    "createdAt": ("createdAt is not a time", "createdAt 不是时间"),
    "unseen": (
        "the new name would have characters that cannot be seen",
        "新名称中会有不可见字符",
    ),
    "new-name": (
        "arch or dataset would not read back from a new name",
        "从新名称中无法读回原来的架构或数据集",
    ),
}
_PREFERRED: Final = {
    "name": ("took {} from the name (config: {})", "{} 取自名称（配置为 {}）"),
    "config": ("took {} from the config (name: {})", "{} 取自配置（名称为 {}）"),
}
# What stands between two clauses is spelled out within one.
_SEPARATORS: Final = (
    str.maketrans({";": "\\x3b"}),
    str.maketrans({";": "\\x3b", "；": "\\uff1b"}),
)


def count_by_status(rows: Iterable[Row]) -> str:
    """`42 rename, 9 review`: the statuses that there are."""
    counts = Counter(row.status for row in rows)
    return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])


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


def clause(reason: Reason, language: Language = EN) -> str:
    """One reason in words: its code, and what there is to say besides.

    >>> clause(Reason("too-long", (131,))), clause(Reason("running", ("pending",)))
    ('too-long: 131 characters', 'running')
    >>> clause(Reason("missing", ("rate", "exponents")), ZH)
    'missing：rate、exponents'
    """
    words = _data_in_words(reason.code, reason.data, language).translate(_SEPARATORS[language])
    return f"{reason.code}{(': ', '：')[language]}{words}" if words else reason.code


def _data_in_words(code: str, data: tuple[Any, ...], language: Language) -> str:
    match code:
        case "missing":
            return (", ", "、")[language].join(data)
        case "conflict":
            sides = (
                "{} is {} in the name, {} in the config",
                "{} 在名称中为 {}，在配置中为 {}",
            )[language]
            return (" and ", "，且 ")[language].join(sides.format(*field) for field in data)
        case "invalid":
            return (", ", "、")[language].join(
                ("{} is {}", "{} 为 {}")[language].format(what, *value)
                if value
                else _INVALID[what][language]
                for what, *value in data
            )
        case "ambiguous":
            return _ambiguous(data, language)
        case "too-long":
            return f"{data[0]} {('characters', '个字符')[language]}"
        case "exp-name":
            return WORDS[code][language]
        case "near-miss" | "not-ours":
            return data[0].words() if language == EN else _in_chinese(data[0])
    return ""  # `running` (the column `state` says which) and the others say it all


def _ambiguous(data: tuple[Any, ...], language: Language) -> str:
    *pairs, more = data
    readings = [("{} on {}", "{} + {}")[language].format(*pair) for pair in pairs]
    if len(readings) == 1:
        return (
            "neither side of {} is known (name one with --known-arch or --known-dataset)",
            "{} 两侧都不是已知名称（请用 --known-arch 或 --known-dataset 指明一侧）",
        )[language].format(readings[0])
    if more:
        readings.append(("{} more", "另外 {} 种")[language].format(more))
    return (" or ", " 或 ")[language].join(readings)


def _in_chinese(why: NamingReason) -> str:
    """`why.words()`, in Chinese."""
    if why.fault == "part":
        place = f"{why.after!r} 之后" if why.after else "开头"
        found = f"，实际为 {why.text!r}" if why.text else ""
        return f"{place}应为 {why.expected}{found}"
    return {
        "": "不是 RSST 名称",
        "length": f"长达 {why.text} 个字符",
        "case": "大小写不对：名称一律小写",
        "white-space": "名称首尾有空白",
        "before": f"名称前有 {why.text!r}",
        "after": f"名称后有 {why.text!r}",
    }[why.fault]


def settled_text(settled: Iterable[Settled]) -> str:
    r"""The column `settled`: a clause for each value that a rule supplied, joined by `; `.

    >>> option = RuleSource(option="--prefer name")
    >>> settled_text([Settled("set", "RST_schedule", "x", "linear", option),
    ...               Settled("preferred", "dataset", "name", "a;b", option)])
    'set RST_schedule=x (was linear); took dataset from the name (config: a\\x3bb)'
    """
    return "; ".join(settled_clause(part) for part in settled)


def settled_clause(part: Settled, language: Language = EN) -> str:
    """One value that a rule supplied, without the rule."""
    return _settled_words(part, language).translate(_SEPARATORS[language])


def _settled_words(part: Settled, language: Language) -> str:
    if part.kind == "preferred":
        return _PREFERRED[str(part.value)][language].format(part.key, part.was)
    verb = (part.kind, {"assumed": "假定", "set": "改用"}[part.kind])[language]
    was = (" (was {})", "（原为 {}）")[language].format(part.was) if part.was is not None else ""
    return f"{verb} {part.key}={part.value}{was}"


def source_text(source: RuleSource, language: Language = EN) -> str:
    """Where a rule stands.

    >>> source_text(RuleSource(file="rsst-migrate.toml", number=2))
    'rule 2 of rsst-migrate.toml'
    """
    words = ("rule {0} of {1}", "{1} 第 {0} 条规则")[language]
    return source.option or words.format(source.number, source.file)


def made_with_lines(made: Mapping[str, Any]) -> list[str]:
    """The options that rows were made with, and the rules: a line each.

    >>> rule = {"file": "rsst-migrate.toml", "number": 1, "where": {"arch": "a"}, "prefer": "name"}
    >>> made = {"options": {"timezone": "UTC", "extra": ["bs"]}, "rules": [rule]}
    >>> for line in made_with_lines(made):
    ...     print(line)
    timezone: UTC; extra: ["bs"]
    rule 1 of rsst-migrate.toml: where {"arch": "a"}; prefer name
    """
    return [_listed(made["options"], ": "), *map(_rule_line, made["rules"])]


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

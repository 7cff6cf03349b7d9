"""The words of `words.py` that depend on a run, in Chinese: for the page, which has both."""

from __future__ import annotations

from typing import Any, Final

from migrate.mapping.rows import Reason, Settled

_INVALID: Final = {
    "config": "配置不是 JSON 对象",
    "createdAt": "createdAt 不是时间",
    "unseen": "新名称中会有不可见字符",
    "new-name": "从新名称中无法读回原来的架构或数据集",
}


def clause(reason: Reason) -> str:
    """One reason in words, as `words.clause` has it.

    >>> clause(Reason("missing", ("rate", "exponents"))), clause(Reason("running", ("pending",)))
    ('missing：rate、exponents', 'running')
    """
    words = _without_separators(_data_in_words(reason.code, reason.data))
    return f"{reason.code}：{words}" if words else reason.code


def settled_clause(part: Settled) -> str:
    """One value that a rule supplied, as `words.settled_clause` has it, and the rule.

    >>> from migrate.mapping.rows import RuleSource
    >>> rule = RuleSource(file="rsst-migrate.toml", number=2)
    >>> settled_clause(Settled("assumed", "rate", 0.15, None, rule))
    '假定 rate=0.15 · rsst-migrate.toml 第 2 条规则'
    """
    source = part.source
    rule = source.option or f"{source.file} 第 {source.number} 条规则"
    return f"{_without_separators(_settled_words(part))} · {rule}"


def _settled_words(part: Settled) -> str:
    if part.kind == "preferred":
        sides = ("名称", "配置") if part.value == "name" else ("配置", "名称")
        return f"{part.key} 取自{sides[0]}（{sides[1]}为 {part.was}）"
    was = "" if part.was is None else f"（原为 {part.was}）"
    return f"{'假定' if part.kind == 'assumed' else '改用'} {part.key}={part.value}{was}"


def _without_separators(words: str) -> str:
    """The words with what stands between two clauses spelled out, as in `words.reason_text`."""
    return words.replace(";", "\\x3b").replace("；", "\\uff1b")


def _data_in_words(code: str, data: tuple[Any, ...]) -> str:
    match code:
        case "missing":
            return "、".join(data)
        case "conflict":
            return "，且 ".join(
                f"{field} 在名称中为 {in_name}，在配置中为 {in_config}"
                for field, in_name, in_config in data
            )
        case "invalid":
            return "、".join(
                f"{what} 为 {value[0]}" if value else _INVALID[what] for what, *value in data
            )
        case "ambiguous":
            return _ambiguous(data)
        case "too-long":
            return f"{data[0]} 个字符"
        case "exp-name":
            return "由 --exp_name 指定"
        case "near-miss" | "not-ours":
            return _near_miss(*data[0])
    return ""


def _ambiguous(data: tuple[Any, ...]) -> str:
    *pairs, more = data
    readings = [f"{arch} + {dataset}" for arch, dataset in pairs]
    if len(readings) == 1:
        return f"{readings[0]} 两侧都不是已知名称（请用 --known-arch 或 --known-dataset 指明一侧）"
    return " 或 ".join([*readings, *([f"另外 {more} 种"] if more else [])])


def _near_miss(_code: str, fault: str, text: str, after: str, expected: str) -> str:
    """`naming.Reason.words`."""
    if fault == "part":
        place = f"{after!r} 之后" if after else "开头"
        found = f"，实际为 {text!r}" if text else ""
        return f"{place}应为 {expected}{found}"
    return {
        "": "不是 RSST 名称",
        "length": f"长达 {text} 个字符",
        "case": "大小写不对：名称一律小写",
        "white-space": "名称首尾有空白",
        "before": f"名称前有 {text!r}",
        "after": f"名称后有 {text!r}",
    }[fault]

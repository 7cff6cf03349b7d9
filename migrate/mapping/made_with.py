"""What rows were made with: the options and rules in force, for whoever reads them later. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from migrate.mapping.mapping import Options
from migrate.mapping.rules import Rule, where_table
from naming import VOCABULARY


def made_with(options: Options, chosen: Mapping[str, object]) -> dict[str, Any]:
    """What rows were made with, as JSON has values.

    Args:
        options: How they were mapped.
        chosen: Which of them were chosen: option to value; what is None or empty was not given.

    Returns:
        `options`: option, or key of the configuration file, to its value. `rules`: in order, each
        by the keys of the configuration file, with where it stands: `file` and `number`, or
        `option`.
    """
    style, vocabulary = options.style, options.vocabulary
    given: dict[str, object] = {
        "timezone": str(options.timezone),
        "timestamp-format": style.timestamp_format,
        "extra": list(style.extras),
        "cnn-exponents": style.cnn_exponents,
        "known-archs": sorted(vocabulary.architectures.keys() - VOCABULARY.architectures.keys()),
        "known-datasets": sorted(vocabulary.datasets - VOCABULARY.datasets),
        "include-running": options.include_running,
        **chosen,
    }
    return {
        "options": {name: value for name, value in given.items() if value},
        "rules": [_rule(rule) for rule in options.rules],
    }


def _rule(rule: Rule) -> dict[str, object]:
    source = rule.source
    where = {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in where_table(rule.where).items()
    }
    table: dict[str, object] = {
        "option": source.option,
        "file": source.file,
        "number": source.number,
        "where": where,
        "assume": dict(rule.assume),
        "set": dict(rule.replace),
        "prefer": rule.prefer,
    }
    return {key: value for key, value in table.items() if value}

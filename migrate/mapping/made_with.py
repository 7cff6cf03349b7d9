"""What rows were made with: the options and rules in force, for whoever reads them later. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from migrate.mapping.mapping import Options
from migrate.mapping.rules import Rule, where_table
from naming import VOCABULARY


@dataclass(frozen=True, slots=True)
class MadeWith:
    """The options and the rules that rows were made with, as JSON has values.

    Attributes:
        options: Option, or key of the configuration file, to its value.
        rules: The rules in order, each by the keys of the configuration file, with where it
            stands: `file` and `number`, or `option`.
    """

    options: Mapping[str, object]
    rules: tuple[Mapping[str, object], ...] = ()

    def as_data(self) -> dict[str, object]:
        """The same, for JSON."""
        return {"options": dict(self.options), "rules": [dict(rule) for rule in self.rules]}


def made_with(options: Options, chosen: Mapping[str, object]) -> MadeWith:
    """What rows were made with.

    Args:
        options: How they were mapped.
        chosen: Which of them were chosen: option to value; what is None or empty was not given.
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
    return MadeWith(
        {name: value for name, value in given.items() if value},
        tuple(map(_rule, options.rules)),
    )


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

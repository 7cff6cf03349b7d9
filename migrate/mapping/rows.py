"""The values that come out of mapping: a row for each run, and why it is as it is.

A reason is a code with its data, never a sentence: the words are made in `report/words.py`, and
nothing takes them apart again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from migrate.client.runs import RunKey

Status = Literal["rename", "review", "hold", "current", "custom"]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
"""Every status, those that need a person's eye first."""

REVIEW_CODES: Final = ("missing", "conflict", "invalid", "ambiguous", "too-long")
"""The codes of the reasons for `review`."""

OLD: Final[tuple[Status, ...]] = ("rename", "review", "hold")
"""The statuses of runs with an old name."""

REASONS: Final = (
    *REVIEW_CODES,
    *("running", "read-only", "being-written", "synced"),
    *("near-miss", "exp-name", "not-ours"),
)
"""The code of every reason: those of `review`, of `hold`, and of `custom`."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a run gets no new name.

    Attributes:
        code: One of REASONS: machine-readable, and stable.
        data: What there is to say besides, by code. Texts from names and configs are as they
            came, cut to 60 characters.

            `missing`: the config keys.
            `conflict`: for each field (field, in the name, in the config).
            `invalid`: for each value (config key, value as Python writes it); without a value
            (`config`,), (`createdAt`,), (`new-name`,), which could not be read back, and
            (`unseen`,): characters of the new name.
            `ambiguous`: up to three (arch, dataset), then how many more readings there are.
            `too-long`: the length of the new name.
            `running`: the run's state, which may be another of ALIVE.
            `near-miss`, `not-ours`: `naming`'s own Reason.
            `read-only`, `being-written`, `synced`, `exp-name`: nothing.
    """

    code: str
    data: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSource:
    """Where a rule stands, as a value; `report/words.py` has the words.

    Attributes:
        option: The option of the command line that makes it, `--assume rate=0.15`; empty for a
            rule of a file.
        file: The configuration file.
        number: Which of the file's rules it is, from 1.
    """

    option: str = ""
    file: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """A value in a new name that the run does not say: a rule or an option supplied it.

    Attributes:
        kind: `assumed`: the run lacks it. `set`: it is used in place of what the run says.
            `preferred`: of a conflict, one side was taken.
        key: The config key; of a conflict, the field.
        value: The canonical value; of a conflict, the side that was taken: `name` or `config`.
        was: What it replaces, as text cut to 60 characters: what the run says; of a conflict, what
            the other side says. None where nothing was there.
        source: The rule.
    """

    kind: Literal["assumed", "set", "preferred"]
    key: str
    value: object
    was: str | None
    source: RuleSource


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a report: a run, what is to become of its name, and why.

    Attributes:
        key: What the run is known by.
        state: W&B's word: `running`, `finished`, `crashed`, ...
        created_at: Aware, in UTC; None where the server's value is not a time.
        status: One of STATUSES.
        reasons: Why there is no new name; empty for the statuses `rename` and `current`.
        old_name: The run name as it is on the server.
        new_name: The new name where status is `rename`, else None.
        fields: The FIELDS of the run as far as they are known; a field that is not is absent.
        settled: What rules and options supplied to this run, and the run itself does not say.
    """

    key: RunKey
    state: str
    created_at: datetime | None
    status: Status
    reasons: tuple[Reason, ...]
    old_name: str
    new_name: str | None
    fields: Mapping[str, object]
    settled: tuple[Settled, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of its reasons, each once."""
        return tuple(dict.fromkeys(reason.code for reason in self.reasons))

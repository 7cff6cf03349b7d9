"""Writing names: the new format, the old one, and the name of a new run."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Union

from naming import values
from naming.fields import (
    Arguments,
    Fields,
    FieldsError,
    parts_of,
    plain,
    read_fields,
    template_of,
)
from naming.rsst import RSST
from naming.scheme import EXTRAS_PART, SWITCH, TIME_PART, Scheme
from naming.style import (
    GUIDE_STYLE,
    Style,
    format_timestamp,
    is_timestamp,
    zone,
)
from naming.vocabulary import VOCABULARY, Vocabulary

MAX_LENGTH = 128
"""W&B keeps names to this many characters."""


def legacy_name(arguments: Arguments, scheme: Scheme = RSST) -> str | None:
    """The old name of a run with these arguments; None where one of the five is missing.

    The values are joined as they are, whatever the vocabulary says.

    >>> legacy_name({"struct": "rsst", "RST_schedule": "x", "criteria": "l1",
    ...              "arch": "res20s", "dataset": "cifar10"})
    'rsst_x_l1_res20s_cifar10'
    """
    given = plain(arguments)
    found = [(part.mark, given.get(scheme.keys[part.name])) for part in scheme.old.parts]
    if any(value is None for _, value in found):
        return None
    return "".join(f"{mark}{value}" for mark, value in found)


def write_name(
    fields: Fields,
    created_at: datetime,
    *,
    style: Style = GUIDE_STYLE,
    vocabulary: Vocabulary = VOCABULARY,
    scheme: Scheme = RSST,
) -> str:
    """The new name of a run, its time written in the zone that `created_at` has.

    Raises:
        FieldsError: Naming every required field that is missing or not valid.
    """
    known = fields.known
    wanted = parts_of(known, style=style, vocabulary=vocabulary, scheme=scheme)
    invalid = [fields.invalid[name] for name in (*wanted, *style.parts) if name in fields.invalid]
    missing = [
        scheme.by_name[name].keys[0]
        for name, required in wanted.items()
        if required and name not in known and name not in fields.invalid
    ]
    if missing or invalid:
        raise FieldsError(tuple(missing), tuple(invalid))

    written = []
    for part in template_of(known, scheme).parts:
        if part.name == TIME_PART:
            text = format_timestamp(created_at, style.timestamp_format)
        elif part.name == EXTRAS_PART:
            labels = [label for label in style.parts if label in fields.extras]
            text = "".join(f"_{label}_{fields.extras[label]}" for label in labels)
        else:
            value = known.get(part.name) if part.name in wanted else None
            if value is None or value is False:
                continue
            text = part.name if part.kind is SWITCH else str(value)
        written.append(part.mark + text)
    return "".join(written)


def experiment_name(
    args: Arguments,
    *,
    at: datetime | None = None,
    timezone: Union[str, tzinfo, None] = None,
    style: Style = GUIDE_STYLE,
    vocabulary: Vocabulary = VOCABULARY,
    scheme: Scheme = RSST,
) -> str:
    """The name that a run with these arguments gets.

    Args:
        args: The training script's namespace, a mapping of its arguments, or a W&B config.
            `exp_name` is taken as it is; with `exp_timestamp` the time is appended to it.
        at: When the run was created; by default now, by the local clock.
        timezone: The zone to write the time in: a `tzinfo`, `Asia/Shanghai` or `+08:00`.
            Without it the time is written in the zone that `at` has.
        style: How to write the name where the guide leaves a choice.
        vocabulary: Which architectures are CNNs.
        scheme: The format.

    Raises:
        FieldsError: Naming every argument that is missing or not valid.
        ValueError: `timezone` is not a time zone.

    >>> args = {"struct": "refill", "arch": "vit_small", "dataset": "cifar100", "criteria": "l1",
    ...         "fillback_rate": 0.1, "rate": "0.20", "pretrained": True}
    >>> experiment_name(args, at=datetime(2026, 1, 8, 15, 20))
    'refill_vit_small_cifar100_fill_0.1_crit_l1_rate_0.2_pretrained_0108_1520'
    >>> experiment_name({"exp_name": "paper_fig3_vit_cifar10"})
    'paper_fig3_vit_cifar10'
    """
    given = plain(args)
    moment = datetime.now() if at is None else at
    if timezone is not None:
        moment = moment.astimezone(zone(timezone))
    chosen = values.chosen_name(given.get(scheme.name_key))
    if chosen is not None:
        if not values.flag(given.get(scheme.name_time_key)):
            return chosen
        return f"{chosen}_{format_timestamp(moment, style.timestamp_format)}"
    fields = read_fields(given, scheme, style)
    return write_name(fields, moment, style=style, vocabulary=vocabulary, scheme=scheme)


def is_exp_name(name: str, exp_name: object, style: Style = GUIDE_STYLE) -> bool:
    """Whether `--exp_name` made a name, alone or with `--exp_timestamp`.

    >>> is_exp_name("paper_fig3_0108_1430", "paper_fig3")
    True
    """
    chosen = values.chosen_name(exp_name)
    if chosen is None:
        return False
    if name == chosen:
        return True
    prefix = f"{chosen}_"
    return name.startswith(prefix) and any(
        is_timestamp(name[len(prefix) :], timestamp_format) for timestamp_format in style.timestamps
    )

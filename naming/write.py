"""Writing names: the new format, the old one, and the name of a new run."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from typing import Mapping, Union

from naming import values
from naming.experiment import Arguments, experiment, plain, read_fields
from naming.fields import IN_OLD_NAMES, Experiment
from naming.style import (
    GUIDE_STYLE,
    GUIDE_TIMESTAMPS,
    Style,
    format_timestamp,
    is_timestamp,
)
from naming.vocabulary import VOCABULARY, Vocabulary

MAX_LENGTH = 128
"""W&B keeps names to this many characters."""

GUIDE_DEFAULTS: Mapping[str, object] = {
    "struct": "rsst",
    "RST_schedule": "exp_custom_exponents",
    "criteria": "l1",
    "arch": "res20s",
    "dataset": "cifar100",
    "fillback_rate": 0.0,
}
_GUIDE_CNN = {"reg_granularity_prune": 1.0, "exponents": 4, "rate": 0.2}
_GUIDE_OTHERS = {"reg_granularity_prune": 0.5, "exponents": 3, "rate": 0.15}


def legacy_name(arguments: Arguments) -> str | None:
    """The old name of a run with these arguments; None where one of the five is not there.

    The values are joined as they are, whatever the vocabulary says.

    >>> legacy_name({"struct": "rsst", "RST_schedule": "x", "criteria": "l1",
    ...              "arch": "res20s", "dataset": "cifar10"})
    'rsst_x_l1_res20s_cifar10'
    """
    given = plain(arguments)
    parts = [given.get(field.key) for field in IN_OLD_NAMES]
    if any(part is None for part in parts):
        return None
    return "_".join(map(str, parts))


def write_name(run: Experiment, style: Style = GUIDE_STYLE) -> str:
    """The new name of a run, its time written in the zone that `run.created_at` has."""
    parts = [run.struct, run.arch, run.dataset]
    parts += [f"{label}_{text}" for label, text in run.extras]
    parts += run.parts()
    parts.append(format_timestamp(run.created_at, style.timestamp_format))
    return "_".join(parts)


def experiment_name(
    args: Arguments,
    *,
    at: datetime | None = None,
    timezone: Union[str, tzinfo, None] = None,
    style: Style = GUIDE_STYLE,
    vocabulary: Vocabulary = VOCABULARY,
) -> str:
    """The name that a run with these arguments gets.

    Args:
        args: The training script's namespace, a mapping of its arguments, or a W&B config.
            `exp_name` is taken as it is; with `exp_timestamp` the time is put behind it.
        at: When the run was created; now, by the local clock, where it is not given.
        timezone: The zone to write the time in: a `tzinfo`, `Asia/Shanghai` or `+08:00`.
            Without it the time is written in the zone that `at` has.
        style: How to write it where the guide leaves a choice.
        vocabulary: Which architectures are CNNs.

    Raises:
        FieldsError: Naming every argument that is missing or does not parse.
        ValueError: `timezone` is not one.

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
    exp_name = values.chosen_name(given.get("exp_name"))
    if exp_name is not None:
        if not values.flag(given.get("exp_timestamp")):
            return exp_name
        return f"{exp_name}_{format_timestamp(moment, style.timestamp_format)}"
    run = experiment(read_fields(given), moment, style=style, vocabulary=vocabulary)
    return write_name(run, style)


def is_exp_name(name: str, exp_name: object, style: Style = GUIDE_STYLE) -> bool:
    """Whether a name is what `--exp_name` (and `--exp_timestamp` beside it) made.

    >>> is_exp_name("paper_fig3_0108_1430", "paper_fig3")
    True
    """
    chosen = values.chosen_name(exp_name)
    if chosen is None:
        return False
    if name == chosen:
        return True
    prefix = f"{chosen}_"
    formats = (style.timestamp_format, *GUIDE_TIMESTAMPS)
    return name.startswith(prefix) and any(
        is_timestamp(name[len(prefix) :], timestamp_format) for timestamp_format in formats
    )


def with_guide_defaults(
    args: Mapping[str, object], vocabulary: Vocabulary = VOCABULARY
) -> dict[str, object]:
    """The arguments, and what the guide means where it leaves a hyperparameter out.

    For previewing a name only: renaming never invents a value.
    """
    given = {key: value for key, value in args.items() if value is not None}
    arch = str(given.get("arch", GUIDE_DEFAULTS["arch"]))
    family = _GUIDE_CNN if vocabulary.family(arch) == "cnn" else _GUIDE_OTHERS
    return {**GUIDE_DEFAULTS, **family, **given}


def zone(name: Union[str, tzinfo]) -> tzinfo:
    """A time zone from its IANA name (Python 3.9 and later) or its offset from UTC.

    Raises:
        ValueError: There is no such zone.

    >>> zone("+08:00")
    datetime.timezone(datetime.timedelta(seconds=28800))
    """
    if isinstance(name, tzinfo):
        return name
    if name.upper() in ("UTC", "Z"):
        return timezone.utc
    try:
        if name[:1] in ("+", "-"):
            sign = -1 if name[0] == "-" else 1
            moment = datetime.strptime(name[1:], "%H:%M")
            return timezone(sign * timedelta(hours=moment.hour, minutes=moment.minute))
        from zoneinfo import ZoneInfo

        return ZoneInfo(name)
    except ImportError:  # Python 3.8
        raise ValueError(
            f"this Python knows no zone names like {name!r}: write an offset like +08:00"
        ) from None
    except (KeyError, OSError, ValueError):
        raise ValueError(
            f"{name!r} is not a time zone: write one like UTC, Asia/Shanghai or +08:00"
        ) from None

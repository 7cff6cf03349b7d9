"""Any input at every door of the core: names, advice, styles, zones, configs.

A door is a function that takes any input and checks what always holds. Each is fed what
hypothesis makes up, and the lines of crashes.txt. FUZZ=20000 in the environment makes it long.
"""

import json
import os
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from naming import (
    CONFIG_KEYS,
    FIELDS,
    MAX_LENGTH,
    VOCABULARY,
    FieldsError,
    Style,
    StyleError,
    advise,
    experiment_name,
    legacy_name,
    parse_name,
    read_fields,
    values,
    zone,
)
from naming.fields import plain
from naming.rsst import CRITERIA, SCHEDULES, STRUCTS
from naming.style import EXTRAS, format_timestamp, is_timestamp

AT = datetime(2026, 1, 8, 14, 30, tzinfo=timezone.utc)
FUZZ = settings(
    max_examples=int(os.environ.get("FUZZ", 150)),
    derandomize="FUZZ" not in os.environ,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

# The doors.


def name(text):
    parsed = parse_name(text)
    assert parsed.format in ("legacy", "current", "custom")
    assert (parsed.format == "custom") == (parsed.readings == ())
    assert parsed.reason.isprintable()
    if parsed.why is not None and parsed.why.fault == "case":
        assert text != text.lower()
    if parsed.format != "custom":
        assert text.isprintable()
        assert " " not in text
    for reading in parsed.readings:
        words = [reading[field] for field in FIELDS[:5]]
        if parsed.format == "legacy":
            assert "_".join(words) == text  # type: ignore[arg-type]
        else:
            assert text.startswith("{struct}_{arch}_{dataset}_".format(**reading))
            assert reading["schedule"] in (None, *SCHEDULES)


def advice(text):
    assert {one.code for one in advise(text)} <= {"too-plain", "too-long", "no-prefix"}


def timestamp_format(text):
    style = or_error(StyleError, Style, text)
    if isinstance(style, StyleError):
        assert str(style).isprintable()
        return
    written = format_timestamp(AT, style.timestamp_format)
    assert is_timestamp(written, style.timestamp_format)
    assert written.isprintable()


def timezone_name(text):
    found = or_error(ValueError, zone, text)
    if isinstance(found, ValueError):
        assert str(found).isprintable()
    else:
        assert AT.astimezone(found) == AT


def config(given_config):
    fields = read_fields(given_config)
    clauses = [str(argument) for argument in fields.invalid.values()]
    assert all(len(clause) < 100 and clause.isprintable() for clause in clauses)
    legacy_name(given_config)
    style = Style(extras=tuple(EXTRAS))
    new_name = or_error(FieldsError, experiment_name, given_config, at=AT, style=style)
    if isinstance(new_name, FieldsError):
        assert str(new_name)
        return
    words = "_{arch}_{dataset}_".format(**{"arch": "", "dataset": "", **fields.known})
    swallowed = any("_{}_".format(label) in words for label in EXTRAS)
    chosen = values.chosen_name(plain(given_config).get("exp_name"))
    if chosen is not None or swallowed or len(new_name) > MAX_LENGTH:
        return
    vocabulary = VOCABULARY.extended([fields.known["arch"]], [fields.known["dataset"]])  # type: ignore[list-item]
    readings = parse_name(new_name, style=style, vocabulary=vocabulary).readings
    assert any(same(reading, fields) for reading in readings), (new_name, readings)


def or_error(kind, function, *given_arguments, **options):
    """What the function gives, or the error of the kind that it has for wrong input."""
    try:
        return function(*given_arguments, **options)
    except kind as error:
        return error


def same(reading, fields):
    extras = {label: str(value) for label, value in reading["extras"].items()}
    written = {field: value for field, value in reading.items() if field in FIELDS and value}
    return extras == fields.extras and all(
        fields.known[field] == value for field, value in written.items()
    )


# What they are fed.

ANY_TEXT = st.text(st.characters(blacklist_categories=()), max_size=60)
WORDS = st.sampled_from(
    [
        *STRUCTS,
        *SCHEDULES,
        *CRITERIA,
        *VOCABULARY.architectures,
        *VOCABULARY.datasets,
        " ",
        "\n",
        "",
    ]
) | st.sampled_from(
    "sched reg crit rate fill exp3 exp pretrained struct_mlp struct 0108_1430 0230_1430"
    " 20260108_143000 bs_128 lr_0.1 seed_1 seed 1 0.5 -1.0 1e-05 1e999 2 RSST my_net é -".split()
)
NAMES = st.lists(WORDS | ANY_TEXT, max_size=14).map("_".join)
GOOD = (
    "rsst_res20s_cifar100_bs_128_sched_exp_custom_exponents_reg_1.0_crit_l1_rate_0.2_0108_1600",
    "rsst_vit_small_svhn_sched_x_reg_0.5_crit_l1_rate_0.15_pretrained_struct_mlp_0108_1430_2",
    "refill_vit_small_cifar100_fill_0.1_crit_magnitude_rate_0.2_pretrained_20260108_152000",
    "rsst_exp_custom_exponents_l1_vit_small_cifar100",
)


@st.composite
def nearly_good_names(draw):
    """A name of ours with a few of its words changed, moved, doubled or left out."""
    words = draw(st.sampled_from(GOOD)).split("_")
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(words) - 1))
        words[place : place + draw(st.integers(0, 2))] = draw(st.lists(WORDS, max_size=2))
        words = words or [""]
    return "_".join(words)


LONG = st.lists(
    st.tuples(st.sampled_from(["a", "_", "a_", "rsst_x_l1_", "1", " ", "é", "_sched_", "_rate_"]),
              st.integers(1, 20_000)),
    min_size=1, max_size=3,
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
VALUES = (
    JSON
    | WORDS
    | st.sampled_from([0.1, 1, "0.20", "1e-5", True, "None", "head", "9007199254740993", -0.0])
)
CONFIGS = st.dictionaries(
    st.sampled_from(CONFIG_KEYS) | ANY_TEXT,
    VALUES | st.fixed_dictionaries({"value": VALUES, "desc": st.none()}),
)
GOOD_CONFIG = {
    "struct": st.sampled_from(STRUCTS),
    "RST_schedule": st.sampled_from(SCHEDULES),
    "criteria": st.sampled_from(CRITERIA),
    "arch": WORDS,
    "dataset": WORDS,
    "reg_granularity_prune": st.floats(allow_nan=False) | st.integers(),
    "rate": st.floats(0, 1) | st.sampled_from(["0.20", "1E-7"]),
    "fillback_rate": st.floats(0, 1),
    "exponents": st.integers() | st.integers().map(str),
}
NEARLY_GOOD_CONFIGS = st.builds(
    lambda good, odd: {**good, **odd},
    st.fixed_dictionaries(GOOD_CONFIG),
    st.dictionaries(st.sampled_from(CONFIG_KEYS), VALUES, max_size=3),
)
FORMATS = st.lists(st.sampled_from([*"%YymdHMS-_.:T", "%Y", "%m%d"]), max_size=8).map("".join)
ZONES = st.sampled_from(
    "UTC z Z +08:00 -23:59 +24:00 + -00:00 ../UTC /etc/passwd Asia Europe/Paris tzdata.zi".split()
)
DOORS = {
    name: NAMES | nearly_good_names() | LONG,
    advice: NAMES | ANY_TEXT | LONG,
    timestamp_format: FORMATS | ANY_TEXT,
    timezone_name: ZONES | ANY_TEXT,
    config: CONFIGS | NEARLY_GOOD_CONFIGS,
}


def through(door, value):
    """Take it to the door; it is let in or turned away soon."""
    if isinstance(value, list):
        value = "".join(piece * times for piece, times in value)
    start = time.process_time()
    door(value)
    assert time.process_time() - start < 3


def crashes():
    """The table's lines, as parameters."""
    doors = {door.__name__: door for door in DOORS}
    cases = []
    for line in Path(__file__).with_name("crashes.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            door, _, value = line.partition(" | ")
            cases.append(pytest.param(doors[door], json.loads(value), id=line[:60]))
    return cases


@pytest.mark.parametrize(("door", "value"), crashes())
def test_what_once_went_wrong(door, value):
    through(door, value)


@pytest.mark.parametrize("door", DOORS)
def test_any_input(door):
    FUZZ(given(DOORS[door])(lambda value: through(door, value)))()

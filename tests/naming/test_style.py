"""How names are written where the guide leaves a choice: times, zones, extra parts."""

import sys
from datetime import datetime, timedelta

import pytest

from naming import Style, StyleError, zone
from naming.style import is_timestamp

AT = datetime(2026, 1, 8, 14, 30)


@pytest.mark.parametrize(
    ("text", "timestamp_format", "is_one"),
    [
        ("0229_2359", "%m%d_%H%M", True),
        ("0230_2359", "%m%d_%H%M", False),
        ("20230229_000000", "%Y%m%d_%H%M%S", False),
        ("240229", "%y%m%d", True),
        ("230229", "%y%m%d", False),
        ("31_23", "%d_%H", True),
        ("20260108_14305", "%Y%m%d_%H%M%S", False),
        ("01--08", "%m--%d", True),
        ("2026_26", "%Y_%y", True),
        ("0108_1430_", "%m%d_%H%M", False),
        ("٠١٠٨_1430", "%m%d_%H%M", False),
        ("01:08T14.30-59", "%m:%dT%H.%M-%S", True),
        ("01:08T14x30-59", "%m:%dT%H.%M-%S", False),
    ],
)
def test_times(text, timestamp_format, is_one):
    assert is_timestamp(text, timestamp_format) is is_one


@pytest.mark.parametrize("wrong", ["", "now", "%b", "%m%m", "%m%d_", "%s", "_%H", "%", "%m/%d"])
def test_a_timestamp_format_that_cannot_be_read_back_is_refused(wrong):
    with pytest.raises(StyleError, match=r"cannot be read back|repeats a directive"):
        Style(timestamp_format=wrong)


@pytest.mark.parametrize(
    ("extras", "words"),
    [
        (
            ("bs", "b s"),
            "extras: 'b s' is not a label: write LABEL or LABEL=ARGUMENT, the label in letters, "
            "digits, - and _, as in ep=epochs",
        ),
        (("bs", "lr", "bs"), "extras: a part is given twice: bs,lr,bs"),
        (("bs", "ep="), "extras: 'ep=' names no argument: write ep=ARGUMENT"),
        (("bs", "bs=size"), "extras: a part is given twice: bs,bs=size"),
    ],
)
def test_extras_that_do_not_exist(extras, words):
    with pytest.raises(StyleError) as caught:
        Style(extras=extras)
    assert str(caught.value) == words


def test_an_extra_part_has_a_label_and_an_argument():
    style = Style(extras=("seed", "ep=epochs", "opt = optimizer", "r=rate", "momentum", "bs=size"))
    assert {label: key for label, (key, _) in style.parts.items()} == {
        "seed": "seed",
        "ep": "epochs",
        "opt": "optimizer",
        "r": "rate",
        "momentum": "momentum",
        "bs": "size",
    }


@pytest.mark.parametrize(
    ("name", "minutes"),
    [
        ("UTC", 0),
        ("utc", 0),
        ("Z", 0),
        ("z", 0),
        ("+08:00", 480),
        ("-11:30", -690),
        ("-00:30", -30),
    ],
)
def test_zones_that_every_python_knows(name, minutes, monkeypatch):
    monkeypatch.setitem(sys.modules, "zoneinfo", None)  # as on Python 3.8
    assert zone(name).utcoffset(AT) == timedelta(minutes=minutes)


def test_a_zone_name_where_python_has_no_zones(monkeypatch):
    monkeypatch.setitem(sys.modules, "zoneinfo", None)
    with pytest.raises(
        ValueError, match=r"'Asia/Shanghai' need Python 3.9: write an offset like \+08:00"
    ):
        zone("Asia/Shanghai")


@pytest.mark.parametrize("wrong", ["", "+", "+8", "08:00", "../UTC", "\x00"])
def test_what_is_not_a_zone(wrong):
    with pytest.raises(ValueError, match="zone"):
        zone(wrong)
    with pytest.raises(ValueError, match=r"'\+25:00' is not a time zone: write one like UTC"):
        zone("+25:00")

"""The configuration file: what it says, what wins over it, and what is wrong with it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from migrate.cli.config_file import FILE, NO_CONFIG, VARIABLE, config_file, read_config
from migrate.cli.names import parse_all, preview
from migrate.cli.request import Request
from migrate.errors import InputError
from migrate.mapping.rows import RuleSource
from migrate.mapping.rules import Where

CONTRACT = """
projects = ["ycx/RSST", "609354432/RSST"]
timezone = "Asia/Shanghai"
timestamp-format = "%m%d_%H%M"
known-archs = ["my_net"]
known-datasets = ["my_data"]

[extra]                       # label in the name = argument
bs = "batch_size"
ep = "epochs"

[[rule]]                      # runs that match all of `where` …
where = { family = ["vit", "mamba"], before = 2025-09-01 }
assume = { rate = 0.15, reg = 0.5, exponents = 3 }        # … lack these: use this value

[[rule]]
where = { RST_schedule = "linear" }
set = { RST_schedule = "x" }                              # … have a wrong value

[[rule]]
where = { arch = "deit_distilled_patch16_224_with_a_long_name" }
set = { arch = "deit_d" }

[[rule]]
where = { name = "^rsst_.*_tiny-imagenet$", reason = "conflict" }
prefer = "name"

[[rule]]
where = { runs = ["7k3v1x2p"] }
set = { rate = 0.2 }
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to be in, and no variable that names a file elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


@pytest.fixture
def write(here):
    def it(text, name=FILE):
        Path(name).write_text(text, encoding="utf-8")

    return it


def test_the_contracts_example(write):
    write(CONTRACT)
    asked = Request().asked()
    assert [str(path) for path in asked.paths] == ["ycx/RSST", "609354432/RSST"]
    options = asked.options
    assert options.timezone == ZoneInfo("Asia/Shanghai")
    assert options.style.timestamp_format == "%m%d_%H%M"
    assert list(options.style.parts) == ["bs", "ep"]
    assert options.keys[-2:] == ("exp_name", "epochs")
    assert options.vocabulary.family("my_net") == "other"
    assert "my_net" in options.vocabulary.architectures
    assert "my_data" in options.vocabulary.datasets
    assert (asked.known_archs, asked.known_datasets) == (("my_net",), ("my_data",))
    first, second, third, fourth, fifth = options.rules
    assert first.where == Where(
        family=frozenset(["vit", "mamba"]),
        before=datetime(2025, 9, 1, tzinfo=ZoneInfo("Asia/Shanghai")),
    )
    assert first.assume == {"rate": 0.15, "reg_granularity_prune": 0.5, "exponents": 3}
    assert first.source == RuleSource(file=FILE, number=1)
    assert second.where.values == {"RST_schedule": frozenset(["linear"])}
    assert [second.replace, third.replace] == [{"RST_schedule": "x"}, {"arch": "deit_d"}]
    assert (fourth.where.name.pattern, fourth.prefer) == ("^rsst_.*_tiny-imagenet$", "name")
    assert fourth.where.reason == {"conflict"}
    assert (fifth.where.runs, fifth.replace) == (frozenset(["7k3v1x2p"]), {"rate": 0.2})


def test_options_win_over_the_file(write):
    write(CONTRACT)
    asked = Request(
        ["a/b"],
        timezone="+01:00",
        timestamp_format="%Y",
        extra="seed",
        cnn_exponents=True,
        assume=["rate=0.3"],
        prefer="config",
        known_arch=["net"],
    ).asked()
    assert [str(path) for path in asked.paths] == ["a/b"]
    options = asked.options
    assert options.timezone == timezone(timedelta(hours=1))
    assert (options.style.timestamp_format, options.style.extras) == ("%Y", ("seed",))
    assert options.style.cnn_exponents
    assert options.rules[0].where.before.utcoffset() == timedelta(hours=1)
    assert [rule.source.option for rule in options.rules[-2:]] == [
        "--assume rate=0.3",
        "--prefer config",
    ]
    assert (options.rules[-2].assume, options.rules[-1].prefer) == ({"rate": 0.3}, "config")
    assert asked.known_archs == ("my_net", "net")


def test_where_the_file_is_looked_for(write, monkeypatch):
    assert config_file() is NO_CONFIG
    write("known-archs = ['here']")
    write("known-archs = ['there']", "other.toml")
    assert config_file().known_archs == ("here",)
    monkeypatch.setenv(VARIABLE, "")
    assert config_file().known_archs == ("here",)
    monkeypatch.setenv(VARIABLE, "other.toml")
    assert config_file().known_archs == ("there",)
    assert config_file(FILE).known_archs == ("here",)
    monkeypatch.setenv(VARIABLE, "gone.toml")
    with pytest.raises(InputError, match=rf"{VARIABLE}=none does without one\.$"):
        config_file()
    with pytest.raises(InputError, match=r"--config none does without one\.$"):
        config_file("gone.toml")
    assert config_file("none") is NO_CONFIG
    monkeypatch.setenv(VARIABLE, "none")
    assert config_file() is NO_CONFIG


def test_parse_and_name_read_it_too(write):
    write(
        "timezone = '+08:00'\ntimestamp-format = '%Y%m%d'\nknown-archs = ['my_net']\n"
        "known-datasets = ['my_data']\n[extra]\nep = 'epochs'"
    )
    config = config_file()
    words = "--arch my_net --dataset my_data --epochs 80 --at 2026-01-08T20:00Z".split()
    name, advice = preview(words, config)
    assert name == (
        "rsst_my_net_my_data_ep_80_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1_rate_0.15"
        "_20260109"
    )
    assert advice == []
    (parsed,) = parse_all([name], config)
    assert (parsed.fields["arch"], parsed.fields["extras"]) == ("my_net", {"ep": 80})
    (old,) = parse_all(["rsst_x_l1_my_net_my_data"], config)
    assert len(old.readings) == 1
    assert preview([*words, "--timezone", "UTC", "--extra", "bs"], config)[0].endswith("_20260108")


MOMENTS = [
    ("2025-09-01", datetime(2025, 9, 1, tzinfo=UTC)),
    ("2025-09-01T14:30:00", datetime(2025, 9, 1, 14, 30, tzinfo=UTC)),
    ("2025-09-01T14:30:00+08:00", datetime(2025, 9, 1, 6, 30, tzinfo=UTC)),
    ("'2025-09-01'", datetime(2025, 9, 1, tzinfo=UTC)),
    ("'2025-09-01T14:30'", datetime(2025, 9, 1, 14, 30, tzinfo=UTC)),
]


@pytest.mark.parametrize(("text", "moment"), MOMENTS)
def test_times(write, text, moment):
    write(f"[[rule]]\nwhere = {{ after = {text} }}\nprefer = 'name'")
    assert Request(["a/b"]).asked().options.rules[0].where.after == moment


def in_where(text):
    return f"[[rule]]\nwhere = {{ {text} }}\nprefer = 'name'"


BAD = [
    ("a = ", "is not TOML: Invalid value (at end of document)."),
    ("a = 1\na = 2\n", "is not TOML: Cannot overwrite a value (at line 2, column 6)."),
    ("x = '\x1b'", "is not TOML: "),
    ("a = " + "[" * 5000, "is not TOML: "),
    ("timézone = 1", "is not TOML: "),
    ("'\u202etimezone' = 1", ": '\\u202etimezone' is not a known key; did you mean timez"),
    ("tmezone = 'UTC'", ": 'tmezone' is not a known key; did you mean timezone?"),
    ("colour = 1", ": 'colour' is not a known key; known are projects, timezone, timestamp-format"),
    ("timezone = 8", ": timezone: 8 is not a string: write it in quotes."),
    ("timezone = 'Mars'", ": timezone: 'Mars' is not a time zone: write one like UTC, Asia/Shang"),
    ("timestamp-format = '%Q'", ": timestamp-format: '%Q' cannot be read back from a name: use %Y"),
    ("projects = 'a/b/c/d'", ": projects: 'a/b/c/d' is not a project's path. Write entity/project"),
    ("projects = [1]", ": projects: 1 is not a string: write it in quotes."),
    ("cnn-exponents = 1", ": cnn-exponents: 1 is neither true nor false."),
    (
        "known-archs = ['my net']",
        ": known-archs: 'my net' cannot stand in a name: write",
    ),
    ("extra = 'bs'", ": extra: 'bs' is not a table: write { KEY = VALUE }."),
    ("[extra]\nep = 1", ": extra: ep: 1 is not a string: write it in quotes."),
    ("[extra]\n'e p' = 'epochs'", ": extra: 'e p' is not a label: write LABEL or LABEL=ARGUMENT"),
    ("[rule]\nprefer = 'name'", ": rule: a rule begins with [[rule]]."),
    ("rule = [1]", ": rule: a rule begins with [[rule]]."),
    ("[[rule]]\nset = { rate = 0.1 }\n[[rule]]", ": rule 2 supplies nothing: give it assume, set"),
    (in_where("runs = []"), ": rule 1: where: runs: the list is empty, so that no run matches."),
    (
        "[[rule]]\nset = { pretrained = [true] }",
        ": rule 1: set: pretrained: [True] is not a sing",
    ),
    (
        "[[rule]]\nset = { rates = 1 }",
        ": rule 1: set: 'rates' is not a known key; did you mean rate?",
    ),
    ("timestamp-format = ''", ": timestamp-format: '' cannot be read back from a name"),
    ("[[rule]]\nprefr = 'name'", ": rule 1: 'prefr' is not a known key; did you mean prefer?"),
    ("[[rule]]\nprefer = 'both'", ": rule 1: prefer: 'both' is not one of name, config."),
    ("[[rule]]\nassume = 1", ": rule 1: assume: 1 is not a table: write { KEY = VALUE }."),
    ("[[rule]]\nassume = { ratte = 1 }", ": rule 1: assume: 'ratte' is not a known key; did you m"),
    (
        "[[rule]]\nassume = { rate = 15 }",
        ": rule 1: assume: 15 is not a valid rate: write a number between 0 and 1.",
    ),
    (
        "[[rule]]\nset = { exponents = 2.5 }",
        ": rule 1: set: 2.5 is not a valid exponents: write a whole number of at least 1.",
    ),
    (
        "[[rule]]\nset = { RST_schedule = 'linear' }",
        ": rule 1: set: 'linear' is not a valid RST_schedule: write one of x, x^2, x^3, exp, exp_",
    ),
    (
        "[[rule]]\nset = { schedule = 'x', RST_schedule = 'exp' }",
        ": rule 1: set: RST_schedule is given twice.",
    ),
    (
        in_where("family = 'vitt'"),
        ": rule 1: where: family: 'vitt' is not one of cnn, vit, mamba, other; did you mean vit?",
    ),
    (
        in_where("reason = ['running']"),
        ": rule 1: where: reason: 'running' is not one of missing, conflict, invalid, ambiguous",
    ),
    (
        in_where("name = '('"),
        ": rule 1: where: name: '(' is not a valid regular expression: missing ), unterminated",
    ),
    (
        in_where("before = 2025"),
        ": rule 1: where: before: 2025 is not a time: write 2025-09-01 or 2025-09-01T14:30:00Z.",
    ),
    (in_where("after = 'soon'"), ": rule 1: where: after: 'soon' is not a time: write 2025-09-01"),
    (
        in_where("project = 'a/b/c/d'"),
        ": rule 1: where: project: 'a/b/c/d' is not a project's",
    ),
    (
        in_where("rate = { a = 1 }"),
        ": rule 1: where: rate: {'a': 1} is neither a string nor a",
    ),
    ("[[rule]]\nwhere = []\nprefer = 'name'", ": rule 1: where: [] is not a table: write { KEY"),
]


@pytest.mark.parametrize(("text", "words"), BAD)
def test_a_file_that_is_not_valid_names_the_line_or_the_key(write, text, words):
    write(text)
    with pytest.raises(InputError) as caught:
        Request(["a/b"]).asked()
    message = str(caught.value)
    assert message.startswith(f"{FILE}{'' if words[0] == ':' else ' '}{words}")
    assert message.isprintable()
    assert len(message) < 400


def test_a_file_that_cannot_be_read(here):
    with pytest.raises(InputError, match=r"^Cannot read the configuration file missing.toml: No "):
        config_file("missing.toml")
    Path(FILE).write_bytes(b"timezone = '\xff'")
    with pytest.raises(InputError, match=r"^rsst-migrate.toml is not UTF-8 \(byte 12\)\."):
        read_config(Path(FILE), "--config none")
    os.unlink(FILE)
    os.mkdir(FILE)
    with pytest.raises(InputError, match=r"^Cannot read the configuration file rsst-migrate.toml"):
        config_file()

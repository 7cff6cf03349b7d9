"""`parse` and `name`: what names say, and what a new run would be called.

Neither needs a server, and neither waits for wandb or pandas.
"""

import json
import os
import shlex
import subprocess
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from migrate.cli.config_file import ConfigFile
from migrate.cli.names import preview

AT = ["--at", "2026-01-08T14:30"]
FIELDS = (
    "struct schedule criteria arch dataset reg exponents rate fillback_rate pretrained "
    "struct_target"
).split()


def test_parse_as_json(cli):
    names = [
        "rsst_exp_custom_exponents_l1_vit_small_cifar100",
        "refill_vit_small_cifar100_fill_0.1_crit_magnitude_rate_0.2_pretrained_0108_1520",
        "rsst_x_l1_my_net_my_data",
        "RSST_x_l1_res18_cifar10",
        "\x1b[31m行",
    ]
    done = cli("parse", "--json", "-", stdin="\n".join(names) + "\r\n\n")
    assert (done.returncode, done.stderr) == (0, "")
    parsed = json.loads(done.stdout)
    assert [list(one) for one in parsed] == [["name", "format", "fields", "readings", "reason"]] * 5
    assert [one["name"] for one in parsed] == names
    assert [one["format"] for one in parsed] == ["legacy", "current", "legacy", "custom", "custom"]
    old, new, unclear, near, _ = parsed
    assert list(old["fields"]) == FIELDS
    assert (old["fields"]["arch"], old["fields"]["rate"]) == ("vit_small", None)
    assert (old["readings"], old["reason"]) == ([old["fields"]], "")
    assert (new["fields"]["fillback_rate"], new["fields"]["pretrained"]) == (0.1, True)
    assert (unclear["fields"], len(unclear["readings"])) == (None, 3)
    assert unclear["reason"].startswith("ambiguous: ")
    assert (near["fields"], near["readings"]) == (None, [])
    assert "wrong case" in near["reason"]


def test_parse_for_people_lets_no_name_act(cli):
    hostile = [
        "\x1b[31mred\x1b[0m",
        "[bold]markup[/]",
        "\u202egnp.exe",
        ":smile: run",
        "two\nlines",
    ]
    done = cli("parse", "rsst_x_l1_res20s_cifar10", *hostile, COLUMNS="60")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(letter.isprintable() for line in done.stdout.splitlines() for letter in line)
    blocks = [block.splitlines() for block in done.stdout.split("\n\n")]
    assert blocks[0][:2] == ["rsst_x_l1_res20s_cifar10", "legacy"]
    assert ["arch", "res20s"] in [line.split() for line in blocks[0]]
    shown = [block[0] for block in blocks[1:]]
    assert shown == [
        "\\x1b[31mred\\x1b[0m",
        *hostile[1:2],
        "\\u202egnp.exe",
        hostile[3],
        "two\\nlines",
    ]


def test_parse_leaves_long_names_in_one_piece_in_a_pipe(cli):
    name = "rsst_vit_small_cifar100_sched_x_reg_0.5_crit_l1_rate_0.15_pretrained_0108_1430"
    assert cli("parse", name, COLUMNS="40").stdout.splitlines()[0] == name


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_parse_reads_utf_8_whatever_the_locale(locale):
    def parse(names):
        return subprocess.run(
            [sys.executable, "-m", "migrate", "parse", "-"],
            input=names,
            capture_output=True,
            env={**os.environ, "LC_ALL": locale},
            check=False,
            timeout=60,
        )

    done = parse(b"\xef\xbb\xbfrsst_x_l1_res20s_cifar10\r\na\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"rsst_x_l1_res20s_cifar10\nlegacy\n")
    done = parse(b"a\n\xff\n")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"error: stdin is not UTF-8 text.\n"


def test_parse_counts_the_readings_of_a_name(cli):
    lines = cli("parse", "rsst_x_l1_my_net_my_data").stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")][2:] == [
        f"reading {n} of 3" for n in (1, 2, 3)
    ]
    assert "reading" not in cli("parse", "rsst_x_l1_res20s_cifar10").stdout


def test_parse_takes_names_or_stdin_and_not_both(cli):
    done = cli("parse", "a", "-", stdin="b")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: Give names, or - for stdin, not both.\n"


@pytest.mark.parametrize(
    ("line", "name", "advice"),
    [
        (
            "python main_imp_fillback.py --dataset cifar100 --arch vit_small --struct rsst "
            "--pretrained",
            "rsst_vit_small_cifar100_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1_rate_0.15"
            "_pretrained_0108_1430",
            [],
        ),
        (
            "--dataset cifar100 --arch vit_small --pretrained --struct rsst --criteria l1 "
            "--epochs 80 --pruning_times 15 --rate 0.15 --RST_schedule exp_custom_exponents "
            "--reg_granularity_prune 0.5 --exponents 3",
            "rsst_vit_small_cifar100_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1_rate_0.15"
            "_pretrained_0108_1430",
            ["ignored, not part of the name: --epochs, --pruning_times"],
        ),
        (
            "'python main.py --arch vit_small' --notes 'see --arch' --arch res20s ' '",
            "rsst_res20s_cifar100_sched_exp_custom_exponents_reg_1.0_crit_l1_rate_0.2_0108_1430",
            [
                "ignored, not part of the name: 'python main.py --arch vit_small', --notes, ' '",
            ],
        ),
        (
            "--arch res20s --timezone +08:00 --at 2026-01-08T08:00Z",
            "rsst_res20s_cifar100_sched_exp_custom_exponents_reg_1.0_crit_l1_rate_0.2_0108_1600",
            [],
        ),
        (
            "--arch res20s --timezone -08:00 --at 2026-01-09T00:00Z",
            "rsst_res20s_cifar100_sched_exp_custom_exponents_reg_1.0_crit_l1_rate_0.2_0108_1600",
            [],
        ),
        (
            "--dataset cifar100 --arch vit_small --exp_name my_vit_experiment_v1",
            "my_vit_experiment_v1",
            [],
        ),
        (
            "--exp_name vit_ablation_lr0.001 --lr 0.001 --exp_timestamp",
            "vit_ablation_lr0.001_0108_1430",
            [],
        ),
        ("--exp_name test1", "test1", ["advice: too plain"]),
        (
            "--exp_name None --arch res20s",
            "rsst_res20s_cifar100_sched_exp_custom_exponents_reg_1.0_crit_l1_rate_0.2_0108_1430",
            [],
        ),
        (
            "--exp_name vit_small_cifar100_rsst_with_pretrained_imagenet_weights_exp3",
            "vit_small_cifar100_rsst_with_pretrained_imagenet_weights_exp3",
            ["advice: too long to read (61 characters)"],
        ),
    ],
)
def test_name_prints_the_name_alone_and_advice_beside_it(cli, line, name, advice):
    words = shlex.split(line)
    done = cli("name", *words, *([] if "--at" in words else AT))
    assert (done.returncode, done.stdout) == (0, f"{name}\n")
    said = done.stderr.splitlines()
    assert [one[: len(start)] for one, start in zip(said, advice, strict=True)] == advice


def test_name_is_quiet_where_asked(cli):
    done = cli("name", "--exp_name", "test1", "--epochs", "80", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "test1\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--at", "yesterday"], "--at 'yesterday' is not a time"),
        (["--rate", "fast"], "rate is 'fast'"),
        (["--RST_schedule", "exp_custon"], "RST_schedule: did you mean exp_custom?"),
        (["--struct", "x"], "struct: known are rsst, refill\n"),
        (["--timezone", "Mars"], "'Mars' is not a time zone"),
        (["--extra", "1e"], "'1e' is not a label"),
        (["--arch"], "expected one argument"),
    ],
)
def test_name_says_what_is_wrong(cli, words, said):
    done = cli("name", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--arch vit_smal", "'vit_smal' is not a known architecture; did you mean vit_small?"),
        ("--dataset cifar_10", "'cifar_10' is not a known dataset; did you mean cifar10?"),
        ("--arch zz", "'zz' is not a known architecture; known-archs in rsst-migrate.toml adds it"),
        ("--arch zz --exp_name my_net_1", None),
    ],
)
def test_an_unknown_word_is_pointed_out(words, said):
    _, lines = preview([*words.split(), *AT], ConfigFile())
    assert lines == ([said] if said else [])


@pytest.mark.parametrize(
    ("at", "zone", "written"),
    [
        ("14:30", None, "1430"),
        ("14:30", "Pacific/Kiritimati", "1430"),
        ("06:30Z", "+08:00", "1430"),
        ("2026-01-08T14:30", "-08:00", "0108_1430"),
        ("2026-01-08T14:30+08:00", "+00:00", "0108_0630"),
    ],
)
def test_a_bare_time_is_in_the_zone_of_the_name(at, zone, written):
    words = ["--at", at, *(["--timezone", zone] if zone else [])]
    before = datetime.now(ZoneInfo(zone)) if zone and "/" in zone else datetime.now()
    name, _ = preview(words, ConfigFile())
    assert name.endswith(written)
    if at == "14:30":
        assert name.split("_")[-2] == f"{before:%m%d}"  # today, there


@pytest.mark.parametrize(
    "words", [["parse", "rsst_x_l1_res20s_cifar10"], ["name", "--arch", "vit_tiny"]]
)
def test_nothing_slow_is_imported(words):
    program = (
        "import atexit, sys\n"
        f"sys.argv = ['rsst-migrate', *{words!r}]\n"
        "slow = {'wandb', 'pandas', 'numpy', 'pyarrow', 'graphql', 'uvicorn', 'jinja2'}\n"
        "atexit.register(lambda: print(sorted(slow & sys.modules.keys()), file=sys.stderr))\n"
        "from migrate.cli.app import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == "[]\n"
    assert done.stdout

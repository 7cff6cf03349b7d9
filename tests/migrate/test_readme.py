"""The READMEs and the pages of docs/: their commands, links and code are what they say."""

import argparse
import os
import re
import shlex
import shutil
import time
from pathlib import Path

import pytest
import typer

from migrate.cli.app import app
from migrate.cli.config_file import NO_CONFIG
from migrate.cli.training_flags import read_flags
from migrate.sandbox.sample import sample_store

ROOT = Path(__file__).parents[2]
PAIRS = [
    ("README.md", "README.zh-CN.md"),
    ("docs/renaming.md", "docs/renaming.zh-CN.md"),
    ("docs/references.md", "docs/references.zh-CN.md"),
    ("docs/offline.md", "docs/offline.zh-CN.md"),
    ("docs/servers.md", "docs/servers.zh-CN.md"),
]
PAGES = [page for pair in PAIRS for page in pair]
READMES = PAIRS[0]
SET_UP = [
    "python3 -m venv .venv && .venv/bin/pip install '.[sandbox]' && .venv/bin/rsst-migrate demo",
    "python3 -m venv .venv && .venv/bin/pip install -e '.[dev]' && .venv/bin/python -m pytest",
]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(page):
    return (ROOT / page).read_text("utf-8")


def fenced(page, *languages):
    """The fenced blocks in these languages."""
    return [body for language, body in FENCE.findall(text(page)) if language in languages]


def command_lines(page):
    """Every `rsst-migrate …` of the fenced blocks, as it is typed."""
    lines = "".join(fenced(page, "bash", "console")).splitlines()
    typed = [line.removeprefix("$ ") for line in lines]
    return [line for line in typed if line.startswith("rsst-migrate ")]


def anchors(page):
    """The anchors that GitHub gives the page's headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", READMES)
def test_the_set_up_commands(page):
    lines = "".join(fenced(page, "bash")).splitlines()
    assert [line for line in lines if line.startswith("python3 -m venv")] == SET_UP


@pytest.mark.parametrize("page", PAGES)
def test_every_command_line_is_one(page):
    assert command_lines(page)
    for line in command_lines(page):
        _, name, *words = shlex.split(re.split(r" [|>] ", line)[0])
        assert name in COMMANDS, line
        known = {option for one in COMMANDS[name].params for option in one.opts}
        if name == "name":  # it reads the training script's flags by itself
            assert read_flags(words, NO_CONFIG).ignored == [], line
            continue
        assert {word for word in words if re.match(r"--?[a-z]", word)} <= known, line


@pytest.mark.parametrize(("english", "chinese"), PAIRS)
def test_both_languages_have_the_same_commands_and_code(english, chinese):
    assert command_lines(english) == command_lines(chinese)
    for language in ("python", "console", "text", "graphql"):
        assert fenced(english, language) == fenced(chinese, language)
    rows = [len(re.findall(r"^\|", text(page), re.MULTILINE)) for page in (english, chinese)]
    assert rows[0] == rows[1]


# What is typed where a command stops to ask, and what it stops at.
TYPED = {
    "rename": ("[y/N]: ", "y\n"),
    "undo": ("[y/N]: ", "y\n"),
    "settle": ("]> ", "\x04"),
    "sandbox": ("Ctrl-C ends it.\r\n", "\x03"),
}
VARIES = [
    (re.compile(r"http://127\.0\.0\.1:\d+"), "http://127.0.0.1:8080"),
    (re.compile(r"\b\d{8}T\d{6}Z\b"), "20260108T143000Z"),
    (re.compile(r"\S+(?=/wandb/offline-run-)"), ""),
    (re.compile(r"\^[CD][\b]*|\x1b\[[0-9;?]*[A-Za-z]"), ""),
]


def lines_of(text):
    """Its lines, without what differs from day to day; a bar that is gone leaves an empty one."""
    for pattern, word in VARIES:
        text = pattern.sub(word, text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def fits(shown, printed):
    """Whether a page shows what is printed: `…` alone stands for any lines, or else any text."""
    pattern = "".join(
        "(?:.*\n)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n"
        for line in shown
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None


def run_as_shown(command, cli, prompt):
    """What a command prints on a terminal, where the answer to its question is yes."""
    name, *words = shlex.split(command)[1:]
    until, answer = TYPED.get(name, ("", ""))
    if until and not {"--yes", "--dry-run"} & {*words}:
        asking = prompt(name, *words, until=until, shown=True)
        asking.answer(answer)
        return asking.said
    done = cli(name, *words)
    return done.stdout + done.stderr


def offline_runs():
    """The folder of docs/offline.md: a run to be renamed, one under way, one cut off."""
    then = time.time() - 3600
    for run in ("040911-twice001", "040924-killed01", "040940-cutoff01"):
        name = f"offline-run-20261125_{run}"
        shutil.copytree(ROOT / "tests/fixtures/logs/0.31" / name, Path("wandb", name))
        log = Path("wandb", name, f"run-{run[7:]}.wandb")
        os.utime(log, None if "killed01" in run else (then, then))


def spoilt_plan(cli):
    """The plan of docs/renaming.md that cannot be used."""
    assert cli("report", "ycx/RSST", "-o", "bad.csv").returncode == 0
    header, *lines = Path("bad.csv").read_text("utf-8").splitlines()
    rows = [line.split(",") for line in lines[:3]]
    column = header.split(",").index("new_name")
    rows[0][column], rows[2][column] = "", rows[1][column]
    Path("bad.csv").write_text("\n".join([header, *map(",".join, rows)]), "utf-8")


@pytest.mark.parametrize("page", [english for english, _ in PAIRS])
def test_a_console_block_is_what_is_printed(page, serve, cli, prompt, monkeypatch):
    """Every command of a page, in order; the Chinese pages have the same blocks."""
    monkeypatch.setenv("TERM", "dumb")  # no progress
    serve(sample_store())
    offline_runs()
    spoilt_plan(cli)
    for language, body in FENCE.findall(text(page)):
        for part in re.split(r"^(?:\$ |(?=rsst-migrate ))", body, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            if language == "console" and command.startswith("rsst-migrate "):
                printed = lines_of(run_as_shown(command, cli, prompt))
                shown = lines_of("\n".join(lines))
                assert fits(shown, printed), "\n".join([command, *printed])
            elif language == "bash" and not command.startswith("rsst-migrate sandbox"):
                assert "error:" not in run_as_shown(command, cli, prompt)


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_exist(page):
    for link in re.findall(r"\]\((?!http)([^)\s]+)\)", text(page)):
        target, _, anchor = link.partition("#")
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.is_file(), link
        if anchor:
            assert anchor in anchors(path.relative_to(ROOT)), link


@pytest.mark.parametrize("page", READMES)
def test_the_lines_for_the_training_script(page, capsys):
    three, style = fenced(page, "python")[:2]
    lines = [line for line in three.splitlines() if line]
    assert len(lines) == 3
    parser = argparse.ArgumentParser()
    for key in ("struct", "RST_schedule", "criteria", "arch", "dataset", "batch_size"):
        parser.add_argument(f"--{key}")
    for key, value in (
        ("reg_granularity_prune", 0.5),
        ("exponents", 3),
        ("rate", 0.15),
        ("lr", 0.1),
    ):
        parser.add_argument(f"--{key}", default=value)
    parser.add_argument("--pretrained", action="store_true")
    names: dict[str, object] = {"parser": parser}
    exec("\n".join(lines[:2]), names)

    def name(words):
        """The name that the third line gives, and prints as the guide shows."""
        names["args"] = parser.parse_args(words.split())
        exec(lines[2], names)
        assert capsys.readouterr().out == f"WandB实验名称: {names['name']}\n"
        return names["name"]

    words = "--struct rsst --RST_schedule exp_custom_exponents --criteria l1 --arch vit_small"
    words += " --dataset cifar100 --batch_size 128 --pretrained"
    assert name("--exp_name paper_fig3") == "paper_fig3"
    assert re.fullmatch(r"paper_fig3_\d{4}_\d{4}", name("--exp_name paper_fig3 --exp_timestamp"))
    assert name(words).startswith("rsst_vit_small_cifar100_sched_exp_custom_exponents")

    imported, call, comment = [line for line in style.splitlines() if line]
    exec(imported, names)
    stamp = re.compile(r"\d{8}_\d{6}$")
    assert stamp.sub("", eval(call, names)) == stamp.sub("", comment.removeprefix("# "))


def test_contributing_names_files_that_exist():
    folders = ["naming", "migrate", "tests", "docs", ".ci"]
    paths = [*ROOT.glob("*.*"), *(path for place in folders for path in (ROOT / place).rglob("*"))]
    files = [f"/{path.relative_to(ROOT).as_posix()}" for path in paths]
    named = re.findall(r"`([\w./-]+\.(?:py|txt|toml))`", text("CONTRIBUTING.md"))
    assert len(named) > 20
    assert [name for name in named if not any(file.endswith(f"/{name}") for file in files)] == []

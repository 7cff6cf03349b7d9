"""The READMEs and the pages of docs/: their commands, links and code are what they say."""

import argparse
import re
import shlex
from pathlib import Path

import pytest
import typer

from migrate.cli.app import app
from migrate.cli.config_file import NO_CONFIG
from migrate.cli.training_flags import read_flags

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

"""`settle`: what may be answered, what is written into the file, and the whole way to new names."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings

from migrate.cli.answers import read_reply
from migrate.cli.config_file import read_config
from migrate.cli.request import Request
from migrate.cli.rule_text import rule_text, suggested_rules, with_rule
from migrate.cli.rules import file_rules
from migrate.cli.settle import _Session, settle
from migrate.client.runs import ProjectKey
from migrate.console import Output
from migrate.errors import InputError
from migrate.mapping.mapping import Options, Survey
from migrate.mapping.rows import RuleSource
from migrate.mapping.rules import Rule
from migrate.mapping.settling import Settling
from migrate.sandbox.review import review_store
from naming import Style, parse_name
from tests.migrate.mapping.test_kinds import a_run, any_answer, projects, settling_of
from tests.migrate.review import review_runs

HERE = ProjectKey("ycx", "RSST")
STYLE = Style()
# What the project's other runs do not agree about, or say nothing of; and the side of a conflict.
TYPED = {"rate": "0.15", "reg_granularity_prune": "0.5", "RST_schedule": "x", "arch": "deit_d"}
TYPED |= {"fillback_rate": "0.1"}


@pytest.fixture(scope="module")
def survey():
    return Survey(review_runs(), Options())


def of(survey, rules=()):
    return Settling({HERE: survey}, {row.key for row in survey.rows}, rules)


def rules_of(text):
    """The rules of a configuration file, read as commands read it."""
    path = Path("read.toml")
    path.write_text(text, encoding="utf-8")
    config = read_config(path, "--config none")
    return tuple(file_rules(config, config.style))


# What may be answered.

LACKS = [a_run(0, rate=None), a_run(1), a_run(2)]
TORN = [a_run(0, "rsst_x_l1_vit_small_cifar100", dataset="cifar10")]
SPLIT = [a_run(0, "rsst_x_l1_my_net_my_data", arch=None, dataset=None)]
LONG = [a_run(0, arch="net_" + "x" * 80)]
SCHEDULE = [a_run(0, RST_schedule="linear")]
BOTH = [a_run(0, "rsst_x_l1_vit_base_cifar100", dataset="cifar10")]
ANSWERS = [
    (LACKS, "", Rule(assume={"rate": 0.15})),
    (LACKS, " 0.2 ", Rule(assume={"rate": 0.2})),
    (LACKS, "1", Rule(assume={"rate": 1.0})),
    (LACKS, "s", "skip"),
    (LACKS, "E", "every"),
    (LACKS, "b", "back"),
    (LACKS, "q", "quit"),
    (LACKS, "?", "help"),
    (LACKS, "15", "'15' is not a valid rate: write a number between 0 and 1"),
    (LACKS, "-1", "between 0 and 1"),
    (LACKS, "0,15", "'0,15' is not a valid rate"),
    (LACKS, "n", "'n' is not a valid rate"),
    (LACKS[:1], "", "Not all other runs have the same value: enter one"),
    (TORN, "", "Enter n for what the name says, or c for what the config says"),
    (SPLIT, "", "Enter the number of a reading"),
    (LONG, "", "Enter another arch"),
    (TORN, "n", Rule(prefer="name")),
    (TORN, "config", Rule(prefer="config")),
    (TORN, "svhn", Rule(replace={"dataset": "svhn"})),
    (BOTH, "c", Rule(prefer="config")),
    (BOTH, "svhn", "Enter n for what the name says, or c for what the config says"),
    (SPLIT, "2", Rule(assume={"arch": "my_net"})),
    (SPLIT, "my_net", Rule(assume={"arch": "my_net"})),
    (SPLIT, "net", "the number of a reading, or the architecture that my_net_my_data begins with"),
    (SPLIT, "4", "the number of a reading"),
    (SPLIT, "my_net_my_data", "the number of a reading"),
    (LONG, "net_x", Rule(replace={"arch": "net_x"})),
    (LONG, "dataset=c100", Rule(replace={"dataset": "c100"})),
    (LONG, "a net", "write a word without white space"),
    (SCHEDULE, "x^2", Rule(replace={"RST_schedule": "x^2"})),
    (SCHEDULE, "linear", "write one of x, x^2, x^3, exp, exp_custom, exp_custom_exponents"),
]


@pytest.mark.parametrize(("runs", "typed", "means"), ANSWERS)
def test_what_may_be_answered(runs, typed, means):
    (kind,) = settling_of(*runs).kinds
    if isinstance(means, Rule) or len(means) < 6:
        assert read_reply(kind, typed, STYLE) == means
    else:
        with pytest.raises(ValueError, match=re.escape(means)):
            read_reply(kind, typed, STYLE)


# Rules as text.


@given(projects())
@settings(max_examples=15, deadline=None)
def test_what_is_written_is_read_back(runs):
    settling, text = settling_of(*runs), ""
    while kind := next((kind for kind in settling.kinds if kind.problem.code != "stuck"), None):
        rule = settling.effect(kind, any_answer(kind)).rule
        text += rule_text(rule, "what it answers\nand more")
        settling = settling.with_rules([*settling.rules, rule])
    read = rules_of(text)
    assert [replace(rule, source=RuleSource()) for rule in read] == [*settling.rules]
    assert settling.with_rules(read).rows == [
        replace(row, settled=now.settled)
        for row, now in zip(settling.rows, settling.with_rules(read).rows, strict=True)
    ]


FILE = """\
# Ours; ask before you change it.
projects = ["ycx/RSST"]   # and no other

[[rule]]
where = { runs = ["a"] }
set = { rate = 0.3 }  # from the paper"""


def test_the_rest_of_the_file_stays_as_it_is():
    for content in (FILE, f"{FILE}\n", f"{FILE}\n".replace("\n", "\r\n"), ""):
        longer = with_rule(content.encode(), '# why\n[[rule]]\nprefer = "name"\n', "it")
        assert longer.startswith(content.encode())
        added = '\n\n# why\n[[rule]]\nprefer = "name"\n'[2 * (not content) :]
        end = "\r\n" if "\r" in content else "\n"
        assert longer.decode().endswith(added.replace("\n", end))
        assert tomllib.loads(longer.decode())["rule"][-1] == {"prefer": "name"}
    with pytest.raises(InputError, match=r"write its rules as \[\[rule\]\] tables"):
        with_rule(b'rule = [{ prefer = "name" }]\n', '[[rule]]\nprefer = "name"\n', "it")


def _filled_in(found):
    """A line of `--print`, with what a person writes in place of VALUE."""
    key = found[1]
    value = "pool_former" if '"pool_former"' in found[0] else TYPED.get(key, "name")
    shown = value if value[0].isdigit() else json.dumps(value)
    return found[0].replace("VALUE", shown)


def test_the_printed_rules_settle_what_they_say(survey):
    text = suggested_rules(of(survey))
    count, settled = map(int, re.findall(r"\d+", text.partition("\n")[0]))
    rules = rules_of(text)
    after = of(survey, rules)
    assert count - settled == sum(row.status == "review" for row in after.rows) == 142
    assert all(kind.suggested is None for kind in after.kinds)
    assert (
        "\n# 73 runs (rsst, CNN, exp_custom_exponents) without rate; 12 others have 0.2\n" in text
    )
    # Nothing more is supported by others; with VALUEs filled in, the rest is settled, too.
    filled = re.sub(r"(\w+) = VALUE.*", _filled_in, text)
    blank = re.compile(r"^# (\[\[rule\]\]|where = |assume = |set = |prefer = )", re.MULTILINE)
    more = of(survey, rules_of(blank.sub(r"\1", filled)))
    assert {row.key.run_id for row in more.rows if row.status == "review"} == {
        case.row.key.run_id for kind in more.kinds for case in kind.cases
    }
    assert [kind.problem.data for kind in more.kinds] == [("rate",), ("reg_granularity_prune",)]
    assert {kind.group.arch for kind in more.kinds} == {"pool_former"}
    nothing_open = suggested_rules(of(Survey([a_run()], Options())))
    assert nothing_open == "# No run is in review.\n"


# The session.


@pytest.fixture
def session(survey, monkeypatch, capsys):
    """A session on the sample with these lines typed; gives its exit code and what was said."""

    def run(*typed, kinds=None, path="rsst-migrate.toml", **options):
        lines = iter(typed)

        def line(_text, **_how):
            answer = next(lines, None)
            if answer is None or isinstance(answer, BaseException):
                try:
                    raise answer or EOFError
                except BaseException:
                    raise typer.Abort from None
            return answer() if callable(answer) else answer

        monkeypatch.setattr(typer, "prompt", line)
        request = Request(["ycx/RSST"], config=path, **options)
        rules = request.asked().options.rules if os.path.exists(path) else ()
        one = _Session(of(survey, rules), STYLE, Path(path), request, Output())
        code = one.run()
        return code, capsys.readouterr().err

    return run


def test_each_answer_is_in_the_file_at_once(session):
    seen = []

    def look():
        seen.append(len(tomllib.loads(Path("rsst-migrate.toml").read_text())["rule"]))
        return ""

    code, said = session("", look, "s", "q")
    assert (code, seen) == (0, [1])
    assert said.startswith(
        "300 runs in review. Each answer is written to rsst-migrate.toml.\n\nQuestion 1 of 19\n"
    )
    assert "Settles 73 runs, for example\n  rsst_res20s_cifar100_sched_" in said
    assert "Still open: 14 runs of this kind (missing: reg_granularity_prune, rate)" in said
    assert "Question 4 of 19\n" in said
    assert said.endswith(
        "To rename 211 runs:\n  rsst-migrate rename ycx/RSST --config rsst-migrate.toml\n"
    )
    # Answering again: only what is still open is asked, the skipped kind first.
    code, said = session()
    assert code == 0
    assert "Question 1 of 17\n45 runs (rsst, ViT, exp_custom_exponents) without rate\n" in said


def test_back_takes_the_answer_out_of_the_file(session):
    Path("rsst-migrate.toml").write_text(FILE)
    code, said = session("", "s", "b", "b", "b", "0.25", "q")
    assert code == 0
    assert "This is the first question." in said
    (_, rule) = tomllib.loads(Path("rsst-migrate.toml").read_text())["rule"]
    assert rule["assume"] == {"rate": 0.25}
    assert Path("rsst-migrate.toml").read_text().startswith(FILE)
    os.unlink("rsst-migrate.toml")
    session("", "b", "q")
    assert not os.path.exists("rsst-migrate.toml")


def test_a_file_that_somebody_else_changes_meanwhile(session):
    def change():
        with open("rsst-migrate.toml", "a") as file:
            file.write("# mine\n")
        return "b"

    _, said = session("", change, "q")
    assert "rsst-migrate.toml was changed meanwhile; take the rule out of it yourself." in said
    assert Path("rsst-migrate.toml").read_text().endswith("# mine\n")
    session("", "q")
    assert len(tomllib.loads(Path("rsst-migrate.toml").read_text())["rule"]) == 2


@pytest.mark.parametrize(("end", "code"), [(None, 0), (KeyboardInterrupt(), 130), ("q", 0)])
def test_what_was_answered_is_kept_however_it_ends(session, end, code):
    ended, said = session("", end)
    assert ended == code
    assert "73 of 300 runs settled, 227 open." in said
    assert len(tomllib.loads(Path("rsst-migrate.toml").read_text())["rule"]) == 1


def test_what_is_no_answer_is_said_and_asked_again(session):
    _, said = session("15", "?", "e", "0.2", "q")
    assert said.count("Question 1 of") == 1
    assert "'15' is not a valid rate: write a number between 0 and 1.\n" in said
    assert "s          skip" in said
    assert said.count("s skip, e every run, b back, q quit, ?\n") == 5
    assert "Question 2 of 19" in said


@pytest.mark.parametrize(("width", "height"), [(80, 22), (40, 32)])
def test_every_question_fits_a_small_terminal(session, monkeypatch, width, height):
    monkeypatch.setenv("COLUMNS", str(width))
    code, said = session(*["s"] * 30)
    assert (code, said.count("Question ")) == (0, 19)
    for screen in re.split(r"\nQuestion ", said)[1:-1]:
        lines = screen.splitlines()
        assert len(lines) <= height
        assert max(map(len, lines)) <= width, lines
        assert not re.search(r"config:.*…", screen)
    assert "0 of 300 runs settled, 300 open.\n  73 runs" in said
    assert "… and 9 more kinds" in said


def test_without_a_terminal_it_refuses_and_prints(serve, cli):
    serve(review_store())
    done = cli("settle", "ycx/RSST", "--timezone", "+08:00")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: Cannot ask without a terminal. To write suggested rules to stdout:\n"
        "  rsst-migrate settle ycx/RSST --timezone +08:00 --print\n"
    )
    done = cli("settle", "ycx/RSST", "--print")
    assert done.returncode == 0
    assert done.stderr.endswith("  rsst-migrate report ycx/RSST\n")
    assert len(tomllib.loads(done.stdout)["rule"]) == 5


@pytest.mark.parametrize(
    ("content", "folder", "words"),
    [
        ('rule = [{ prefer = "name" }]\n', ".", "write its rules as [[rule]] tables."),
        (None, "nowhere", "Cannot write nowhere/rsst-migrate.toml: No such file or directory."),
        (None, "/proc", "Cannot write /proc/rsst-migrate.toml: No such file or directory."),
    ],
)
def test_a_file_that_takes_no_rule_is_noticed_before_the_first_question(
    sandbox, monkeypatch, content, folder, words
):
    path = Path(folder, "rsst-migrate.toml")
    if content is not None:
        path.write_text(content)
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    request = Request(["ycx/RSST"], base_url=sandbox.url, config=str(path))
    with pytest.raises(InputError, match=re.escape(words)):
        settle(request, to_stdout=False)
    assert sandbox.counts.total == 0
    assert content is None or path.read_text() == content


def test_from_three_hundred_runs_in_review_to_new_names_and_back(serve, cli, prompt):
    sandbox = serve(review_store())
    before = sandbox.store.names("ycx", "RSST")
    asking = prompt("settle", "ycx/RSST", until=">")
    questions = typed = 0
    while questions < 30:  # an answer that is none would be asked for again
        question = asking.said.rpartition("\nQuestion ")[2]
        label, suggestion = re.findall(r"(\w+)( \[.*\])?> ?$", question)[0]
        answer = "2" if "Number of the right" in question else TYPED.get(label, "n")
        asking.type("\r" if suggestion else f"{answer}\r")
        questions, typed = questions + 1, typed + (not suggestion)
        if not asking.wait(">"):
            break
    assert asking.end() == 0
    assert (questions, typed) == (21, 16)
    assert asking.said.count("300 of 300 runs settled, 0 open.") == 1

    done = cli("rename", "ycx/RSST", "--yes", "--quiet")
    assert done.returncode == 0, done.stderr
    journals = [name for name in os.listdir() if name.endswith(".journal.jsonl")]
    assert len(journals) == 1
    after = sandbox.store.names("ycx", "RSST")
    formats = Counter(parse_name(str(name)).format for name in after.values())
    assert formats == {"current": 410, "custom": 8, "legacy": 2}  # those that are running
    assert cli("undo", *journals, "--yes", "--quiet").returncode == 0
    assert sandbox.store.names("ycx", "RSST") == before

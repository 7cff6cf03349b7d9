"""Calls that are wrong, prompts that are left, help: one or two lines, and the exit code."""

from __future__ import annotations

import re
import sys
import time

import pytest

from migrate.cli import app as command_line


@pytest.fixture
def call(monkeypatch, capfd):
    """Run the command line in this process; gives the exit code, stdout and stderr."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["rsst-migrate", *words])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        return (ended.value.code, *capfd.readouterr())

    return run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("parse --bogus", "No such option: --bogus. See rsst-migrate parse --help."),
        ("--bogus", "No such option: --bogus. See rsst-migrate --help."),
        (
            "audit",
            "Give a project as entity/project, or list some as `projects` in rsst-migrate.toml.",
        ),
        ("reprot a/b", "No such command 'reprot'. Did you mean 'report'? See rsst-migrate --help."),
        ("report a/b -o", "Option '-o' requires an argument. See rsst-migrate --help."),
        (
            "report a/b --prefer me",
            "Invalid value for '--prefer': 'me' is not one of 'name', 'config'. "
            "See rsst-migrate report --help.",
        ),
        (
            "report a/b --status revew",
            "--status: 'revew' is not one of rename, review, hold, current, custom; did you mean "
            "review?",
        ),
        ("report a/b --reason zz", "--reason: 'zz' is not one of missing, "),
        (
            "report a/b --extra 1e",
            "--extra: '1e' is not a label: write LABEL or LABEL=ARGUMENT, the label in letters, "
            "digits, - and _, as in ep=epochs.",
        ),
        ("report a/b --timestamp-format %Q", "--timestamp-format: '%Q' cannot be read back"),
        ("name --timestamp-format %Q", "--timestamp-format: '%Q' cannot be read back"),
        ("rename a/b --limit 0", "Invalid value for '--limit': "),
        ("parse --\x1b[31m\n", "No such option: --"),
    ],
)
def test_a_wrong_call_is_told_in_a_line(call, words, said):
    code, out, err = call(*words.split(" "))
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {said}")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    assert err[:-1].isprintable()


def test_debug_shows_where(call):
    code, _, err = call("parse", "--debug")
    assert code == 2
    assert err.startswith("Traceback")
    assert err.endswith(
        "\nerror: Give names to parse, or - to read them from stdin, a name a line.\n"
    )


def test_a_server_that_echoes_the_key_is_not_passed_on(odd_server, call):
    key = "ab12" * 10

    def echo(request):
        return 200, {"errors": [{"message": f"bad \x1b[31m key {key} of http://me:pw@proxy:1"}]}

    odd = odd_server(echo)
    assert odd.key == key
    code, out, err = call("report", "ycx/RSST", "--debug", "--base-url", odd.url)
    assert code == 2
    assert "Traceback" in err
    assert key not in out + err
    assert "me:pw" not in err
    assert all(line.isprintable() for line in err.splitlines())


def test_a_command_to_copy_does_not_hold_a_password(call):
    words = ("settle", "ycx/RSST", "--base-url", "http://me:pw@127.0.0.1:9", "--match", "a@b")
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert err.endswith(
        "\n  rsst-migrate settle ycx/RSST --base-url 'http://…@127.0.0.1:9' --match a@b --print\n"
    )


def test_a_server_that_fails_for_good_leaves_something_to_do(odd_server, call, quick):
    odd = odd_server(lambda _: (501, "no"))
    code, out, err = call("audit", "ycx/RSST", "--base-url", odd.url)
    assert (code, out) == (2, "")
    assert err.startswith("error: The server failed (HTTP 501): ")
    assert err.endswith("\nRun the command again later.\n")
    assert err.count("\n") == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_later_on_leaves_something_to_do(odd_server, call, status):
    odd = odd_server(lambda _: (status, "no"))
    code, out, err = call("audit", "ycx/RSST", "--base-url", odd.url)
    assert (code, out) == (2, "")
    assert err.startswith("error: The server refuses: ")
    assert err.endswith(
        "\nCheck that the key in use may do this; `wandb login --relogin` sets another.\n"
    )


# Terminals that are not UTF-8.


@pytest.mark.parametrize(("encoding", "arrow"), [("ascii", "\\u2192"), ("gbk", "→")])
def test_what_an_encoding_has_not_got_is_spelled_out(sandbox, cli, encoding, arrow):
    told = cli("report", "ycx/RSST", "-q", PYTHONIOENCODING=encoding, encoding=encoding)
    assert (told.returncode, told.stderr) == (0, "")
    assert f"{arrow} rsst_vit_small" in told.stdout
    summed = cli("audit", "ycx/RSST", "-q", PYTHONIOENCODING=encoding, encoding=encoding)
    assert (summed.returncode, summed.stderr) == (0, "")
    parsed = cli("parse", "\U0001f600_x", PYTHONIOENCODING=encoding, encoding=encoding)
    assert "\\U0001f600_x" in parsed.stdout
    helped = cli("--help", PYTHONIOENCODING=encoding, encoding=encoding)
    assert "rsst-migrate demo" in helped.stdout


# Prompts.


@pytest.mark.parametrize(("typed", "code"), [("\x03", 130), ("\x04", 0), ("n\n", 0), ("\n", 0)])
def test_leaving_the_prompt_writes_nothing(sandbox, prompt, typed, code):
    before = sandbox.store.state()
    asked = prompt("rename", "ycx/RSST")
    time.sleep(0.1)  # it prints the prompt shortly before it reads
    assert asked.answer(typed) == code
    assert asked.said.endswith("\nNothing was renamed.\r\n")
    assert "Traceback" not in asked.said
    assert "Aborted" not in asked.said
    assert not sandbox.service.mutations
    assert sandbox.store.state() == before


def test_an_answer_that_is_neither_is_asked_again(sandbox, prompt):
    asked = prompt("rename", "ycx/RSST")
    asked.type("maybe\n")
    assert asked.wait("[y/N]")
    assert "Signing in " in asked.said  # a bar, while it takes a second or two
    assert "maybe\r\nAnswer y or n.\r\nRename 30 runs of " in asked.said
    assert asked.answer("N\n") == 0
    assert not sandbox.service.mutations


# Help.

COMMANDS = "audit report rename resume undo parse name sandbox demo completion".split()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_on_lines_of_their_own(call, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    code, out, err = call(command, "--help")
    assert (code, err) == (0, "")
    lines = [line.strip() for line in out.splitlines()]
    assert max(map(len, lines)) <= 80
    assert not re.search("<list|<path|<bash|<str", out)
    assert [line for line in lines if line.startswith(f"$ rsst-migrate {command}")]
    assert not [line for line in lines if re.search(r"\S +\$ rsst-migrate", line)]


def test_a_limit_takes_the_next_renames(call):
    assert "the next N renames" in " ".join(call("rename", "--help")[1].split())


def test_references_offers_nothing_for_offline_runs(call):
    _, out, _ = call("references", "--help")
    assert "--match" in out
    assert "folder of" not in " ".join(out.split())
    assert "--against" not in out


def test_alone_it_shows_where_to_begin(call):
    code, out, err = call()
    assert (code, err) == (0, "")
    assert "rsst-migrate demo" in out
    assert "Where to begin" in out

"""On a real terminal (a pty): colours and progress where they belong, and nothing that acts."""

import os
import pty
import re
import subprocess
import sys
import threading

import pytest

from migrate.sandbox.sample import sample_store

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def on_terminal(serve):
    """Run a command on the sample with stdout or stderr a terminal; gives stdout and stderr."""
    sandbox = serve(sample_store())

    def run(*words, terminal, **environ):
        ours, theirs = pty.openpty()
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, terminal: theirs}
        process = subprocess.Popen(  # type: ignore[call-overload]
            [sys.executable, "-m", "migrate", *words],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **environ},
            **streams,
        )
        os.close(theirs)
        seen = []

        def read():
            try:
                while part := os.read(ours, 65536):
                    seen.append(part)
            except OSError:  # the terminal's last user has gone
                pass

        reader = threading.Thread(target=read)
        reader.start()
        out, err = process.communicate(timeout=60)
        reader.join(timeout=10)
        os.close(ours)
        assert process.returncode == 0
        shown = b"".join(seen).decode().replace("\r\n", "\n")
        return (shown, err.decode()) if terminal == "stdout" else (out.decode(), shown)

    run.key = sandbox.api_key  # type: ignore[attr-defined]
    return run


def test_colours_on_a_terminal_and_no_name_that_acts(on_terminal):
    out, err = on_terminal("report", "ycx/RSST", "--all", "--quiet", terminal="stdout")
    assert COLOUR.search(out)
    assert "\x1b[1;4m" in out, "what the new name adds is marked"
    assert err == ""
    plain = STYLE.sub("", out)
    assert all(letter.isprintable() for line in plain.splitlines() for letter in line)
    assert "\\x1b[31mred\\x1b[0m alert" in plain
    assert "[bold red]markup[/] run" in plain


@pytest.mark.parametrize(("words", "environ"), [([], {"NO_COLOR": "1"}), (["--no-color"], {})])
def test_no_colours_where_nobody_wants_them(on_terminal, words, environ):
    out, _ = on_terminal("audit", "609354432/RSST", *words, terminal="stdout", **environ)
    assert not COLOUR.search(out)
    assert "609354432/RSST: 12 runs" in STYLE.sub("", out)


def test_progress_is_on_stderr_and_data_on_stdout(on_terminal):
    out, err = on_terminal("report", "ycx/RSST", "--format", "csv", terminal="stderr")
    assert out.count("\n") >= 81
    assert "\x1b" not in out.replace("\x1b[31mred\x1b[0m", "")
    assert "Listing ycx/RSST" in STYLE.sub("", err)
    assert "96/96" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err)
    assert on_terminal.key not in out + err


def test_quiet_shows_no_progress(on_terminal):
    out, err = on_terminal("audit", "ycx/RSST", "--json", "--quiet", terminal="stderr")
    assert out.startswith("{")
    assert err == ""


@pytest.mark.parametrize("kind", ["csv", "json", "md", "html"])
def test_a_file_on_a_terminal_does_nothing(on_terminal, kind):
    out, _ = on_terminal("report", "ycx/RSST", "--format", kind, terminal="stdout")
    assert all(letter.isprintable() for line in out.split("\n") for letter in line)
    spelled = {"csv": "\\x1b[31mred", "json": "\\u001b[31mred", "md": "\\x1b[31mred"}
    assert spelled.get(kind, "red") in out


def test_parquet_is_not_for_terminals(on_terminal):
    with pytest.raises(AssertionError, match="2 == 0"):
        on_terminal("report", "ycx/RSST", "--format", "parquet", terminal="stdout")

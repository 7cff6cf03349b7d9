"""What a terminal shows while the tool works, and what reaches stdout."""

import io
import os
import pty
import signal
import sys
import time
from pathlib import Path

import pytest

from migrate import console
from migrate.console import MANNER, Output

BAR = """
from migrate import console
from migrate.console import Output

console.WAITING_SECONDS = 0.0
output = Output()
with output.progress("Renaming") as bar:
    bar.advance(1, 2)
    bar.note("")
console.WAITING_SECONDS = 3.0
with output.progress("Listing ycx/\\x1b[31mRSST") as bar:
    bar.advance(30, 100)
    bar.note("waiting for W&B (rate limit), 34 s [bold]\\x1b[2J")
    output.tell("beside it")
    bar.note("")
    bar.advance(100, 100)
"""


def on_terminal(program, columns):
    """Run a program on a terminal; gives what the terminal gets."""
    process, leader = pty.fork()
    if not process:
        os.environ["COLUMNS"] = columns
        os.execv(sys.executable, [sys.executable, "-c", program])
    shown = b""
    try:
        while piece := os.read(leader, 1000):
            shown += piece
    except OSError:  # Linux's word for the end of a terminal
        pass
    os.close(leader)
    assert os.waitpid(process, 0)[1] == 0
    return shown.decode()


def test_a_bar_says_what_it_waits_for():
    shown = on_terminal(BAR, "60")
    assert "Listing ycx/\\x1b[31mRSST" in shown
    assert "30/100" in shown
    assert "waiting for the server (no answer for 0 s)" in shown
    assert "0:00:00" in shown  # how long it has taken
    assert "\r\nwaiting for W&B (rate limit), 34 s [bold]\\x1b[2J" in shown
    assert "beside it\r\n" in shown
    assert "waiting" not in shown.rpartition("beside it")[2].partition("100/100")[2]


def test_without_a_terminal_it_says_once_that_nothing_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(console, "SILENT_SECONDS", 0.3)

    def told():
        end = time.monotonic() + 5
        while not (text := capsys.readouterr().err) and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(0.4)
        return text + capsys.readouterr().err

    with Output().progress("Listing ycx/RSST") as bar:
        bar.advance(30, 100)
        assert told() == "Listing ycx/RSST: waiting for the server (no progress for 0 s)\n"
    with Output().progress("Reading \x1b[2J") as bar:
        bar.note("waiting for W&B (rate limit), 34 s")
        assert told().startswith("Reading \\x1b[2J: waiting for W&B (rate limit), 34 s (no ")


# Pagers.


class Terminal(io.StringIO):
    """A stdout of 80 columns and ten lines."""

    def isatty(self):
        return True


@pytest.fixture
def paged(monkeypatch):
    """Print lines; gives what the terminal got, and what the pager got: None where there was none.

    The PAGER writes its options, then what it gets, to the file `paged`.
    """
    for name, value in {
        "PAGER": """sh -c 'echo "$LESS" >paged; cat >>paged'""",
        "COLUMNS": "80",
        "LINES": "10",
        "TERM": "xterm",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LESS", raising=False)

    def show(lines, *, data=False):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        output = Output()
        with output.paging():
            for line in lines:
                if data:
                    output.data(f"{line}\n")
                else:
                    output.out.print(line, style="bold")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        file = Path("paged")
        return terminal.getvalue(), file.read_text() if file.exists() else None

    return show


LINES = [f"line {n}" for n in range(30)]


def test_more_than_a_screen_goes_to_the_pager(paged, monkeypatch):
    assert paged(LINES) == ("", "".join(["FRX\n", *(f"\x1b[1m{line}\x1b[0m\n" for line in LINES)]))
    monkeypatch.setenv("LESS", "S")
    assert paged(LINES, data=True) == ("", "".join(f"{line}\n" for line in ["S", *LINES]))


def test_a_screenful_does_not(paged):
    shown, to_pager = paged(LINES[:9])
    assert (shown.count("\n"), to_pager) == (9, None)
    assert paged(["x" * 500, *LINES[:3]])[1] is not None, "a long line takes several rows"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAGER", "cat"),
        ("PAGER", ""),
        ("PAGER", "no-such-pager -x"),
        ("PAGER", "'"),
        ("TERM", "dumb"),
    ],
)
def test_without_a_pager(paged, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert paged(LINES, data=True) == ("".join(f"{line}\n" for line in LINES), None)


def test_a_pager_that_nobody_wants(paged, monkeypatch):
    monkeypatch.setattr(MANNER, "no_pager", True)
    assert paged(LINES)[1] is None


def test_leaving_the_pager_early_is_no_error(paged, monkeypatch):
    monkeypatch.setenv("PAGER", "sh -c 'head -n 1 >paged'")
    lines = [f"{n} {'x' * 70}" for n in range(100_000)]
    assert paged(lines, data=True)[1].startswith("0 xxx")


def test_ctrl_c_is_the_pagers(paged, monkeypatch):
    monkeypatch.setenv("PAGER", "sh -c 'kill -INT $PPID; cat >paged'")
    assert paged(LINES, data=True)[1].endswith("line 29\n")

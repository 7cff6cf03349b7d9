"""What a terminal shows while the tool works, and what reaches stdout."""

import os
import pty
import sys

BAR = """
from migrate.console import Output

output = Output()
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
    assert "\r\nwaiting for W&B (rate limit), 34 s [bold]\\x1b[2J" in shown
    assert "beside it\r\n" in shown
    assert "waiting" not in shown.rpartition("beside it")[2].partition("100/100")[2]

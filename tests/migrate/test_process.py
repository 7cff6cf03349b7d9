"""The process: stdout that is full or closed, widths, and Ctrl-C at any moment."""

import os
import signal
import subprocess
import sys
import time

import pytest

MANY = "rsst_x_l1_res20s_cifar10\n" * 20_000
BUFFERED = pytest.mark.parametrize("unbuffered", ["", "1"])
COMMANDS = pytest.mark.parametrize("words", [["parse", "-"], ["parse", "--json", "-"], ["--help"]])


def start(*words, **how):
    return subprocess.Popen(
        [sys.executable, "-m", "migrate", *words],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how,
    )  # fmt: skip


@BUFFERED
@COMMANDS
def test_a_full_disk_is_an_error(monkeypatch, unbuffered, words):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with open("/dev/full", "w") as full:
        process = start(*words, stdout=full)
        _, said = process.communicate(MANY)
    assert said == "error: Cannot write to stdout: No space left on device.\n"
    assert process.returncode == 1


@BUFFERED
@COMMANDS
def test_a_closed_pipe_is_silent(monkeypatch, unbuffered, words):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*words, stdout=writing)
    os.close(writing)
    assert process.communicate(MANY)[1] == ""
    assert process.returncode == 141


@BUFFERED
def test_a_slow_reader_gets_everything(monkeypatch, cli, unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    reading, writing = os.pipe()
    os.set_blocking(reading, True)
    process = start("parse", "--json", "-", stdout=writing)
    os.close(writing)
    process.stdin.write(MANY)
    process.stdin.close()
    got = 0
    while piece := os.read(reading, 100_000):
        got += len(piece)
    assert process.wait() == 0
    assert got == len(cli("parse", "--json", "-", stdin=MANY).stdout)


@pytest.mark.parametrize(("closed", "code"), [(1, 1), (2, 2)])
def test_a_stream_that_is_closed(closed, code):
    words = ["parse", "x"] if closed == 1 else ["parse", "--bogus"]
    process = start(*words, preexec_fn=lambda: os.close(closed), stdout=subprocess.DEVNULL)
    _, said = process.communicate()
    assert process.returncode == code
    assert said == ("error: Cannot write to stdout: Bad file descriptor.\n" if closed == 1 else "")


@pytest.mark.parametrize("columns", ["0", "00", "-1", "x", "", "1000000000"])
def test_a_width_that_is_none(cli, columns):
    usual = cli("parse", "x", COLUMNS="80").stdout
    assert cli("parse", "x", COLUMNS=columns).stdout == usual
    assert "demo" in cli("--help", COLUMNS=columns).stdout


@pytest.mark.parametrize(
    ("words", "seconds"), [(["parse", "x"], 0.5), (["audit", "ycx/RSST"], 2.5), (["demo"], 4.0)]
)
def test_ctrl_c_at_any_moment(sandbox, tmp_path, words, seconds):
    for moment in range(10):
        errors = tmp_path / f"stderr{moment}"
        with errors.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-X", "importtime", "-m", "migrate", *words],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )  # fmt: skip
        # Python's own start is Python's: from the first import that is ours, so is the answer.
        while " migrate.cli\n" not in errors.read_text():
            time.sleep(0.01)
        time.sleep(seconds * moment / 10)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) in (0, 130)
        said = errors.read_text()
        assert "Traceback" not in said
        assert "Exception ignored" not in said


def test_ctrl_c_in_a_callback_is_not_lost():
    program = (
        "import signal, sys, time, weakref\n"
        "import migrate.__main__ as process\n"
        "interrupt = process._Interrupt()\n"
        "interrupt.enable()\n"
        "class Thing: pass\n"
        "thing = Thing()\n"
        "kept = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))\n"
        "try:\n"
        "    del thing\n"
        "    time.sleep(30)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=20)
    assert (done.stdout, done.stderr) == (b"interrupted\n", b"")


def test_the_way_out_is_bounded():
    program = (
        "import atexit, sys, time\n"
        "atexit.register(time.sleep, 60)  # as wandb has waited for its helper process\n"
        "sys.argv = ['rsst-migrate', 'parse', '--bogus']\n"
        "from migrate.__main__ import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=20)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: No such option")

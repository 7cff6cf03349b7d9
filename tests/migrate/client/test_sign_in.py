"""The errors that people meet, by the real command line.

Each is a sentence or two on stderr and exit code 2 within ten seconds; nothing is on stdout, no
traceback anywhere, and the key is never told.
"""

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from migrate.cli.request import Request
from migrate.client.paths import parse_path
from migrate.errors import InputError

SECRET = "5ec4e7" * 7


def fails(cli, *words, key=SECRET, stdin=None, **environ):
    """Run a command that must fail as errors do; gives what it says."""
    for _ in range(2):  # the tests beside this one may take the time: the better of two counts
        begun = time.monotonic()
        done = cli(*words, stdin=stdin, **environ)
        took = time.monotonic() - begun
        if took < 10:
            break
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) <= 2
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert key not in done.stderr
    assert took < 10
    return done.stderr.removeprefix("error: ").rstrip("\n")


# The call itself is wrong: nothing is asked of any server.

WRONG_CALLS = [
    (["report", "ycx/RSST", "a/b/c"], "'a/b/c' is not a project's path. Write entity/project"),
    (["audit", "ycx/RSST", "x/\x1b[31m"], "is not a project's path"),
    (["audit", "ycx/RSST", "--filters", "{state"], "--filters is not JSON"),
    (["audit", "ycx/RSST", "--filters", '["state"]'], "--filters must be a JSON object"),
    (["audit", "ycx/RSST", "--match", "("], "--match: '(' is not a valid regular expression"),
    (["audit", "ycx/RSST", "--timezone", "Mars/Base"], "'Mars/Base' is not a time zone"),
    (
        ["audit", "ycx/RSST", "--assume", "colour=red"],
        "'colour' is not a known key; known are",
    ),
    (["report", "ycx/RSST", "--extra", "1e"], "'1e' is not a label"),
    (["report", "ycx/RSST", "--timestamp-format", "%Q"], "'%Q' cannot be read back"),
    (["report", "ycx/RSST", "-o", "runs.doc"], "'doc' is not a report format"),
    (["report", "ycx/RSST", "-o", "none/runs.csv"], "no folder none"),
]


@pytest.mark.parametrize(("words", "said"), WRONG_CALLS)
def test_a_wrong_call_says_so_before_anything_is_asked(sandbox, cli, words, said):
    assert said in fails(cli, *words, key=sandbox.api_key)
    assert sandbox.counts.total == 0
    assert os.listdir() == []


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "ycx/", "/RSST", "ycx:RSST", "y cx/RSST", "y@cx/RSST", "ycx/RS%20ST"),
        *("ycx/RS\u200bST", "ycx/RS\xa0ST", "ycx/RS\nST", "ycx/RS\\ST"),
        *("https://wandb.ai/ycx", "ftp://wandb.ai/a/b", "https://wandb.ai/ycx/a%0Ab"),
        *("https://wandb.ai/ycx/a%2Fb", "https://wandb.ai/ycx/%ff", "https://wandb.ai:x/ycx/RSST"),
    ],
)
def test_paths_that_are_none(path):
    with pytest.raises(InputError, match="is not a project's path"):
        parse_path(path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"filters": "[" * 20_000}, "--filters is not JSON"),
        ({"match": "(" * 20_000}, "is not a valid regular expression"),
        ({"assume": ["rate"]}, "write KEY=VALUE"),
        (
            {"assume": ["rate=fast"]},
            "--assume rate=fast: 'fast' is not a valid rate: write a number between 0 and 1.",
        ),
        ({"assume": ["rate=15"]}, "write a number between 0 and 1."),
        ({"assume": ["reg=-1"]}, "'-1' is not a valid reg: write a number of at least 0."),
        ({"assume": ["exponents=0"]}, "write a whole number of at least 1."),
        ({"assume": ["criteria=l3"]}, "write one of remain, magnitude, l1, l2, saliency."),
        ({"assume": ["ratte=1"]}, "'ratte' is not a known key; did you mean rate?"),
        ({"assume": ["exp_name=mine"]}, "'exp_name' is not a known key; "),
        ({"assume": ["arch=my net"]}, "'my net' is not a valid arch: write a word without white"),
        (
            {"known_arch": ["my net"]},
            "--known-arch: 'my net' cannot stand in a name: write it without white space.",
        ),
        ({"extra": "b s"}, "--extra: 'b s' is not a label"),
        ({"match": "("}, "--match: '(' is not a valid regular expression: "),
        ({"assume": ["rate=1", "rate=0.2"]}, "gives rate two values"),
        ({"timezone": "../../etc/passwd"}, "is not a time zone"),
        ({"timestamp_format": "now"}, "'now' cannot be read back"),
        (
            {"prefer": "nmae"},
            "'nmae' is not one of name, config; did you mean name?",
        ),
    ],
)
def test_options_that_cannot_be(options, said):
    request = Request(["ycx/RSST"], **options)
    with pytest.raises(InputError) as error:
        request.asked()
    assert said in str(error.value)
    assert error.value.exit_code == 2


# There is no session.


def test_no_credentials_and_no_prompt(sandbox, cli, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY")
    assert fails(cli, "report", "ycx/RSST", stdin="3\n" + SECRET) == (
        f"No W&B key for {sandbox.url}. "
        f"Set WANDB_API_KEY or run `wandb login --host={sandbox.url}`."
    )


def test_a_key_that_is_refused(sandbox, cli):
    said = fails(cli, "audit", "ycx/RSST", WANDB_API_KEY=SECRET)
    assert said.startswith(f"{sandbox.url} refuses this key (HTTP 401).")
    assert "wandb login --relogin" in said


@pytest.mark.parametrize("key", ["5ec4e7", "5ec4e7\n" * 8, f"{SECRET}!"])
def test_a_key_that_cannot_be_one(sandbox, cli, key):
    said = fails(cli, "audit", "ycx/RSST", WANDB_API_KEY=key, key="5ec4e7")
    assert "key" in said
    assert "WANDB_" in said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:{port}", "cannot be reached: nothing listens there"),
        ("http://nowhere.invalid", "http://nowhere.invalid: no such host"),
        ("http://me:" + SECRET + "@nowhere.invalid", "no such host"),
        ("nowhere", "'nowhere' is not a server's address"),
        ("http://", "is not a server's address"),
        ("http://127.0.0.1:99999", "is not a server's address"),
    ],
)
def test_an_address_where_there_is_no_server(cli, url, said):
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    url = url.replace("{port}", str(port))
    told = fails(cli, "audit", "ycx/RSST", "--base-url", url, WANDB_API_KEY=SECRET)
    assert said in told
    assert "--base-url" in told


@pytest.fixture
def listener():
    """Start sockets that accept, say a greeting, and never anything again."""
    servers, kept = [], []

    def start(greeting=b""):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def accept():
            with suppress(OSError):
                while True:
                    kept.append(server.accept()[0])
                    kept[-1].sendall(greeting)

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield start
    for one in (*servers, *kept):
        one.close()


def test_a_server_that_accepts_and_never_answers(listener, cli):
    url = listener()  # by itself: it takes longest, 8 of the 10 seconds
    said = fails(cli, "audit", "ycx/RSST", WANDB_BASE_URL=url, WANDB_API_KEY=SECRET)
    assert said.startswith(f"{url} accepts connections but does not answer in time. Try again")


def test_servers_that_sign_nobody_in(listener, odd_server, cli):
    def odd(status, content):
        return odd_server(lambda request: (status, content), signs_in=False).url

    none = "answers, but not as a W&B server. Check --base-url"
    echo = {"errors": [{"message": f"no, {SECRET}"}]}
    cases = [  # three at a time, since most of it is waiting
        (listener(b"SSH-2.0-OpenSSH_9.6\r\n"), none),
        (odd(503, "<html>back soon"), "is not in service (HTTP 503). Try again in some minutes"),
        (
            odd(429, {"errors": [{"message": "no"}]}),
            "(HTTP 429: too many requests). Try",
        ),
        (odd(200, {}).replace("http:", "https:"), "Check that it speaks https"),
        (odd(200, "<html><h1>It works!</h1>"), none),
        (odd(404, "<html><h1>Not found</h1>"), none),
        (odd(200, ""), none),
        (odd(403, f"<html>{SECRET}"), "refuses this key (HTTP 403)"),
        (odd(200, echo), "failed: "),
        (odd(400, echo), "failed: "),
    ]

    def run(case):
        return fails(cli, "audit", "ycx/RSST", WANDB_BASE_URL=case[0], WANDB_API_KEY=SECRET)

    with ThreadPoolExecutor(3) as pool:
        for (url, said), told in zip(cases, pool.map(run, cases), strict=True):
            assert said in told
            assert url in told


# There is a session, and no listing.


def test_a_project_that_this_key_may_not_see(sandbox, cli):
    sandbox.store.project("ycx", "RSST").visible = False
    assert fails(cli, "report", "ycx/RSST", key=sandbox.api_key) == (
        f"There is no project ycx/RSST on {sandbox.url}, or this key may not see it. "
        "Check the spelling, and which account the key belongs to."
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["audit", "ycx/RSST", "ycx/none"], "There is no project ycx/none"),
        (["audit", "ycx/RSST", "RSST"], "A project is named twice"),
        (["audit", "ycx/RSST", "--filters", '{"state": {"$like": 1}}'], "unknown operator '$like'"),
    ],
)
def test_what_only_the_server_knows(sandbox, cli, words, said):
    assert said in fails(cli, *words, key=sandbox.api_key)


@pytest.mark.parametrize("words", [["report", "-o", "runs.csv"], ["audit"]])
def test_a_listing_that_fails_half_way_is_not_told_as_if_it_were_whole(serve, cli, words):
    sandbox = serve(runs=1500)
    sandbox.faults.add("400", on="query", skip=2, times=9)  # after the page and the count
    Path("runs.csv").write_text("from before")
    said = fails(cli, *words, "ycx/RSST", key=sandbox.api_key)
    assert said.startswith("The listing failed at page 2 and is not used: ")
    assert os.listdir() == ["runs.csv"]
    assert Path("runs.csv").read_text() == "from before"


def test_debug_shows_the_traceback_and_changes_nothing_else(sandbox, cli):
    done = cli("report", "ycx/none", "--debug")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" in done.stderr
    assert "There is no project ycx/none" in done.stderr
    assert sandbox.api_key not in done.stderr

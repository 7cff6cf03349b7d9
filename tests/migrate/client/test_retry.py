"""Reads that fail for a while: asked again, and what is said meanwhile."""

from __future__ import annotations

import threading
import time

import pytest

from migrate.client import retry
from migrate.client.retry import RateWait, no_note, read_patiently
from migrate.console import Bar
from migrate.errors import RateLimited, Refused, ServiceStopped, Unanswered

GARBLED = Unanswered("no usable answer")
SLOW = Unanswered("out of time", slow=True)
LIMITED = RateLimited("HTTP 429")


@pytest.fixture
def waits(monkeypatch):
    """How long was waited, without waiting."""
    waited = []

    class Clock:
        now = 0.0

        def wait(self, seconds):
            Clock.now += seconds
            waited.append(seconds)

        def is_set(self):
            return False

    monkeypatch.setattr(retry.time, "monotonic", lambda: Clock.now)  # type: ignore[attr-defined]
    return waited, Clock()


def asking(*answers):
    """A request with these answers, one after the other; the last for ever."""
    left = list(answers)

    def ask():
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_read_gets_two_more_tries(waits, failures):
    waited, clock = waits
    assert read_patiently(asking(*[GARBLED] * failures, "read"), no_note, clock) == "read"
    assert sum(waited) == sum(retry.WAIT_SECONDS[:failures])


def test_and_no_third(waits):
    waited, clock = waits
    with pytest.raises(Unanswered, match="no usable answer"):
        read_patiently(asking(GARBLED), no_note, clock)
    assert sum(waited) == sum(retry.WAIT_SECONDS)


@pytest.mark.parametrize("error", [Refused("no", ()), ServiceStopped("ended")])
def test_what_cannot_be_mended_is_not_tried_again(waits, error):
    waited, clock = waits
    with pytest.raises(type(error)):
        read_patiently(asking(error, "read"), no_note, clock)
    assert not waited


def test_what_ran_out_of_time_is_asked_for_less_instead(waits):
    waited, clock = waits
    with pytest.raises(Unanswered):
        read_patiently(asking(SLOW, "read"), no_note, clock, slow_again=False)
    assert not waited
    assert read_patiently(asking(SLOW, "read"), no_note, clock) == "read"


def test_a_rate_limit_of_minutes_is_waited_for_and_is_no_try(waits):
    waited, clock = waits
    notes = []
    answers = [GARBLED, *[LIMITED] * 30, GARBLED, "read"]
    assert read_patiently(asking(*answers), notes.append, clock) == "read"
    assert 600 < sum(waited) < 1000
    assert "waiting for W&B (rate limit), 30 s" in notes
    assert notes[-1] == ""


def test_a_rate_limit_of_more_than_half_an_hour_is_a_failure(waits):
    waited, clock = waits
    with pytest.raises(RateLimited):
        read_patiently(asking(LIMITED), no_note, clock)
    assert 1800 < sum(waited) < 1900


def test_rate_waits_grow_and_begin_anew_after_a_success(waits):
    wait = RateWait()
    assert [wait.seconds() for _ in range(7)] == [2, 4, 8, 15, 30, 30, 30]
    assert RateWait().seconds() == 2


@pytest.mark.parametrize("error", [GARBLED, LIMITED])
def test_whoever_hurries_waits_for_nothing(error):
    hurry = threading.Event()
    hurry.set()
    with pytest.raises(type(error)):
        read_patiently(asking(error), no_note, hurry)


@pytest.mark.parametrize("error", [GARBLED, LIMITED])
def test_a_wait_that_was_begun_ends_when_somebody_hurries(error):
    hurry, start = threading.Event(), time.monotonic()
    threading.Timer(0.1, hurry.set).start()
    with pytest.raises(type(error)):
        read_patiently(asking(error), no_note, hurry)
    assert time.monotonic() - start < 1.5


# Through the real client.


# wandb-core repeats these once, after 2 s, by itself; the others reach us at once.
REPEATED = ("500", "429", "drop")


@pytest.mark.parametrize(
    ("what", "kind", "times"),
    [
        *(("states", kind, 2) for kind in ("cut", "garbled", "html", "null", "501")),
        *(("pages", kind, 2) for kind in ("cut", "garbled", "html", "null", "501")),
        *(("matching", kind, 1) for kind in ("cut", "garbled", "null")),
        *(("states", kind, 4) for kind in REPEATED),
        *(("pages", kind, 3) for kind in REPEATED),
        *(("pages", kind, 1) for kind in ("502", "503")),
        ("matching", "429", 3),
    ],
)
def test_reads_survive_unusable_answers(sandbox, project, quick, what, kind, times):
    sandbox.faults.add(kind, on="query", times=times)
    ids = [f"run{number:05d}" for number in range(30)]
    if what == "states":
        assert sorted(project.states(ids)) == ids
    elif what == "matching":
        assert sorted(project.matching({"state": "finished"}, Bar())) == ids
    else:
        assert [run.key.run_id for page in project.pages() for run in page.runs] == ids
    assert sandbox.counts.requests["query"] > times


@pytest.mark.parametrize("kind", ["garbled", "501"])
def test_a_read_that_always_fails_is_given_up(sandbox, project, quick, kind):
    sandbox.faults.add(kind, on="query", times=1000)
    with pytest.raises(Unanswered):
        project.states(["run00001"])
    assert sandbox.counts.requests["query"] == 3

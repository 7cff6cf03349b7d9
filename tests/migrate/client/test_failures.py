"""What an exception out of wandb says, from its text and its status: a table.

The texts are wandb-core's 0.30 and 0.31; that the real client still says them is what
`test_server_changes.py` and `test_retry.py` hold it to.
"""

from __future__ import annotations

import pytest
from wandb.proto.wandb_api_pb2 import ApiErrorResponse  # type: ignore[attr-defined]
from wandb.sdk.lib.service.service_connection import WandbApiFailedError

from migrate.client.failures import failure
from migrate.errors import (
    RateLimited,
    Refused,
    ServiceStopped,
    TooLarge,
    Unanswered,
)

GIVEN_UP = "POST http://h/graphql giving up after 2 attempt(s)"


def retried(status, words=""):
    """The words of a status that wandb-core repeats."""
    return f"{GIVEN_UP}\nwhile retrying: HTTP {status}: {words}"


def of_server(text, status=0):
    return failure(WandbApiFailedError(text, ApiErrorResponse(http_status=status)), ["s3cret"], 29)


SLOW, NOT_SLOW = "slow", "not slow"


@pytest.mark.parametrize(
    ("text", "status", "kind"),
    [
        # The rate limit first, whatever the words: it is never a reason to send less at once.
        (retried(429), 0, RateLimited),
        (retried(429, "429 Too Many Requests"), 0, RateLimited),
        (retried(429, "rate limit exceeded, request too large"), 0, RateLimited),
        (retried(429, "query is too complex; too many requests"), 0, RateLimited),
        ("429 Too Many Requests", 429, RateLimited),
        ("too many requests", 400, RateLimited),
        ("429 Too Many Requests", 400, RateLimited),
        ("input: 429 Too Many Requests", 0, RateLimited),
        ("rate limit exceeded", 400, RateLimited),
        ("input: rate limit exceeded", 0, RateLimited),
        ("rate: Wait(n=1) would exceed context deadline", 0, RateLimited),
        # What is too large.
        ("request entity too large", 413, TooLarge),
        ("", 413, TooLarge),
        ("context deadline exceeded", 413, TooLarge),
        ("query is too complex", 400, TooLarge),
        ("query is too complex", 422, TooLarge),
        ("too many aliases", 400, TooLarge),
        ("input: query complexity exceeds the limit", 0, TooLarge),
        ("input: request is too large", 0, TooLarge),
        # Refusals: of these runs or of all.
        ("permission denied", 403, Refused),
        ("permission denied: rate limit of names", 403, Refused),
        ('run "aabb" not found', 404, Refused),
        ("run was previously created and deleted", 409, Refused),
        ("name is too large", 403, Refused),
        ("[the run is locked; no change of rate limits]", 409, Refused),
        ("[the run is locked; too many requests for it]", 409, Refused),
        ('"rate limit" is not a valid name', 400, Refused),
        ("gone", 410, Refused),
        ("user is not logged in", 401, Refused),
        ("[permission denied; permission denied]", 403, Refused),
        ("first must not exceed 500", 400, Refused),
        ("input: r1 permission denied", 0, Refused),
        ("input: r1.bucket name is too large", 0, Refused),
        ("input: r3 too many requests for a name", 0, Refused),
        ("input:3:4: r12 permission denied", 0, Refused),
        # No answer: nothing is known.
        (retried(500, "context deadline exceeded"), 0, SLOW),
        (retried(504), 0, SLOW),
        (retried(504, "<html>Gateway Time-out</html>"), 0, SLOW),
        (retried(408), 0, SLOW),
        ("context deadline exceeded", 500, SLOW),
        ("input: context deadline exceeded", 0, SLOW),
        (f"{GIVEN_UP}\nPost: (Client.Timeout exceeded while awaiting headers)", 0, SLOW),
        (retried(500, "internal error"), 0, NOT_SLOW),
        (retried(502, "too many requests to the upstream"), 0, NOT_SLOW),
        (retried(503, "request too large for now"), 0, NOT_SLOW),
        ("not implemented", 501, NOT_SLOW),
        (f"{GIVEN_UP}\nPost: EOF", 0, NOT_SLOW),
        (f"{GIVEN_UP}\nPost: connection refused", 0, NOT_SLOW),
        ("invalid character '<' looking for beginning of value", 0, NOT_SLOW),
        ("unexpected end of JSON input", 0, NOT_SLOW),
        ("", 0, NOT_SLOW),
    ],
)
def test_what_a_text_and_a_status_say(text, status, kind):
    failed = of_server(text, status)
    if kind in (SLOW, NOT_SLOW):
        assert (type(failed), failed.slow) == (Unanswered, kind == SLOW)
    else:
        assert type(failed) is kind


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("", ""),
        ("upstream timed out", ": upstream timed out"),
        ('{"data": {"r0": null, "r1": nul', ""),
        ('{"data":null,"errors":[{"message":"deadline \\"x\\" ex', ': deadline "x" ex'),
        ('{"errors": [{"message": "no s3cret", "path": ["r0"]}, {"message": "ot', ": no …"),
        ('{"errors": [{"message": "\\u6570\\u636e\\u5e93\\u5fd9 \\u65', ": 数据库忙"),
        ('{"errors": [{"message": "two\\nlines \\', ": two lines"),
        ('{"detail": "overloaded, try later"}', ': {"detail": "overloaded, try later"}'),
        ('{"error": "down for maintenan', ""),
    ],
)
def test_of_a_long_answer_only_its_message_is_shown(words, shown):
    assert str(of_server(retried(500, words))) == f"The server failed (HTTP 500){shown}"


@pytest.mark.parametrize(
    ("text", "status", "complaints"),
    [
        ("permission denied", 403, [("permission denied", None)]),
        ("[one; two; one]", 403, [("one", None), ("two", None)]),
        ("", 403, [("HTTP 403, no reason", None)]),
        ("input: r1 permission denied", 0, [("permission denied", 1)]),
        ("input: r0 one\ninput: r12.bucket two", 0, [("one", 0), ("two", 12)]),
        ("input: project not for you", 0, [("project not for you", None)]),
        ("input: r7 two\nlines", 0, [("two lines", 7)]),
        ("input: r7 key s3cret", 0, [("key …", 7)]),
        ("input: r7", 0, [("r7", None)]),
        ("input: r99999999999 no", 0, [("r99999999999 no", None)]),
    ],
)
def test_the_complaints_of_a_refusal(text, status, complaints):
    refused = of_server(text, status)
    assert [(one.message, one.index) for one in refused.complaints] == complaints


def test_what_wandb_says_itself():
    def of_wandb(words):
        return failure(WandbApiFailedError(f"Failed to execute API request: {words}"), [], 29)

    stopped = of_wandb("the service process is not running.")
    assert type(stopped) is ServiceStopped
    silent = of_wandb("the service process is busy and did not respond in time.")
    assert (type(silent), silent.slow) == (Unanswered, True)
    assert str(silent) == "The server did not answer within 29 s."
    # The same words from a server say nothing of wandb-core.
    assert type(of_server("the sweep is not running", 403)) is Refused


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BrokenPipeError("pipe"), ServiceStopped),
        (ConnectionResetError("reset"), ServiceStopped),
        (OSError("disk"), Unanswered),
        (ValueError("a change of wandb's"), Unanswered),
    ],
)
def test_other_exceptions(error, kind):
    assert type(failure(error, [], 29)) is kind

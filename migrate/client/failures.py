"""What an exception out of wandb says about what happened on the server.

wandb raises one type for everything, `WandbApiFailedError`: a text, and for most a `response`
with `http_status` (0 where there was none). What wandb-core makes of the server's answer
(`core/internal/wbapi/graphqlhandler.go`, `core/internal/api/send.go`, wandb 0.30 and 0.31):

* HTTP 200 with `errors`: a line for each, `input: PATH MESSAGE`, so that an alias survives.
* A status that is not repeated (400, 401, 403, 404, 409, 410, 413, 422, 501): the messages alone,
  `[one; two]` where there are several, without their paths; the status stands in `http_status`.
* A status that was repeated (408, 429, 5xx): `POST URL giving up after 2 attempt(s)`, and on the
  next line `while retrying: HTTP 503: MESSAGE`; `http_status` is 0. Of a body with more than 1 KB,
  as where `data` has an alias for each of many runs, it has the beginning in place of MESSAGE.

`tests/migrate/client/` holds these readings against the real client.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from migrate.client.documents import from_json
from migrate.errors import (
    Complaint,
    RateLimited,
    Refused,
    ServerError,
    ServiceStopped,
    TooLarge,
    Unanswered,
    scrub,
)

SERVICE_STOPPED = "wandb's helper process (wandb-core) has ended. Start again."

_RETRIED = re.compile(
    r"POST \S+ giving up after .*?\nwhile retrying: (?:HTTP (\d{3})(?:: )?)?(.*)", re.DOTALL
)
_MESSAGE = re.compile(r'"message": ?("(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)')
_RATE = re.compile(r"(?:429 )?(?:rate limit|too many requests|rate: Wait\()", re.I)
_TOO_LARGE = re.compile(
    r"too complex|complexity|too large|too many|too long a query|size limit", re.I
)
_TOO_SLOW = re.compile(r"deadline exceeded|Timeout exceeded|HTTP 504|HTTP 408")
_OF_ONE_RUN = re.compile(r"input:(?:\d+:\d+:)? ?r\d")
_SEVERAL = re.compile(r"\[(.*)\]", re.DOTALL)
_COMPLAINT = re.compile(r"input:(?:\d+:\d+:)? ?(?:r(\d{1,9})(?:\.\S+)? )?(.*)", re.DOTALL)


def failure(error: Exception, secrets: Sequence[str], seconds: float) -> ServerError:
    """What an exception out of wandb says about what happened.

    Args:
        error: The exception.
        secrets: What must not stand in the words for the user.
        seconds: How long the call was allowed to take.
    """
    raw = str(error)
    response = getattr(error, "response", None)
    from_wandb = response is None  # wandb's own words; the server's may say anything
    # A connection of Python's own is the one to wandb-core: it alone talks to the server.
    gone = isinstance(error, ConnectionError) or type(error).__name__ == "MailboxClosedError"
    if gone or (from_wandb and "not running" in raw):
        return ServiceStopped(SERVICE_STOPPED)
    retried = _RETRIED.match(raw)
    words = scrub(_message(retried[2]) if retried else raw, secrets)
    if isinstance(error, OSError) or not hasattr(error, "response"):
        return Unanswered(f"wandb failed: {type(error).__name__}: {words}")
    if from_wandb and "did not respond in time" in raw:
        return Unanswered(f"The server did not answer within {seconds:g} s.", slow=True)
    status = getattr(response, "http_status", None) or None
    if retried and retried[1]:
        status = int(retried[1])
    return _of_status(status, raw, words) or _of_words(status, raw, words, secrets)


def _message(words: str) -> str:
    """The message in a JSON body, even a cut-off one; else the words, unless they are cut off."""
    if not words.startswith("{"):
        return words
    if found := _MESSAGE.search(words):
        return str(json.loads(f'{found[1]}"', strict=False))
    return words if from_json(words) is not None else ""


def _of_status(status: int | None, raw: str, words: str) -> ServerError | None:
    """What the HTTP status alone decides; None where the words have to.

    The status comes first: a 429 that says "too many requests" does not ask for smaller requests.
    """
    if status == 429:
        return RateLimited("The server says that its rate limit is reached (HTTP 429).")
    if status == 413:
        return TooLarge(f"The server refuses a request of this size: {words}")
    if status is not None and (status == 408 or status >= 500):
        slow = status in (408, 504) or _TOO_SLOW.search(raw) is not None
        failed = f"The server failed (HTTP {status}){words and ': '}{words}"
        return Unanswered(failed, slow=slow, answered=True)
    return None


def _of_words(status: int | None, raw: str, words: str, secrets: Sequence[str]) -> ServerError:
    # Whatever the words in which one run is refused, the others go on.
    of_one_run = _OF_ONE_RUN.search(raw) is not None
    limited = _RATE.match(raw) if status else not of_one_run and _RATE.search(raw)
    if limited and status not in (401, 403, 404):
        return RateLimited(f"The server says that its rate limit is reached: {words}")
    if _TOO_SLOW.search(raw):
        return Unanswered(f"The server ran out of time: {words}", slow=True, answered=True)
    if status is None and not raw.startswith("input:"):
        return Unanswered(f"No usable answer from the server: {words}")
    if status in (None, 400, 422) and _TOO_LARGE.search(raw) and not of_one_run:
        return TooLarge(f"The server refuses a request of this size: {words}")
    complaints = tuple(_complaints(raw, status, secrets))
    listed = "; ".join(complaint.message for complaint in complaints[:3])
    refused = Refused(f"The server refuses: {listed}", complaints)
    if status in (401, 403) or "not logged in" in raw:
        refused.advice = (
            "Check that the key in use may do this; `wandb login --relogin` sets another."
        )
    return refused


def _complaints(raw: str, status: int | None, secrets: Sequence[str]) -> Iterator[Complaint]:
    texts = re.split(r"\n(?=input:)", raw.strip())
    if status is not None and (several := _SEVERAL.fullmatch(raw)):
        texts = list(dict.fromkeys(several[1].split("; ")))
    for text in texts:
        match = _COMPLAINT.fullmatch(text)
        alias, words = match.groups() if match else (None, text)
        message = scrub(words, secrets) or f"HTTP {status or 200}, no reason"
        yield Complaint(message, int(alias) if alias else None)

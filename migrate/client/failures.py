"""What an exception out of wandb says about what happened on the server.

wandb raises one type for everything, `WandbApiFailedError`: a text, and for some a `response`
with `http_status` (0 where there was none) and no GraphQL paths. `tests/migrate/` holds these
readings against the real client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from migrate.errors import (
    Complaint,
    Denied,
    Refused,
    ServerError,
    ServiceStopped,
    TooLarge,
    Unanswered,
    scrub,
)

_TOO_LARGE = re.compile(
    r"too complex|complexity|too large|too many|too long a query|size limit", re.I
)
_PERMISSION = re.compile(
    r"permission|forbidden|not authorized|unauthorized|access denied|not allowed|read-?\s?only",
    re.I,
)
_COMPLAINT = re.compile(r"input:(?:\d+:\d+:)? ?(?:r(\d{1,9})(?:\.\S+)? )?(.*)", re.DOTALL)


def failure(error: Exception, secrets: Sequence[str], seconds: float) -> ServerError:
    """What an exception out of wandb says about what happened."""
    raw = str(error)
    response = getattr(error, "response", None)
    status = getattr(response, "http_status", None) or None
    own = response is None  # wandb's own words; the server's may say anything
    # A connection of Python's own is the one to wandb-core: it alone talks to the server.
    gone = isinstance(error, ConnectionError) or type(error).__name__ == "MailboxClosedError"
    if gone or (own and "not running" in raw):
        return ServiceStopped("wandb's helper process (wandb-core) has ended. Start again.")
    said = scrub(raw, secrets)
    if isinstance(error, OSError) or not hasattr(error, "response"):
        return Unanswered(f"wandb failed: {type(error).__name__}: {said}")
    if own and "did not respond in time" in raw:
        waited = f"{seconds:g} s"
        return Unanswered(f"The server did not answer within {waited}.", slow=True)
    if status == 413 or (_TOO_LARGE.search(raw) and "input: r" not in raw and status != 403):
        return TooLarge(f"The server refuses a request of this size: {said}", status)
    if status is not None and (status in (408, 504) or status >= 500):
        return Unanswered(f"The server failed (HTTP {status}): {said}", slow=status == 504)
    if status is None and not raw.startswith("input:"):
        slow = "Timeout exceeded" in raw or "HTTP 504" in raw or "HTTP 408" in raw
        return Unanswered(f"No usable answer from the server: {said}", slow=slow)
    complaints = tuple(_complaints(raw, status, secrets))
    words = "; ".join(complaint.message for complaint in complaints[:3])
    kind = Denied if all(complaint.permission for complaint in complaints) else Refused
    return kind(f"The server refuses: {words}", complaints, status)


def _complaints(raw: str, status: int | None, secrets: Sequence[str]) -> Iterator[Complaint]:
    for text in re.split(r"\n(?=input:)", raw.strip()):
        match = _COMPLAINT.fullmatch(text)
        alias, words = match.groups() if match else (None, text)
        message = scrub(words, secrets) or f"HTTP {status or 200}, no reason"
        permission = status in (401, 403) or bool(_PERMISSION.search(words))
        yield Complaint(message, int(alias) if alias else None, permission)

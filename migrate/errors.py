"""What can go wrong, in words for the user, and in types for the code that has to decide.

The text of each is one or two lines: what is wrong, and what to do next. `scrub` keeps secrets
and control characters out of whatever a server or a proxy said.
"""

from __future__ import annotations

import base64
import os
import re
import traceback
from collections.abc import Iterable
from dataclasses import dataclass

from migrate.text import UNSEEN

_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
_UNSEEN = re.compile(rf"(?:{UNSEEN.pattern}|\s)+")
_LONGEST = 300
# A key has 40 characters or more, and so has a header made of it.
_KEY = re.compile(r"[A-Za-z0-9]{32,}=*")


class MigrateError(Exception):
    """An error for the user; `exit_code` is what the command ends with."""

    exit_code = 2


class InputError(MigrateError):
    """The call or its input was wrong; nothing was touched."""


class ConnectError(MigrateError):
    """No session: the credentials, the address or the server is not right."""


class ServerError(MigrateError):
    """A request did not do what it was to do.

    Attributes:
        status: The HTTP status, where wandb-core passes one on; else None.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class TooLarge(ServerError):  # noqa: N818 - what the server says
    """The document was refused for its size or complexity: nothing was done. Halve it."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One GraphQL error.

    Attributes:
        message: The server's words, scrubbed.
        index: Which rename of the document it is about; None where the server did not say.
        permission: Whether it reads like a lack of permission.
    """

    message: str
    index: int | None
    permission: bool


class Refused(ServerError):  # noqa: N818
    """The server answered with errors. Others of the document's mutations may have been done."""

    def __init__(
        self, message: str, complaints: tuple[Complaint, ...], status: int | None = None
    ) -> None:
        super().__init__(message, status)
        self.complaints = complaints


class Denied(Refused):
    """All of the errors are about permission: for one run, several, or the whole project."""


class Unanswered(ServerError):  # noqa: N818
    """No usable answer came: what was asked may have been done or not. Read again.

    Attributes:
        slow: It ran out of time, so that a smaller document may help.
    """

    def __init__(self, message: str, *, slow: bool = False, status: int | None = None) -> None:
        super().__init__(message, status)
        self.slow = slow


class ServiceStopped(Unanswered):
    """wandb-core, wandb's own helper process, is gone: no further request will work."""


def scrub(text: object, secrets: Iterable[str | None] = ()) -> str:
    r"""Other people's words on one line, without control characters and without secrets.

    >>> scrub("no\n  way: http://me:pw@proxy:3128 said key-123", ["key-123"])
    'no way: http://…@proxy:3128 said …'
    """
    said = str(text)
    for secret in secrets:
        if secret:
            basic = base64.b64encode(f"api:{secret}".encode()).decode()
            said = said.replace(basic, "…").replace(secret, "…")
    said = _UNSEEN.sub(" ", _USERINFO.sub("…@", said)).strip()
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"


def scrubbed_traceback() -> str:
    """The traceback of what is being handled, without secrets and control characters."""
    said = traceback.format_exc()
    if key := os.environ.get("WANDB_API_KEY"):
        said = said.replace(key, "…")
    said = _KEY.sub("…", _USERINFO.sub("…@", said))
    return "\n".join(_UNSEEN.sub(lambda gap: " " * len(gap[0]), line) for line in said.split("\n"))

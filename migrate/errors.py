"""What can go wrong, in words for the user, and in types for the code that has to decide.

    MigrateError             exit code 2, unless noted below
      InputError             the call or its input was wrong; nothing was touched
      ConnectError           no session with the server
      JournalError           the journal cannot be written: exit code 1
      ReadOnly               this key may not rename the runs of a project: exit code 1
      LogError               a transaction log on disk is not as W&B writes it
        TruncatedLog         it ends within a record
        DamagedLog           there is something else in it
      ServerError            a request did not do what it was to do
        NoProject            the project is not there (any more), or hidden from this key
        Incomplete           a listing that stayed short: exit code 1
        RateLimited          HTTP 429: nothing was done; wait
        TooLarge             nothing was done; send less at once
        Refused              the server says no, to one rename of a document or to all
        Unanswered           it is not known what was done; read again
          ServiceStopped     wandb-core has ended

The text of each is one or two lines: what is wrong, and what to do next. `scrub` keeps secrets
and control characters out of the words of servers and proxies.
"""

from __future__ import annotations

import base64
import os
import re
import traceback
from collections.abc import Iterable
from dataclasses import dataclass

from migrate.text import UNSEEN

INTERRUPTED = 130
"""The exit code after Ctrl-C."""

_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
_UNSEEN = re.compile(rf"(?:{UNSEEN.pattern}|\s)+")
_LONGEST = 300
# A key has 40 characters or more, and so has a header made of it.
_KEY = re.compile(r"[A-Za-z0-9]{32,}=*")


class MigrateError(Exception):
    """An error for the user.

    Attributes:
        exit_code: What the command ends with.
        advice: What to do next, where the text does not say it.
    """

    exit_code = 2
    advice = ""


class InputError(MigrateError):
    """The call or its input was wrong; nothing was touched."""


class ConnectError(MigrateError):
    """No session: the credentials, the address or the server is not right."""


class JournalError(MigrateError):
    """The journal cannot be written any more, so nothing more may be sent."""

    exit_code = 1


class ReadOnly(MigrateError):
    """This key may not rename the runs of a project."""

    exit_code = 1


class LogError(MigrateError):
    """A transaction log on disk that is not as W&B writes it."""


class TruncatedLog(LogError):
    """It ends within a record, as where its writer was killed or the disk was full."""


class DamagedLog(LogError):
    """There is something in it that W&B does not write."""


class ServerError(MigrateError):
    """A request did not do what it was to do."""


class NoProject(ServerError):
    """The project is not there (any more), or this key may not see it."""


class Incomplete(ServerError):
    """The listing stayed short of what the server counts: it is not the whole project."""

    exit_code = 1


class RateLimited(ServerError):
    """The quota is used up (HTTP 429): nothing was done. Wait, then ask again."""


class TooLarge(ServerError):
    """The document was refused for its size or complexity: nothing was done. Halve it."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One GraphQL error.

    Attributes:
        message: The server's words, scrubbed.
        index: Which rename of the document it is about; None where the server does not name it,
            as with every HTTP status of 400 and more.
    """

    message: str
    index: int | None


class Refused(ServerError):
    """The server answered with errors. Others of the document's mutations may have been done."""

    def __init__(self, message: str, complaints: tuple[Complaint, ...]) -> None:
        super().__init__(message)
        self.complaints = complaints

    def blamed(self, count: int) -> dict[int, str]:
        """Which of the `count` renames of a document are refused for sure, and in what words.

        Where all to the end of the document are refused in the same words, other than the first,
        that may be for what came before them: the server stopped there, and says so of each.

        >>> complaints = [Complaint(text, n) for n, text in [(1, "no"), (2, "end"), (3, "end")]]
        >>> Refused("", tuple(complaints)).blamed(4), Refused("", tuple(complaints)).blamed(5)
        ({1: 'no'}, {1: 'no', 2: 'end', 3: 'end'})
        """
        first = self.complaints[0].message
        if count == 1:
            return {0: first}
        words = {complaint.index: complaint.message for complaint in self.complaints}
        last = words.get(count - 1)
        end = count
        while end and last not in (first, None) and words.get(end - 1) == last:
            end -= 1
        return {place: words[place] for place in range(end) if place in words}


class Unanswered(ServerError):
    """No usable answer came: what was asked may have been done or not. Read again.

    Attributes:
        slow: It ran out of time, so that asking for less may help.
        answered: The server did say something, if of no use.
    """

    def __init__(self, message: str, *, slow: bool = False, answered: bool = False) -> None:
        super().__init__(message)
        self.slow = slow
        self.answered = answered


class ServiceStopped(Unanswered):
    """wandb-core, wandb's own helper process, is gone: no further request will work."""


def scrub(text: object, secrets: Iterable[str | None] = ()) -> str:
    r"""Other people's words on one line, without control characters and without secrets.

    >>> scrub("no\n  way: http://me:pw@proxy:3128 said key-123", ["key-123"])
    'no way: http://…@proxy:3128 said …'
    """
    scrubbed = str(text)
    for secret in secrets:
        if secret:
            basic = base64.b64encode(f"api:{secret}".encode()).decode()
            scrubbed = scrubbed.replace(basic, "…").replace(secret, "…")
    scrubbed = _UNSEEN.sub(" ", _USERINFO.sub("…@", scrubbed)).strip()
    return scrubbed if len(scrubbed) <= _LONGEST else scrubbed[: _LONGEST - 1] + "…"


def scrubbed_traceback() -> str:
    """The traceback of what is being handled, without secrets and control characters."""
    text = traceback.format_exc()
    if key := os.environ.get("WANDB_API_KEY"):
        text = text.replace(key, "…")
    text = _KEY.sub("…", _USERINFO.sub("…@", text))
    return "\n".join(_UNSEEN.sub(lambda gap: " " * len(gap[0]), line) for line in text.split("\n"))

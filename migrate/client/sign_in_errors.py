"""Why signing in failed, in a sentence or two for the user.

wandb alone takes its whole timeout to say "the service process is busy" for a dead address, an
unknown host, a mute server and a 503 alike (wandb-core repeats them until nobody waits any
more). So beside wandb a connection is tried, which costs nothing and finds a dead address at once;
and where signing in ran out of time, one plain request finds out why. Such a request before every
sign-in would cost each command the import of `requests` (0.3 s), and the server a request.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from http.client import HTTPException
from typing import TypeVar
from urllib.parse import urlsplit

from migrate.errors import ConnectError, scrub

EXPLAIN_SECONDS = 1.5
_KEY_LIKE = re.compile(r"[\w+/=-]{40,}")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is, and how it is reached.

    Attributes:
        url: The API's address, which may hold a user and a password.
        proxy: The proxy that wandb-core will use.
        seconds: How long an attempt to sign in may take.
        secrets: What no message may show.
    """

    url: str
    proxy: str | None
    seconds: float
    secrets: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The address, for people."""
        return scrub(self.url)


class BusyError(ConnectError):
    """The server answers, and signing in ran out of time: to be tried once more."""


def sign_in_error(error: Exception, address: ServerAddress) -> ConnectError:
    """What an AuthenticationError was about: it is raised for every failure to sign in."""
    shown = address.shown
    cause = error.__cause__
    if cause is None:  # the form of the key, or two kinds of credentials at once
        return ConnectError(
            f"wandb refuses the key it has been given: {short(error, address.secrets)} "
            f"Set WANDB_API_KEY to a whole key or run `wandb login --relogin --host={shown}`."
        )
    words = str(cause)
    if not hasattr(cause, "response"):  # no WandbApiFailedError: wandb-core was not reached
        return no_helper(_words(words, address.secrets) or "it ended early")
    status = getattr(cause.response, "http_status", 0)
    if status in (401, 403):
        return ConnectError(
            f"{shown} refuses this key (HTTP {status}). Check that WANDB_API_KEY belongs to this "
            f"server or run `wandb login --relogin --host={shown}`."
        )
    if status in (404, 405) or words == "EOF" or re.search("invalid character|unmarshal", words):
        return _not_wandb(address)
    if "tls:" in words or "x509:" in words:
        return _tls(address, words.rpartition(": tls: ")[2])
    if "not running" in words:
        return ConnectError("wandb's helper process (wandb-core) ended early. Try again.")
    if "did not respond in time" in words or "giving up" in words:
        return _explain(address)
    return ConnectError(
        f"Signing in to {shown} failed: {_words(words, address.secrets)}. "
        "Try again; --debug shows more."
    )


def no_helper(why: str) -> ConnectError:
    """wandb-core, wandb's helper process, does not start."""
    return ConnectError(
        f"wandb cannot start its helper process (wandb-core): {why.rstrip('. ')}. Check that "
        "memory is not limited (`ulimit -v`); `pip install --force-reinstall wandb` mends a broken "
        "installation."
    )


def _not_wandb(address: ServerAddress) -> ConnectError:
    return ConnectError(
        f"{address.shown} answers, but not as a W&B server. "
        "Check --base-url or WANDB_BASE_URL: it is the API's address, without a path."
    )


def reach(address: ServerAddress) -> None:
    """Connect to the server, or to the proxy on the way to it.

    Raises:
        ConnectError: Nothing listens there, or there is no such host. Any other trouble is left
            to wandb, and so is a proxy where NO_PROXY is set: Go reads that in its own way.
    """
    target = address.proxy or address.url
    parts = urlsplit(target if "://" in target else f"http://{target}")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), address.seconds).close()
    except (socket.gaierror, ConnectionRefusedError, ValueError) as error:
        if not (address.proxy and (os.environ.get("NO_PROXY") or os.environ.get("no_proxy"))):
            raise _unreachable(address, error) from error
    except OSError:
        pass


def _explain(address: ServerAddress) -> ConnectError:
    """Why signing in ran out of time: one plain request, without credentials."""
    import requests  # noqa: F401 - before the clock runs

    try:
        # A resolver knows no timeout.
        status = in_background(lambda: _status(address)).result(3 * EXPLAIN_SECONDS)
    except TimeoutError as error:
        return _unreachable(address, error)
    except Exception as error:  # noqa: BLE001 - it is the answer, whatever it is
        return _connection_error(error, address)
    if status == 429 or status >= 500:
        why = ": too many requests" if status == 429 else ""
        return BusyError(
            f"{address.shown} is not in service (HTTP {status}{why}). Try again in some minutes."
        )
    return BusyError(
        f"{address.shown} answers, but signing in took more than {address.seconds:.0f} s. "
        "Try again; WANDB_HTTP_TIMEOUT=30 waits 30 s."
    )


def _status(address: ServerAddress) -> int:
    """The HTTP status with which the server answers a query without a key."""
    import requests

    with requests.Session() as session:
        session.trust_env = False  # netrc's key is not for this, and the proxy is known
        if address.proxy:
            session.proxies = {urlsplit(address.url).scheme: address.proxy}
        return session.post(
            f"{address.url}/graphql",
            json={"query": "{ viewer { id } }"},
            timeout=EXPLAIN_SECONDS,
            verify=ssl.get_default_verify_paths().cafile or True,  # as Go: the system's
            allow_redirects=False,
        ).status_code


def _connection_error(error: Exception, address: ServerAddress) -> ConnectError:
    """What an exception of requests' is about."""
    import requests

    if isinstance(error, requests.ReadTimeout | requests.exceptions.InvalidSchema):
        return _mute(address)  # InvalidSchema: a proxy that speaks SOCKS, which only Go knows
    cause: BaseException = error
    while nested := cause.__cause__ or _first_exception(cause.args):
        cause = nested
    if isinstance(error, requests.exceptions.SSLError):
        return _tls(address, str(getattr(cause, "reason", None) or cause))
    if isinstance(cause, ConnectionResetError):
        return _mute(address)
    if isinstance(cause, HTTPException):
        return _not_wandb(address)
    return _unreachable(address, cause)


def _first_exception(arguments: tuple[object, ...]) -> BaseException | None:
    """What requests and urllib3 hand on; `__context__` is what is handled here."""
    return next((part for part in arguments if isinstance(part, BaseException)), None)


def _unreachable(address: ServerAddress, cause: BaseException) -> ConnectError:
    """The server, or the proxy on the way to it, cannot be reached."""
    what = f"The proxy {scrub(address.proxy)}" if address.proxy else address.shown
    if isinstance(cause, socket.gaierror | ValueError):  # ValueError: it cannot be a host's name
        return ConnectError(
            f"{what}: no such host. Check the spelling in --base-url, WANDB_BASE_URL or the "
            "proxy settings, and the network."
        )
    if isinstance(cause, ConnectionRefusedError):
        why = "nothing listens there"
    elif isinstance(cause, TimeoutError):
        why = "no answer"
    else:  # of an OSError its words alone
        why = scrub(getattr(cause, "strerror", None) or cause)
    return ConnectError(
        f"{what} cannot be reached: {why}. Is the server running, and --base-url, "
        "WANDB_BASE_URL or the proxy right?"
    )


def _mute(address: ServerAddress) -> ConnectError:
    return ConnectError(
        f"{address.shown} accepts connections but does not answer in time. Try again; if that "
        "fails, check the address, the proxy and the server. WANDB_HTTP_TIMEOUT=30 waits 30 s."
    )


def _tls(address: ServerAddress, words: str) -> ConnectError:
    return ConnectError(
        f"No secure connection to {address.shown}: {_words(words, address.secrets)}. Check that "
        "it speaks https; for a certificate of your own set SSL_CERT_FILE to it."
    )


def short(error: Exception, secrets: tuple[str, ...] = ()) -> str:
    """An exception's words; of a validation error only the first complaint, never the input."""
    listed = getattr(error, "errors", None)
    if callable(listed) and (complaints := listed(include_input=False, include_url=False)):
        where = ".".join(map(str, complaints[0]["loc"]))
        return scrub(f"{where}: {complaints[0]['msg']}".lstrip(": "), secrets)
    return _words(str(error), secrets)


def _words(text: str, secrets: tuple[str, ...]) -> str:
    """Scrubbed of anything that may be a key: before signing in, netrc's is not known."""
    return scrub(_KEY_LIKE.sub("…", text), secrets)


def in_background(work: Callable[[], T]) -> Future[T]:
    """Do it in a thread that ends with the process, where an executor's would be waited for."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future

"""Why signing in failed, in a sentence or two for the user.

wandb alone takes its whole timeout to say "the service process is busy" for a dead address, an
unknown host, a mute server and a 503 alike (wandb-core repeats them until nobody waits any
more). So where signing in ran out of time, one plain request finds out why. Before every sign-in
it would cost each command a round trip, and the server a request.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from migrate.client.background import in_background
from migrate.errors import ConnectError, scrub

EXPLAIN_SECONDS = 1.5
_KEY_LIKE = re.compile(r"[\w+/=-]{40,}")


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
    status = getattr(getattr(cause, "response", None), "http_status", 0)
    if status in (401, 403):
        return ConnectError(
            f"{shown} refuses this key (HTTP {status}). Check that WANDB_API_KEY belongs to this "
            f"server or run `wandb login --relogin --host={shown}`."
        )
    # Without a response it is not a WandbApiFailedError: wandb-core was not reached.
    if not hasattr(cause, "response") or "not running" in words:
        return no_helper(_words(words, address.secrets) or "it ended early")
    if status in (404, 405) or words == "EOF" or re.search("invalid character|unmarshal", words):
        return _not_wandb(address)
    if "tls:" in words or "x509:" in words:
        why = _words(words.rpartition(": tls: ")[2], address.secrets)
        return ConnectError(
            f"No secure connection to {shown}: {why}. Check that it speaks https; "
            "for a certificate of your own set SSL_CERT_FILE to it."
        )
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


def _explain(address: ServerAddress) -> ConnectError:
    """Why signing in ran out of time: one plain request, without credentials."""
    try:
        # A resolver knows no timeout.
        status = in_background(lambda: _status(address)).result(3 * EXPLAIN_SECONDS)
    except URLError as error:
        return _unreachable(address, error.reason)
    except HTTPException:
        return _not_wandb(address)
    except (OSError, ValueError) as error:
        return _unreachable(address, error)
    if status is None:
        return ConnectError(
            f"{address.shown} accepts connections but does not answer in time. Try again; if that "
            "fails, check the address, the proxy and the server. WANDB_HTTP_TIMEOUT=30 waits 30 s."
        )
    if status == 429 or status >= 500:
        why = ": too many requests" if status == 429 else ""
        return BusyError(
            f"{address.shown} is not in service (HTTP {status}{why}). Try again in some minutes."
        )
    return BusyError(
        f"{address.shown} answers, but signing in took more than {address.seconds:.0f} s. "
        "Try again; WANDB_HTTP_TIMEOUT=30 waits 30 s."
    )


def _status(address: ServerAddress) -> int | None:
    """The HTTP status with which the server answers a query without a key; None for silence."""
    url = urlsplit(f"{address.url}/graphql")
    request = Request(
        url._replace(netloc=url.netloc.rpartition("@")[2]).geturl(),
        b'{"query": "{ viewer { id } }"}',
        {"Content-Type": "application/json"},
    )
    proxies = {url.scheme: address.proxy} if address.proxy else {}
    try:
        with build_opener(ProxyHandler(proxies)).open(request, timeout=EXPLAIN_SECONDS) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except (TimeoutError, ConnectionResetError):
        return None
    except URLError as error:
        # Text alone: a proxy that speaks SOCKS, which only Go knows.
        if isinstance(error.reason, str | ConnectionResetError):
            return None
        raise


def _unreachable(address: ServerAddress, cause: object) -> ConnectError:
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

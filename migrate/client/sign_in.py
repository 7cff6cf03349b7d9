"""Signing in: `wandb.Api()`, with a sentence for everything that people meet, within 10 seconds.

wandb alone takes its whole timeout to say "the service process is busy" for a dead address, an
unknown host, a mute server and a 503 alike (wandb-core repeats them until nobody waits any
more). So the address is tried with a plain TCP connect first, and where signing in ran out of
time one plain request finds out why.

Measured with wandb 0.31.0: import 0.8-1.3 s, wandb-core starts in 0.3 s, TLS errors come at once.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from migrate.errors import ConnectError, scrub

if TYPE_CHECKING:
    import wandb

PROBE_SECONDS = 3.0
SIGN_IN_SECONDS = 3  # one 429 or 503 (repeated after 2 s) is survived
DIAGNOSE_SECONDS = 1.0
_KEY_LIKE = re.compile(r"[\w+/=-]{40,}")


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in `wandb.Api()`; `app_url` is where people see the server's pages."""

    api: wandb.Api
    base_url: str
    app_url: str
    http_timeout: float | None
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Way:
    """The way to a server, with what must not be told of it."""

    url: str
    proxy: str | None
    settings: Any
    secrets: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The address, for people."""
        return scrub(self.url)


def sign_in(base_url: str | None = None, *, may_prompt: bool = False) -> Session:
    """Sign in with the credentials, server and proxies that wandb has.

    Args:
        base_url: The server, in place of wandb's own setting.
        may_prompt: Let wandb ask for a key, if stdin and stderr are a terminal.

    Raises:
        ConnectError: There is no session, in words for the user.
    """
    import wandb

    with _quiet():
        try:
            settings = wandb.setup().settings
        except Exception as error:
            raise ConnectError(
                f"wandb cannot start with its settings: {_short(error)}. "
                "Check the WANDB_ environment variables and wandb's settings file."
            ) from error
        url = (base_url or settings.base_url).rstrip("/")
        secrets = tuple(key for key in (settings.api_key, os.environ.get("WANDB_API_KEY")) if key)
        _check_address(url)
        way = _Way(url, _proxy(settings, url), settings, secrets)
        _probe(url, way.proxy)
        with _few_repetitions(wandb.setup().settings):
            api = _api(way, may_prompt)
    named = settings.model_copy(update={"base_url": api.settings["base_url"]})
    pages = urlsplit(named.app_url)
    # A report is mailed: a user and password in the address are no part of its links.
    pages = pages._replace(netloc=pages.netloc.rpartition("@")[2])
    return Session(
        api=api,
        base_url=api.settings["base_url"],
        app_url=pages.geturl().rstrip("/"),
        http_timeout=settings.x_graphql_timeout_seconds,
        secrets=tuple({*secrets, *([api.api_key] if api.api_key else [])}),
    )


def _api(way: _Way, may_prompt: bool) -> wandb.Api:
    import wandb

    try:
        try:
            return wandb.Api(overrides={"base_url": way.url}, timeout=SIGN_IN_SECONDS)
        except wandb.errors.UsageError as error:
            if not (may_prompt and sys.stdin.isatty() and sys.stderr.isatty()):
                raise ConnectError(
                    f"No W&B key for {way.shown}. "
                    f"Set WANDB_API_KEY or run `wandb login --host={way.shown}`."
                ) from error
        with _aloud():
            return wandb.Api(overrides={"base_url": way.url}, timeout=SIGN_IN_SECONDS)
    except ConnectError:
        raise
    except wandb.errors.AuthenticationError as error:
        raise _sign_in_error(error, way) from error
    except ValueError as error:  # an address that wandb refuses
        raise ConnectError(
            f"wandb refuses the address {way.shown}: {_short(error, way.secrets)}"
        ) from error
    except Exception as error:
        raise ConnectError(
            f"wandb could not start its helper process: {_short(error, way.secrets)}. "
            "Try again; `pip install --force-reinstall wandb` if it stays so."
        ) from error


def _sign_in_error(error: Exception, way: _Way) -> ConnectError:
    """What an AuthenticationError was about: it is raised for every failure to sign in."""
    shown = way.shown
    cause = error.__cause__
    if cause is None:  # the form of the key, or two kinds of credentials at once
        return ConnectError(
            f"wandb refuses the key it has been given: {_short(error, way.secrets)} "
            f"Set WANDB_API_KEY to a whole key or run `wandb login --relogin --host={shown}`."
        )
    said = str(cause)
    status = getattr(getattr(cause, "response", None), "http_status", 0)
    if status in (401, 403):
        return ConnectError(
            f"{shown} refuses this key (HTTP {status}). Check that WANDB_API_KEY belongs to this "
            f"server or run `wandb login --relogin --host={shown}`."
        )
    if status in (404, 405) or "invalid character" in said or "unmarshal" in said or said == "EOF":
        return ConnectError(
            f"{shown} answers, but not as a W&B server. "
            "Check --base-url or WANDB_BASE_URL: it is the API's address, without a path."
        )
    if "tls:" in said or "x509:" in said:
        return _tls(way, said.rpartition(": tls: ")[2])
    if "not running" in said:
        return ConnectError("wandb's helper process (wandb-core) ended early. Try again.")
    if "did not respond in time" in said or "giving up" in said:
        return _diagnose(way)
    return ConnectError(
        f"Signing in to {shown} failed: {_words(said, way.secrets)}. Try again; --debug shows more."
    )


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if not right:
        raise ConnectError(
            f"{scrub(url)!r} is not a server's address. "
            "Write --base-url or WANDB_BASE_URL as in https://api.wandb.ai."
        )


def _proxy(settings: Any, url: str) -> str | None:
    """The proxy that wandb-core will use: wandb's setting for any host, or the environment's."""
    parts = urlsplit(url)
    configured = settings.https_proxy if parts.scheme == "https" else settings.http_proxy
    if configured:
        return str(configured)
    host = parts.hostname or ""
    if host == "localhost" or host.startswith("127.") or host == "::1":
        return None  # as Go does it
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return urllib.request.getproxies_environment().get(parts.scheme)


def _probe(url: str, proxy: str | None) -> None:
    """Try to reach the server, or the proxy on the way to it, for PROBE_SECONDS."""
    target = proxy if proxy is None or "://" in proxy else f"http://{proxy}"
    reached = _reach(target or url)
    if reached is None:
        return
    if target and os.environ.get("NO_PROXY", os.environ.get("no_proxy")) and _reach(url) is None:
        return  # NO_PROXY knows networks (10.0.0.0/8) to wandb-core and not to Python
    what = f"The proxy {scrub(target)}" if target else scrub(url)
    if isinstance(reached, socket.gaierror):
        raise ConnectError(
            f"{what}: no such host. Check the spelling in --base-url, WANDB_BASE_URL or the "
            "proxy settings, and the network."
        ) from reached
    why = "nothing listens there" if isinstance(reached, ConnectionRefusedError) else "no answer"
    if not isinstance(reached, TimeoutError | ConnectionRefusedError):
        why = scrub(reached.strerror or reached)
    raise ConnectError(
        f"{what} cannot be reached: {why}. Is the server running, and --base-url, "
        "WANDB_BASE_URL or the proxy right?"
    ) from reached


def _reach(url: str) -> OSError | None:
    """None where something accepts a connection, else why not; a slow resolver counts as no."""
    outcome: list[OSError | None] = []

    def connect() -> None:
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            socket.create_connection((parts.hostname or "", port), PROBE_SECONDS).close()
            outcome.append(None)
        except OSError as error:
            outcome.append(error)
        except ValueError:  # a host name or a port that cannot be one
            outcome.append(socket.gaierror("no such host"))

    thread = threading.Thread(target=connect, daemon=True)  # getaddrinfo knows no timeout
    thread.start()
    thread.join(PROBE_SECONDS)
    return outcome[0] if outcome else TimeoutError()


def _diagnose(way: _Way) -> ConnectError:
    """Why signing in ran out of time: one plain request, without credentials."""
    context = ssl.create_default_context()
    if way.settings.insecure_disable_ssl:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    proxies = {urlsplit(way.url).scheme: way.proxy} if way.proxy else {}
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies), urllib.request.HTTPSHandler(context=context)
    )
    request = urllib.request.Request(
        f"{way.url}/graphql",
        b'{"query": "{ viewer { id } }"}',
        {"Content-Type": "application/json"},
    )
    try:
        with opener.open(request, timeout=DIAGNOSE_SECONDS) as response:
            status = response.status
    except urllib.error.HTTPError as error:
        status = error.code
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return _tls(way, str(reason.reason or reason))
        status = 0
    except Exception:  # http.client's own: it is no HTTP
        return ConnectError(
            f"{way.shown} answers, but not as a W&B server. Check --base-url or WANDB_BASE_URL."
        )
    if status >= 429:
        return ConnectError(
            f"{way.shown} is not in service (HTTP {status}). Try again in some minutes."
        )
    return ConnectError(
        f"{way.shown} accepts connections and does not answer in time. Try again; if it stays so, "
        "check the address, the proxy and the server."
    )


def _tls(way: _Way, said: str) -> ConnectError:
    return ConnectError(
        f"No secure connection to {way.shown}: {_words(said, way.secrets)}. Check that it speaks "
        "https; for a certificate of your own set SSL_CERT_FILE to it."
    )


def _short(error: Exception, secrets: tuple[str, ...] = ()) -> str:
    """An exception's words; of a validation error only the first complaint, never the input."""
    listed = getattr(error, "errors", None)
    if callable(listed) and (complaints := listed(include_input=False, include_url=False)):
        where = ".".join(map(str, complaints[0]["loc"]))
        return scrub(f"{where}: {complaints[0]['msg']}".lstrip(": "), secrets)
    return _words(str(error), secrets)


def _words(said: str, secrets: tuple[str, ...]) -> str:
    """Scrubbed of anything that may be a key: before signing in, netrc's is not known."""
    return scrub(_KEY_LIKE.sub("…", said), secrets)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep wandb from talking while signing in; afterwards a notebook's wandb may talk again.

    By the environment, since wandb announces its settings file before it looks at anything else.
    """
    import wandb

    before = os.environ.get("WANDB_SILENT")
    os.environ["WANDB_SILENT"] = "true"
    wandb.termsetup(wandb.Settings(silent=True), None)
    try:
        yield
    finally:
        if before is None:
            del os.environ["WANDB_SILENT"]
            wandb.termsetup(wandb.Settings(silent=False), None)
        else:
            os.environ["WANDB_SILENT"] = before


@contextmanager
def _few_repetitions(settings: Any) -> Iterator[None]:
    """Let wandb-core repeat a failed request once, unless the user has set another number.

    It would go on for minutes without a word, and then not say what it was about (a rate limit, a
    server that fails, silence). `wandb.Api()` copies the settings: a notebook's others stay.
    """
    before = settings.x_graphql_retry_max
    if before is None:
        settings.x_graphql_retry_max = 1
    try:
        yield
    finally:
        settings.x_graphql_retry_max = before


@contextmanager
def _aloud() -> Iterator[None]:
    """Let wandb prompt, which it does not while silent."""
    import wandb

    wandb.termsetup(wandb.Settings(silent=False), None)
    try:
        yield
    finally:
        wandb.termsetup(wandb.Settings(silent=True), None)

"""Signing in: `wandb.Api()`, with a sentence for everything that people meet, within 10 seconds.

Where wandb-core does not start (a broken installation, `ulimit -v`), `wandb.setup()` waits for a
lock that it holds itself (`telemetry.reraise` asks for `singleton()`, wandb 0.30 and 0.31), and a
wandb-core that is killed or hangs while it starts can keep `wandb.Api()` waiting. So settings are
read without starting it, and everything of wandb's happens in a thread that nobody must wait for.

Measured with wandb 0.31.0: import 0.8-1.3 s, wandb-core starts in 0.3 s, TLS errors come at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from migrate.client.background import in_background
from migrate.client.sign_in_errors import (
    BusyError,
    ServerAddress,
    no_helper,
    short,
    sign_in_error,
)
from migrate.console import Progress, no_progress
from migrate.errors import ConnectError, scrub

if TYPE_CHECKING:
    import wandb

SIGN_IN_SECONDS = 3  # one 429 or 503 (repeated after 2 s) is survived
START_SECONDS = 2.5  # for wandb-core to start, over and above SIGN_IN_SECONDS
_TITLE = "Signing in"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in `wandb.Api()`; `app_url` is where people see the server's pages."""

    api: wandb.Api
    base_url: str
    app_url: str
    http_timeout: float | None
    secrets: tuple[str, ...]


def sign_in(
    base_url: str | None = None, progress: Progress = no_progress, *, may_prompt: bool = False
) -> Session:
    """Sign in with the credentials, server and proxies that wandb has.

    An attempt may take 3 s, or WANDB_HTTP_TIMEOUT where that is longer.

    Args:
        base_url: The server, in place of wandb's own setting.
        progress: Shows that it takes a while.
        may_prompt: Let wandb ask for a key, if stdin and stderr are a terminal.

    Raises:
        ConnectError: There is no session, in words for the user.
    """
    try:
        # In a thread: Ctrl-C in the middle of the import would leave half a module.
        with progress(_TITLE):
            in_background(lambda: import_module("wandb")).result()
            settings = _settings()
    except Exception as error:
        raise ConnectError(
            f"wandb cannot start with its settings: {short(error)}. "
            "Check the WANDB_ environment variables and wandb's settings file."
        ) from error
    url = (base_url or settings.base_url).rstrip("/")
    _check_address(url)
    secrets = tuple(key for key in (settings.api_key, os.environ.get("WANDB_API_KEY")) if key)
    seconds = max(SIGN_IN_SECONDS, settings.x_graphql_timeout_seconds or 0)
    with _few_repetitions(settings):
        address = ServerAddress(url, _proxy(settings, url), seconds, secrets)
        api = _api(address, progress, may_prompt)
    named = settings.model_copy(update={"base_url": api.settings["base_url"]})
    pages = urlsplit(named.app_url)
    # Reports are mailed: their links must not hold a user and password of the address.
    pages = pages._replace(netloc=pages.netloc.rpartition("@")[2])
    return Session(
        api=api,
        base_url=api.settings["base_url"],
        app_url=pages.geturl().rstrip("/"),
        http_timeout=settings.x_graphql_timeout_seconds,
        secrets=tuple({*secrets, *([api.api_key] if api.api_key else [])}),
    )


def _settings() -> Any:
    """Wandb's settings, from its files and the environment, without starting wandb-core."""
    from wandb.sdk import wandb_setup

    with _quiet():
        return wandb_setup.singleton().settings


def _api(address: ServerAddress, progress: Progress, may_prompt: bool) -> wandb.Api:
    """Sign in: once more where the server is busy, and at a prompt where there is no key."""
    import wandb

    try:
        with progress(_TITLE):
            return _attempt(address)
    except wandb.errors.UsageError as error:
        if not (may_prompt and sys.stdin.isatty() and sys.stderr.isatty()):
            raise ConnectError(
                f"No W&B key for {address.shown}. "
                f"Set WANDB_API_KEY or run `wandb login --host={address.shown}`."
            ) from error
    except BusyError:
        with progress(_TITLE):
            return _attempt(address)
    return _attempt(address, prompting=True)


def _attempt(address: ServerAddress, *, prompting: bool = False) -> wandb.Api:
    """One `wandb.Api()`, which signs in; wandb's UsageError where there is no key."""
    import wandb

    def work() -> wandb.Api:
        return wandb.Api(overrides={"base_url": address.url}, timeout=int(address.seconds))

    try:
        if prompting:  # here: a prompt takes as long as it takes, and Ctrl-C must end it
            return work()
        with _quiet(), _streams_are_ours():
            return in_background(work).result(address.seconds + START_SECONDS)
    except wandb.errors.UsageError:
        raise
    except wandb.errors.AuthenticationError as error:
        raise sign_in_error(error, address) from error
    except TimeoutError as error:
        raise no_helper("no answer in time; WANDB_HTTP_TIMEOUT=30 waits longer") from error
    except ValueError as error:  # an address that wandb refuses
        raise ConnectError(
            f"wandb refuses the address {address.shown}: {short(error, address.secrets)}"
        ) from error
    except Exception as error:
        raise no_helper(short(error, address.secrets)) from error


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if not right:
        raise ConnectError(
            f"{scrub(url)!r} is not a server's address. "
            "Write --base-url or WANDB_BASE_URL as in https://api.forge.coreweave.com."
        )


def _proxy(settings: Any, url: str) -> str | None:
    """The proxy that wandb-core will use: wandb's setting for any host, or the environment's."""
    parts = urlsplit(url)
    configured = settings.https_proxy if parts.scheme == "https" else settings.http_proxy
    if configured:
        return str(configured)
    host = parts.hostname or ""
    # This machine is reached directly, as Go does it.
    if host in ("localhost", "::1") or host.startswith("127.") or proxy_bypass(host):
        return None
    return getproxies_environment().get(parts.scheme)


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
def _streams_are_ours() -> Iterator[None]:
    """Start wandb-core without our stdout and stderr.

    Where it crashes it writes a page to them; where it hangs it keeps a pipe open after our end.
    """
    kept = []
    for number in (1, 2):
        with suppress(OSError):  # it is closed
            if os.get_inheritable(number):
                os.set_inheritable(number, False)
                kept.append(number)
    try:
        yield
    finally:
        for number in kept:
            os.set_inheritable(number, True)

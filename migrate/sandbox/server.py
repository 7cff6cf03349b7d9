"""The sandbox over HTTP, on loopback: authentication, faults of single requests, the counting."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import secrets
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn

from migrate.sandbox.faults import Fault, Faults
from migrate.sandbox.ingest import StreamError, take_in
from migrate.sandbox.pace import Counts, Pace, rate_limit_headers
from migrate.sandbox.sample import sample_store
from migrate.sandbox.service import Service, operation_of
from migrate.sandbox.store import Store

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HOST = "127.0.0.1"


@dataclass
class Application:
    """The ASGI application."""

    service: Service
    api_key: str

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.lower(): value for name, value in scope["headers"]}
        if not scope["path"].startswith(("/graphql", "/files/")):
            # The client's telemetry, and uploads: taken, and thrown away.
            await _answer(send, 200, {})
            return
        expected = base64.b64encode(f"api:{self.api_key}".encode()).decode()
        if not secrets.compare_digest(
            headers.get(b"authorization", b"").decode(), f"Basic {expected}"
        ):
            await _answer(send, 401, {"errors": [{"message": "user is not logged in"}]})
            return
        try:
            if headers.get(b"content-encoding") == b"gzip":
                body = gzip.decompress(body)
        except (OSError, EOFError):
            await _answer(send, 400, {"errors": [{"message": "not gzip"}]})
            return
        if scope["path"] == "/graphql":
            await self._graphql(body, headers, send)
        else:
            await self._file_stream(scope["raw_path"].decode(), body, send)

    async def _file_stream(self, path: str, body: bytes, send: Send) -> None:
        try:
            take_in(self.service.store, path, body)
        except StreamError as error:
            await _answer(send, error.status, {"errors": [{"message": str(error)}]})
        else:
            await _answer(send, 200, {"exitcode": None, "limits": {}})

    async def _graphql(self, body: bytes, headers: dict[bytes, bytes], send: Send) -> None:
        try:
            request = json.loads(body)
            query, variables = str(request["query"]), request.get("variables") or {}
        except (ValueError, KeyError, OSError):
            await _answer(send, 400, {"errors": [{"message": "not a GraphQL request"}]})
            return
        operation = operation_of(query)
        counts, faults = self.service.counts, self.service.faults
        counts.requests[operation] = counts.requests.get(operation, 0) + 1
        counts.bytes_in += len(body)
        if self.service.pace.request_ms:
            await asyncio.sleep(self.service.pace.request_ms / 1000)

        fault = faults.hit(operation)
        done_before = fault is not None and fault.kind.endswith("-after")
        if fault is not None and not done_before:
            await self._instead(fault, send)
            return
        if faults.max_bytes is not None and len(body) > faults.max_bytes:
            await _answer(send, 413, {"errors": [{"message": "request entity too large"}]})
            return
        most = faults.max_mutations
        if most is not None and self.service.count_mutations(query) > most:
            await _answer(send, 400, {"errors": [{"message": "query is too complex"}]})
            return
        if faults.before is not None:
            faults.before(operation)
        answer = await self.service.answer(query, variables)
        if fault is not None:
            await self._instead(fault, send)
        elif answer.status is None:
            await _never()
        else:
            zipped = b"gzip" in headers.get(b"accept-encoding", b"")
            counts.bytes_out += await _answer(
                send, answer.status, answer.body, answer.headers, zipped
            )

    async def _instead(self, fault: Fault, send: Send) -> None:
        """What a fault answers instead of the service's own answer."""
        kind = fault.kind.removesuffix("-after")
        if kind == "hang":
            await _never()
        elif kind == "drop":
            _drop(send)
        elif kind == "cut":
            await _start(send, 200, {"Content-Type": "application/json"}, 2 * len(_HALF))
            await send({"type": "http.response.body", "body": _HALF, "more_body": True})
            await asyncio.sleep(0.02)  # until it is on the wire
            _drop(send)
        elif kind in _GARBLED:
            await _answer(send, 200, *_GARBLED[kind])
        else:
            headers = {}
            if kind == "429":
                headers = rate_limit_headers(0, 1, fault.wait_s)
                if self.service.pace.retry_after:
                    headers["Retry-After"] = headers["RateLimit-Reset"]
            words = {"errors": [{"message": f"the sandbox says {kind}"}]}
            await _answer(send, int(kind), words, headers)


_HALF = b'{"data": {"project": {"runs": {"edges": [{"no'
# The unusable answers with HTTP 200: the body, and headers.
_GARBLED: dict[str, tuple[object, dict[str, str]]] = {
    "garbled": (_HALF, {}),
    "null": ({"data": None}, {}),
    "html": (
        b"<!DOCTYPE html><html><body><h1>Sign in to the network</h1></body></html>",
        {"Content-Type": "text/html; charset=utf-8"},
    ),
}


async def _never() -> None:
    await asyncio.sleep(3600)


def _drop(send: Send) -> None:
    """Cut the connection without an answer. ASGI has no word for it; uvicorn's cycle has."""
    send.__self__.transport.abort()  # type: ignore[attr-defined]


async def _start(send: Send, status: int, headers: dict[str, str], length: int) -> None:
    everything = {**headers, "Content-Length": str(length)}
    raw = [(name.lower().encode(), value.encode()) for name, value in everything.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def _answer(
    send: Send,
    status: int,
    content: object,
    headers: dict[str, str] | None = None,
    zipped: bool = False,
) -> int:
    """Send a response, `content` as JSON unless it is bytes; gives the bytes of the body."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = {"Content-Type": "application/json", **(headers or {})}
    if zipped and len(body) > 1000:
        body = gzip.compress(body, 1)
        headers["Content-Encoding"] = "gzip"
    await _start(send, status, headers, len(body))
    await send({"type": "http.response.body", "body": body})
    return len(body)


class Sandbox:
    """A running sandbox, as a context manager.

    Attributes:
        url: Where it listens.
        api_key: The key that it takes, made anew for each.
        store: Its data.
        faults: What is wrong with it.
        pace: How long things take.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        port: int = 0,
        pace: Pace | None = None,
        faults: Faults | None = None,
    ) -> None:
        """Listen on a port of loopback (0: any that is free); raises OSError where it is taken."""
        self.store = store or sample_store()
        self.faults = faults or Faults()
        self.pace = pace or Pace()
        self.api_key = secrets.token_hex(20)
        self.service = Service(self.store, self.faults, self.pace)
        self.app = Application(self.service, self.api_key)
        self._socket = socket.create_server((HOST, port))
        # Headers and body go out in two pieces: without this every answer takes 40 ms more.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = self.service.url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            self.app,
            log_level="critical",
            lifespan="off",
            access_log=False,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    @property
    def env(self) -> dict[str, str]:
        """The environment variables that point wandb at it."""
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": self.api_key}

    @property
    def counts(self) -> Counts:
        """What it was asked for so far."""
        return self.service.counts

    def __enter__(self) -> Sandbox:
        """Serve in a thread. Connections that come before it is ready wait in the backlog."""
        run = partial(self._server.run, sockets=[self._socket])
        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        return self

    def wait(self) -> None:
        """Wait until it stops, which Ctrl-C interrupts at any moment."""
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(1)  # on Windows, Ctrl-C is heard only in between

    def __exit__(self, *_: object) -> None:
        """Stop, whatever is still under way."""
        self._server.should_exit = True
        self._server.force_exit = True
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._socket.close()

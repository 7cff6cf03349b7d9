"""The sandbox over HTTP, on loopback: authentication, faults, latency, and the counting."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import secrets
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from migrate.sandbox.faults import Faults
from migrate.sandbox.sample import sample_store
from migrate.sandbox.service import Service, operation_of
from migrate.sandbox.store import Store

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HOST = "127.0.0.1"


@dataclass
class Counts:
    """What went over the wire, GraphQL only."""

    requests: dict[str, int] = field(default_factory=dict)
    bytes_in: int = 0
    bytes_out: int = 0

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self.requests.values())


@dataclass
class Application:
    """The ASGI application."""

    service: Service
    api_key: str
    latency_ms: float = 0
    counts: Counts = field(default_factory=Counts)

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
        if scope["path"] != "/graphql":
            # The client's telemetry, among others: taken, and thrown away.
            await _answer(send, 200, {})
            return
        expected = base64.b64encode(f"api:{self.api_key}".encode()).decode()
        if not secrets.compare_digest(
            headers.get(b"authorization", b"").decode(), f"Basic {expected}"
        ):
            await _answer(send, 401, {"errors": [{"message": "user is not logged in"}]})
            return
        await self._graphql(body, headers, send)

    async def _graphql(self, body: bytes, headers: dict[bytes, bytes], send: Send) -> None:
        try:
            if headers.get(b"content-encoding") == b"gzip":
                body = gzip.decompress(body)
            request = json.loads(body)
            query, variables = str(request["query"]), request.get("variables") or {}
        except (ValueError, KeyError, OSError):
            await _answer(send, 400, {"errors": [{"message": "not a GraphQL request"}]})
            return
        operation = operation_of(query, variables)
        self.counts.requests[operation] = self.counts.requests.get(operation, 0) + 1
        self.counts.bytes_in += len(body)
        if self.latency_ms:
            await asyncio.sleep(self.latency_ms / 1000)

        faults = self.service.faults
        fault = faults.hit(operation)
        if fault == "hang":
            await asyncio.sleep(3600)
        if fault == "drop":
            _drop(send)
            return
        if fault and fault.isdigit():
            await _answer(send, int(fault), {"errors": [{"message": f"the sandbox says {fault}"}]})
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
        response = self.service.execute(query, variables)
        if fault == "drop-after":
            _drop(send)
            return
        accepted = b"gzip" in headers.get(b"accept-encoding", b"")
        self.counts.bytes_out += await _answer(send, 200, response, accepted)


def _drop(send: Send) -> None:
    """Cut the connection without an answer. ASGI has no word for it; uvicorn's cycle has."""
    send.__self__.transport.abort()  # type: ignore[attr-defined]


async def _answer(send: Send, status: int, content: object, zipped: bool = False) -> int:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json")]
    if zipped and len(body) > 1000:
        body = gzip.compress(body, 1)
        headers.append((b"content-encoding", b"gzip"))
    if status == 429:
        headers.append((b"retry-after", b"1"))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    return len(body)


class Sandbox:
    """A running sandbox, as a context manager.

    Attributes:
        url: Where it listens.
        api_key: The key that it takes, made anew for each.
        store: Its data.
        faults: What is wrong with it.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        port: int = 0,
        latency_ms: float = 0,
        faults: Faults | None = None,
        api_key: str | None = None,
    ) -> None:
        """Listen on a port of loopback (0: any that is free); raises OSError where it is taken."""
        self.store = store or sample_store()
        self.faults = faults or Faults()
        self.api_key = api_key or secrets.token_hex(20)
        self.service = Service(self.store, self.faults)
        self.app = Application(self.service, self.api_key, latency_ms)
        self._socket = socket.create_server((HOST, port))
        # Headers and body go out in two pieces: without this every answer takes 40 ms more.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(self.app, log_level="critical", lifespan="off", access_log=False)
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    @property
    def env(self) -> dict[str, str]:
        """The environment variables that point wandb at it."""
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": self.api_key}

    @property
    def counts(self) -> Counts:
        """What went over the wire so far."""
        return self.app.counts

    def serve(self) -> None:
        """Serve until Ctrl-C."""
        self._server.run(sockets=[self._socket])

    def __enter__(self) -> Sandbox:
        """Serve in a thread. Connections that come before it is ready wait in the backlog."""
        self._thread = threading.Thread(target=self.serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, whatever is still under way."""
        self._server.should_exit = True
        self._server.force_exit = True
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._socket.close()

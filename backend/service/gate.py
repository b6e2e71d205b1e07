"""The gate that every request passes first: who may come in, and how much they may bring."""

import asyncio
import ipaddress
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from backend.service.metrics import Metrics
from backend.service.problems import Busy, Forbidden, Problem, TooLarge, Unauthorised, problem_body
from backend.service.token import same_token

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOG = logging.getLogger("mouthpiece.access")
OPEN_PATHS = ("/", "/v1/health", "/v1/openapi.json")
"""What needs no token: the empty page, that the service is there, and how it is spoken to."""
STREAMED_PATHS = ("/v1/uploads", "/v1/actors")
"""Routes that read large bodies piece by piece, with limits of their own."""
LARGEST_BODY = 1 << 20
"""Bytes of every other request."""
BODY_SECONDS = 30.0
"""Within which they must have arrived."""
MOST_REQUESTS = 512
"""Requests that may be under way at the same time."""
PROTOCOL = "mouthpiece.v1"
BEARER_PROTOCOL = "bearer."
"""A browser cannot send headers with a WebSocket; it offers the protocols mouthpiece.v1 and bearer.TOKEN."""
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
"""Of every answer."""


class Access:
    """Judges a request by its Host, its Origin and its token.

    names: host names besides localhost; port: where the service listens; any_address: it listens on an address of the
    network, and requests may name any address. A page that rebinds its own name to this computer still sends that
    name, so only names need to be known.
    """

    def __init__(self, token: str, names: tuple[str, ...], host: str, port: int, any_address: bool) -> None:
        self._token, self._port, self._any_address = token, port, any_address
        self._names = {"localhost", "127.0.0.1", "::1", host.lower(), *(name.lower() for name in names)}

    def check(self, path: str, headers: dict[str, str], tokens: list[str]) -> None:
        """Raises Forbidden or Unauthorised."""
        host = headers.get("host", "")
        if not self.is_own(host):
            raise Forbidden(f"The Host {host[:80]!r} is not this service; see --name of mouthpiece serve.")
        origin = headers.get("origin")
        if origin is not None and not self._is_own_origin(origin, host):
            raise Forbidden(f"Pages of {origin[:80]!r} may not use this service.")
        if headers.get("sec-fetch-site") == "cross-site" and path not in OPEN_PATHS:
            raise Forbidden("Other pages may not use this service.")
        if path not in OPEN_PATHS and not any(same_token(token, self._token) for token in tokens):
            raise Unauthorised("The token is missing or wrong; it stands in the file DATA/token of the service.")

    def is_own(self, host: str) -> bool:
        """Whether a Host header names this service."""
        try:
            parts = urlsplit(f"//{host}")
            name, port = (parts.hostname or "").lower(), parts.port or 80
        except ValueError:
            return False
        if parts.username is not None or parts.path or port != self._port:
            return False
        return name in self._names or (self._any_address and _is_address(name))

    def _is_own_origin(self, origin: str, host: str) -> bool:
        return origin.lower() == f"http://{host.lower()}"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Gate:
    """ASGI middleware around the whole service."""

    def __init__(self, app: App, access: Access, metrics: Metrics) -> None:
        self._app, self._access, self._metrics = app, access, metrics
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge, limit, measure and log one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        started, watch = time.monotonic(), Watch(send)
        self._under_way += 1
        try:
            self._judge(scope)
            if scope["type"] == "http" and not streams(scope):
                receive = await read_body(scope, receive)
            await self._app(scope, receive, watch)
        except Problem as problem:
            await refuse(scope, watch, problem)
        finally:
            self._under_way -= 1
            self._record(scope, watch, time.monotonic() - started)

    def _judge(self, scope: Scope) -> None:
        if self._under_way > MOST_REQUESTS:
            raise Busy(f"More than {MOST_REQUESTS} requests are under way.", 1)
        pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        headers = dict(pairs)
        for name in ("host", "origin", "authorization"):
            if sum(key == name for key, _ in pairs) > 1:
                raise Forbidden(f"The header {name} was sent more than once.")
        self._access.check(scope["path"], headers, given_tokens(headers, scope.get("subprotocols", [])))

    def _record(self, scope: Scope, watch: "Watch", seconds: float) -> None:
        if scope["type"] == "http":
            self._metrics.count("requests_total", status=f"{watch.status // 100}xx")
            if not watch.follows:
                self._metrics.time_request(seconds)
        about = {"method": scope.get("method", "WS"), "path": scope["path"][:200], "status": watch.status}
        LOG.info("request", extra=about | {"ms": _ms(seconds)})


class Watch:
    """Notes an answer's status and adds the headers that every answer has."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.follows = False
        """Whether the answer is a stream of events, which lasts as long as the job that it follows."""

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kinds = [value for name, value in message.get("headers", []) if name.lower() == b"content-type"]
            self.follows = any(kind.startswith(b"text/event-stream") for kind in kinds)
            message["headers"] = [*message.get("headers", []), *HEADERS]
        elif message["type"] == "websocket.accept":
            self.status = 101
        await self._send(message)


def streams(scope: Scope) -> bool:
    """Whether a request's route reads its body itself."""
    return scope["method"] == "POST" and scope["path"] in STREAMED_PATHS


def given_tokens(headers: dict[str, str], protocols: list[str]) -> list[str]:
    """The tokens in a request: of its Authorization header, or of the protocols that a WebSocket offers."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    found = [token.strip()] if scheme.lower() == "bearer" else []
    return found + [item.removeprefix(BEARER_PROTOCOL) for item in protocols if item.startswith(BEARER_PROTOCOL)]


async def read_body(scope: Scope, receive: Receive) -> Receive:
    """Read a request's whole body, within its limits; returns a `receive` that hands it on."""
    for name, value in scope["headers"]:
        if name.lower() == b"content-length" and (not value.isdigit() or int(value) > LARGEST_BODY):
            raise TooLarge(f"The request has {value.decode('latin-1')[:20]} bytes; up to {LARGEST_BODY} are taken.")
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                body += message.get("body", b"")
                if len(body) > LARGEST_BODY:
                    raise TooLarge(f"The request is larger than {LARGEST_BODY} bytes.")
                if message["type"] != "http.request" or not message.get("more_body"):
                    break
    except TimeoutError:
        raise Problem(f"The request did not arrive within {BODY_SECONDS:.0f} s.") from None
    first = [{"type": "http.request", "body": body, "more_body": False}]

    async def hand_on() -> Message:
        return first.pop() if first else await receive()

    return hand_on


async def refuse(scope: Scope, send: Watch, problem: Problem) -> None:
    """Answer with a problem; a WebSocket is closed before it opens, which the client sees as 403."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4000 + problem.status, "reason": str(problem)[:100]})
        return
    if send.status:
        return  # the answer had begun
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if isinstance(problem, Unauthorised):
        headers.append((b"www-authenticate", b"Bearer"))
    if problem.retry_after is not None:
        headers.append((b"retry-after", str(problem.retry_after).encode()))
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    body = json.dumps(problem_body(str(problem), problem.status)).encode()
    await send({"type": "http.response.body", "body": body})


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)

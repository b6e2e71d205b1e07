"""The WebSocket client against an independent server (the library `websockets`), and against what is none."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import websockets

from blender_addon.errors import BackendError
from blender_addon.websocket import WebSocket


class EchoServer:
    """Sends back what it gets; says goodbye, or hangs up, when it is told to."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.port = 0
        self.headers: dict[str, str] = {}
        self._ready, self._end = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: self.loop.run_until_complete(self._serve()), daemon=True)

    def start(self) -> "EchoServer":
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._end.set)
        self._thread.join(20)

    async def _serve(self) -> None:
        async with websockets.serve(self._echo, "127.0.0.1", 0, max_size=1 << 23) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            self._ready.set()
            await self._end.wait()

    async def _echo(self, connection) -> None:
        self.headers = dict(connection.request.headers) | {"path": connection.request.path}
        async for message in connection:
            if message == "goodbye":
                await connection.close(1008, "that is enough")
                return
            if message == "ping":
                await (await connection.ping())
                message = "answered"
            elif message == "parts":
                message = iter(["one ", "two ", "three"])
            await connection.send(message)


@pytest.fixture
def server() -> Iterator[EchoServer]:
    running = EchoServer().start()
    yield running
    running.stop()


def receive(connection: WebSocket, seconds: float = 20) -> bytes | str:
    """The next message; "" where the other side has closed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not connection.closed:
        for message in connection.messages(0.05):
            return message
    assert connection.closed
    return ""


def test_messages_of_every_size_come_back(server):
    connection = WebSocket(f"http://127.0.0.1:{server.port}", "/v1/live?a=1", {"Authorization": "Bearer secret"})
    for content in (b"", b"a", b"b" * 125, b"c" * 126, b"d" * 65535, b"e" * 65536, b"\x00\xff" * 500_000, "words ä"):
        connection.send(content)
        assert receive(connection) == content
    connection.send("ping")
    assert receive(connection) == "answered"
    connection.send("parts")
    assert receive(connection) == "one two three"
    assert server.headers["path"] == "/v1/live?a=1"
    assert server.headers["authorization"] == "Bearer secret"
    connection.send("goodbye")
    assert receive(connection) == ""
    assert connection.closed == "that is enough"
    connection.close()


def test_nobody_and_something_else_are_told(server):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        answers = [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: wrong\r\n\r\n", b""]

        def answer() -> None:
            for words in answers:
                peer = listener.accept()[0]
                peer.recv(4096)
                peer.sendall(words)
                peer.close()

        threading.Thread(target=answer, daemon=True).start()
        for words in ("403 Forbidden", "Something else", "closed the connection"):
            with pytest.raises(BackendError, match=words):
                WebSocket(f"http://127.0.0.1:{port}", "/", {})
    with pytest.raises(BackendError, match="Nobody answers"):
        WebSocket(f"http://127.0.0.1:{port}", "/", {}, timeout=2)


def test_a_connection_that_is_cut_is_told(server):
    connection = WebSocket(f"http://127.0.0.1:{server.port}", "/", {})
    server.stop()
    with pytest.raises(BackendError):
        for _ in range(1000):
            if connection.closed:
                raise BackendError(connection.closed)
            connection.send(b"x" * 1000)
            list(connection.messages(0.01))
    connection.close()

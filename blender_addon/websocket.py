"""A small WebSocket client (RFC 6455) on the standard library; never through a proxy."""

import base64
import hashlib
import os
import secrets
import select
import socket
import struct
from collections.abc import Iterator
from urllib.parse import urlsplit

from .errors import BackendError

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
LONGEST_MESSAGE = 1 << 24
"""Bytes of a message that are taken."""
LONGEST_HEAD = 1 << 16
"""Bytes of the answer to the handshake that are taken."""
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3: makes sure that the other side speaks WebSocket


class WebSocket:
    """One connection; to be used by one thread."""

    def __init__(self, address: str, place: str, headers: dict[str, str], timeout: float = 20.0) -> None:
        """Connect. address: http://HOST:PORT. Raises BackendError where nobody answers, or not as a WebSocket."""
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or 80
        self._buffer = bytearray()
        self._pieces: list[bytes] = []
        self._kind = BINARY
        self.closed = ""
        """Why the other side closed; empty while it has not."""
        try:
            self._socket = socket.create_connection((host, port), timeout)
        except OSError as error:
            raise BackendError(f"Nobody answers at {address} ({error}); is the backend still running?") from error
        try:
            self._greet(parts.netloc, place, headers)
        except BaseException:
            self._socket.close()
            raise

    def send(self, content: bytes | str) -> None:
        """Send a binary message, or a text. Raises BackendError where the connection is gone."""
        if isinstance(content, str):
            self._send(TEXT, content.encode())
        else:
            self._send(BINARY, content)

    def messages(self, seconds: float) -> Iterator[bytes | str]:
        """The messages that have arrived, after waiting up to so long for some. Raises BackendError."""
        if not self.closed and select.select([self._socket], [], [], max(0.0, seconds))[0]:
            self._read()
        while (frame := self._next_frame()) is not None:
            message = self._take(*frame)
            if message is not None:
                yield message

    def close(self) -> None:
        """Say goodbye and hang up."""
        try:
            if not self.closed:
                self._send(CLOSE, struct.pack(">H", 1000))
        except BackendError:
            pass
        finally:
            self._socket.close()

    def _greet(self, host: str, place: str, headers: dict[str, str]) -> None:
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = [
            f"GET {place} HTTP/1.1",
            f"Host: {host}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        try:
            self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            while b"\r\n\r\n" not in self._buffer:
                if len(self._buffer) > LONGEST_HEAD:
                    raise BackendError(f"Something else than Mouthpiece answers at {host}.")
                self._read()
        except OSError as error:
            raise BackendError(f"The backend at {host} does not answer ({error}).") from error
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        status, *fields = head.decode("latin-1").split("\r\n")
        if " 101 " not in f"{status} ":
            raise BackendError(f"The backend at {host} takes no live sound: it answered {status.partition(' ')[2]}.")
        answer = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
        expected = base64.b64encode(hashlib.sha1(key.encode() + _MAGIC).digest()).decode()
        if answer.get("sec-websocket-accept") != expected:
            raise BackendError(f"Something else than Mouthpiece answers at {host}.")

    def _read(self) -> None:
        try:
            content = self._socket.recv(1 << 16)
        except OSError as error:
            raise BackendError(f"The connection to the backend broke ({error}).") from error
        if not content:
            raise BackendError("The backend has closed the connection; is it still running?")
        self._buffer += content

    def _next_frame(self) -> tuple[bool, int, bytes] | None:
        """(last of its message, kind, content) of a frame that has arrived whole (section 5.2)."""
        if len(self._buffer) < 2:
            return None
        first, second = self._buffer[0], self._buffer[1]
        size, start = second & 0x7F, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(self._buffer) < start:
                return None
            size = int.from_bytes(self._buffer[2:start], "big")
        if size > LONGEST_MESSAGE or second & 0x80:
            raise BackendError("The backend sent what is no answer; is it of another version?")
        if len(self._buffer) < start + size:
            return None
        content = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return bool(first & 0x80), first & 0x0F, content

    def _take(self, last: bool, kind: int, content: bytes) -> bytes | str | None:
        """A whole message; None for what belongs to the protocol, or a part."""
        if kind == PING:
            self._send(PONG, content)
            return None
        if kind == PONG:
            return None
        if kind == CLOSE:
            self.closed = content[2:].decode(errors="replace") or "The backend has ended the connection."
            return None
        if kind:
            self._kind, self._pieces = kind, []
        self._pieces.append(content)
        if sum(map(len, self._pieces)) > LONGEST_MESSAGE:
            raise BackendError("The backend sent more than can be taken; is it of another version?")
        if not last:
            return None
        whole = b"".join(self._pieces)
        self._pieces = []
        return whole.decode() if self._kind == TEXT else whole

    def _send(self, kind: int, content: bytes) -> None:
        """Send a frame; what clients send is masked (section 5.3)."""
        mask = os.urandom(4)
        size = len(content)
        if size < 126:
            head = struct.pack(">BB", 0x80 | kind, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack(">BBH", 0x80 | kind, 0x80 | 126, size)
        else:
            head = struct.pack(">BBQ", 0x80 | kind, 0x80 | 127, size)
        key = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(content, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
        try:
            self._socket.sendall(head + mask + masked)
        except OSError as error:
            raise BackendError(f"The connection to the backend broke ({error}).") from error

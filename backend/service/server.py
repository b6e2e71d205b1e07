"""Runs the service: locks, token, socket, application; until it is told to stop."""

import ipaddress
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from backend.errors import UsageError
from backend.service.app import build_gated
from backend.service.core import build_core
from backend.service.lock import SingleService
from backend.service.logs import start_logging
from backend.service.settings import ServiceSettings
from backend.service.token import load_token

STOP_SECONDS = 3
"""Within which open requests must end when the service stops."""


class ReadyServer(uvicorn.Server):
    """Tells when requests are taken, and when no more will be."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], object], stopping: Callable[[], object]) -> None:
        super().__init__(config)
        self._ready, self._stopping = ready, stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would never end by itself, then wait for the rest."""
        self._stopping()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End within STOP_SECONDS, however often it is asked to; uvicorn would break off at the second signal."""
        self.should_exit = True


def serve(settings: ServiceSettings, home: Path, verbose: bool, tell: Callable[[str, str], None]) -> None:
    """Serve until interrupted. tell: called with the address and the token once requests are taken.

    home: the user's folder, which holds the lock. Raises UsageError where the service cannot be started.
    """
    os.umask(0o077)
    if not is_loopback(settings.host) and not settings.layout.token.exists():
        raise UsageError(
            f"--host {settings.host} lets other computers in, and there is no token yet to keep strangers out: make "
            "one with --new-token first, and read docs/guide/service.md."
        )
    settings.layout.make()
    single = SingleService(home, settings.data)
    single.take()
    for name in (signal.SIGINT, signal.SIGTERM):  # or the default handler would end the process before it has tidied up
        signal.signal(name, _stop)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGHUP, _hang_up)
    try:
        token = load_token(settings.layout.token)
        start_logging(settings.layout.log, token, verbose)
        with open_socket(settings.host, settings.port) as listener:
            port = listener.getsockname()[1]
            url = f"http://{_in_url(settings.host)}:{port}"
            _run(settings, token, listener, lambda: (single.announce(url, settings.layout.token), tell(url, token)))
    finally:
        single.release()


def _run(settings: ServiceSettings, token: str, listener: socket.socket, ready: Callable[[], object]) -> None:
    core = build_core(settings)
    port = listener.getsockname()[1]
    app = build_gated(core, token, settings.host, port, not is_loopback(settings.host))
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=STOP_SECONDS,
        ws_max_size=1 << 20,
        h11_max_incomplete_event_size=1 << 16,
    )
    ReadyServer(config, ready, core.events.close).run(sockets=[listener])


def open_socket(host: str, port: int) -> socket.socket:
    """Listen on an address. Raises UsageError where it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        if os.name != "nt":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        raise UsageError(
            f"{host} port {port} cannot be listened on ({error.strerror}); choose another with --port, or --port 0."
        ) from None
    return listener


def is_loopback(host: str) -> bool:
    """Whether only this computer can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _stop(*_: object) -> None:
    raise SystemExit(0)


def _hang_up(*_: object) -> None:
    signal.raise_signal(signal.SIGTERM)


def _in_url(host: str) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
    return f"[{shown}]" if ":" in shown and not shown.startswith("[") else shown

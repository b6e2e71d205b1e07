"""Find a running backend, start one from a checkout, stop what was started; needs no Blender."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .client import Client, ServiceError, default_home
from .errors import BackendError

START_SECONDS = 90.0
ANSWER_SECONDS = 60.0
QUICK_SECONDS = 2.0  # for a question the interface waits for
STOP_SECONDS = 20.0
WATCH = Path(__file__).with_name("watch.py")


@dataclass(frozen=True)
class BackendChoice:
    """Where the backend is: a remote address with its token, or else a checkout on this machine."""

    checkout: Path | None = None
    address: str = ""
    token: str = ""
    online: bool = False
    """Whether other computers may be asked (Blender's online access)."""


def default_checkout() -> Path | None:
    """The checkout this add-on lies in, None where it was installed alone."""
    folder = Path(__file__).resolve().parents[1]
    return folder if (folder / "backend" / "__main__.py").is_file() else None


class Backend:
    """The one backend of this Blender; its methods may be called from any thread."""

    def __init__(self) -> None:
        self._process: subprocess.Popen | None = None
        self._lock = threading.Lock()

    def connect(self, choice: BackendChoice) -> Client:
        """A client of a running backend, started where there is none. Raises BackendError with a sentence."""
        if choice.address:
            return remote_client(choice, ANSWER_SECONDS)
        with self._lock:
            try:
                return Client.find(timeout=ANSWER_SECONDS)
            except ServiceError:
                return self._start(choice.checkout)

    def check(self, choice: BackendChoice) -> tuple[bool, str]:
        """(whether it answers, one sentence about it); takes two seconds at most and starts nothing."""
        try:
            client = remote_client(choice, QUICK_SECONDS) if choice.address else Client.find(timeout=QUICK_SECONDS)
            actors = [actor["name"] for actor in client.actors() if not actor.get("error")]
            version = client.health().get("version", "?")
            return True, f"Running at {client.url}, version {version}, {len(actors)} actors ({', '.join(actors[:3])})"
        except (ServiceError, BackendError) as error:
            if choice.address:
                return False, str(error)
        try:
            python_of(choice.checkout)
        except BackendError as error:
            return False, str(error)
        return False, "Not running; it starts with the first animation"

    @property
    def started(self) -> bool:
        """Whether a backend that was started here is running."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> bool:
        """Stop the backend if it was started here; returns whether it was."""
        with self._lock:
            process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return False
        assert process.stdin is not None
        process.stdin.close()  # what watch.py waits for
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        return True

    def _start(self, checkout: Path | None) -> Client:
        python = python_of(checkout)
        log = default_home() / "blender_backend.log"
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    [str(python), str(WATCH), str(python), "-m", "backend", "serve", "--port", "0"],
                    cwd=checkout,
                    env=_environment(),
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
        except OSError as error:
            raise BackendError(f"The backend in {checkout} could not be started: {error}.") from error
        return self._wait(log)

    def _wait(self, log: Path) -> Client:
        assert self._process is not None
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                return Client.find(timeout=ANSWER_SECONDS)
            except ServiceError:
                time.sleep(0.1)
        if self._process.poll() is None:
            raise BackendError(f"The backend did not answer within {START_SECONDS:.0f} s; see {log}.")
        words = log.read_text("utf-8", errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise BackendError(f"The backend ended at once: {words[0]}")


def remote_client(choice: BackendChoice, timeout: float) -> Client:
    """A client of the address in the preferences. Raises BackendError where it may not or cannot be reached."""
    host = urlsplit(choice.address).hostname or ""
    if not choice.online and host not in ("localhost", "::1") and not host.startswith("127."):
        raise BackendError(
            f"{host or choice.address} is another computer, and Blender may not go online; switch on "
            "Preferences > System > Allow Online Access."
        )
    try:
        client = Client(choice.address, choice.token, timeout)
        client.health()
        client.status()  # unlike the first, this one needs the token
    except ServiceError as error:
        raise BackendError(str(error)) from error
    return client


def python_of(checkout: Path | None) -> Path:
    """The Python of a checkout's environment. Raises BackendError that says how to make it."""
    if checkout is None:
        raise BackendError("No backend is chosen; set the folder of a Mouthpiece checkout in the add-on's preferences.")
    if not (checkout / "backend" / "__main__.py").is_file():
        raise BackendError(f"{checkout} is no Mouthpiece checkout; choose the folder that holds build.py.")
    python = checkout / ".venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        raise BackendError(f"The backend in {checkout} is not set up; run there: python3 build.py setup")
    return python


def _environment() -> dict[str, str]:
    """This process's environment without what points Python at Blender's own library."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}

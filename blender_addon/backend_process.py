"""Find a running backend, start one, stop what was started, say what is wrong with it; needs no Blender."""

import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .client import Client, ServiceError, default_home
from .errors import BackendError
from .set_up import BUNDLE, environment_python, state
from .watched import clean_environment, end_watched, start_watched

START_SECONDS = 90.0
ANSWER_SECONDS = 60.0
QUICK_SECONDS = 2.0  # for a question the interface waits for
STOP_SECONDS = 20.0
EXAMINE_SECONDS = 180.0


@dataclass(frozen=True)
class BackendChoice:
    """Where the backend is: a remote address with its token, else a checkout, else what the add-on has set up."""

    checkout: Path | None = None
    folder: Path | None = None
    """Where the add-on keeps the environment that it makes."""
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
                return self._start(choice)

    def check(self, choice: BackendChoice) -> tuple[bool, str]:
        """(whether it answers, one sentence about it); asks for two seconds at a time and starts nothing."""
        try:
            client = remote_client(choice, QUICK_SECONDS) if choice.address else Client.find(timeout=QUICK_SECONDS)
            actors = [actor["name"] for actor in client.actors() if not actor.get("error")]
            version = client.health().get("version", "?")
            return True, f"Running at {client.url}, version {version}, {len(actors)} actors ({', '.join(actors[:3])})"
        except (ServiceError, BackendError) as error:
            if choice.address:
                return False, str(error)
        try:
            place_of(choice)
        except BackendError as error:
            return False, str(error)
        return False, "Not running; it starts with the first animation"

    def examine(self, choice: BackendChoice) -> tuple[bool, str]:
        """As `check`; where none is running, its libraries are tried too, which takes some seconds."""
        running, sentence = self.check(choice)
        if running or choice.address:
            return running, sentence
        try:
            broken = examine_environment(choice)
        except BackendError as error:
            return False, str(error)
        return False, broken or f"{sentence}; its libraries and actors are in order"

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
        end_watched(process, STOP_SECONDS)
        return True

    def _start(self, choice: BackendChoice) -> Client:
        python, folder = place_of(choice)
        log = backend_log()
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("wb") as output:
                command = [str(python), "-m", "backend", "serve", "--port", "0"]
                self._process = start_watched(str(python), command, folder, output)
        except OSError as error:
            raise BackendError(f"The backend in {folder} could not be started: {error}.") from error
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
    try:
        client = Client(choice.address, choice.token, timeout)
        host = urlsplit(choice.address).hostname or ""
        if not choice.online and host not in ("localhost", "::1") and not host.startswith("127."):
            raise BackendError(
                f"{host} is another computer, and Blender may not go online; switch on "
                "Preferences > System > Allow Online Access."
            )
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


def place_of(choice: BackendChoice) -> tuple[Path, Path]:
    """(Python, folder of the sources) of the backend. Raises BackendError that says how to get one."""
    if choice.checkout is not None or choice.folder is None:
        return python_of(choice.checkout), choice.checkout or Path()
    ready, sentence = state(choice.folder)
    if not ready:
        raise BackendError(f"{sentence}: the add-on's preferences have the button Set Up Backend.")
    return environment_python(choice.folder), BUNDLE


def backend_log() -> Path:
    """What a backend that was started here has to say."""
    return default_home() / "blender_backend.log"


def microphone_log() -> Path:
    """What the backend that listens to the microphone has to say."""
    return default_home() / "blender_microphone.log"


def examine_environment(choice: BackendChoice) -> str:
    """Let the backend check its libraries, actors and folders; returns the first fault and how to mend it, or "".

    Raises BackendError where it cannot be run at all.
    """
    python, folder = place_of(choice)
    try:
        done = subprocess.run(
            [str(python), "-m", "backend", "doctor"],
            cwd=folder,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=EXAMINE_SECONDS,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackendError(f"The backend's Python does not run ({error}); press Set Up Backend.") from error
    if done.returncode == 0:
        return ""
    lines = done.stdout.splitlines()
    place = next((index for index, line in enumerate(lines) if line.startswith("broken")), None)
    if place is None:
        words = done.stderr.strip().splitlines()[-1:] or ["no message"]
        mend = "press Set Up Backend" if choice.checkout is None else f"run in {folder}: python3 build.py setup"
        return f"The backend does not run: {words[0]}; {mend}"
    fault = " ".join(lines[place].split()[1:])
    fix = lines[place + 1].strip().removeprefix("-> ") if "->" in "".join(lines[place + 1 : place + 2]) else ""
    return f"{fault}; {'press Set Up Backend' if choice.checkout is None else f'mend it with: {fix}'}"

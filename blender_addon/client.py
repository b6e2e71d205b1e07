"""A client of the local Mouthpiece service. Standard library only, and nothing else of Mouthpiece: copy it freely.

service = Client.find()
upload = service.upload(Path("line.wav"))
job = service.animate(upload, actor="default", texture=False)
job = service.wait(job, lambda job: print(job.stage, job.fraction))
service.fetch_result(job, Path("line.zip"))
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode, urlsplit

BLOCK = 1 << 18
PROGRESS_SECONDS = 20.0
"""An event stream says something at least every 15 s; silence of this length means that it was cut."""
BUSY_TRIES = 8
"""How often a request is sent again to a service that asks to come back later."""
Body = bytes | BinaryIO | None
Headers = dict[str, str] | None
HELD = (0.1, 0.3, 0.9) if os.name == "nt" else ()  # seconds to wait for a virus scanner that holds a new file


class ServiceError(Exception):
    """The service refused; the text is its sentence, `status` its HTTP status."""

    def __init__(self, sentence: str, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.status, self.retry_after = status, retry_after


class ServiceUnreachable(ServiceError):
    """Nobody answers at the address, or the connection broke."""


class JobFailed(ServiceError):
    """The job that was waited for has failed or was cancelled; `job` is its last state."""

    def __init__(self, sentence: str, job: Job) -> None:
        super().__init__(sentence)
        self.job = job


@dataclass(frozen=True)
class Upload:
    """A recording or video that the service has; the id is its SHA-256."""

    id: str
    kind: str
    size: int
    seconds: float


@dataclass(frozen=True)
class Job:
    """A job as the service told it last. state: queued, running, cancelling, done, failed or cancelled."""

    id: str
    kind: str
    state: str
    name: str
    error: str | None = None
    ahead: int | None = None
    """Jobs that are done before this one, while it waits."""
    stage: str | None = None
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    warnings: tuple[str, ...] = ()
    cached: bool = False
    size: int | None = None
    """Bytes of the result."""
    sha256: str | None = None
    """Of the result."""
    everything: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The whole answer, as the OpenAPI document describes it."""

    @property
    def ended(self) -> bool:
        """Nothing more will happen to it by itself."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def fraction(self) -> float:
        """0..1 of the stage that is under way."""
        return min(1.0, self.done / max(1, self.total))


def read_job(answer: dict[str, Any]) -> Job:
    """A job from the service's JSON; fields that a newer service adds are kept in `everything`."""
    progress, result = answer.get("progress") or {}, answer.get("result") or {}
    return Job(
        **{name: answer[name] for name in ("id", "kind", "state", "name")},
        **{name: answer[name] for name in ("error", "ahead") if name in answer},
        **{name: progress[name] for name in ("stage", "done", "total", "seconds_left") if name in progress},
        warnings=tuple(answer.get("warnings", ())),
        cached=bool(answer.get("cached")),
        **{name: result[name] for name in ("size", "sha256") if name in result},
        everything=answer,
    )


def default_home() -> Path:
    """Folder of the user's Mouthpiece data, where a running service says where it is."""
    chosen = os.environ.get("MOUTHPIECE_HOME")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "mouthpiece"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "mouthpiece"
    return Path(os.environ.get("XDG_DATA_HOME", "").strip() or Path.home() / ".local" / "share") / "mouthpiece"


class Client:
    """Speaks to one service. Each call opens a connection of its own, so threads may share a client."""

    def __init__(self, url: str, token: str, timeout: float = 60.0) -> None:
        """timeout: seconds without a byte after which a call gives up."""
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port or 80
        except ValueError:  # half an IPv6 address, or a port that cannot be
            self._host = ""
        if not self._host or not url.lower().startswith("http://"):
            raise ServiceError(f"{url!r} is no address of a service; expected something like http://127.0.0.1:8427.")
        if not (token.isascii() and token.isprintable()):
            raise ServiceError("The token holds letters that no token has; copy it from the service's token file.")
        self.url, self._timeout = url.rstrip("/"), timeout
        self.headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    @classmethod
    def find(cls, home: Path | None = None, timeout: float = 60.0) -> Client:
        """The client of the user's running service. Raises ServiceUnreachable where there is none."""
        note = (home or default_home()) / "service.json"
        try:
            about = json.loads(note.read_text("utf-8"))
            client = cls(about["url"], Path(about["token_file"]).read_text("utf-8").strip(), timeout)
        except (OSError, ValueError, KeyError) as error:
            raise ServiceUnreachable("No Mouthpiece service is running; start one with: mouthpiece serve") from error
        client.health()
        return client

    # ------------------------------------------------------------ what the service says of itself

    def health(self) -> dict[str, Any]:
        """Service, status and version."""
        answer = self._json("GET", "/v1/health")
        if answer.get("service") != "mouthpiece":
            raise ServiceUnreachable(f"Something else than Mouthpiece answers at {self.url}.")
        return answer

    def status(self) -> dict[str, Any]:
        """Queue, workers, disk and limits."""
        return self._json("GET", "/v1/status")

    def actors(self) -> list[dict[str, Any]]:
        """All actors: name, digest, licence, speaker, shipped, metrics, error."""
        return self._json("GET", "/v1/actors")["actors"]

    def install_actor(self, archive: Path) -> dict[str, Any]:
        """Send an actor's folder, packed as a zip."""
        return self._send_file("/v1/actors", archive)

    # ------------------------------------------------------------ jobs

    def upload(self, source: Path | bytes, kind: str = "sound") -> Upload:
        """Send a recording, or with kind="video" a video. Raises ServiceError with the decoder's sentence."""
        place = "/v1/uploads?" + urlencode({"kind": kind})
        sent = self._json("POST", place, source) if isinstance(source, bytes) else self._send_file(place, Path(source))
        return Upload(sent["id"], sent["kind"], sent["size"], sent["seconds"])

    def submit(self, request: dict[str, Any], key: str | None = None) -> Job:
        """Ask for any job, as the OpenAPI document describes it. When this returns, the job will not be lost.

        key: names the request, so that sending it again gives the same job; made up by default.
        """
        headers = {"Idempotency-Key": key or uuid.uuid4().hex, "Content-Type": "application/json"}
        return read_job(self._json("POST", "/v1/jobs", json.dumps(request).encode(), headers))

    def animate(
        self, audio: Any, actor: str = "default", name: str = "untitled", priority: int = 5, **options: Any
    ) -> Job:
        """Ask for an animation of an upload, of {"text": words}, or of a local path where that is allowed.

        options: fps, intensity, smooth, texture, size, outputs (a list of "blend", "glb", "mp4", ...).
        """
        request = {"kind": "animate", "audio": _source(audio), "actor": actor, "name": name, "priority": priority}
        return self.submit(request | {"options": options})

    def batch(self, lines: list[dict[str, Any]], name: str = "untitled", priority: int = 5) -> Job:
        """Ask for many animations; each line has a name and an audio, and may have actor and options."""
        sent = [line | {"audio": _source(line["audio"])} for line in lines]
        return self.submit({"kind": "batch", "lines": sent, "name": name, "priority": priority})

    def inspect(self, videos: list[Upload | str], name: str = "untitled") -> Job:
        """Ask what training would see in some videos."""
        return self.submit({"kind": "inspect", "videos": [_source(video) for video in videos], "name": name})

    def train(self, videos: list[Upload | str], actor: str, consent: dict[str, str], **options: Any) -> Job:
        """Ask for an actor. options: preset, epochs, seed, held_out, accept_quality, overwrite."""
        request = {"kind": "train", "videos": [_source(video) for video in videos], "actor": actor}
        return self.submit(request | {"consent": consent, "options": options})

    def jobs(self, state: str | None = None, kind: str | None = None, limit: int = 50) -> list[Job]:
        """The newest jobs first."""
        chosen = {"state": state, "kind": kind, "limit": limit}
        query = urlencode({key: value for key, value in chosen.items() if value is not None})
        return [read_job(answer) for answer in self._json("GET", f"/v1/jobs?{query}")["jobs"]]

    def job(self, job: Job | str) -> Job:
        """How far a job is."""
        return read_job(self._json("GET", f"/v1/jobs/{_id(job)}"))

    def cancel(self, job: Job | str) -> Job:
        """Stop a job."""
        return read_job(self._json("DELETE", f"/v1/jobs/{_id(job)}"))

    def retry(self, job: Job | str) -> Job:
        """Queue a failed or cancelled job again."""
        return read_job(self._json("POST", f"/v1/jobs/{_id(job)}/retry"))

    def follow(self, job: Job | str) -> Iterator[Job]:
        """The job now and whenever it changes, until it has ended; a broken connection is made again."""
        broken = 0
        while True:
            try:
                for state in self._events(f"/v1/jobs/{_id(job)}/events"):
                    broken = 0
                    yield state
                    if state.ended:
                        return
            except ServiceUnreachable:
                broken += 1
                if broken > BUSY_TRIES:
                    raise
            time.sleep(min(2.0, 0.1 * 2**broken))

    def wait(self, job: Job | str, progress: Callable[[Job], object] | None = None) -> Job:
        """Follow a job to its end. An exception from `progress` stops the waiting, not the job. Raises JobFailed."""
        state = self.job(job)
        for newest in self.follow(state):
            state = newest
            if progress is not None:
                progress(state)
        if state.state != "done":
            raise JobFailed(state.error or f"The job was {state.state}.", state)
        return state

    # ------------------------------------------------------------ results

    def files(self, job: Job | str) -> dict[str, int]:
        """The files in a job's result with their sizes."""
        return {row["name"]: row["size"] for row in self._json("GET", f"/v1/jobs/{_id(job)}/files")["files"]}

    def read_file(self, job: Job | str, name: str) -> bytes:
        """One file of a result."""
        with self._open("GET", f"/v1/jobs/{_id(job)}/files/{quote(name)}") as response:
            return response.read()

    def fetch_result(self, job: Job | str, path: Path, progress: Callable[[int, int], object] | None = None) -> Path:
        """Fetch the whole result as a zip, going on after a broken connection; what arrived is checked.

        progress: called with (bytes, all bytes); an exception from it stops the fetching.
        """
        state = self.job(job)
        if state.size is None:
            raise ServiceError(f"The job is {state.state}; there is no result to fetch.")
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        try:
            self._fetch(f"/v1/jobs/{state.id}/result", partial, state.size, progress)
            with partial.open("rb") as file:
                arrived = hashlib.file_digest(file, "sha256").hexdigest()
            if arrived != state.sha256:
                raise ServiceError("The result arrived damaged; fetch it again.")
            return _move(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    def fetch_folder(self, job: Job | str, folder: Path) -> list[Path]:
        """Fetch a result and unpack it into a folder; returns the files."""
        folder.mkdir(parents=True, exist_ok=True)
        archive = self.fetch_result(job, folder / f".{uuid.uuid4().hex}.zip")
        try:
            with zipfile.ZipFile(archive) as file:
                return [Path(file.extract(name, folder)) for name in file.namelist()]
        finally:
            archive.unlink()

    def _fetch(self, place: str, path: Path, size: int, progress: Callable[[int, int], object] | None) -> None:
        failures = 0
        with path.open("wb") as file:
            while (start := file.tell()) < size:
                problem = ServiceUnreachable(f"The service at {self.url} sends no more of the result.")
                try:
                    with self._open("GET", place, headers={"Range": f"bytes={start}-"}) as response:
                        for block in iter(lambda: response.read(BLOCK), b""):  # used within the turn
                            file.write(block)
                            if progress is not None:
                                progress(file.tell(), size)
                except ServiceUnreachable as error:
                    problem = error
                if file.tell() == start:
                    failures += 1
                    if failures > BUSY_TRIES:
                        raise problem
                    time.sleep(0.2 * failures)

    def _json(self, method: str, place: str, body: Body = None, headers: Headers = None) -> dict[str, Any]:
        """What a request is answered. Raises ServiceUnreachable where no service of ours can have said it."""
        with self._open(method, place, body, headers) as response, contextlib.suppress(ValueError):
            answer = json.loads(response.read())
            if isinstance(answer, dict):
                return answer
        raise ServiceUnreachable(f"Something else than Mouthpiece answers at {self.url}.")

    def _send_file(self, place: str, path: Path) -> dict[str, Any]:
        with path.open("rb") as file:
            return self._json("POST", place, file, {"Content-Length": str(path.stat().st_size)})

    def _events(self, place: str) -> Iterator[Job]:
        with self._open("GET", place, headers={"Accept": "text/event-stream"}, timeout=PROGRESS_SECONDS) as response:
            for line in response:
                if line.startswith(b"data: "):
                    yield read_job(json.loads(line[6:]))

    @contextlib.contextmanager
    def _open(
        self, method: str, place: str, body: Body = None, headers: Headers = None, timeout: float | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """A request on a connection of its own, never through a proxy; again where the service asks to come back later.

        Raises ServiceError, ServiceUnreachable.
        """
        silent = f"The service at {self.url} does not answer"
        for turn in range(BUSY_TRIES + 1):
            connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout or self._timeout)
            try:
                connection.connect()
            except (OSError, UnicodeError) as error:  # the latter where the host's name cannot be one
                raise ServiceUnreachable(f"{silent} ({error!r}).") from error
            try:
                # A service that refuses a large body answers before it has read it all, and closes: the answer counts.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.request(method, place, body, self.headers | (headers or {}))
                response = connection.getresponse()
                if response.status < 400:
                    yield response
                    return
                refusal = _refusal(response)
            except (ConnectionError, TimeoutError, http.client.HTTPException) as error:
                raise ServiceUnreachable(f"{silent} ({error!r}).") from error
            finally:
                connection.close()
            if refusal.status not in (429, 503) or refusal.retry_after is None or turn == BUSY_TRIES:
                raise refusal
            time.sleep(min(10.0, refusal.retry_after * (0.5 + turn / 2)))
            if body is not None and not isinstance(body, bytes):
                body.seek(0)


def _refusal(response: http.client.HTTPResponse) -> ServiceError:
    try:
        sentence = json.loads(response.read())["error"]
    except (ValueError, KeyError, TypeError):
        sentence = f"The service answered {response.status} {response.reason}."
    retry_after = response.headers.get("Retry-After", "")
    return ServiceError(str(sentence), response.status, float(retry_after) if retry_after.isdigit() else None)


def _source(audio: Upload | str | Path | dict[str, str]) -> dict[str, str]:
    if isinstance(audio, Upload):
        return {"upload": audio.id}
    return audio if isinstance(audio, dict) else {"path": str(audio)}


def _id(job: Job | str) -> str:
    return job.id if isinstance(job, Job) else quote(job, safe="")


def _move(source: Path, target: Path) -> Path:
    for seconds in HELD:
        with contextlib.suppress(PermissionError):
            return source.replace(target)
        time.sleep(seconds)
    return source.replace(target)

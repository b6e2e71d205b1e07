"""Jobs of the backend, worked on in a thread while Blender goes on; no bpy."""

import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .animation import Animation, read_animation
from .background import Background, Cancelled
from .client import Client, Job, JobFailed, ServiceError, ServiceUnreachable
from .errors import BackendError
from .line_files import ANIMATION, artists_file
from .renaming import move, remove_tree

POLL_SECONDS = 0.15
PATIENCE = 6.0  # seconds a backend may be silent before the job is given up
Connect = Callable[[], Client]


@dataclass(frozen=True)
class AnimateRequest:
    """What to animate, and where the animation goes."""

    sound: Path
    actor: str
    name: str
    folder: Path
    """Becomes the animation's folder when everything has arrived; an older one without files of the artist's is
    replaced."""
    options: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    """Words that the backend speaks; the sound is then `speech.wav` in the folder."""
    voice: str = ""
    """Of the text; empty for the backend's default."""
    head: bool = False
    """Whether a talking head will be made of it, whose shape keys are better found here than while Blender waits."""


class AnimateJob(Background):
    """A sound to an `Animation`."""

    def __init__(self, connect: Connect, request: AnimateRequest) -> None:
        super().__init__(lambda background: animate(background, connect, request))


def animate(background: Background, connect: Connect, request: AnimateRequest) -> Animation:
    """Let the backend animate a sound, or words; nothing is left where it fails."""
    if not request.text and not request.sound.is_file():
        raise BackendError(f"There is no sound at {request.sound}; choose an existing file.")
    background.say("starting the backend")
    client = connect()
    background.say("sending the sound")
    audio = spoken(request) if request.text else client.upload(request.sound)
    background.say("waiting")
    job = client.animate(audio, request.actor, request.name, **request.options)
    client = follow(background, connect, client, job)
    fetch_folder(background, client, job, request.folder, lambda result: _check_arrived(result, request.folder))
    return prepare(background, request)


def _check_arrived(result: Path, folder: Path) -> None:
    """Raises AddonError where a result is damaged, or its folder has something of the artist's in it by now."""
    read_animation(result)
    (result / ANIMATION).touch()  # the last of what arrived: what is newer was painted over
    found = artists_file(folder)
    if found is not None:
        raise BackendError(
            f"{found} was put into {folder} meanwhile, which is left as it is; animate again, into another folder."
        )


def spoken(request: AnimateRequest) -> dict[str, str]:
    """The words of a request as the service takes them."""
    return {"text": request.text, **({"voice": request.voice} if request.voice else {})}


def prepare(background: Background, request: AnimateRequest) -> Animation:
    """Read what has arrived, and find out what takes long before Blender has to wait for it."""
    background.say("preparing")
    animation = read_animation(request.folder)
    if request.head:
        _ = animation.components
    background.say("baking", 1.0)
    return animation


def follow(background: Background, connect: Connect, client: Client, job: Job) -> Client:
    """Wait until a job is done; one that the person cancels is cancelled in the backend too.

    A backend that falls silent is started again once: it goes on with its jobs where it stopped. Returns the client
    of the backend that has the result. Raises JobFailed, and BackendError where the backend stays silent.
    """
    heard, started_again = time.monotonic(), False
    while True:
        if background.wait(POLL_SECONDS):
            _give_up(client, job)
            raise Cancelled
        try:
            state = client.job(job)
        except ServiceUnreachable:
            if time.monotonic() - heard > PATIENCE:
                if started_again:
                    raise BackendError(
                        "The backend has stopped answering. Nothing was baked; try again, and it is started again."
                    ) from None
                background.say("starting the backend again")
                client, heard, started_again = connect(), time.monotonic(), True
            continue
        heard = time.monotonic()
        if state.state == "done":
            return client
        if state.ended:
            raise JobFailed(state.error or f"The job was {state.state}.", state)
        stage = state.stage or (f"waiting for {state.ahead} other jobs" if state.ahead else "waiting")
        background.say(stage, state.fraction, state.seconds_left)


def fetch_folder(
    background: Background, client: Client, job: Job, folder: Path, check: Callable[[Path], Any] = lambda folder: None
) -> None:
    """Put a job's result in a folder, which is replaced when everything has arrived and `check` is content with it."""
    with scratch_folder(folder) as scratch:
        client.fetch_result(
            job, scratch / "result.zip", lambda done, total: background.say("fetching", done / max(1, total))
        )
        shutil.unpack_archive(scratch / "result.zip", scratch / "result")
        check(scratch / "result")  # nothing damaged takes the place of an older one
        background.check()
        if folder.exists():
            move(folder, scratch / "replaced")
        move(scratch / "result", folder)


def _give_up(client: Client, job: Job) -> None:
    try:
        client.cancel(job)
    except ServiceError:
        return  # it is gone, or has just ended: either way nobody works on it for us


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder` that is gone afterwards."""
    scratch = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    scratch.mkdir(parents=True)
    try:
        yield scratch
    finally:
        remove_tree(scratch)

"""A job goes from sound to animation in a thread, and ends with one sentence where it cannot."""

import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from blender_addon import jobs
from blender_addon.background import Finished, Progress
from blender_addon.client import Job, ServiceError, ServiceUnreachable, Upload
from blender_addon.errors import BackendError
from blender_addon.jobs import AnimateJob, AnimateRequest
from shape_keys.arkit import NAMES
from tests.blender_addon.example import make_animation


class FakeService:
    """Answers as the service does; `states` are what it says of the job, one after the other."""

    def __init__(self, archive: Path, states: list) -> None:
        self.archive, self.states, self.cancelled = archive, states, threading.Event()

    def upload(self, sound: Path) -> Upload:
        return Upload("a", "sound", 1, 1.0)

    def animate(self, *words, **options) -> Job:
        return Job("j", "animate", "queued", "line")

    def job(self, job: Job) -> Job:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, Exception):
            raise state
        return state

    def cancel(self, job: Job) -> None:
        self.cancelled.set()

    def fetch_result(self, job: Job, path: Path, progress) -> Path:
        path.write_bytes(self.archive.read_bytes())
        progress(1, 1)
        return path


RUNNING = Job("j", "animate", "running", "line", stage="listen", done=1, total=4, seconds_left=3.0)
DONE = Job("j", "animate", "done", "line")


def pack(tmp_path: Path, named: bool = False, **changes) -> Path:
    """A result as the service packs it; `named` gives its weights ARKit's names, `changes` are of the animation."""
    names = {"weight_names": np.array(NAMES)} if named else {}
    folder = make_animation(tmp_path / "made", frames=3, **names, **changes)
    with zipfile.ZipFile(tmp_path / "result.zip", "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(folder))
    return tmp_path / "result.zip"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return pack(tmp_path)


@pytest.fixture
def request_(tmp_path: Path) -> AnimateRequest:
    sound = tmp_path / "line.wav"
    sound.write_bytes(b"sound")
    return AnimateRequest(sound, "default", "line", tmp_path / "out" / "line")


def finish(job: AnimateJob, seconds: float = 10) -> tuple[list[Progress], Finished]:
    """Run a job to its end."""
    said, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        for message in job.poll():
            if isinstance(message, Finished):
                return said, message
            said.append(message)
        time.sleep(0.01)
    raise AssertionError("the job did not end")


def run(service, request: AnimateRequest) -> tuple[list[Progress], Finished]:
    job = AnimateJob(lambda: service, request)
    job.start()
    return finish(job)


def test_a_job_brings_the_animation(archive, request_):
    said, end = run(FakeService(archive, [RUNNING, DONE]), request_)
    assert end.error == ""
    assert end.result is not None
    assert (end.result.frames, end.result.folder) == (3, request_.folder)
    assert Progress("listen", 0.25, 3.0) in said
    assert [path.name for path in request_.folder.parent.iterdir()] == ["line"]
    _, end = run(FakeService(archive, [DONE]), request_)  # again: it takes the place of the first
    assert end.result is not None


def test_cancelling_ends_it_and_tells_the_service(archive, request_):
    service = FakeService(archive, [RUNNING])
    job = AnimateJob(lambda: service, request_)
    job.start()
    while not any(message.stage == "listen" for message in job.poll() if isinstance(message, Progress)):
        time.sleep(0.01)
    job.cancel()
    assert finish(job, 2)[1] == Finished()
    assert service.cancelled.wait(2)
    assert not request_.folder.exists()


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ([Job("j", "animate", "failed", "line", error="The sound is silent.")], "The sound is silent."),
        ([Job("j", "animate", "cancelled", "line")], "cancelled"),
        ([RUNNING, ServiceUnreachable("gone")], "stopped answering"),
        ([ServiceError("Unknown job.", 404)], "Unknown job."),
    ],
)
def test_a_failure_is_one_sentence_and_leaves_nothing(archive, request_, monkeypatch, states, words):
    monkeypatch.setattr(jobs, "PATIENCE", 0.3)
    _, end = run(FakeService(archive, states), request_)
    assert end.result is None
    assert words in end.error
    assert not request_.folder.exists()


def test_a_backend_that_comes_back_in_time_is_waited_for(archive, request_):
    _, end = run(FakeService(archive, [RUNNING, ServiceUnreachable("gone"), RUNNING, DONE]), request_)
    assert end.result is not None


def test_a_damaged_result_does_not_replace_a_good_one(archive, request_):
    good = run(FakeService(archive, [DONE]), request_)[1].result
    damaged = archive.with_name("damaged.zip")
    with zipfile.ZipFile(damaged, "w") as file:
        file.writestr("animation.npz", b"nothing")
    _, end = run(FakeService(damaged, [DONE]), request_)
    assert "damaged" in end.error
    assert good is not None
    assert (good.folder / "animation.npz").stat().st_size > 100
    assert [path.name for path in request_.folder.parent.iterdir()] == ["line"]


@pytest.mark.parametrize("name", ["retouch/a.txt", "atlas/0001.psd"])
def test_what_is_put_into_the_folder_meanwhile_stays(archive, request_, name):
    run(FakeService(archive, [DONE]), request_)
    mine = request_.folder / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    _, end = run(FakeService(archive, [DONE]), request_)
    assert name.split("/")[0] in end.error
    assert "put into" in end.error
    assert mine.read_text() == "mine"


def test_no_sound_and_no_backend(archive, request_):
    request_.sound.unlink()
    assert "no sound" in run(FakeService(archive, [DONE]), request_)[1].error

    def nobody():
        raise BackendError("No backend is chosen.")

    request_.sound.write_bytes(b"sound")
    job = AnimateJob(nobody, request_)
    job.start()
    assert finish(job)[1].error == "No backend is chosen."


STAGES = ("starting the backend", "sending the sound", "waiting", "listen", "fetching", "preparing", "baking")


@pytest.mark.parametrize("stage", STAGES)
def test_cancelling_at_any_stage_leaves_what_was_there(archive, request_, stage):
    request_.folder.mkdir(parents=True)
    (request_.folder / "speech.wav").write_text("from before")
    service = FakeService(archive, [RUNNING, RUNNING, DONE])
    job = AnimateJob(lambda: service, request_)
    say = job.say

    def say_and_cancel(what: str, *words) -> None:  # in the thread: no other moment can be hit for certain
        if what == stage:
            job.cancel()
        say(what, *words)

    job.say = say_and_cancel
    job.start()
    assert finish(job)[1] == Finished()
    assert [path.name for path in request_.folder.parent.iterdir()] == ["line"]
    arrived = stage in ("preparing", "baking")  # the new one is whole, and no bake follows
    assert (request_.folder / "speech.wav").exists() == (not arrived)


@pytest.mark.parametrize("call", ["upload", "animate", "job", "fetch_result"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (ServiceUnreachable("The service does not answer."), "answer"),
        (OSError(28, "No space left on device"), "space on the disk"),
        (RuntimeError("odd"), "unexpectedly: RuntimeError: odd"),
    ],
)
def test_a_fault_at_any_step_is_one_sentence_and_leaves_nothing(archive, request_, monkeypatch, call, fault, words):
    monkeypatch.setattr(jobs, "PATIENCE", 0.2)
    service = FakeService(archive, [RUNNING, DONE])

    def fail(*unused, **unused_too):
        raise fault

    setattr(service, call, fail)
    _, end = run(service, request_)
    assert end.result is None
    assert words in end.error
    assert "\n" not in end.error
    assert not request_.folder.exists()
    assert not list(request_.folder.parent.glob("*")) or not list(request_.folder.parent.iterdir())


def test_a_backend_that_was_killed_is_started_again_and_goes_on(archive, request_, monkeypatch):
    monkeypatch.setattr(jobs, "PATIENCE", 0.2)
    dead, alive = FakeService(archive, [ServiceUnreachable("gone")]), FakeService(archive, [RUNNING, DONE])
    services = iter([dead, alive])
    job = AnimateJob(lambda: next(services), request_)
    job.start()
    said, end = finish(job)
    assert end.result is not None
    assert "starting the backend again" in [message.stage for message in said]

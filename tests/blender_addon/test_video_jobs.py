"""Inspecting and training go through the service's jobs, and nobody is trained without consent."""

import contextlib
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.service.schema import Consent as BackendConsent
from backend.video.listing import ENDINGS
from blender_addon.background import Background, Finished
from blender_addon.client import Job, Upload
from blender_addon.errors import BackendError
from blender_addon.video_jobs import VIDEOS, Consent, TrainRequest, find_videos, inspect_videos, train_actor
from tests.blender_addon.test_jobs import finish

CONSENT = Consent("Ann", "I agree.", "Ann", "2026-01-31", "ours")


class FakeService:
    """Takes videos and remembers what it was asked for; every job is done at once."""

    def __init__(self, members: dict[str, str], archive: Path) -> None:
        self.asked: list = []
        self._archive = archive
        with zipfile.ZipFile(archive, "w") as file:
            for name, content in members.items():
                file.writestr(name, content)

    def upload(self, path: Path, kind: str) -> Upload:
        self.asked.append((kind, path.name))
        return Upload(path.stem, kind, 1, 1.0)

    def inspect(self, videos, name) -> Job:
        self.asked.append(("inspect", [video.id for video in videos]))
        return Job("j", "inspect", "queued", name)

    def train(self, videos, actor, consent, **options) -> Job:
        self.asked.append(("train", [video.id for video in videos], actor, consent, options))
        return Job("j", "train", "queued", actor)

    def job(self, job: Job) -> Job:
        return replace(job, state="done")

    def fetch_result(self, job: Job, path: Path, progress) -> Path:
        path.write_bytes(self._archive.read_bytes())
        progress(1, 1)
        return path


def run(work) -> Finished:
    background = Background(work)
    background.start()
    return finish(background)[1]


@pytest.fixture
def videos(tmp_path) -> tuple[Path, ...]:
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("b.mp4", "a.MOV", "notes.txt"):
        (folder / name).write_bytes(b"video")
    return find_videos(folder)


def test_a_folder_gives_its_videos_and_a_file_itself(videos, tmp_path):
    assert [path.name for path in videos] == ["a.MOV", "b.mp4"]
    assert find_videos(tmp_path / "one.mp4") == (tmp_path / "one.mp4",)
    assert VIDEOS == ENDINGS  # a folder means the same here as to the command


def test_the_report_arrives(videos, tmp_path):
    service = FakeService({"report.html": "<html>"}, tmp_path / "r.zip")
    end = run(lambda background: inspect_videos(background, lambda: service, videos, tmp_path / "out"))
    assert end.result == tmp_path / "out" / "report.html"
    assert end.result.read_text() == "<html>"
    assert service.asked == [("video", "a.MOV"), ("video", "b.mp4"), ("inspect", ["a", "b"])]


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ('{"epochs_run": 12, "minutes": 3.4}', "12 epochs, 3 minutes"),
        ('{"epochs_run": 0, "minutes": 0}', "solved, without epochs"),
    ],
)
def test_an_actor_is_trained_with_its_consent(videos, tmp_path, about, told):
    service = FakeService({"ann/actor.json": about}, tmp_path / "r.zip")
    request = TrainRequest(videos, "ann", CONSENT, tmp_path / "out", {"preset": "fast"})
    end = run(lambda background: train_actor(background, lambda: service, request))
    assert end.result == f"The actor ann is trained ({told}); its report is in {tmp_path / 'out'}"
    kind, sources, actor, consent, options = service.asked[-1]
    assert (kind, sources, actor, options) == ("train", ["a", "b"], "ann", {"preset": "fast"})
    assert consent == vars(CONSENT)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"speaker": " "}, "lacks speaker"),
        ({"given_by": ""}, "lacks given by"),
        ({"date": "yesterday"}, "2026-01-31"),
        ({"date": str(date.today() + timedelta(days=2))}, "future"),
    ],
)
def test_without_consent_nothing_is_sent(videos, tmp_path, changes, words):
    service = FakeService({}, tmp_path / "r.zip")
    request = TrainRequest(videos, "ann", replace(CONSENT, **changes), tmp_path / "out")
    end = run(lambda background: train_actor(background, lambda: service, request))
    assert words in end.error
    assert service.asked == []
    with pytest.raises(BackendError, match=words):
        request.consent.check()


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({}, True),
        ({"date": "20260131"}, False),
        ({"date": "2026-W05-6"}, False),
        ({"date": " 2026-01-31"}, False),
        ({"date": str(date.today())}, True),
        ({"licence": "x" * 200}, True),
        ({"licence": "x" * 201}, False),
        ({"statement": "x" * 2000}, True),
        ({"statement": "x" * 2001}, False),
    ],
)
def test_a_consent_is_good_here_where_it_is_to_the_backend(changes, good):
    consent = replace(CONSENT, **changes)
    with contextlib.nullcontext() if good else pytest.raises(ValidationError):
        BackendConsent(**vars(consent))
    with contextlib.nullcontext() if good else pytest.raises(BackendError):
        consent.check()


def test_a_video_that_is_gone_is_told(tmp_path):
    service = FakeService({}, tmp_path / "r.zip")
    for videos, words in (((tmp_path / "gone.mp4",), "gone.mp4"), ((), "No video")):
        end = run(
            lambda background, videos=videos: inspect_videos(background, lambda: service, videos, tmp_path / "out")
        )
        assert words in end.error
        assert not (tmp_path / "out").exists()

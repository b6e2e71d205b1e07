"""Jobs that look at video: inspection, and training that is refused, cancelled and shown."""

import json
import shutil
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.actor_file import DESCRIPTION
from backend.actor_library import find_actor, user_actors
from backend.errors import UsageError
from backend.inference.style import MOST_SEED, Style
from backend.progress import no_progress
from backend.service.client import JobFailed, ServiceError
from backend.service.result_file import read_members
from backend.service.schema import AnimateOptions, TrainOptions
from backend.service.tasks import INSTALLED, train_job
from backend.training.config import TrainConfig
from backend.trust.provenance import file_sha256
from tests.backend.service.mutations import good_video

CONSENT = {"speaker": "Test", "statement": "Yes.", "given_by": "Test", "date": "2026-01-31", "licence": "test"}


@pytest.fixture
def clip(shared) -> Path:
    """Three seconds of a speaker."""
    return sorted((shared / "grid_s1").glob("*.mp4"))[3]


def test_an_inspection_makes_its_report(service, clip):
    client = service.client
    upload = client.upload(clip, kind="video")
    assert upload.seconds == pytest.approx(3.0, abs=0.2)
    job = client.wait(client.inspect([upload], name="clip"))
    assert "report.html" in client.files(job)
    assert json.loads(client.read_file(job, "report.json"))["format"] == 1


def test_a_training_with_too_little_video_fails_with_its_sentence(service, clip):
    client = service.client
    upload = client.upload(clip, kind="video")
    with pytest.raises(JobFailed) as failed:
        client.wait(client.train([upload], "short", CONSENT, accept_quality=True))
    assert "s of usable face" in str(failed.value)
    assert "short" not in {actor["name"] for actor in client.actors()}


def test_an_actor_is_trained_and_speaks(service, shared, new_sound):
    client = service.client
    clips = sorted((shared / "grid_s1").glob("*.mp4"))[:9]
    uploads = [client.upload(clip, kind="video") for clip in clips]
    job = client.wait(client.train(uploads, "trained", CONSENT, accept_quality=True, preset="instant"))
    assert "trained/model.safetensors" in client.files(job)
    spoken = client.wait(client.animate(client.upload(new_sound()), actor="trained"))
    assert "animation.npz" in client.files(spoken)


def test_a_training_is_cancelled(service, clip):
    client = service.client
    job = client.train([client.upload(clip, kind="video")], "cancelled", CONSENT, accept_quality=True)
    end = time.monotonic() + 60
    while client.job(job).stage in (None, "start"):
        assert time.monotonic() < end
        time.sleep(0.05)
    client.cancel(job)
    while not client.job(job).ended:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert client.job(job).state == "cancelled"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"date": "yesterday"}, "date"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": "2026-W01-1"}, "YYYY-MM-DD"),
        ({"date": "2999-01-01"}, "future"),
        ({"speaker": ""}, "speaker"),
        ({"statement": "  "}, "lacks statement"),
        ({"extra": "x"}, "extra"),
    ],
)
def test_a_training_without_consent_is_refused(service, tmp_path, change, words):
    client = service.client
    upload = client.upload(good_video(tmp_path), kind="video")
    with pytest.raises(ServiceError) as refused:
        client.train([upload], "nobody", CONSENT | change)
    assert refused.value.status == 422
    assert words in str(refused.value)


def test_seeds_have_one_limit():
    TrainConfig(seed=MOST_SEED)
    Style(seed=MOST_SEED)
    for settings in (TrainConfig, Style):
        with pytest.raises(UsageError, match="--seed"):
            settings(seed=MOST_SEED + 1)
    for options in (TrainOptions, AnimateOptions):
        assert options(seed=MOST_SEED).seed == MOST_SEED
        with pytest.raises(ValidationError):
            options(seed=MOST_SEED + 1)


def test_a_video_that_comes_again_as_a_sound_stays_a_video(service, tmp_path):
    client = service.client
    video = client.upload(good_video(tmp_path), kind="video")
    again = client.upload(good_video(tmp_path))
    assert (again.id, again.kind) == (video.id, "video")
    client.cancel(client.inspect([video]))


def test_epochs_that_would_do_nothing_are_refused():
    with pytest.raises(ValueError, match="without epochs"):
        TrainOptions(preset="instant", epochs=3)
    assert TrainOptions(preset="instant").epochs == TrainConfig.epochs


def test_a_training_cut_off_after_its_actor_was_installed_is_packed(tmp_path, monkeypatch):
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path / "home"))
    actor = user_actors() / "anna"
    shutil.copytree(find_actor("default"), actor)
    folder = tmp_path / "job"
    (folder / "training").mkdir(parents=True)
    (folder / "training/contact_sheet.png").write_bytes(b"")
    request = {"actor": "anna", "consent": CONSENT, "options": TrainOptions().model_dump()}
    task = {"folder": str(folder), "request": request, "sources": [], "result": str(folder / "result.zip")}
    with pytest.raises(UsageError, match="at least one video"):  # the actor may be another's: it is trained
        train_job(task, no_progress)
    (folder / INSTALLED).write_text(file_sha256(actor / DESCRIPTION))
    assert train_job(task, no_progress)["size"] > 0
    assert {"anna/actor.json", "contact_sheet.png"} <= set(read_members(folder / "result.zip"))


def test_the_name_of_an_actor_that_exists_is_refused(service, tmp_path):
    client = service.client
    upload = client.upload(good_video(tmp_path), kind="video")
    with pytest.raises(ServiceError) as refused:
        client.train([upload], "default", CONSENT)
    assert refused.value.status == 409


def test_a_sound_is_no_video(service, new_sound):
    client = service.client
    sound = client.upload(new_sound())
    with pytest.raises(ServiceError, match="kind=video"):
        client.inspect([sound])

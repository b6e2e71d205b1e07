"""Jobs that look at video: inspection, and training that is refused, cancelled and shown."""

import json
import time
from pathlib import Path

import pytest

from backend.service.client import JobFailed, ServiceError
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
        ({"speaker": ""}, "speaker"),
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

"""Jobs that know what is said: a text to speak, a transcript; and a recording in which nothing is said."""

import ctypes.util
import io
import json
import wave

import numpy as np
import pytest

from backend.service.client import Client, JobFailed, ServiceError
from tests.backend.service.running import QUICK

TEXT = "Bob met a puppy."
needs_espeak = pytest.mark.skipif(ctypes.util.find_library("espeak-ng") is None, reason="espeak-ng is not installed")


@pytest.fixture
def client(service) -> Client:
    return service.client


def markers(client: Client, job) -> dict:
    return json.loads(client.read_file(job, "markers.json"))


def speak(client: Client, text: str, voice: str = "en-us", **options):
    source = {"text": text, "voice": voice}
    return client.wait(client.submit({"kind": "animate", "audio": source, "options": QUICK | options}))


@needs_espeak
def test_a_text_is_spoken_and_its_words_are_marked(client):
    job = speak(client, TEXT, blinks=1.0, head=1.0, seed=3)
    said = markers(client, job)
    assert [word["text"] for word in said["words"]] == ["Bob", "met", "a", "puppy"]
    assert {"b", "m", "p"} <= {phone["symbol"] for phone in said["phones"]}
    assert 0 <= said["words"][0]["start"] < said["words"][-1]["end"] < 5
    animation = np.load(io.BytesIO(client.read_file(job, "animation.npz")))
    assert animation["head_rotation"].shape == (len(animation["offsets"]), 3)


@needs_espeak
def test_the_same_text_is_spoken_once_and_another_voice_is_another_job(client):
    speak(client, "The same again.")
    assert speak(client, "The same again.").cached
    assert not speak(client, "The same again.", "en-us+f2").cached


@needs_espeak
def test_a_voice_that_is_not_there(client):
    with pytest.raises(ServiceError, match="no voice") as refused:
        speak(client, TEXT, "xx-klingon")
    assert refused.value.status == 422


def test_what_is_no_json_is_said(service):
    import httpx

    headers = {"Authorization": f"Bearer {service.token}", "Content-Type": "application/json"}
    answer = httpx.post(f"{service.client.url}/v1/jobs", headers=headers, content=b'{"kind": bad')
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("The request is no JSON (Expecting value at letter ")


@needs_espeak
def test_a_transcript_is_laid_over_its_recording(client):
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed")
    spoken = speak(client, "My mother bought a big brown map")
    sound = client.upload(_audio_of(client, spoken))
    job = client.wait(client.animate(sound, transcript="My mother bought a big brown map", **QUICK))
    assert [word["text"] for word in markers(client, job)["words"]] == [
        "my",
        "mother",
        "bought",
        "a",
        "big",
        "brown",
        "map",
    ]
    with pytest.raises(JobFailed, match="does not fit the sound"):
        client.wait(client.animate(sound, transcript="seven green parrots sang on friday", **QUICK))


def test_a_recording_without_speech_is_told_of(client):
    noise = np.random.default_rng(0).normal(0, 200, 16000).astype("<i2")
    job = client.wait(client.animate(client.upload(_wave(noise)), **QUICK))
    assert job.state == "done"
    assert any("no speech" in warning for warning in job.warnings)
    animation = np.load(io.BytesIO(client.read_file(job, "animation.npz")))
    assert np.abs(np.diff(animation["offsets"], axis=0)).max() < 1e-3


def test_gains_of_what_is_no_shape_are_refused(client, new_sound):
    with pytest.raises(ServiceError, match="jawOpne") as refused:
        client.animate(client.upload(new_sound()), gains={"jawOpne": 1.0}, **QUICK)
    assert refused.value.status == 422


def _audio_of(client: Client, job) -> bytes:
    import urllib.request

    request = urllib.request.Request(f"{client.url}/v1/jobs/{job.id}/audio", headers=client.headers)
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def _wave(samples: np.ndarray) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return content.getvalue()

"""Jobs through a real service: accepted, followed, fetched, shared, cancelled, tried again."""

import io
import json
import threading
import time
import zipfile

import numpy as np
import pytest

from backend.service.client import Client, JobFailed, ServiceError
from tests.backend.service.running import QUICK


@pytest.fixture
def client(service) -> Client:
    return service.client


def test_a_recording_becomes_an_animation(client, new_sound, tmp_path):
    upload = client.upload(new_sound())
    assert upload.seconds == pytest.approx(1.0)
    seen = []
    job = client.wait(client.animate(upload, name="line 1", **QUICK), seen.append)
    assert (job.state, job.name, job.error) == ("done", "line 1", None)
    assert seen[-1].state == "done"
    files = {path.name for path in client.fetch_folder(job, tmp_path / "line")}
    assert files == {"animation.npz", "preview.json", "reference_atlas.png"}
    with np.load(tmp_path / "line" / "animation.npz") as animation:
        assert animation["offsets"].shape == (25, 468, 3)
        assert str(animation["audio_sha256"]) == upload.id
    preview = json.loads((tmp_path / "line" / "preview.json").read_text())
    assert len(preview["gap"]) == 25
    assert len(preview["weights"]) == 52
    assert len(preview["envelope"]) == 100


def test_the_result_equals_that_of_the_command_line(client, new_sound, tmp_path):
    from backend.__main__ import main

    sound = tmp_path / "line.wav"
    sound.write_bytes(new_sound())
    assert main(["animate", str(sound), "--actor", "default", "--no-texture", "--out", str(tmp_path / "own")]) == 0
    job = client.wait(client.animate(client.upload(sound), **QUICK))
    with np.load(tmp_path / "own" / "animation.npz") as own:
        served = np.load(io.BytesIO(client.read_file(job, "animation.npz")))
        for name in own.files:  # numbers of other threads differ in their last digit on some processors
            if own[name].dtype.kind == "f":
                np.testing.assert_allclose(own[name], served[name], atol=1e-6)
            else:
                np.testing.assert_array_equal(own[name], served[name])


def test_an_identical_request_is_answered_from_the_cache(client, new_sound):
    upload = client.upload(new_sound())
    first = client.wait(client.animate(upload, name="one", **QUICK))
    second = client.wait(client.animate(upload, name="two", **QUICK))
    other = client.wait(client.animate(upload, fps=24, **QUICK))
    assert second.cached
    assert second.sha256 == first.sha256
    assert not other.cached
    assert other.sha256 != first.sha256


def test_jobs_asked_for_together_are_done_once(client, new_sound):
    upload = client.upload(new_sound())
    jobs = [client.animate(upload, name=f"line {number}", **QUICK) for number in range(4)]
    done = [client.wait(job) for job in jobs]
    assert sorted(job.cached for job in done) == [False, True, True, True]
    assert len({job.sha256 for job in done}) == 1


def test_an_idempotency_key_names_one_job(client, new_sound):
    request = {"kind": "animate", "audio": {"upload": client.upload(new_sound()).id}, "options": QUICK}
    first = client.submit(request, "a-key-of-mine")
    assert client.submit(request, "a-key-of-mine").id == first.id
    with pytest.raises(ServiceError) as refused:
        client.submit(request | {"priority": 9}, "a-key-of-mine")
    assert refused.value.status == 409


def test_a_batch_does_its_lines_and_says_which_failed(client, new_sound):
    names = ("line", "Line", "lines.json")
    lines = [{"name": name, "audio": client.upload(new_sound(0.5)), "options": QUICK} for name in names]
    job = client.wait(client.batch(lines, name="scene"))
    folders = ("line", "Line (2)", "lines.json (2)")
    assert {"lines.json", *(f"{name}/animation.npz" for name in folders)} <= set(client.files(job))
    report = json.loads(client.read_file(job, "lines.json"))
    assert [row["state"] for row in report] == ["done"] * 3


def test_cancel_ends_a_running_job(client, new_sound):
    job = client.animate(client.upload(new_sound(20.0)), texture=True)
    _wait_for(client, job, "running")
    time.sleep(0.3)
    assert client.cancel(job).state in ("cancelling", "cancelled")
    _wait_for(client, job, "cancelled")
    with pytest.raises(ServiceError) as refused:
        client.fetch_result(job, None)  # type: ignore[arg-type]
    assert "cancelled" in str(refused.value)
    client.cancel(job)  # twice is no error
    client.wait(client.animate(client.upload(new_sound()), **QUICK))  # and there is a worker again


def test_a_waiting_job_can_be_cancelled_and_retried(client, new_sound):
    blocking = client.animate(client.upload(new_sound(15.0)), texture=True)
    job = client.animate(client.upload(new_sound()), **QUICK)
    assert client.job(job).ahead is not None
    assert client.cancel(job).state == "cancelled"
    with pytest.raises(JobFailed):
        client.wait(job)
    client.cancel(blocking)
    assert client.retry(job).state in ("queued", "running", "done")
    assert client.wait(job).state == "done"
    with pytest.raises(ServiceError) as refused:
        client.retry(job)
    assert refused.value.status == 409


def test_priority_goes_before_age(client, new_sound):
    blocking = client.animate(client.upload(new_sound(15.0)), texture=True)
    late = client.animate(client.upload(new_sound()), priority=1, **QUICK)
    soon = client.animate(client.upload(new_sound()), priority=8, **QUICK)
    assert client.job(late).everything["ahead"] > client.job(soon).everything["ahead"]
    client.cancel(blocking)
    late, soon = client.wait(late), client.wait(soon)
    assert soon.everything["started"] < late.everything["started"]


def test_progress_by_stage_with_time_left(client, new_sound):
    seen = []
    client.wait(client.animate(client.upload(new_sound(4.0)), texture=True), seen.append)
    texture = [job for job in seen if job.stage == "texture"]
    assert texture
    assert all(0 < job.done <= job.total == 100 for job in texture)
    assert any(job.seconds_left is not None for job in texture)


def test_several_follow_one_job(client, new_sound):
    job = client.animate(client.upload(new_sound(2.0)), texture=True)
    ends = []
    threads = [threading.Thread(target=lambda: ends.append(client.wait(job).state)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert ends == ["done"] * 5


def test_parts_of_a_result(client, new_sound, service):
    import httpx

    job = client.wait(client.animate(client.upload(new_sound()), **QUICK))
    headers = {"Authorization": f"Bearer {service.token}"}
    place = f"{client.url}/v1/jobs/{job.id}/result"
    whole = httpx.get(place, headers=headers).content
    assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None
    part = httpx.get(place, headers=headers | {"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole)}"
    assert httpx.get(place, headers=headers | {"Range": "bytes=-10"}).content == whole[-10:]
    assert httpx.get(place, headers=headers | {"Range": f"bytes={len(whole)}-"}).status_code == 416
    etag = part.headers["etag"]
    assert httpx.get(place, headers=headers | {"If-None-Match": etag}).status_code == 304
    stale = httpx.get(place, headers=headers | {"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (stale.status_code, len(stale.content)) == (200, len(whole))
    member = f"{client.url}/v1/jobs/{job.id}/files/preview.json"
    assert httpx.get(member, headers=headers | {"Range": "bytes=0-0"}).content == b"{"


def test_what_is_missing_is_named(client, new_sound):
    for call, status, words in (
        (lambda: client.job("0" * 32), 404, "no job"),
        (lambda: client.job("not-an-id"), 422, "job_id"),
        (lambda: client.submit({"kind": "animate", "audio": {"upload": "0" * 64}}), 404, "no upload"),
        (lambda: client.submit({"kind": "dance"}), 422, "kind"),
        (lambda: client.animate(client.upload(new_sound(0.3)), actor="nobody"), 404, "no actor"),
        (lambda: client.animate(client.upload(new_sound(0.3)), fps=1000), 422, "fps"),
        (lambda: client.upload(b"this is no sound"), 422, "decoded"),
        (lambda: client.upload(b""), 422, "empty"),
    ):
        with pytest.raises(ServiceError) as refused:
            call()
        assert (refused.value.status, words in str(refused.value)) == (status, True), str(refused.value)


@pytest.mark.parametrize(
    ("audio", "sentence"),
    [
        ({"text": "a" * 7500}, "audio.text: string should have at most 5000 characters."),
        ({"text": ""}, "audio.text: string should have at least 1 character."),
        ({"text": "a", "upload": "0" * 64}, "audio.text: extra inputs are not permitted."),
        ({"path": 1}, "audio.path: input should be a valid string."),
        ({"words": "a"}, "audio: should have 'upload', 'path' or 'text'."),
    ],
    ids=["long", "empty", "two", "number", "none"],
)
def test_what_is_wrong_with_a_source_is_said_of_that_one_alone(client, audio, sentence):
    with pytest.raises(ServiceError) as refused:
        client.submit({"kind": "animate", "audio": audio})
    assert (refused.value.status, str(refused.value)) == (422, sentence)


def test_a_training_without_enough_face_fails_with_its_sentence(client, new_sound):
    with pytest.raises(ServiceError) as refused:
        client.upload(new_sound(), kind="video")
    assert refused.value.status == 422
    assert "no video stream" in str(refused.value)


def _wait_for(client: Client, job, state: str) -> None:
    end = time.monotonic() + 60
    while client.job(job).state != state:
        assert time.monotonic() < end, client.job(job)
        time.sleep(0.02)

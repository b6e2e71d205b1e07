"""A service that is broken on purpose: killed, its workers killed, its disk filled. `benchmarks/service_faults.py`
does each of these many times under load."""

import contextlib
import hashlib
import os
import signal
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.actor_file import MODEL
from backend.service.client import JobFailed, ServiceError
from tests.backend.service.mutations import good_actor, pack
from tests.backend.service.running import QUICK, make_sound, running_service


def test_kill_9_loses_nothing(tmp_path):
    with running_service(tmp_path) as service:
        client = service.client
        done = client.wait(client.animate(client.upload(make_sound(1)), **QUICK))
        before = client.fetch_result(done, tmp_path / "before.zip").read_bytes()
        jobs = [client.animate(client.upload(make_sound(2, 3.0)), texture=True)]
        jobs += [client.animate(client.upload(make_sound(number)), **QUICK) for number in range(3, 8)]
        _until(lambda: client.job(jobs[0]).stage == "texture")
        workers = service.workers()
        service.kill()
        _until(lambda: not any(_is_there(process) for process in workers))
        client = service.start().client
        assert client.fetch_result(done, tmp_path / "after.zip").read_bytes() == before
        finished = [client.wait(job) for job in jobs]
        assert {job.state for job in finished} == {"done"}
        assert finished[0].everything["tries"] == 2
        for job in finished:
            content = client.fetch_result(job, tmp_path / "result.zip").read_bytes()
            assert hashlib.sha256(content).hexdigest() == job.sha256
        assert service.stop() == 0
        assert not (service.home / "service.json").exists()
        assert (service.data / "backup.sqlite").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signal to one process")
@pytest.mark.parametrize("times", [1, 3])
def test_ctrl_c_is_no_error_however_often(tmp_path, times):
    with running_service(tmp_path) as service:
        for _ in range(times - 1):
            service.process.send_signal(signal.SIGINT)
        assert service.stop(signal.SIGINT) == 0
        assert "error:" not in service.output
        assert "Traceback" not in service.output


@pytest.mark.skipif(os.name == "nt", reason="Windows closes no terminal so")
def test_a_terminal_that_is_closed_stops_the_service_in_order(tmp_path):
    with running_service(tmp_path) as service:
        assert service.stop(signal.SIGHUP) == 0
        assert not (service.home / "service.json").exists()


def test_a_killed_worker_is_replaced_and_its_job_done_again(service, new_sound):
    client = service.client
    job = client.animate(client.upload(new_sound(4.0)), texture=True)
    _until(lambda: client.job(job).stage == "texture")
    for process in service.workers():
        os.kill(process, signal.SIGKILL)
    assert client.wait(job).everything["tries"] == 2


def test_a_job_that_kills_every_worker_fails_and_nothing_else(service, new_sound):
    client = service.client
    job = client.animate(client.upload(new_sound(8.0)), texture=True)
    for _ in range(2):
        _until(lambda: client.job(job).stage == "texture")
        for process in service.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        _until(lambda: client.job(job).stage != "texture")
    with pytest.raises(JobFailed, match=r"worker ended 2 times.*SIGKILL"):
        client.wait(job)
    assert client.wait(client.animate(client.upload(new_sound()), **QUICK)).state == "done"


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of 24 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this machine does not let tests mount a small disk")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


needs_small_disk = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="a small disk is mounted by root only"
)


@needs_small_disk
def test_a_full_disk_fails_the_job_with_that_sentence_and_the_service_lives(tmp_path, small_disk):
    with running_service(tmp_path / "home", "--data", str(small_disk / "data")) as service:
        client = service.client
        upload = client.upload(make_sound(1, 2.0))
        job = client.animate(upload, texture=True)
        _until(lambda: client.job(job).state == "running")
        _fill(small_disk / "filler")
        with pytest.raises(JobFailed, match=r"disk .* is full"):
            client.wait(job)
        assert client.health()["status"] == "degraded"
        _fill(small_disk / "filler")  # what the service gave back of its reserve
        with pytest.raises(ServiceError) as refused:
            client.upload(make_sound(2, 2.0))
        assert refused.value.status == 507
        (small_disk / "filler").unlink()
        assert client.wait(client.retry(job)).state == "done"


@needs_small_disk
def test_a_disk_that_fills_while_an_upload_is_looked_at_is_507(tmp_path, small_disk):
    """A network of zeros has few bytes as a zip, and more than the disk once it is unpacked."""
    files = good_actor() | {MODEL: bytes(64 << 20)}
    with running_service(tmp_path / "home", "--data", str(small_disk / "data")) as service:
        with pytest.raises(ServiceError, match=r"disk .* is full.*try again") as refused:
            service.client._json("POST", "/v1/actors", pack(files, zipfile.ZIP_DEFLATED))
        assert refused.value.status == 507


def _fill(path: Path) -> None:
    for size in (1 << 16, 1):
        with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
            while file.write(bytes(size)):
                pass


def _until(check) -> None:
    end = time.monotonic() + 90
    while not check():
        assert time.monotonic() < end
        time.sleep(0.02)


def _is_there(process: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False

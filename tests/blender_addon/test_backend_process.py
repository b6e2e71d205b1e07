"""The add-on finds, starts and stops the real backend, which does not outlive the program that started it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blender_addon.backend_process import Backend, BackendChoice, default_checkout, python_of, remote_client
from blender_addon.client import Client, ServiceError
from blender_addon.errors import BackendError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A user without a backend."""
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path / "home"


def answers(home: Path) -> bool:
    try:
        Client.find(home, timeout=2)
    except ServiceError:
        return False
    return True


def wait_for_silence(home: Path, seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not answers(home):
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(not (ROOT / ".venv").is_dir(), reason="this checkout has no environment of its own")
def test_it_starts_finds_and_stops_the_backend(home):
    backend, choice = Backend(), BackendChoice(default_checkout())
    assert backend.check(choice) == (False, "Not running; it starts with the first animation")
    client = backend.connect(choice)
    assert backend.started
    other = Backend()
    assert other.connect(choice).url == client.url  # found, not started again
    assert not other.stop()
    running, sentence = other.check(choice)
    assert running
    assert "default" in sentence
    token = (home / "service" / "token").read_text().strip()
    assert other.connect(BackendChoice(address=client.url, token=token)).url == client.url
    with pytest.raises(BackendError, match="token"):
        other.connect(BackendChoice(address=client.url, token="wrong"))
    assert backend.stop()
    assert wait_for_silence(home)
    assert not backend.started


@pytest.mark.skipif(sys.platform != "linux" or not (ROOT / ".venv").is_dir(), reason="kills a process as Linux does")
def test_a_killed_blender_leaves_no_backend(home):
    code = (
        "import time\nfrom blender_addon.backend_process import *\n"
        "Backend().connect(BackendChoice(default_checkout()))\nprint('ready', flush=True)\ntime.sleep(100)"
    )
    blender = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, env=dict(os.environ))
    assert blender.stdout is not None
    assert blender.stdout.readline() == b"ready\n"
    assert answers(home)
    blender.kill()
    blender.wait()
    assert wait_for_silence(home)


@pytest.mark.skipif(sys.platform != "linux", reason="kills a process as Linux does")
def test_a_killed_blender_leaves_no_set_up_and_no_microphone(tmp_path):
    code = (
        "import subprocess, sys, time\nfrom pathlib import Path\nfrom blender_addon.watched import start_watched\n"
        "child = 'import os, time; print(os.getpid(), flush=True); time.sleep(100)'\n"
        "start_watched(sys.executable, [sys.executable, '-c', child], Path('.'), sys.stdout)\ntime.sleep(100)"
    )
    blender = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert blender.stdout is not None
    process = Path("/proc") / blender.stdout.readline().decode().strip()
    assert process.exists()
    blender.kill()
    blender.wait()
    end = time.monotonic() + 60
    while process.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not process.exists()


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (BackendChoice(), "No backend is chosen"),
        (BackendChoice(Path("/")), "no Mouthpiece checkout"),
        (BackendChoice(address="http://192.0.2.1:80"), "Online Access"),
        (BackendChoice(address="http://127.0.0.1:9"), "does not answer"),
        (BackendChoice(address="nonsense"), "no address"),
        (BackendChoice(address="127.0.0.1:8427"), "no address"),
        (BackendChoice(address="http://[::1:80"), "no address"),
        (BackendChoice(address="http://127.0.0.1:9", token="tökén"), "token"),
    ],
)
def test_what_is_wrong_is_said(home, choice, words):
    with pytest.raises(BackendError, match=words):
        Backend().connect(choice)
    running, sentence = Backend().check(choice)
    assert not running
    assert words in sentence


def test_a_checkout_without_environment_says_how_to_make_it(tmp_path):
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "__main__.py").touch()
    with pytest.raises(BackendError, match=r"build.py setup"):
        python_of(tmp_path)
    with pytest.raises(BackendError, match="address"):
        remote_client(BackendChoice(address="https://127.0.0.1"), 1)

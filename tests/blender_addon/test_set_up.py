"""The backend's environment is made whole or not at all, and every fault of its making is one sentence."""

import importlib.metadata
import json
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from blender_addon import long_paths, python_finder, set_up
from blender_addon.backend_process import Backend, BackendChoice, place_of
from blender_addon.background import Background, Finished, Progress
from blender_addon.errors import BackendError
from blender_addon.python_finder import find_python
from blender_addon.set_up import SetUpRequest, check_space, environment_python, explain, remove_environment, state
from blender_addon.watched import clean_environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def request_(tmp_path: Path, monkeypatch) -> SetUpRequest:
    """A backend that needs no libraries."""
    bundle = tmp_path / "bundle"
    (bundle / "backend").mkdir(parents=True)
    (bundle / "requirements").mkdir()
    for group in (*set_up.GROUPS, "training"):
        (bundle / "requirements" / f"{group}.txt").write_text("# nothing\n")
    monkeypatch.setattr(set_up, "PROBE", "import json")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return SetUpRequest(tmp_path / "user", bundle, sys.executable)


def finish(work: Background, cancel_at: str = "", seconds: float = 120) -> tuple[list[Progress], Finished]:
    """Run to the end; cancel once a stage has begun."""
    said, end = [], time.monotonic() + seconds
    work.start()
    while time.monotonic() < end:
        for message in work.poll():
            if isinstance(message, Finished):
                return said, message
            said.append(message)
            if cancel_at and message.stage.startswith(cancel_at):
                work.cancel()
        time.sleep(0.01)
    raise AssertionError("the set-up did not end")


def run(request: SetUpRequest, **options) -> tuple[list[Progress], Finished]:
    return finish(Background(lambda background: set_up.set_up(background, request)), **options)


def test_it_makes_an_environment_that_is_found(request_):
    assert state(request_.folder, request_.bundle) == (False, "Not set up")
    said, end = run(request_)
    assert "is set up in" in end.result
    fractions = [message.fraction for message in said]
    assert fractions == sorted(fractions)
    assert said[0].stage == "looking for Python"
    assert environment_python(request_.folder).exists()
    assert state(request_.folder, request_.bundle)[0]
    log = (request_.folder / set_up.LOG).read_text("utf-8")
    assert "inference.txt" in log
    assert "service.txt" in log
    (request_.bundle / "requirements" / "service.txt").write_text("# something new\n")
    assert "was updated" in state(request_.folder, request_.bundle)[1]
    (request_.folder / "environment" / set_up.STAMP).unlink()
    assert "not finished" in state(request_.folder, request_.bundle)[1]


@pytest.mark.parametrize("stage", ["looking", "making"])
def test_cancelling_leaves_nothing(request_, stage):
    _, end = run(request_, cancel_at=stage)
    assert end == Finished()
    assert not (request_.folder / "environment").exists()


def test_a_library_that_cannot_be_had_is_named_and_nothing_is_left(request_):
    (request_.bundle / "requirements" / "inference.txt").write_text("surely-there-is-no-such-library==1.0\n")
    _, end = run(request_)
    assert end.result is None
    assert "no package surely-there-is-no-such-library==1.0 for this Python" in end.error
    assert set_up.LOG in end.error
    assert not (request_.folder / "environment").exists()


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk is full"),
        (
            "NewConnectionError: [Errno -3] Temporary failure in name resolution",
            "check the network",
        ),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "PIP_CERT"),
        ("a\nERROR: the package is odd.\nb", "the package is odd"),
        ("Traceback\n  x\nImportError: libgomp.so.1: cannot open", "libgomp.so.1"),
        ("", "said nothing"),
    ],
)
def test_what_pip_says_is_explained(words, meaning):
    assert meaning in explain(words)


def test_an_environment_in_use_is_named_and_stays_whole(request_, monkeypatch):
    kept = request_.folder / "environment" / "library.py"
    kept.parent.mkdir(parents=True)
    kept.write_text("")
    refused = PermissionError(13, "The process cannot access the file")
    with monkeypatch.context() as held:
        held.setattr(Path, "replace", lambda source, target: (_ for _ in ()).throw(refused))
        _, end = run(request_)
    assert "environment is in use" in end.error
    assert kept.exists()
    remove_environment(request_.folder)
    assert not list(request_.folder.iterdir())


def test_an_environment_is_where_its_paths_fit(request_, tmp_path, monkeypatch):
    users = r"C:\Users\firstname.lastname\AppData"
    own = Path(users + r"\Roaming\Blender Foundation\Blender\4.5\extensions\.user\user_default\mouthpiece\backend")
    short = Path(users + r"\Local\mouthpiece\env")
    assert long_paths.choose_folder(own, short) == own  # of this system
    monkeypatch.setattr(long_paths, "long_paths_allowed", lambda: False)
    assert long_paths.choose_folder(own, short) == short
    assert long_paths.choose_folder(Path("C:/b"), short) == Path("C:/b")
    long_paths.check_length(short)
    made = tmp_path / ("long" * 30)
    assert long_paths.choose_folder(made, short) == short
    (made / "environment").mkdir(parents=True)
    assert long_paths.choose_folder(made, short) == made
    _, end = run(replace(request_, folder=made / "environment"))
    assert re.search(r"Windows takes paths of 259 letters, and those in .* get \d+ long; set", end.error)
    assert not list((made / "environment").iterdir())


def test_the_longest_path_is_known():
    files = importlib.metadata.files("torch") or []
    longest = max(len(str(file).replace("+cpu", "")) for file in files)
    assert len("/environment/Lib/site-packages/") + longest <= long_paths.LONGEST


def test_a_full_disk_is_told_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(set_up, "NEEDED_BYTES", 10**18)
    with pytest.raises(BackendError, match="free some space"):
        check_space(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError, match="cannot be made"):
        check_space(tmp_path / "file" / "below")


def test_the_python_is_chosen_sensibly(monkeypatch, tmp_path):
    monkeypatch.delenv(python_finder.VARIABLE, raising=False)
    versions = {("blenders",): (3, 13), ("old",): (3, 9), ("systems",): (3, 11)}
    monkeypatch.setattr(python_finder, "candidates", lambda: iter(versions))
    monkeypatch.setattr(python_finder, "probe", versions.get)
    assert find_python().command == ("blenders",)
    assert find_python(training=True).command == ("systems",)
    assert find_python("systems").version == (3, 11)
    with pytest.raises(BackendError, match=r"old is no Python 3\.11, 3\.12 or 3\.13"):
        find_python("old")
    del versions["blenders",], versions["systems",]
    with pytest.raises(BackendError, match=r"install Python 3.11"):
        find_python()
    monkeypatch.undo()
    assert python_finder.probe((str(tmp_path / "nothing"),)) is None
    assert python_finder.probe((sys.executable,)) == sys.version_info[:2]
    assert (sys.executable,) in list(python_finder.candidates())


def test_the_backend_runs_in_the_environment_that_was_set_up(tmp_path, monkeypatch):
    choice = BackendChoice(folder=tmp_path)
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path / "home"))
    with pytest.raises(BackendError, match="carries no backend"):
        place_of(choice)
    monkeypatch.setattr("blender_addon.backend_process.BUNDLE", ROOT)
    monkeypatch.setattr("blender_addon.backend_process.state", lambda folder: (True, ""))
    assert place_of(choice) == (environment_python(tmp_path), ROOT)
    running, sentence = Backend().examine(choice)  # its Python is not there
    assert not running
    assert "press Set Up Backend" in sentence


@pytest.mark.skipif(not (ROOT / ".venv").is_dir(), reason="this checkout has no environment of its own")
def test_a_broken_library_is_named_with_what_mends_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path / "home"))
    broken = tmp_path / "broken"
    (broken / "safetensors").mkdir(parents=True)
    (broken / "safetensors" / "__init__.py").write_text("raise ImportError('safetensors is broken here')")
    choice = BackendChoice(ROOT)
    monkeypatch.setattr(
        "blender_addon.backend_process.clean_environment",
        lambda: {**clean_environment(), "PYTHONPATH": str(broken)},
    )
    running, sentence = Backend().examine(choice)
    assert not running
    assert "safetensors is broken here" in sentence
    assert "build.py setup --only inference" in sentence


def test_a_damaged_stamp_counts_as_unfinished(request_):
    place = request_.folder / "environment"
    place.mkdir(parents=True)
    for text in ("", "[]", "{"):
        (place / set_up.STAMP).write_text(text)
        assert not state(request_.folder, request_.bundle)[0]
    (place / set_up.STAMP).write_text(json.dumps({"groups": [], "requirements": "", "python": "3.11"}))
    assert "is gone" in state(request_.folder, request_.bundle)[1]

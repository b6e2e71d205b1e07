"""What `train` refuses before any video is opened, and which unfinished run it may go on with."""

import copy
import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from backend.actor_library import find_actor
from backend.errors import Cancelled, InputError, UsageError
from backend.file_lock import Lock
from backend.progress import no_progress
from backend.training import first_weights
from backend.training.batches import Span
from backend.training.config import TrainConfig
from backend.training.report_page import REPORT, SHEET
from backend.training.train import (
    CHECKPOINT,
    LOCK,
    SETTINGS,
    TrainRequest,
    _check_unfinished,
    _open_work_folder,
    _prepare,
    _settings,
    seen_seconds,
    train,
    trained_until,
)
from backend.trust.provenance import file_sha256
from models.presets import PRESETS


@pytest.fixture
def ask(tmp_path):
    """Return a function that asks for a training of a video with these bytes."""

    def request(content: bytes = b"one", resume: bool = False, seed: int = 0, device: str = "auto") -> TrainRequest:
        video = tmp_path / "speaker.mp4"
        video.write_bytes(content)
        config = TrainConfig(preset="fast", seed=seed, device=device)
        return TrainRequest((video,), "anna", tmp_path / "consent.json", None, tmp_path / "work", config, resume)

    return request


def begin(request: TrainRequest) -> Path:
    """What a run that was cut short leaves."""
    work = _open_work_folder(request)
    _check_unfinished(work, request.resume, _settings(request))
    (work / SETTINGS).write_text(json.dumps(_settings(request)), encoding="utf-8")
    (work / CHECKPOINT).write_bytes(b"")
    return work


@pytest.mark.parametrize(
    "values",
    [
        {"preset": "best"},
        {"preset": "instant", "from_scratch": True},
        {"preset": "instant", "epochs": 3},
        {"epochs": 0},
        {"seed": -1},
        {"teeth_views": -1},
        {"teeth_sharpened": 1.5},
        {"face_share": 1.0},
        {"appearance_share": 1.0},
        {"held_out": 0.6},
    ],
)
def test_settings_are_checked(values):
    with pytest.raises(UsageError, match=list(values)[-1].replace("_", ".")):
        TrainConfig(**values)


def test_an_unfinished_run_waits_for_resume(ask):
    work = begin(ask())
    with pytest.raises(UsageError, match="--resume"):
        begin(ask())
    assert begin(ask(resume=True)) == work
    assert begin(ask(resume=True, device="cpu")) == work


@pytest.mark.parametrize(("change", "named"), [({"content": b"another"}, "videos"), ({"seed": 1}, "seed")])
def test_a_run_goes_on_with_its_own_videos_and_settings_alone(ask, change, named):
    begin(ask())
    with pytest.raises(UsageError, match=f"started with other {named};"):
        begin(ask(resume=True, **change))


@pytest.mark.parametrize("damage", [None, b"\xff\xfe"])
def test_a_run_whose_settings_are_lost(ask, damage):
    work = begin(ask())
    (work / SETTINGS).unlink() if damage is None else (work / SETTINGS).write_bytes(damage)
    with pytest.raises(UsageError, match="delete it and begin again"):
        begin(ask(resume=True))


def test_a_folder_of_somebody_elses_is_left_alone(ask):
    request = ask()
    request.work_folder.mkdir()
    (request.work_folder / "config.json").write_text("mine")
    with pytest.raises(UsageError, match="holds other files"):
        begin(request)
    assert [path.name for path in request.work_folder.iterdir()] == ["config.json"]


def test_a_missing_video_and_one_that_is_there_twice_are_named(ask, tmp_path):
    with pytest.raises(UsageError, match=r"nowhere\.mp4"):
        _settings(replace(ask(), videos=(Path("nowhere.mp4"),)))
    ask()
    (tmp_path / "copy.mp4").write_bytes(b"one")
    with pytest.raises(UsageError, match="the same video"):
        _settings(replace(ask(), videos=(tmp_path / "speaker.mp4", tmp_path / "copy.mp4")))


def test_two_trainings_do_not_share_a_work_folder(tmp_path, consent):
    (tmp_path / "film.mp4").write_bytes(b"film")
    request = TrainRequest((tmp_path / "film.mp4",), "anna", consent, tmp_path / "anna", tmp_path / "work")
    (tmp_path / "work").mkdir()
    other = Lock(tmp_path / "work" / LOCK)
    assert other.take()
    (tmp_path / "work" / CHECKPOINT).touch()  # nobody is told to delete what is being worked on
    with pytest.raises(UsageError, match="Another training"):
        train(request)
    other.release()
    (tmp_path / "work" / CHECKPOINT).unlink()
    with pytest.raises(InputError):  # on it goes, to the video, which is none
        train(request)


def test_a_new_run_begins_without_what_an_earlier_one_drew(tmp_path, consent):
    (tmp_path / "film.mp4").write_bytes(b"film")
    request = TrainRequest((tmp_path / "film.mp4",), "anna", consent, tmp_path / "anna", tmp_path / "work")
    work = _open_work_folder(request)
    for name in (LOCK, REPORT, SHEET):
        (work / name).touch()
    with pytest.raises(InputError):  # the video is none
        train(request)
    assert not (work / REPORT).exists()
    assert not (work / SHEET).exists()
    for name in (CHECKPOINT, REPORT, SHEET):
        (work / name).touch()
    (work / SETTINGS).write_text(json.dumps(_settings(request)))
    with pytest.raises(InputError):
        train(replace(request, resume=True))
    assert (work / SHEET).exists()


@pytest.mark.parametrize(
    ("left", "says"),
    [
        ((), "begins again"),
        (("dataset.partial/parts/00000_track.npz",), "videos that were tracked are kept"),
        (("dataset/dataset.json", "dataset.partial/digest"), "begins again"),
        (("dataset/dataset.json",), "the tracked video is kept"),
        (("dataset/dataset.json", CHECKPOINT), "finished epochs are kept .* --resume"),
    ],
)
def test_a_stop_says_what_is_kept_and_how_to_go_on(tmp_path, consent, monkeypatch, left, says):
    def stop(*_, **__):
        for name in left:
            (tmp_path / "work" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "work" / name).touch()
        raise KeyboardInterrupt

    monkeypatch.setattr("backend.training.dataset.build_dataset", stop)
    (tmp_path / "film.mp4").write_bytes(b"film")
    with pytest.raises(Cancelled, match=says):
        train(TrainRequest((tmp_path / "film.mp4",), "anna", consent, tmp_path / "anna", tmp_path / "work"))


def test_a_device_that_cannot_be_leaves_no_work_folder(tmp_path, consent):
    (tmp_path / "film.mp4").write_bytes(b"film")
    config = TrainConfig(device="abacus")
    with pytest.raises(UsageError, match="abacus"):
        train(TrainRequest((tmp_path / "film.mp4",), "anna", consent, tmp_path / "anna", tmp_path / "work", config))
    assert not (tmp_path / "work").exists()


def test_a_training_without_a_voice_model_to_start_from_is_refused(formula_dataset, tmp_path, monkeypatch):
    missing = partial(first_weights.start_from_voice, voice=tmp_path / "none.safetensors")
    monkeypatch.setattr(first_weights, "start_from_voice", missing)
    config = TrainConfig(preset="fast")
    videos = (tmp_path / "film.mp4",)
    request = TrainRequest(videos, "anna", tmp_path / "consent.json", tmp_path / "anna", tmp_path, config)
    with pytest.raises(UsageError, match="--from-scratch"):
        _prepare(request, PRESETS["fast"], formula_dataset, tmp_path, np.ones((128, 128), np.float32), no_progress)


def test_only_frames_that_show_a_face_are_material(formula_dataset):
    spans = [Span(0, 250), Span(500, 751)]
    assert seen_seconds(formula_dataset, spans) == pytest.approx(250 / 25 + 250 / 25, abs=0.05)
    lost = copy.copy(formula_dataset)
    lost.valid = np.arange(len(lost.valid)) >= 500
    assert seen_seconds(lost, spans) == pytest.approx(10, abs=0.05)


def test_what_was_trained_on_of_a_video_ends_with_its_last_frame(formula_dataset, tmp_path, monkeypatch):
    monkeypatch.setitem(formula_dataset.description, "clips", [{"video": 0}])
    (tmp_path / "speaker.mp4").write_bytes(b"one")
    seen = trained_until((tmp_path / "speaker.mp4",), formula_dataset, [Span(0, 250), Span(500, 601)])
    assert seen == {file_sha256(tmp_path / "speaker.mp4"): 600 / 25}


@pytest.fixture
def consent(tmp_path) -> Path:
    """A valid record."""
    record = {"speaker": "A", "statement": "yes", "given_by": "A", "date": "2026-01-01", "licence": "CC0-1.0"}
    (tmp_path / "consent.json").write_text(json.dumps(record))
    return tmp_path / "consent.json"


@pytest.mark.parametrize(
    ("video", "work", "says"),
    [
        ("film.mp4", "work", "other files"),
        ("out/film.mp4", "work", "would replace"),
        ("film.mp4", "out/work", "would replace"),
    ],
)
def test_an_actor_replaces_neither_an_animation_nor_what_is_read(tmp_path, consent, video, work, says):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "animation.npz").touch()
    videos = (tmp_path / video,)
    request = TrainRequest(
        videos, "anna", consent, out=tmp_path / "out", work=tmp_path / work, overwrite=True, accept_quality=True
    )
    with pytest.raises(UsageError, match=says):
        train(request)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["animation.npz"]


def test_the_voice_model_that_training_starts_from_is_not_replaced(tmp_path, consent, monkeypatch):
    voice = shutil.copytree(find_actor("voice"), tmp_path / "voice")
    monkeypatch.setattr("backend.training.train.VOICE", voice)
    with pytest.raises(UsageError, match="would replace"):
        train(TrainRequest((tmp_path / "film.mp4",), "anna", consent, out=voice, overwrite=True))
    assert (voice / "model.safetensors").exists()

"""From clips to a dataset: contents, clips as one video, resuming, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from backend.audio.offset import NOT_MEASURED, Offset
from backend.errors import Cancelled, InputError, UsageError
from backend.normalisation.pose import apply
from backend.training import clips
from backend.training.clips import audio_offset
from backend.training.dataset import DatasetConfig, build_dataset, open_dataset
from backend.training.tracked_clip import TrackedClip

CLIPS = ("bbaf4p.mp4", "bbaf5a.mp4")


@pytest.fixture(scope="module")
def videos(shared):
    return [shared / "grid_s1" / name for name in CLIPS]


@pytest.fixture(scope="module")
def dataset(videos, tmp_path_factory):
    return build_dataset(videos, tmp_path_factory.mktemp("dataset") / "speaker")


def test_two_clips_are_one_dataset(dataset):
    frames = len(dataset)
    assert frames == 150  # two clips of 3 s at 25 fps
    assert dataset.clip.tolist() == [0] * 75 + [1] * 75
    np.testing.assert_allclose(np.diff(dataset.times[:75]), 0.04, atol=1e-6)
    assert dataset.valid.all()
    assert dataset.vertices.shape == (frames, 468, 3)
    assert dataset.weights.shape == (frames, 52)
    assert dataset.crops.shape == (frames, 128, 128, 3)
    assert dataset.crops.dtype == np.uint8
    assert len(dataset.audio(1)) == pytest.approx(3 * 16_000, abs=1600)
    assert dataset.warnings == ["Whether lips and sound agree was not checked: that takes 30 s of video."]
    assert dataset.description["audio_offset"] == {"seconds": None, "correlation": None}


def test_a_video_of_half_a_minute_is_checked(monkeypatch):
    """750 frames, of which the last begins at 29.96 s; and one of them fewer."""
    lag = Offset(0.1, 0.7)
    monkeypatch.setattr(clips, "estimate_offset", lambda _: lag)
    monkeypatch.setattr(TrackedClip, "landmarks", np.zeros((1, 468, 3)))
    for frames, expected in ((750, lag), (749, NOT_MEASURED)):
        clip = TrackedClip(Path("a.mp4"), Path("00000"), np.arange(frames) / 25, *[np.zeros(0)] * 3)
        assert audio_offset([clip], []) is expected


def test_clips_know_their_files_by_their_places_not_by_their_names(dataset):
    assert dataset.videos([Path("a/1.mp4"), Path("b/1.mp4")]) == [Path("a/1.mp4"), Path("b/1.mp4")]


def test_values_have_their_units(dataset):
    eyes = np.linalg.norm(dataset.vertices[:, 33] - dataset.vertices[:, 263], axis=1)
    assert np.median(eyes) == pytest.approx(1.0, abs=0.02)
    assert 0 <= dataset.visible.min() <= dataset.visible.max() <= 1
    assert dataset.visible.max() > 0.8
    assert 0 <= dataset.weights.min() <= dataset.weights.max() <= 1
    assert 0.02 < dataset.interior.mean() < 0.2
    assert not np.any(dataset.interior & (dataset.mask == 0))


def test_poses_carry_the_frame_into_head_space(dataset):
    """The pose of a frame maps pixels; its scale is that of a face of about 90 pixels between the eyes."""
    scale = np.cbrt(np.linalg.det(dataset.poses[..., :3]))
    assert np.all((scale > 1 / 150) & (scale < 1 / 50))
    centre = apply(np.asarray(dataset.poses[0], np.float64), np.array([[180.0, 144.0, 0.0]]))
    assert np.abs(centre[0, :2]).max() < 2


def test_crops_are_steady_where_the_face_is(dataset):
    """Normalised skin changes less over time than it varies over the face."""
    crops = np.asarray(dataset.crops, np.float32) / 255
    skin = (dataset.mask[:] > 0) & ~dataset.interior[:]
    assert crops.std(axis=0)[skin].mean() < 0.5 * crops.mean(axis=0)[skin].std()


def test_an_existing_dataset_is_opened_not_built(dataset, videos):
    def fail(*_):
        raise AssertionError("built again")

    again = build_dataset(videos, dataset.folder, progress=fail)
    assert again.description == dataset.description


def test_an_interrupted_build_is_taken_up_again(videos, tmp_path):
    def stop(stage, done, total):
        if stage == "unwrap":
            raise Cancelled("stopped")

    folder = tmp_path / "speaker"
    with pytest.raises(Cancelled):
        build_dataset(videos, folder, progress=stop)
    assert not folder.exists()
    stages = []
    build_dataset(videos, folder, progress=lambda stage, *_: stages.append(stage))
    assert "track" not in stages
    assert sorted(path.name for path in tmp_path.iterdir()) == ["speaker"]


def test_a_clip_that_cannot_be_used_is_left_out_with_a_sentence(videos, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video at all")
    dataset = build_dataset([videos[0], broken], tmp_path / "speaker", DatasetConfig(lighting=False))
    assert len(dataset) == 75
    assert any("broken.mp4 was left out" in warning for warning in dataset.warnings)
    with pytest.raises(InputError, match=r"broken\.mp4 is not a video"):
        build_dataset([broken], tmp_path / "other")


def test_what_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no dataset"):
        open_dataset(tmp_path)
    (tmp_path / "dataset.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(InputError, match="format 99"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("values", [{"smoothing": 2.0}, {"reference_frame": -7}])
def test_settings_are_checked(values):
    with pytest.raises(UsageError, match=next(iter(values))):
        DatasetConfig(**values)

"""The gate: good material passes, and each way of spoiling it is called by its name."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.errors import InputError
from backend.tracking.gaps import Gap
from backend.training.dataset import Dataset, build_dataset, open_dataset
from backend.training.quality import assess_dataset, check_quality, judge_figures, verdict
from backend.training.quality_figures import QualityFigures, measure_dataset, rigid_jitter
from backend.training.train import TrainRequest, train
from backend.video.decode import iterate_frames
from tests.backend.audio.test_condition import chords, under

GOOD = QualityFigures(
    seconds=150,
    frames=3750,
    rate=25,
    lost=0,
    rivals=0,
    turned=0,
    angle=5,
    interocular=110,
    sharpness=0.28,
    asymmetry=0.07,
    brightness=0.5,
    occluded=0,
    jitter=0.2,
    opening=0.15,
    lip_sound=0.7,
    offset=0,
    speech=0.8,
    clipping=0.0002,
    background_db=55,
    music=0,
)
SHORT = {"too short", "too few frames"}
"""What is true of every excerpt that a quick test can afford."""


@pytest.fixture(scope="module")
def excerpt(actor_excerpt, tmp_path_factory) -> Dataset:
    return build_dataset([actor_excerpt], tmp_path_factory.mktemp("quality") / "dataset")


def names(dataset: Dataset) -> set[str]:
    return {finding.name for finding in assess_dataset(dataset)[1]} - SHORT


def test_good_figures_pass():
    assert judge_figures(GOOD) == []
    assert verdict([]) == "fit for training"
    assert judge_figures(replace(GOOD, lip_sound=float("nan"))) == []  # not measured is not bad


@pytest.mark.parametrize(
    ("name", "figure", "warning", "severe"),
    [
        ("too short", "seconds", 60, 10),
        ("too few frames", "frames", 1000, 300),
        ("low frame rate", "rate", 15, 8),
        ("face lost", "lost", 0.1, 0.6),
        ("second face", "rivals", 0.1, 0.6),
        ("extreme pose", "turned", 0.1, 0.6),
        ("camera angle", "angle", 25, 40),
        ("low resolution", "interocular", 40, 15),
        ("blur", "sharpness", 0.03, 0.01),
        ("uneven light", "asymmetry", 0.4, 0.9),
        ("darkness", "brightness", 0.1, 0.03),
        ("occlusion", "occluded", 0.1, 0.6),
        ("still mouth", "opening", 0.04, 0.01),
        ("lips unrelated to the sound", "lip_sound", 0.4, 0.1),
        ("little speech", "speech", 0.2, 0.05),
        ("clipping", "clipping", 0.006, 0.05),
        ("background noise", "background_db", 15, 5),
    ],
)
def test_every_figure_has_its_finding(name, figure, warning, severe):
    for value, severity in ((warning, "warning"), (severe, "severe")):
        (finding,) = judge_figures(replace(GOOD, **{figure: value}))
        assert (finding.name, finding.severity, finding.figure) == (name, severity, value)
        assert finding.sentence.endswith(".")
        assert finding.advice.endswith(".")
        assert "{" not in str(finding)


def test_jitter_is_what_rigid_points_move():
    """One unit is 90 mm; neither gaps nor cuts between clips count as movement."""
    rng = np.random.default_rng(0)
    direction = rng.normal(size=(6, 468, 3))
    vertices = np.cumsum(direction / np.linalg.norm(direction, axis=2, keepdims=True), axis=0) * 0.01
    vertices[3] = 50.0
    valid = np.array([True, True, True, False, True, True])
    dataset = SimpleNamespace(vertices=vertices, valid=valid, clip=np.zeros(6, int))
    assert rigid_jitter(dataset) == pytest.approx(0.9)
    assert np.isnan(rigid_jitter(SimpleNamespace(vertices=vertices, valid=valid, clip=np.arange(6))))


def test_the_synthetic_speaker_passes(excerpt):
    assert names(excerpt) == set()


def test_grid_passes(shared, tmp_path):
    clips = sorted((shared / "grid_s1").glob("*.mp4"))[:2]
    assert names(build_dataset(clips, tmp_path / "dataset")) == set()


def mouth(landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """The middle of the lips and the width of the face, pixels."""
    return landmarks[[0, 17, 61, 291], :2].mean(axis=0), float(np.ptp(landmarks[:468, 0]))


def blur(picture: np.ndarray, where: np.ndarray, width: float, number: int) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), 0.02 * width)


def shrink(picture: np.ndarray, where: np.ndarray, width: float, number: int) -> np.ndarray:
    return cv2.resize(picture, (120, 120), interpolation=cv2.INTER_AREA)


def light_one_side(picture: np.ndarray, where: np.ndarray, width: float, number: int) -> np.ndarray:
    side = 1 / (1 + np.exp(-6 * (np.arange(picture.shape[1]) - where[0]) / width))
    return (picture * (0.25 + 0.75 * side)[:, None]).astype(np.uint8)


def darken(picture: np.ndarray, where: np.ndarray, width: float, number: int) -> np.ndarray:
    return (picture * 0.2).astype(np.uint8)


def hold_microphone(picture: np.ndarray, where: np.ndarray, width: float, number: int) -> np.ndarray:
    if number % 10 < 3:
        centre = (where + 0.01 * np.array([10, 15]) * width).astype(int).tolist()
        cv2.ellipse(picture, centre, (int(0.28 * width), int(0.22 * width)), 20, 0, 360, (20, 20, 20), -1)
    return picture


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (blur, "blur"),
        (shrink, "low resolution"),
        (light_one_side, "uneven light"),
        (darken, "darkness"),
        (hold_microphone, "occlusion"),
    ],
)
def test_spoilt_pictures_are_found_out(actor_excerpt, excerpt, write_video, tmp_path, spoil, name):
    from backend.normalisation.pose import apply, invert

    landmarks = apply(invert(np.asarray(excerpt.poses[:60], np.float64)), excerpt.vertices[:60])
    pictures = [
        spoil(image.copy(), *mouth(landmarks[number]), number)
        for number, (_, image) in zip(range(60), iterate_frames(actor_excerpt), strict=False)
    ]
    sound = np.asarray(excerpt.audio(0))[: round(60 / 25 * SAMPLE_RATE)]
    video = write_video("spoilt.mp4", pictures, np.arange(60) / 25, sound)
    found = names(build_dataset([video], tmp_path / "dataset"))
    assert name in found
    assert found <= {name, "still mouth"}  # what is seen of a mouth in 2 s, half hidden, need not open far


@pytest.mark.parametrize("name", ["clipping", "background noise", "music", "little speech"])
def test_spoilt_sound_is_found_out(excerpt, shared, tmp_path, name):
    voice = decode_audio(shared / "actor" / "audio_16k.wav")[: 25 * SAMPLE_RATE].astype(np.float64)
    count = len(voice)
    noise = np.random.default_rng(0).normal(size=count)
    sounds = {
        "clipping": np.clip(3 * voice / np.abs(voice).max(), -1, 1),
        "background noise": under(voice, noise, 10),
        "music": under(voice, chords(count), 18),
        "little speech": np.concatenate([voice[: count // 10], 1e-4 * noise[: count * 9 // 10]]),
    }
    folder = tmp_path / "dataset"
    shutil.copytree(excerpt.folder, folder)
    np.save(folder / "audio_0.npy", sounds[name].astype(np.float32))
    assert names(open_dataset(folder)) == {name}


def test_gaps_count_by_their_reasons(excerpt, tmp_path):
    folder = tmp_path / "dataset"
    shutil.copytree(excerpt.folder, folder)
    gaps = np.zeros(len(excerpt), np.uint8)
    gaps[:20], gaps[20:50], gaps[50:70], gaps[70:90] = Gap.NO_FACE, Gap.TURNED, Gap.SECOND_FACE, Gap.OUTSIDE
    np.save(folder / "gaps.npy", gaps)
    np.save(folder / "valid.npy", gaps == 0)
    assert names(open_dataset(folder)) == {"face lost", "extreme pose", "second face"}


def test_frames_count_for_as_long_as_they_last(excerpt, tmp_path):
    """4 s at 25 frames a second, and 12.5 s at 5 and 20 by turns; the first two of each clip show no face."""
    folder = tmp_path / "dataset"
    shutil.copytree(excerpt.folder, folder)
    clip = (np.arange(200) >= 100).astype(np.int32)
    steps = np.where(np.arange(100) % 2 == 0, 0.2, 0.05)
    valid = np.arange(200) % 100 > 1
    np.save(folder / "times.npy", np.concatenate([np.arange(100) / 25, 7.0 + np.cumsum(steps) - steps]))
    np.save(folder / "clip.npy", clip)
    np.save(folder / "valid.npy", valid)
    np.save(folder / "audio_1.npy", np.asarray(excerpt.audio(0)))
    description = json.loads((folder / "dataset.json").read_text("utf-8"))
    description["clips"] *= 2
    (folder / "dataset.json").write_text(json.dumps(description), encoding="utf-8")
    figures = measure_dataset(open_dataset(folder))
    assert figures.seconds == pytest.approx(4 - 0.08 + 12.5 - 0.25, abs=0.2)
    assert figures.rate == pytest.approx(200 / 16.5, abs=0.2)


def test_training_stops_at_severe_findings(excerpt, tmp_path, monkeypatch):
    """`train` itself: 8 s are too short, whatever else they are."""
    record = {"speaker": "A", "statement": "yes", "given_by": "A", "date": "2026-01-01", "licence": "CC0-1.0"}
    (tmp_path / "consent.json").write_text(json.dumps(record))
    monkeypatch.setattr("backend.training.dataset.build_dataset", lambda *_, **__: excerpt)
    (tmp_path / "a.mp4").write_bytes(b"a video")
    (tmp_path / ".a.training" / "dataset").mkdir(parents=True)  # where the excerpt would be
    request = TrainRequest((tmp_path / "a.mp4",), "a", tmp_path / "consent.json", out=tmp_path / "a")
    with pytest.raises(InputError, match=r"not fit for training: 8 s show .* cannot be trained on"):
        train(request)
    with pytest.raises(InputError, match="s of usable face to train on"):  # accepted, it fails where it did before
        train(replace(request, accept_quality=True))


def test_what_is_severe_may_be_accepted_where_that_helps(excerpt, monkeypatch):
    blurred = replace(measure_dataset(excerpt), seconds=200.0, frames=5000, sharpness=0.001)
    monkeypatch.setattr("backend.training.quality.measure_dataset", lambda _: blurred)
    with pytest.raises(InputError, match=r"blurred .* --accept-quality trains nevertheless"):
        check_quality(excerpt, False, print)


def test_warnings_are_said(excerpt):
    said: list[str] = []
    check_quality(excerpt, True, said.append)
    assert any("8 s show a usable face" in sentence for sentence in said)

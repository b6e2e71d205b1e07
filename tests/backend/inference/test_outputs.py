"""The animation folder: what is in it, that it can be stopped, and that memory does not grow with the recording."""

import threading
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from backend.actor_file import Actor, ReferenceFace, load_actor, save_actor
from backend.animation_file import ANIMATION_FILES, Animation, check_output, load_animation, save_animation
from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.audio.spectrogram import level_gain
from backend.errors import Cancelled
from backend.inference.animate import animate
from backend.inference.motion import LazyOffsets
from backend.inference.outputs import write_animation_folder
from backend.inference.predict import decode_textures
from backend.inference.request import AnimateRequest
from backend.progress import no_progress
from models.presets import DEFAULT, build_model
from shape_keys.arkit import NAMES
from shape_keys.topology import CANONICAL_FACE, TRIANGLES

BOX = {"x": 64, "y": 100, "width": 128, "height": 128, "atlas_size": 256}


@pytest.fixture(scope="module")
def actor(tmp_path_factory) -> Actor:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    config = replace(DEFAULT, texture_widths=(8, 8, 4, 4, 4))
    reference = ReferenceFace(
        CANONICAL_FACE.astype(np.float32), rng.random((468, 2), np.float32), BOX, np.ones((128, 128), np.float32)
    )
    folder = tmp_path_factory.mktemp("anna")
    atlas = rng.integers(0, 256, (256, 256, 3), np.uint8)
    save_actor(folder, "anna", build_model(config), config, reference, atlas, {"licence": "CC0-1.0"}, "# card\n")
    return load_actor(folder)


def make_animation(actor: Actor, frames: int) -> tuple[Animation, np.ndarray]:
    codes = np.random.default_rng(0).standard_normal((frames, actor.motion.numbers), np.float32)
    animation = Animation(
        fps=25.0,
        reference=actor.reference.vertices,
        offsets=LazyOffsets(actor.motion, codes),
        uv=actor.reference.uv[None],
        triangles=TRIANGLES,
        weights=actor.motion.blendshapes(codes),
        weight_names=NAMES,
        actor="anna",
        audio_sha256="ab",
        provenance="{}",
    )
    return animation, codes


def test_the_folder_holds_every_frame(actor, tmp_path):
    animation, codes = make_animation(actor, 30)
    reports = []
    write_animation_folder(tmp_path, animation, actor, codes, lambda *report: reports.append(report))
    assert np.allclose(load_animation(tmp_path).offsets, actor.motion.offsets(codes), atol=1e-6)
    plain = decode_textures(actor.model, torch.from_numpy(codes), actor.reference_crop, actor.reference.mask)
    for number, expected in enumerate(plain, 1):
        with Image.open(tmp_path / "atlas" / f"{number:04d}.png") as image:
            assert np.abs(np.asarray(image).astype(int) - expected).max() <= 1
    assert len(list((tmp_path / "atlas").iterdir())) == 30
    with Image.open(tmp_path / "reference_atlas.png") as image:
        assert np.array_equal(np.asarray(image), actor.atlas)
    assert ("write", 30, 30) in reports
    assert reports[-1] == ("texture", 30, 30)
    check_output(tmp_path, True, ANIMATION_FILES)  # may replace itself


def test_textures_can_be_stopped_and_leave_no_thread(actor, tmp_path):
    animation, codes = make_animation(actor, 200)
    before = threading.active_count()

    def stop(stage: str, done: int, total: int) -> None:
        if stage == "texture" and done > 20:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled) as raised:
        write_animation_folder(tmp_path, animation, actor, codes, stop)
    assert raised.traceback  # which holds on to everything that was in use
    assert threading.active_count() == before
    assert 20 <= len(list((tmp_path / "atlas").iterdir())) < 200


def test_a_disk_that_refuses_is_reported(actor, tmp_path, monkeypatch):
    animation, codes = make_animation(actor, 30)

    def fail(path: Path, picture: np.ndarray) -> None:
        if path.name == "0007.png":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("backend.inference.outputs.write_png", fail)
    with pytest.raises(OSError, match="No space left"):
        write_animation_folder(tmp_path, animation, actor, codes, no_progress)


def test_one_actor_serves_many_recordings(actor, tmp_path):
    import soundfile

    sound = np.random.default_rng(0).standard_normal(8000) * 0.1
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", sound, SAMPLE_RATE)
        animate(AnimateRequest(tmp_path / f"{name}.wav", "none", (tmp_path / name,)), actor=actor)
    first, second = (load_animation(tmp_path / name) for name in ("a", "b"))
    assert len(first.offsets) == 13
    assert np.array_equal(first.vertices, second.vertices)
    crops = [(tmp_path / name / "atlas" / "0013.png").read_bytes() for name in ("a", "b")]
    assert crops[0] == crops[1]


def peak_megabytes(work) -> float:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def test_vertices_are_written_without_being_in_memory(actor, tmp_path):
    animation, _ = make_animation(actor, 10_000)  # 56 MB
    assert peak_megabytes(lambda: save_animation(animation, tmp_path)) < 15


def test_sound_is_in_memory_once(tmp_path):
    import soundfile

    seconds = 600
    soundfile.write(tmp_path / "long.wav", np.zeros(seconds * SAMPLE_RATE, np.float32), SAMPLE_RATE)
    size = seconds * SAMPLE_RATE * 4 / 1e6  # 38 MB
    assert peak_megabytes(lambda: decode_audio(tmp_path / "long.wav")) < 1.6 * size


def test_the_level_is_measured_without_a_copy():
    samples = np.random.default_rng(0).standard_normal(600 * SAMPLE_RATE).astype(np.float32)
    assert peak_megabytes(lambda: level_gain(samples)) < 0.5 * samples.nbytes / 1e6

"""A speaker made by formula: a real dataset folder whose lips open with the loudness of its sound."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.audio.decode import SAMPLE_RATE
from backend.normalisation.atlas import Crop
from backend.normalisation.cylinder import Cylinder
from backend.normalisation.space import SpeakerSpace
from backend.training.dataset import Dataset, open_dataset
from shape_keys.basis import load_basis
from shape_keys.topology import CANONICAL_FACE

FPS = 25
SECONDS = 30


def loudness(seconds: float, rng: np.random.Generator) -> np.ndarray:
    """A syllable-like envelope at 100 points a second, 0..1, with pauses."""
    points = rng.uniform(-0.6, 1.0, int(seconds * 8) + 2).clip(0)
    return np.interp(np.arange(int(seconds * 100)) / 100, np.arange(len(points)) / 8, points)


def buzz(envelope: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A noisy 120 Hz pulse train with that envelope, (n,) float32 at 16 kHz."""
    time = np.arange(len(envelope) * SAMPLE_RATE // 100) / SAMPLE_RATE
    carrier = np.sign(np.sin(2 * np.pi * 120 * time)) + 0.3 * rng.standard_normal(len(time))
    return (0.2 * carrier * np.interp(time, np.arange(len(envelope)) / 100, envelope)).astype(np.float32)


@pytest.fixture(scope="session")
def formula_dataset(tmp_path_factory) -> Dataset:
    """30 s of one clip; jawOpen follows the envelope, and so does the brightness of the mouth interior."""
    rng = np.random.default_rng(0)
    folder: Path = tmp_path_factory.mktemp("formula")
    envelope = loudness(SECONDS, rng)
    times = np.arange(SECONDS * FPS) / FPS
    opening = np.interp(times, np.arange(len(envelope)) / 100, envelope)
    reference = CANONICAL_FACE.astype(np.float32)
    vertices = reference + opening[:, None, None] * load_basis()[17] * 0.5  # 17: jawOpen in Apple's order
    interior = np.zeros((128, 128), bool)
    interior[50:80, 40:88] = True
    crops = np.full((len(times), 128, 128, 3), 150, np.uint8)
    crops[:, interior] = (60 + 120 * opening)[:, None, None].astype(np.uint8)
    weights = np.zeros((len(times), 52), np.float32)
    weights[:, 17] = opening * 0.5
    arrays = {
        "times": times,
        "clip": np.zeros(len(times), np.int32),
        "valid": np.ones(len(times), bool),
        "vertices": vertices.astype(np.float32),
        "poses": np.zeros((len(times), 3, 4), np.float32),
        "crops": crops,
        "visible": opening.astype(np.float32),
        "weights": weights,
        "interior": interior,
        "mask": np.ones((128, 128), np.float32),
        "audio_0": buzz(envelope, rng),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    uv = np.random.default_rng(1).random((468, 2)).astype(np.float32)
    SpeakerSpace(reference, uv, Cylinder(0.8, 0.3, 0.4, 0.6), Crop(64, 100, 128, 128)).save(folder / "reference.npz")
    Image.fromarray(np.full((256, 256, 3), 150, np.uint8)).save(folder / "atlas.png")
    (folder / "dataset.json").write_text('{"format": 1, "warnings": []}')
    return open_dataset(folder)

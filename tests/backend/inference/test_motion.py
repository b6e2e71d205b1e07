"""The NumPy path against the plain one, in pieces and with style."""

import numpy as np
import pytest

from backend.audio.decode import SAMPLE_RATE
from backend.audio.spectrogram import frame_times
from backend.errors import Cancelled
from backend.inference import motion, predict

TOLERANCE = 1e-5
"""Of float32 sums in another order; offsets are in interocular units, so it is about a micrometre."""


@pytest.fixture(scope="module")
def speech():
    rng = np.random.default_rng(0)
    return (rng.standard_normal(3 * SAMPLE_RATE) * np.repeat(rng.random(30), SAMPLE_RATE // 10)).astype(np.float32)


@pytest.mark.parametrize("fps", [25, 29.97])
@pytest.mark.parametrize("frames_at_once", [500, 7])
def test_equals_the_plain_path(model, network, speech, monkeypatch, fps, frames_at_once):
    times = frame_times(3.0, fps)
    monkeypatch.setattr(motion, "FRAMES_AT_ONCE", frames_at_once)
    codes, plain = motion.hear(network, speech, times)[0], predict.encode_sound(model, speech, times)
    assert np.abs(codes - plain.numpy()).max() < TOLERANCE
    offsets, weights = predict.decode_motion(model, plain)
    assert np.abs(network.offsets(codes) - offsets).max() < TOLERANCE
    assert np.abs(network.blendshapes(codes) - weights).max() < TOLERANCE
    assert np.abs(motion.rest_code(network) - predict.rest_code(model).numpy()).max() < TOLERANCE


def test_intensity_scales_the_distance_from_rest(network, speech):
    codes, rest = motion.hear(network, speech, frame_times(3.0, 25))[0], motion.rest_code(network)
    still = network.offsets(rest)
    full, half, none = (network.offsets(motion.style_motion(codes, rest, share, 0.0)) for share in (1.0, 0.5, 0.0))
    assert np.allclose(half - still, 0.5 * (full - still), atol=1e-5)
    assert np.allclose(none, still, atol=1e-6)


def test_smoothing_calms_the_motion_and_keeps_its_mean(network, speech):
    codes = motion.hear(network, speech, frame_times(3.0, 25))[0]
    smooth = motion.style_motion(codes, motion.rest_code(network), 1.0, 2.0)
    assert smooth.dtype == np.float32
    assert np.abs(np.diff(smooth, axis=0)).mean() < 0.5 * np.abs(np.diff(codes, axis=0)).mean()
    assert np.allclose(smooth.mean(0), codes.mean(0), atol=0.1 * codes.std())


def test_offsets_are_computed_where_they_are_looked_at(network):
    codes = np.random.default_rng(0).standard_normal((10, network.code_length), np.float32)
    lazy = motion.LazyOffsets(network, codes)
    assert (lazy.shape, lazy.dtype, len(lazy)) == ((10, 468, 3), np.float32, 10)
    assert np.allclose(lazy[3:5], network.offsets(codes)[3:5], atol=1e-6)
    assert np.array_equal(np.asarray(lazy), network.offsets(codes))


def test_it_can_be_stopped_between_pieces(network, speech, monkeypatch):
    monkeypatch.setattr(motion, "FRAMES_AT_ONCE", 10)

    def stop(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("listen", 20):
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        motion.hear(network, speech, frame_times(3.0, 25), stop)

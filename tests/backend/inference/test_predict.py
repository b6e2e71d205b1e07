"""Prediction in pieces equals prediction in one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.audio.decode import SAMPLE_RATE
from backend.audio.spectrogram import frame_times
from backend.inference import predict
from models.presets import DEFAULT, build_model

SMALL = replace(DEFAULT, voice_width=16, texture_widths=(8, 8, 4, 4, 4))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build_model(SMALL).eval()


@pytest.fixture(scope="module")
def speech():
    rng = np.random.default_rng(0)
    return (rng.standard_normal(3 * SAMPLE_RATE) * np.repeat(rng.random(30), SAMPLE_RATE // 10)).astype(np.float32)


@pytest.mark.parametrize("fps", [25, 29.97])
def test_long_recordings_are_encoded_in_pieces_without_a_trace(model, speech, monkeypatch, fps):
    times = frame_times(3.0, fps)
    whole = predict.encode_sound(model, speech, times)
    monkeypatch.setattr(predict, "FRAMES_AT_ONCE", 7)
    assert torch.allclose(predict.encode_sound(model, speech, times), whole, atol=1e-5)


def test_loudness_of_the_recording_does_not_matter(model, speech):
    times = frame_times(3.0, 25)
    loud, soft = (predict.encode_sound(model, speech * gain, times) for gain in (1.0, 0.05))
    assert torch.allclose(loud, soft, atol=1e-4)


def test_textures_leave_the_reference_where_nothing_is_predicted(model):
    reference = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    share = np.zeros((128, 128), np.float32)
    share[40:80, 40:80] = 1
    crops = list(predict.decode_textures(model, torch.randn(3, model.numbers), reference, share))
    assert len(crops) == 3
    for crop in crops:
        assert np.array_equal(crop[share == 0], reference[share == 0])
        assert not np.array_equal(crop[share == 1], reference[share == 1])


def test_weights_are_between_zero_and_one(model):
    _, weights = predict.decode_motion(model, 100 * torch.randn(50, 32))
    assert weights.min() == 0
    assert weights.max() == 1

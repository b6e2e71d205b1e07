"""Textures decoded in batches against the plain path, frame after frame."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.inference import predict, texture
from backend.inference.texture import TextureEngine
from models.presets import DEFAULT, build_model

SMALL = replace(DEFAULT, voice_width=16, texture_widths=(8, 8, 4, 4, 4))
LEVELS = 1
"""Of 255 by which a pixel may differ from the plain path, from rounding next to a half."""
SHARE = 1e-4
"""Of the pixels that may."""


@pytest.fixture(scope="module", params=[2, 0], ids=["with memory", "without memory"])
def model(request):
    torch.manual_seed(0)
    face = build_model(replace(SMALL, previous_code_length=request.param)).eval()
    with torch.no_grad():
        coarse = torch.randn(32, 3, 4, 4).repeat_interleave(32, 2).repeat_interleave(32, 3)
        face.texture.basis.pictures.weight.copy_(0.05 * coarse.flatten(1).T)
        if face.previous is not None:  # remember about as strongly as the shipped actor does: half of it a frame
            face.previous.code.weight.mul_(50)
            face.texture.basis.coefficients.weight[:, -2:].mul_(8)
    return face


@pytest.fixture(scope="module")
def scene(model):
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((260, model.numbers)).astype(np.float32)
    reference = rng.integers(0, 256, (128, 128, 3), np.uint8)
    mask = np.ones((128, 128), np.float32)
    mask[:20] = 0
    return codes, reference, mask


def decode(model, scene) -> tuple[np.ndarray, int]:
    codes, reference, mask = scene
    crops, made = np.zeros((len(codes), 128, 128, 3), np.uint8), 0
    for frames, pictures in TextureEngine(model, reference, mask).decode(codes):
        crops[frames] = pictures
        made += len(frames)
    return crops, made


def assert_equal(crops, plain):
    difference = np.abs(crops.astype(int) - plain)
    assert difference.max() <= LEVELS
    assert (difference > 0).mean() < SHARE


@pytest.fixture(scope="module")
def plain(model, scene):
    codes, reference, mask = scene
    return np.stack(list(predict.decode_textures(model, torch.from_numpy(codes), reference, mask)))


@pytest.mark.parametrize("lanes", [1, 3, 8])
def test_equals_the_plain_path(model, scene, plain, monkeypatch, lanes):
    monkeypatch.setattr(texture, "LANES", lanes)
    monkeypatch.setattr(texture, "SHORTEST_LANE", 30)
    crops, made = decode(model, scene)
    assert made == len(crops)
    assert_equal(crops, plain)


def test_memory_reaches_further_than_a_frame(model, scene, plain):
    if model.previous is None:
        pytest.skip("this network has no memory")
    codes, reference, mask = scene
    late = list(predict.decode_textures(model, torch.from_numpy(codes[100:104]), reference, mask))
    assert np.abs(late[1].astype(int) - plain[101]).max() > LEVELS


def test_a_stretch_that_started_wrong_is_decoded_again(model, scene, plain, monkeypatch):
    if model.previous is None:
        pytest.skip("this network has no memory")
    monkeypatch.setattr(texture, "WARM_UP", 0)
    monkeypatch.setattr(texture, "SHORTEST_LANE", 30)
    crops, made = decode(model, scene)
    assert len(crops) < made < 2 * len(crops)
    assert_equal(crops, plain)


def test_the_engine_leaves_the_network_as_it_was(model, scene):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    decode(model, (scene[0][:3], *scene[1:]))
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
        assert value.is_contiguous()


def test_nothing_to_decode_without_a_texture():
    face = build_model(replace(SMALL, texture_widths=()))
    with pytest.raises(ValueError, match="no texture"):
        TextureEngine(face, np.zeros((128, 128, 3), np.uint8), np.ones((128, 128), np.float32))

"""The NumPy network gives what the trained PyTorch network gives."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.motion_network import MotionNetwork, load_motion_network
from models.presets import DEFAULT, FAST, PAPER, VOICE, build_model

TOLERANCE = 2e-6
"""Of the largest value: both sum the same float32 products in another order."""


def arrays(model) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in model.state_dict().items()}


@pytest.mark.parametrize(
    "config",
    [DEFAULT, replace(DEFAULT, voice_reach=0), FAST, VOICE, replace(PAPER, texture_widths=())],
    ids=["default", "one instant", "fast", "voice", "paper"],
)
def test_equals_the_plain_float32_network(config):
    torch.manual_seed(0)
    model = build_model(config).eval()
    network = MotionNetwork(arrays(model))
    columns = torch.randn(150, 2, 256)
    index = torch.randint(0, 150, (70, model.encoder.columns))
    with torch.inference_mode():
        codes = model.encoder(columns, index)
        offsets, weights = model.geometry(codes), model.blendshapes(codes).clamp(0, 1)
    ours = network.hear(network.features(columns.numpy()), index.numpy())[0]
    assert ours.shape == codes.shape == (70, model.numbers) == (70, network.numbers)
    assert np.abs(ours - codes.numpy()).max() < TOLERANCE * codes.abs().max()
    assert np.abs(network.offsets(ours) - offsets.numpy()).max() < TOLERANCE * offsets.abs().max()
    assert np.abs(network.blendshapes(ours) - weights.numpy()).max() < TOLERANCE


def test_reads_only_what_it_needs(tmp_path):
    torch.manual_seed(0)
    model = build_model(DEFAULT).eval()
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    network = load_motion_network(tmp_path / "model.safetensors")
    assert network.numbers == model.numbers
    codes = np.random.default_rng(0).standard_normal((3, 32), np.float32)
    assert np.array_equal(network.offsets(codes), MotionNetwork(arrays(model)).offsets(codes))


def test_missing_weights_are_named():
    with pytest.raises(KeyError, match=r"encoder\.frequency"):
        MotionNetwork({})

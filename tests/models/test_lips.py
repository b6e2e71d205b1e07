"""Lips meet where a phonetic encoder hears a bilabial, and stay as they are elsewhere, in PyTorch and in NumPy."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.speech.phones import BILABIALS as NAMES
from backend.speech.phones import SYMBOLS
from models.lips import close_lips_at_bilabials
from models.motion_network import MotionNetwork
from models.phonemes import BILABIALS, PHONEMES
from models.presets import VOICE, build_model
from shape_keys.topology import LOWER_INNER_LIP, UPPER_INNER_LIP

REST_GAP = 0.5
"""Wide enough that the untrained network's lips are apart in every frame."""


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    network = build_model(replace(VOICE, voice_width=16)).eval()
    with torch.no_grad():
        network.geometry.offsets.weight.mul_(0.1)
        network.encoder.phonemes.weight.zero_()
    return network


def gaps(model, symbol: str) -> np.ndarray:
    """Lip gap (20,) of random sound that is heard as one phoneme."""
    with torch.no_grad():
        model.encoder.phonemes.bias.zero_()
        model.encoder.phonemes.bias.view(-1, PHONEMES)[:, SYMBOLS.index(symbol)] = 20
    torch.manual_seed(1)
    columns, index = torch.randn(300, 2, 256), torch.randint(0, 300, (20, 127))
    with torch.inference_mode():
        code = model.encoder(columns, index)
        offsets = model.geometry(code)
    network = MotionNetwork({name: value.numpy() for name, value in model.state_dict().items()})
    ours = network.codes(network.features(columns.numpy()), index.numpy())
    assert np.allclose(ours, code.numpy(), atol=1e-5)
    return (REST_GAP + offsets[:, UPPER_INNER_LIP, 1] - offsets[:, LOWER_INNER_LIP, 1]).numpy()


def test_the_names_are_those_of_the_phonemes():
    assert SYMBOLS[BILABIALS] == NAMES


def test_lips_meet_at_bilabials_alone(model):
    before = {symbol: gaps(model, symbol) for symbol in ("m", "aa")}
    assert before["m"].min() > 0.01
    close_lips_at_bilabials(model, REST_GAP)
    assert np.abs(gaps(model, "m")).max() < 1e-5
    assert np.allclose(gaps(model, "aa"), before["aa"], atol=1e-6)

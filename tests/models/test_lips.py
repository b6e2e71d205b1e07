"""Lips meet where a phonetic encoder hears a bilabial, and stay as they are elsewhere, in PyTorch and in NumPy."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.speech import phones
from backend.speech.phones import SYMBOLS
from models.lips import close_lips_at_bilabials
from models.motion_network import MotionNetwork
from models.phonemes import AJAR, ASIDE, BILABIALS, MOMENTS, OPEN_VOWELS, PHONEMES, lips_shown
from models.presets import VOICE, build_model
from models.voice_encoder import Manner
from shape_keys.topology import LOWER_INNER_LIP, UPPER_INNER_LIP

REST_GAP = 0.5
"""Wide enough that the untrained network's lips are apart in every frame."""
REFERENCE = np.zeros((468, 3), np.float32)
REFERENCE[UPPER_INNER_LIP, 1] = REST_GAP


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
    ours = network.hear(network.features(columns.numpy()), index.numpy())[0]
    assert np.allclose(ours, code.numpy(), atol=1e-5)
    return (REST_GAP + offsets[:, UPPER_INNER_LIP, 1] - offsets[:, LOWER_INNER_LIP, 1]).numpy()


def test_the_names_are_those_of_the_phonemes():
    assert SYMBOLS[BILABIALS] == phones.BILABIALS
    assert {SYMBOLS[number] for number in OPEN_VOWELS} == set(phones.OPEN_VOWELS)


@pytest.mark.parametrize("place", [MOMENTS // 2 - 1, MOMENTS // 2 + 1])
def test_lips_close_where_a_bilabial_is_likeliest_and_little_beside(place):
    probabilities = np.zeros((1, MOMENTS, PHONEMES))
    probabilities[:, MOMENTS // 2, BILABIALS.start] = 0.4
    assert lips_shown(np.array([0.5]), probabilities, own=False) == 0
    probabilities[:, place, BILABIALS.start] = 1
    assert lips_shown(np.array([0.5]), probabilities, own=False) == pytest.approx(0.5 * (1 - ASIDE) - AJAR)


def test_lips_stay_open_where_what_may_be_a_bilabial_is_rather_a_vowel():
    probabilities = np.zeros((1, MOMENTS, PHONEMES))
    probabilities[..., [BILABIALS.start, OPEN_VOWELS[0]]] = 0.3, 0.7
    assert lips_shown(np.array([0.5]), probabilities, own=False) == 0.5


def test_lips_meet_at_bilabials_and_vowels_stay(model):
    before = {symbol: gaps(model, symbol) for symbol in ("m", "s", "aa")}
    assert before["m"].min() > 0.01
    close_lips_at_bilabials(model, REFERENCE)
    assert np.abs(gaps(model, "m")).max() < 1e-5
    assert np.allclose(gaps(model, "s"), before["s"] - AJAR, atol=1e-6)
    assert np.allclose(gaps(model, "aa"), before["aa"], atol=1e-6)


def test_a_speakers_own_lips_are_ajar_where_they_were_seen_so(model):
    own = copy.deepcopy(model)
    torch.manual_seed(2)
    own.encoder.code = Manner(own.encoder.code.in_features, 8, own.encoder.code_length).eval()
    before = gaps(own, "s")
    close_lips_at_bilabials(own, REFERENCE)
    assert np.allclose(gaps(own, "s"), before, atol=1e-6)
    assert np.abs(gaps(own, "m")).max() < 1e-5

"""Lips round where /uw ow w/ are heard, and stay as far apart as they are."""

import ctypes.util

import numpy as np
import pytest

from backend.actor_file import load_actor
from backend.actor_library import find_actor
from backend.audio.spectrogram import frame_times
from backend.inference.heard_lips import PUCKER, lacking, rounding
from backend.inference.motion import hear
from backend.inference.performance import gap_of_shapes
from backend.inference.stream import StreamingSession
from backend.speech.phones import SYMBOLS
from models.phonemes import MOMENTS
from shape_keys import arkit
from shape_keys.viseme_table import load_visemes


def heard(*symbols: str) -> np.ndarray:
    """Probabilities of one frame about which these are heard, one at each moment."""
    probabilities = np.zeros((1, MOMENTS, len(SYMBOLS)), np.float32)
    probabilities[0, range(MOMENTS), [SYMBOLS.index(symbol) for symbol in symbols]] = 1
    return probabilities


@pytest.mark.parametrize("symbol", ["uw", "w", "iy", "sil", "aa"])
def test_a_phoneme_alone_is_its_viseme(symbol):
    wanted = load_visemes().visemes[symbol].weights[PUCKER]
    assert rounding(heard(*[symbol] * MOMENTS))[0] == pytest.approx(wanted, abs=1e-6)


def test_rounding_spreads_ahead_further_than_it_lasts():
    ahead, after = rounding(heard("t", "t", "t", "uw", "uw")), rounding(heard("uw", "uw", "t", "t", "t"))
    assert ahead[0] > after[0] > 0.3
    assert rounding(heard("iy", "iy", "iy", "uw", "uw"))[0] < ahead[0]


def test_lips_that_round_stay_as_far_apart():
    weights = np.zeros((2, len(arkit.NAMES)), np.float32)
    weights[1, PUCKER] = 0.9
    more = lacking(weights, np.array([0.6, 0.6], np.float32))
    assert more[0, PUCKER] == pytest.approx(0.6)
    assert not more[1].any()
    assert more @ gap_of_shapes() == pytest.approx(0, abs=1e-6)


def test_the_voice_model_rounds_and_a_speakers_own_network_is_left_alone():
    if ctypes.util.find_library("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    from backend.speech.espeak import speak

    spoken, (voice, default) = (
        speak("Two blue boots, see these teeth."),
        map(load_actor, map(find_actor, ("voice", "default"))),
    )
    times = frame_times(len(spoken.samples) / 16000, 25)
    rounded = hear(voice.motion, spoken.samples, times)[1][:, 0]
    middles = {name: [(p.start + p.end) / 2 for p in spoken.phones if p.symbol == name] for name in ("uw", "iy")}
    assert np.interp(middles["uw"], times, rounded).min() > 0.3
    assert np.interp(middles["iy"], times, rounded).max() < 0.15
    assert not hear(default.motion, spoken.samples, times)[1].any()
    session = StreamingSession(voice.motion, voice.reference.vertices, look_ahead=0.12)
    live = session.feed(spoken.samples) + session.flush()
    puckers = np.array([frame.weights[PUCKER] for frame in live])
    assert np.interp(middles["uw"], [frame.time for frame in live], puckers).max() > 0.3

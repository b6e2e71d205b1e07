"""A recording to the performance that is shown, with a shipped actor."""

import ctypes.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.actor_file import Actor, load_actor
from backend.actor_library import find_actor
from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.audio.spectrogram import frame_times
from backend.evaluation.speech_figures import closure_recall
from backend.inference.contacts import INNER_PAIRS
from backend.inference.direct import NO_SPEECH, Directed, direct
from backend.inference.motion import LazyOffsets, hear
from backend.inference.performance import gap_of_shapes, wide_gap
from backend.inference.request import AnimateRequest
from backend.speech.phones import BILABIALS
from backend.speech.timeline import Timeline
from shape_keys.arkit import INDEX

if ctypes.util.find_library("espeak-ng") is None:
    pytest.skip("espeak-ng is not installed", allow_module_level=True)
from backend.speech.espeak import Spoken, speak

SAMPLE = Path(__file__).parents[3] / "backend" / "samples" / "speech.flac"


@pytest.fixture(scope="module", params=["voice", "default"])
def actor(request) -> Actor:
    return load_actor(find_actor(request.param))


@pytest.fixture(scope="module")
def spoken() -> Spoken:
    return speak("Bob met a very funny puppy.")


def timeline(spoken: Spoken) -> Timeline:
    return Timeline(tuple(spoken.phones), tuple(spoken.words))


def shown(actor: Actor, samples: np.ndarray, texture: bool = False, **style: Any) -> tuple[Directed, list[str]]:
    messages: list[str] = []
    request = AnimateRequest(Path("line.wav"), actor.name, (Path("line"),), texture=texture, **style)
    return direct(actor, samples, request, lambda text, _, total: None if total else messages.append(text)), messages


def motion(directed: Directed) -> float:
    """The furthest that a vertex goes, interocular units."""
    performance = directed.performance
    return float(np.ptp(LazyOffsets(performance.network, performance.codes, performance.shift)[:], axis=0).max())


@pytest.mark.parametrize("words", [False, True])
def test_without_intensity_the_face_is_at_rest(actor, spoken, words):
    directed, _ = shown(actor, spoken.samples, intensity=0.0, timeline=timeline(spoken) if words else None)
    assert motion(directed) < 1e-6
    assert np.ptp(directed.performance.weights, axis=0).max() < 1e-6
    silent, _ = shown(actor, np.zeros(SAMPLE_RATE, np.float32))
    assert np.allclose(directed.performance.weights[0], silent.performance.weights[0], atol=1e-6)


def test_a_characters_lower_lip_is_tucked_where_f_and_v_are_heard():
    voice, said = load_actor(find_actor("voice")), speak("Five of the very first leaves fell over.")
    weights = shown(voice, said.samples)[0].performance.weights[:, INDEX["mouthRollLower"]]
    times = np.arange(len(weights)) / 25
    rolled = [
        weights[(times >= p.start - 0.02) & (times <= p.end + 0.02)].max(initial=0)
        for p in said.phones
        if p.symbol in "fv"
    ]
    others = [
        np.interp((p.start + p.end) / 2, times, weights) for p in said.phones if p.symbol in ("iy", "ey", "s", "l")
    ]
    assert np.median(rolled) > 0.2
    assert np.median(others) < 0.1


@pytest.mark.parametrize("intensity", [1.0, 3.0])
def test_brows_and_lids_stay_still_unless_asked(actor, spoken, intensity):
    upper = [number for name, number in INDEX.items() if name.startswith(("brow", "eye"))]
    assert not shown(actor, spoken.samples, intensity=intensity)[0].performance.weights[:, upper].any()
    assert shown(actor, spoken.samples, blinks=1.0, brows=1.0)[0].performance.weights[:, upper].any()


@pytest.mark.parametrize("intensity", [1.0, 2.0, 3.0])
def test_lips_touch_at_most_at_any_intensity(actor, spoken, intensity):
    for words in (None, timeline(spoken)):
        directed, _ = shown(actor, spoken.samples, intensity=intensity, timeline=words)
        assert directed.performance.gap().min() > -1e-6


def test_the_voice_model_breathes_in_before_it_speaks():
    voice, pause = load_actor(find_actor("voice")), np.zeros(SAMPLE_RATE, np.float32)
    samples = np.concatenate([pause, speak("Any animal eats apples.").samples, pause])
    onset = np.flatnonzero(np.abs(samples) > 0.02)[0] / SAMPLE_RATE
    gaps = {breath: shown(voice, samples, breath=breath)[0].performance.gap() for breath in (0.0, 1.0, 2.0)}
    times = np.arange(len(gaps[1.0])) / 25
    drawn = (times > onset - 0.4) & (times < onset - 0.2)
    assert (gaps[1.0] - gaps[0.0])[drawn].mean() > 0.02
    assert (gaps[2.0] - gaps[1.0])[drawn].mean() > 0.02
    still = (times < onset - 0.95) | (times > onset + 0.1)
    for breath in (1.0, 2.0):
        assert np.allclose(gaps[breath][still], gaps[0.0][still], atol=1e-5)


def test_a_trained_actor_breathes_as_it_was_taught():
    default, pause = load_actor(find_actor("default")), np.zeros(SAMPLE_RATE, np.float32)
    samples = np.concatenate([pause, speak("Any animal eats apples.").samples])
    times = np.arange(int(len(samples) / SAMPLE_RATE * 25)) / 25
    onset = np.flatnonzero(np.abs(samples) > 0.02)[0] / SAMPLE_RATE
    drawn = (times > onset - 0.4) & (times < onset - 0.2)
    performance = shown(default, samples)[0].performance
    own = default.motion.code_length
    assert np.allclose(
        performance.codes[: len(times), :own][drawn], hear(default.motion, samples, times)[0][drawn, :own], atol=0.05
    )


def test_what_is_said_is_kept_for_textures_alone(spoken):
    default = load_actor(find_actor("default"))
    bare, textured = (shown(default, spoken.samples, texture=texture)[0].performance.codes for texture in (False, True))
    assert (bare.shape[1], textured.shape[1]) == (default.motion.code_length, default.motion.numbers)
    assert np.allclose(bare, textured[:, : bare.shape[1]], atol=1e-6)


def test_a_recording_that_begins_in_a_breath_begins_at_rest(actor, spoken):
    samples = np.concatenate([np.zeros(SAMPLE_RATE // 2, np.float32), spoken.samples])
    performance = shown(actor, samples)[0].performance
    rest = shown(actor, samples, intensity=0.0)[0].performance
    assert np.allclose(performance.weights[0], rest.weights[0], atol=0.02)
    assert performance.gap()[0] == pytest.approx(rest.gap()[0], abs=2e-3)


@pytest.mark.parametrize("intensity", [0.25, 0.5, 2.0])
def test_weights_are_as_much_larger_as_the_vertices_are(actor, spoken, intensity):
    plain, _ = shown(actor, spoken.samples)
    sized, _ = shown(actor, spoken.samples, intensity=intensity)
    jaws = [directed.performance.weights[:, INDEX["jawOpen"]] for directed in (plain, sized)]
    assert jaws[0].max() * intensity < 1
    free = hear(actor.motion, spoken.samples, frame_times(len(spoken.samples) / SAMPLE_RATE, 25))[1][:, 1] == 0
    assert np.allclose(jaws[1][free], intensity * jaws[0][free], atol=1e-5)
    wide = [wide_gap(directed.performance.gap()) for directed in (plain, sized)]
    assert wide[1] == pytest.approx(intensity * wide[0], rel=0.1)


STYLES = ({"jaw": 0.0}, {"intensity": 0.5}, {"intensity": 1.5, "jaw": 0.5}, {"intensity": 3.0, "lips": 2.0})


@pytest.mark.parametrize("style", STYLES)
def test_styled_lips_pass_each_other_nowhere(actor, spoken, style):
    directed, _ = shown(actor, spoken.samples, **style)
    reference, performance = actor.reference.vertices, directed.performance
    heights = (reference + LazyOffsets(performance.network, performance.codes, performance.shift)[:])[:, :, 1]
    upper, lower = INNER_PAIRS
    at_rest = np.minimum(reference[upper, 1] - reference[lower, 1], 0)
    assert (heights[:, upper] - heights[:, lower] > at_rest - 1e-3).all()
    assert performance.gap().min() < 0.1 * wide_gap(performance.gap())


@pytest.mark.parametrize("style", STYLES)
def test_lips_meet_at_each_bilabial_that_is_said_in_any_style(actor, spoken, style):
    directed, _ = shown(actor, spoken.samples, timeline=timeline(spoken), **style)
    performance = directed.performance
    of_weights = performance.rest_gap + performance.weights @ gap_of_shapes()
    times = frame_times(len(spoken.samples) / SAMPLE_RATE, 25.0)
    said = [closure_recall(gap, times, spoken.phones, BILABIALS) for gap in (performance.gap(), of_weights)]
    assert len(said[0]) == 5
    assert np.all(said)


def test_lips_open_as_often_at_any_frame_rate(actor):
    from scipy.signal import find_peaks

    samples = decode_audio(SAMPLE)
    counts = [
        len(find_peaks(shown(actor, samples, fps=fps)[0].performance.gap(), prominence=0.02)[0])
        for fps in (24.0, 25.0, 30.0, 50.0, 60.0, 120.0)
    ]
    assert max(counts) - min(counts) <= 2


def test_the_face_rests_exactly_where_it_is_said(actor, spoken):
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32) * 0.01
    for samples, rests in ((noise, True), (0 * noise, True), (spoken.samples, False), (speak("Oh").samples, False)):
        directed, messages = shown(actor, samples)
        assert (messages == [NO_SPEECH.format(name="line.wav")]) == rests
        assert (motion(directed) < 1e-6) == rests
    directed, messages = shown(actor, noise, silence_gate=0.0)
    assert messages == []
    assert motion(directed) > 0


def test_what_was_spoken_from_a_text_is_speech(actor, spoken):
    noise = np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32) * 0.01
    directed, messages = shown(actor, noise, timeline=timeline(spoken))
    assert messages == []
    assert motion(directed) > 0.01

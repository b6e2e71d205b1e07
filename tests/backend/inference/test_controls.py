"""Each control does what it says, to vertices and weights alike, and leaves contacts as contacts."""

import ctypes.util
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backend.audio.accents import Accent
from backend.audio.spectrogram import frame_times
from backend.errors import UsageError
from backend.inference.balance import balance, gain_factors
from backend.inference.contacts import INNER_PAIRS, keep_words, part_lips
from backend.inference.layers import add_blinks, add_brows, blink_times, head_motion
from backend.inference.motion import LazyOffsets, calm_silence, neutral_code
from backend.inference.performance import Performance
from backend.inference.style import Style, parse_gains
from backend.speech.phones import Phone
from shape_keys import arkit
from shape_keys.basis import load_basis

FRAMES = 50
TIMES = np.arange(FRAMES) / 25


class BasisNetwork:
    """A network whose codes are blendshape weights: offsets and weights agree exactly."""

    def __init__(self) -> None:
        self.offsets_weight = load_basis().reshape(52, -1).astype(np.float32)
        self.offsets_bias = np.zeros(468 * 3, np.float32)

    def offsets(self, codes: np.ndarray) -> np.ndarray:
        return (codes @ self.offsets_weight).reshape(len(codes), 468, 3)

    def blendshapes(self, codes: np.ndarray) -> np.ndarray:
        return np.clip(codes, 0, 1)


def talk(**curves: np.ndarray) -> Performance:
    """A performance with the given curves (T,) of shapes."""
    codes = np.zeros((FRAMES, 52), np.float32)
    for name, curve in curves.items():
        codes[:, arkit.INDEX[name]] = curve
    network = BasisNetwork()
    return Performance(network, codes, codes.copy(), np.zeros_like(codes), 0.0)  # type: ignore[arg-type]


def vertices(performance: Performance) -> np.ndarray:
    return LazyOffsets(performance.network, performance.codes, performance.shift)[:]


def curve(performance: Performance, name: str) -> np.ndarray:
    return performance.weights[:, arkit.INDEX[name]]


def agrees(performance: Performance) -> bool:
    """Whether the vertices are those of the weights."""
    return np.allclose(vertices(performance), np.tensordot(performance.weights, load_basis(), 1), atol=1e-5)


@pytest.fixture
def speech() -> Performance:
    """Jaw and smile that open and close, the lips meeting at both ends and in the middle."""
    swing = 0.5 - 0.5 * np.cos(2 * np.pi * TIMES)
    return talk(jawOpen=0.4 * swing, mouthSmileLeft=0.3 * swing, mouthSmileRight=0.3 * swing)


@pytest.mark.parametrize(
    ("style", "name", "factor"),
    [
        (Style(jaw=0.5), "jawOpen", 0.5),
        (Style(jaw=2.0), "jawOpen", 2.0),
        (Style(lips=0.0), "mouthSmileLeft", 0.0),
        (Style(gains={"mouthSmile": 1.5}), "mouthSmileRight", 1.5),
        (Style(gains={"mouthSmileLeft": 0.5}), "mouthSmileRight", 1.0),
        (Style(lips=0.5, gains={"mouthSmileLeft": 2.0}), "mouthSmileLeft", 1.0),
    ],
)
def test_balance_scales_its_shapes(speech, style, name, factor):
    changed = balance(speech, style, np.ones(FRAMES))
    wide = curve(speech, "jawOpen") > 0.2
    assert np.allclose(curve(changed, name)[wide], factor * curve(speech, name)[wide], atol=1e-6)
    assert agrees(changed)


def test_nothing_asked_for_changes_nothing(speech):
    assert balance(speech, Style(), np.ones(FRAMES)) is speech


@pytest.mark.parametrize("factor", [0.0, 2.0])
def test_what_does_not_part_the_lips_is_free_at_closures_too(speech, factor):
    changed = balance(speech, Style(gains={"mouthSmile": factor}, jaw=0.7), np.ones(FRAMES))
    assert np.allclose(curve(changed, "mouthSmileLeft"), factor * curve(speech, "mouthSmileLeft"), atol=1e-6)


def test_clear_articulation_departs_from_the_mean_and_keeps_it(speech):
    clear, mumbled = (balance(speech, Style(style=s), np.ones(FRAMES)) for s in (1.5, 0.5))
    assert curve(clear, "jawOpen").std() > 1.2 * curve(speech, "jawOpen").std()
    assert curve(mumbled, "jawOpen").std() < 0.8 * curve(speech, "jawOpen").std()
    assert agrees(clear)
    still = balance(speech, Style(style=1.5), (TIMES > 1).astype(float))
    assert np.array_equal(still.weights[:25], speech.weights[:25])


@pytest.mark.parametrize("style", [Style(jaw=2.0), Style(style=2.0), Style(jaw=0.2, lips=2.0), Style(style=0.2)])
def test_closed_lips_stay_closed_and_never_cross(speech, style):
    offset = 0.03  # of the jaw: lips that the network leaves nearly closed
    codes = speech.codes.copy()
    codes[:, arkit.INDEX["jawOpen"]] += offset
    speech = replace(speech, codes=codes, weights=np.clip(codes, 0, 1), rest_gap=-offset * 0.363)
    before, after = speech.gap(), balance(speech, style, np.ones(FRAMES)).gap()
    closed = before < 0.05 * before.max()
    assert closed.any()
    assert (after[closed] < 0.1 * np.percentile(after, 95)).all()
    assert after.min() > before.min() - 1e-3


def test_what_a_style_cannot_be():
    wrongs: tuple[dict[str, Any], ...] = (
        {"jaw": 2.1}, {"head": -0.1}, {"seed": -1}, {"gains": {"jawOpen": 9}}, {"silence_gate": 1.5}
    )  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(UsageError, match=f"--{next(iter(wrong)).replace('_', '-')}"):
            Style(**wrong)
    with pytest.raises(UsageError, match="'jawOpne'"):
        Style(gains={"jawOpne": 1})
    assert parse_gains(" jawOpen=0.8, mouthSmile=1.2") == {"jawOpen": 0.8, "mouthSmile": 1.2}
    for text in ("jawOpen", "jawOpen=wide", "=2=3"):
        with pytest.raises(UsageError, match="--gains"):
            parse_gains(text)


def test_the_face_comes_to_rest_where_the_gate_is_closed(network):
    codes = np.random.default_rng(0).standard_normal((FRAMES, network.numbers), np.float32)
    rest = neutral_code(network)
    gate = (TIMES > 1).astype(np.float32)
    calm = calm_silence(codes, rest, gate)
    assert np.allclose(calm[:25], rest, atol=1e-6)
    assert np.allclose(calm[26:], codes[26:], atol=1e-5)
    assert np.linalg.norm(network.offsets(rest)) < np.linalg.norm(network.offsets(codes), axis=(1, 2)).min()


def test_blinks_close_both_eyes_at_a_usual_rate_and_again_from_the_same_seed():
    still = talk()
    blinking = add_blinks(still, TIMES, 2.0, 1.0, seed=5)
    assert np.array_equal(add_blinks(still, TIMES, 2.0, 1.0, seed=5).weights, blinking.weights)
    times = blink_times(600.0, 1.0, seed=5)
    assert np.mean([len(blink_times(600.0, 1.0, seed)) for seed in range(50)]) / 10 == pytest.approx(17, rel=0.03)
    assert np.diff(times).min() >= 0.8 - 1e-9
    assert len(blink_times(600.0, 0.5, seed=5)) == pytest.approx(len(times) / 2, rel=0.25)
    assert blink_times(600.0, 1.0, seed=6) != times
    assert blink_times(600.0, 0.0, seed=5) == []
    at = np.arange(0, 20, 0.01)
    long = add_blinks(talk_for(len(at)), at, 20.0, 1.0, seed=5)
    assert curve(long, "eyeBlinkLeft").max() > 0.9
    assert np.array_equal(curve(long, "eyeBlinkLeft"), curve(long, "eyeBlinkRight"))
    assert 0.02 < (curve(long, "eyeBlinkLeft") > 0.3).mean() < 0.15
    assert agrees(long)


def test_a_blink_ends_before_the_clip_does():
    at = np.arange(0, 12, 1 / 25)
    for seed in range(40):
        blinking = add_blinks(talk_for(len(at)), at, 12.0, 1.0, seed)
        assert curve(blinking, "eyeBlinkLeft")[-1] == 0
        times = blink_times(12.0, 1.0, seed)
        assert times == blink_times(600.0, 1.0, seed)[: len(times)]


def test_gains_act_on_blinks_and_brows():
    at = np.arange(0, 20, 0.01)
    plain = add_blinks(talk_for(len(at)), at, 20.0, 1.0, 5)
    off, half = (
        add_blinks(talk_for(len(at)), at, 20.0, 1.0, 5, gain_factors({"eyeBlink": gain})) for gain in (0.0, 0.5)
    )
    assert not off.weights.any()
    assert np.allclose(half.weights, 0.5 * plain.weights, atol=1e-6)
    accents = [Accent(time, 1.0) for time in (0.5, 1.5)]
    raised = add_brows(talk(), TIMES, accents, 1.0, 3)
    lifted = add_brows(talk(), TIMES, accents, 1.0, 3, gain_factors({"browInnerUp": 0, "browOuterUpLeft": 0.5}))
    assert curve(raised, "browInnerUp").max() > 0.1
    assert not curve(lifted, "browInnerUp").any()
    assert np.allclose(curve(lifted, "browOuterUpLeft"), 0.5 * curve(raised, "browOuterUpLeft"), atol=1e-6)
    assert np.array_equal(curve(lifted, "browOuterUpRight"), curve(raised, "browOuterUpRight"))


def talk_for(frames: int) -> Performance:
    zeros = np.zeros((frames, 52), np.float32)
    return Performance(BasisNetwork(), zeros, zeros, zeros, 0.0)  # type: ignore[arg-type]


def test_brows_rise_on_accents():
    accents = [Accent(time, 1.0) for time in (0.5, 1.5)]
    raised = [add_brows(talk(), TIMES, accents, 1.0, seed) for seed in range(8)]
    highest = np.max([curve(one, "browInnerUp") for one in raised], axis=0)
    assert highest[12:14].max() > 0.3
    assert highest[24:30].max() < 0.05
    assert all(agrees(one) for one in raised)
    assert np.array_equal(add_brows(talk(), TIMES, accents, 1.0, 3).weights, raised[3].weights)
    half = add_brows(talk(), TIMES, accents, 0.5, 3)
    assert np.allclose(half.weights, 0.5 * raised[3].weights, atol=1e-6)


def test_the_head_sways_a_little_and_nods_on_accents():
    times = np.arange(0, 60, 1 / 25)
    speaking = np.ones(len(times))
    turned = head_motion(times, 60.0, [], speaking, 1.0, seed=1)
    assert turned.dtype == np.float32
    assert turned.shape == (len(times), 3)
    assert 0.5 < np.degrees(turned.std(axis=0)).min() < np.degrees(np.abs(turned)).max() < 15
    assert np.degrees(np.abs(np.diff(turned, axis=0))).max() * 25 < 60  # degrees a second
    assert np.array_equal(head_motion(times, 60.0, [], speaking, 1.0, seed=1), turned)
    assert np.allclose(head_motion(times, 60.0, [], speaking, 0.5, seed=1), 0.5 * turned, atol=1e-6)
    assert np.abs(head_motion(times, 60.0, [], 0 * speaking, 1.0, seed=1)).mean() < 0.5 * np.abs(turned).mean()
    nod = head_motion(times, 60.0, [Accent(10.0, 1.0)], speaking, 1.0, seed=1) - turned
    assert np.degrees(nod[:, 0].max()) == pytest.approx(3.0, abs=0.5)
    assert abs(times[nod[:, 0].argmax()] - 10.05) < 0.05


@pytest.mark.parametrize("duration", [2.0, 4.55, 13.37])
def test_the_same_seed_gives_the_same_at_any_frame_rate(duration):
    coarse, fine = frame_times(duration, 25), frame_times(duration, 50)
    for seed in range(20):
        turned, finer = (head_motion(at, duration, [], np.ones(len(at)), 1.0, seed) for at in (coarse, fine))
        assert np.allclose(finer[::2][: len(turned)], turned, atol=1e-6)
        blinks, more = (add_blinks(talk_for(len(at)), at, duration, 1.0, seed) for at in (coarse, fine))
        assert np.allclose(more.weights[::2][: len(coarse)], blinks.weights, atol=1e-6)


PHONES = (
    Phone(0.0, 0.5, "aa"),
    Phone(0.5, 0.6, "m"),
    Phone(0.6, 1.2, "aa"),
    Phone(1.2, 1.3, "f"),
    Phone(1.3, 2.0, "aa"),
)


def test_words_close_and_tuck_the_lips_and_leave_the_rest_alone():
    opened = talk(jawOpen=np.full(FRAMES, 0.3))
    spoken = keep_words(opened, TIMES, PHONES)
    gap = spoken.gap()
    closed = (TIMES >= 0.5) & (TIMES <= 0.6)
    assert gap[closed].min() < 0.1 * np.percentile(gap, 95)
    tucked = (TIMES > 1.22) & (TIMES < 1.28)
    assert (curve(spoken, "mouthRollLower")[tucked] > 0.2).all()
    assert (gap[tucked] < 0.6 * gap.max()).all()
    far = (TIMES < 0.4) | ((TIMES > 0.72) & (TIMES < 1.1)) | (TIMES > 1.45)
    assert np.array_equal(spoken.weights[far], opened.weights[far])
    assert np.allclose(vertices(spoken)[far], vertices(opened)[far], atol=1e-6)


def test_lips_that_have_met_are_not_pushed_through_each_other():
    jaw = np.full(FRAMES, 0.3)
    jaw[12:16] = 0.11
    met = talk(jawOpen=jaw)
    met = replace(met, rest_gap=-0.11 * 0.363)
    said = keep_words(met, TIMES, (Phone(0.48, 0.62, "m"),))
    assert said.gap()[12:16].min() > -1e-3
    assert np.abs(said.gap()[12:16]).min() < 0.1 * np.percentile(said.gap(), 95)


def test_exaggerated_lips_are_kept_from_passing_each_other():
    swing = np.cos(2 * np.pi * TIMES)
    reference = np.zeros((468, 3), np.float32)
    reference[INNER_PAIRS[0], 1] = 0.003
    crossing = replace(talk(jawOpen=0.1 * swing, mouthUpperUpLeft=-0.1 * swing), rest_gap=0.003)
    apart = part_lips(crossing, reference)
    before, after = (reference + vertices(one) for one in (crossing, apart))
    gaps = [shown[:, INNER_PAIRS[0], 1] - shown[:, INNER_PAIRS[1], 1] for shown in (before, after)]
    assert gaps[0].min() < -0.01
    assert gaps[1].min() > -1e-6
    assert np.array_equal(apart.weights, crossing.weights)
    met = (gaps[0] >= 0).all(axis=1)
    assert 10 < met.sum() < 40
    assert np.array_equal(after[met], before[met])


def test_words_take_no_larger_a_part_than_the_motion_has():
    opened = talk(jawOpen=np.full(FRAMES, 0.3))
    assert keep_words(opened, TIMES, PHONES, 0.0) is opened
    whole, half = (keep_words(opened, TIMES, PHONES, strength) for strength in (1.0, 0.5))
    tucked = (TIMES > 1.22) & (TIMES < 1.28)
    rolled = curve(whole, "mouthRollLower")[tucked]
    assert np.allclose(curve(half, "mouthRollLower")[tucked], 0.5 * rolled, atol=1e-6)
    closed = (TIMES >= 0.5) & (TIMES <= 0.6)
    assert half.gap()[closed].min() < 0.1 * np.percentile(half.gap(), 95)


def test_open_vowels_are_opened_where_the_lips_had_stayed_together():
    jaw = np.full(FRAMES, 0.3)
    jaw[20:30] = 0.0
    shut = talk(jawOpen=jaw)
    assert (shut.gap()[22:28] < 0.01).all()
    said = keep_words(shut, TIMES, (Phone(0.8, 1.2, "aa"),))
    assert (said.gap()[23:28] > 0.1 * np.percentile(said.gap(), 95)).all()


def test_lips_meet_when_the_network_heard_them_come_nearest():
    jaw = 0.3 - 0.15 * np.exp(-(((TIMES - 0.68) / 0.04) ** 2))
    said = keep_words(talk(jawOpen=jaw), TIMES, (Phone(0.5, 0.7, "m"),))
    assert abs(TIMES[said.gap().argmin()] - 0.68) <= 0.02


@pytest.mark.skipif(ctypes.util.find_library("espeak-ng") is None, reason="espeak-ng is not installed")
def test_stressed_syllables_are_found_in_speech_alone():
    from backend.audio.accents import find_accents, measure_pitch
    from backend.speech.espeak import speak

    samples = speak("I NEVER said that he took the money from the table, did I?").samples
    accents = find_accents(samples)
    assert 1 <= len(accents) <= len(samples) / 16000 / 0.6 + 1
    assert all(0 < accent.strength <= 1 for accent in accents)
    assert find_accents(np.zeros(32000, np.float32)) == []
    tone = sum(np.sin(2 * np.pi * 180 * k * np.arange(8000) / 16000) / k for k in range(1, 8))
    assert measure_pitch(np.asarray(tone, np.float32), 0.25) == pytest.approx(180, rel=0.02)

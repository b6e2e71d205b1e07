"""Closures and stillness on lip movements made by hand."""

import numpy as np
import pytest

from backend.audio.decode import SAMPLE_RATE
from backend.evaluation.speech_figures import closure_recall, silence_motion, tracked_closures
from backend.speech.phones import BILABIALS, OPEN_VOWELS, Phone
from shape_keys.topology import CANONICAL_FACE, LIPS

TIMES = np.arange(50) / 25


def gap_closed_at(*moments: float) -> np.ndarray:
    gap = np.full(50, 0.3)
    for moment in moments:
        gap[round(moment * 25)] = 0.0
    return gap


def test_a_closure_in_its_interval_counts_and_one_outside_does_not():
    phones = [Phone(0.38, 0.46, "b"), Phone(0.46, 0.9, "aa"), Phone(1.18, 1.26, "m"), Phone(1.3, 1.9, "aa")]
    assert closure_recall(gap_closed_at(0.4, 1.2), TIMES, phones, BILABIALS) == [True, True]
    assert closure_recall(gap_closed_at(0.4), TIMES, phones, BILABIALS) == [True, False]
    assert closure_recall(gap_closed_at(0.4, 1.6), TIMES, phones, OPEN_VOWELS) == [False, True]


def test_a_closure_next_to_a_vowel_is_not_false():
    phones = [Phone(0.38, 0.46, "b"), Phone(0.46, 0.9, "aa")]
    assert closure_recall(gap_closed_at(0.44), TIMES, phones, OPEN_VOWELS) == [False]


def test_tracked_closures_are_found_within_a_frame():
    true = gap_closed_at(0.4, 1.2)
    assert tracked_closures(true, gap_closed_at(0.44, 1.2)) == [True, True]
    assert tracked_closures(true, gap_closed_at(0.8)) == [False, False]
    assert tracked_closures(true, 20 * gap_closed_at(0.44, 1.2)) == [True, True]  # of a mouth that opens wider


def test_pauses_at_the_ends_are_no_closures():
    gap = gap_closed_at(0.4)
    gap[:5] = gap[-5:] = 0
    assert len(tracked_closures(gap, gap)) == 1


def test_motion_in_silence_and_speech():
    rng = np.random.default_rng(0)
    times = np.arange(100) / 25
    samples = np.where(np.arange(4 * SAMPLE_RATE) < 2 * SAMPLE_RATE, 0.3, 1e-4) * rng.standard_normal(4 * SAMPLE_RATE)
    vertices = np.repeat(CANONICAL_FACE[None], 100, axis=0)
    vertices[:50:2, list(LIPS), 1] += 0.1  # up and down in speech: 0.1 a frame at 25 frames a second
    vertices[50::2, list(LIPS), 1] += 0.002
    silent, speaking = silence_motion(vertices, times, samples.astype(np.float32))
    assert speaking == pytest.approx(2.5, rel=0.05)
    assert silent == pytest.approx(0.05, rel=0.1)


@pytest.mark.parametrize("count", [5, 10, 20])
def test_motion_in_the_silence_of_a_short_clip(count):
    times = 2.5 + np.arange(count) / 25  # half a second after the speech
    speech = 0.1 * np.random.default_rng(0).standard_normal(2 * SAMPLE_RATE)
    samples = np.concatenate([speech, np.zeros(2 * SAMPLE_RATE)])
    vertices = np.repeat(CANONICAL_FACE[None], count, axis=0)
    vertices[::2, list(LIPS), 1] += 0.002
    silent, speaking = silence_motion(vertices, times, samples.astype(np.float32))
    assert silent == pytest.approx(0.05, rel=1e-3)
    assert np.isnan(speaking)

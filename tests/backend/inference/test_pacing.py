"""Frames leave at a steady pace, however they come."""

import numpy as np
import pytest

from backend.inference.pacing import FramePacer
from backend.inference.stream import LiveFrame

FPS = 25.0


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 100.0

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(0.0, seconds)


def leave(arrivals: np.ndarray) -> tuple[np.ndarray, FramePacer]:
    """Moments at which frames leave that arrive at the given ones, seconds."""
    clock = Clock()
    pacer, left = FramePacer(clock.read, clock.sleep), []

    def come():
        for index, arrival in enumerate(arrivals):
            clock.now = max(clock.now, 100 + arrival)
            yield LiveFrame(index, index / FPS, np.zeros(52), np.zeros((468, 3)))

    for _ in pacer.pace(come()):
        left.append(clock.now - 100)
    return np.array(left), pacer


def test_bursts_are_evened_out():
    due = np.arange(500) / FPS
    arrivals = np.ceil(due / 0.1) * 0.1  # blocks of 100 ms: two or three frames at once
    left, _ = leave(arrivals)
    steps = np.diff(left)[10:]
    assert steps == pytest.approx(1 / FPS, abs=0.004)
    assert (left - due)[10:].max() < 0.11


def test_steady_frames_are_not_held():
    due = np.arange(100) / FPS
    left, pacer = leave(due + 0.05)
    assert left == pytest.approx(due + 0.05)
    assert pacer.late == 0


def test_a_stall_is_caught_up():
    due = np.arange(3000) / FPS
    arrivals = np.where((due > 4) & (due < 4.5), 4.5, due)
    left, pacer = leave(arrivals)
    assert pacer.late >= 1
    assert (left - due)[-1] < 0.01


@pytest.mark.parametrize("drift", [-2e-4, 2e-4])
def test_a_drifting_sound_card_is_followed(drift):
    due = np.arange(15_000) / FPS  # ten minutes
    arrivals = due * (1 + drift)
    left, _ = leave(arrivals)
    assert np.abs(left - arrivals).max() < 0.02

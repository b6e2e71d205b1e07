"""Sound as it comes in to frames as they fall due: the live counterpart of `predict.py`, with the same numbers."""

from dataclasses import dataclass

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.audio.running_level import RunningLevel
from backend.audio.spectrogram import HOP_SECONDS, WINDOW, frame_times, samples_needed, spectrum, window_centres
from backend.audio.zero_line import RunningOffset
from backend.errors import InputError, UsageError
from backend.inference.contacts import tuck
from backend.inference.heard_lips import lacking, rounding, tucking
from backend.inference.meeting import show_spoken
from backend.inference.motion import LazyOffsets
from backend.inference.performance import perform
from backend.inference.request import LEAST_FPS, MOST_FPS
from models.motion_network import MotionNetwork


@dataclass(frozen=True)
class LiveFrame:
    """One frame. index counts from 0, time is index / fps in seconds from the stream's start.

    weights: (52,) float32 in 0..1; offsets: (468, 3) float32, interocular units, head space.
    """

    index: int
    time: float
    weights: np.ndarray
    offsets: np.ndarray


def full_look_ahead(network: MotionNetwork) -> float:
    """Seconds after a frame to which its columns reach."""
    return (network.columns - 1) / 2 * HOP_SECONDS + WINDOW / 2 / SAMPLE_RATE


class StreamingSession:
    """One voice, heard in chunks of any size.

    Frame t comes out of the first `feed` after which more than the sound up to t / fps + look_ahead has been heard.
    What is computed of a column alone is computed once for all frames that share it, and kept as long as a frame to
    come needs it, so that work and memory for a frame stay the same however long the stream gets.

    With a recording's `gain` and all the look-ahead, frames equal those of `direct` without what must know sound to
    come: the rest in silence (silence_gate and breath 0), and what steadies frames above 40 a second. They do to
    float32 rounding (1e-5), whatever the chunks. Without `gain` the level is followed as it is heard (`RunningLevel`):
    chunks still do not matter, but a recording's level is known only at its end. So is an offset, which is taken off
    once half a second has been heard (`RunningOffset`).
    """

    def __init__(
        self,
        network: MotionNetwork,
        reference: np.ndarray,
        fps: float = 25.0,
        look_ahead: float = 0.04,
        gain: float | None = None,
    ) -> None:
        """reference: (468, 3) vertices of the face at rest; look_ahead: seconds, 0 to `full_look_ahead(network)`.

        Raises UsageError.
        """
        if not LEAST_FPS <= fps <= MOST_FPS:
            raise UsageError(f"fps must be between {LEAST_FPS} and {MOST_FPS}, got {fps:g}.")
        if not 0 <= look_ahead <= full_look_ahead(network):
            most = full_look_ahead(network)
            raise UsageError(f"The look-ahead must be between 0 and {most:g} seconds, got {look_ahead:g}.")
        self.network, self.reference, self.fps, self.look_ahead = network, reference, fps, look_ahead
        self.heard = 0
        """Samples fed so far."""
        self._gain, self._level, self._offset = gain, RunningLevel(), RunningOffset()
        self._samples, self._first = np.zeros(0, np.float32), 0  # what is still needed, and where it starts
        self._centres, self._features = np.zeros(0, np.int64), np.zeros(0, np.float32)  # sorted; of the same columns
        self._frame = 0
        self._ended = False

    def feed(self, samples: np.ndarray) -> list[LiveFrame]:
        """Hear the next samples (n,) float32 mono 16 kHz, -1..1; returns the frames that fall due, oldest first.

        Raises InputError where they are no numbers, ValueError after `flush`.
        """
        if self._ended:
            raise ValueError("this session was flushed; start another one")
        samples = np.asarray(samples, np.float32)
        if samples.ndim != 1 or not np.isfinite(samples).all():
            raise InputError(f"Live sound must be finite numbers of one channel, got an array {samples.shape}.")
        samples = self._offset.feed(samples)
        if self._gain is None:
            self._level.feed(samples)
        self._samples = np.concatenate([self._samples, samples])
        self.heard += len(samples)
        latest = int((self.heard / SAMPLE_RATE - self.look_ahead) * self.fps) + 1
        numbers = np.arange(self._frame, max(self._frame, latest + 1))
        due = samples_needed(numbers / self.fps, self.look_ahead) < self.heard
        return self._frames(self._frame + int(due.sum()))

    def flush(self) -> list[LiveFrame]:
        """End the stream; returns the frames that waited for sound to come, with silence in its place."""
        self._ended = True
        return self._frames(len(frame_times(self.heard / SAMPLE_RATE, self.fps)) if self.heard else 0)

    def _frames(self, end: int) -> list[LiveFrame]:
        start, self._frame = self._frame, max(end, self._frame)
        if start >= end:
            return []
        numbers = np.arange(start, end)
        centres = window_centres(numbers / self.fps, self.look_ahead, self.network.columns)
        self._hear_columns(centres)
        codes, probabilities = self.network.hear(self._features, np.searchsorted(self._centres, centres))
        self._forget()
        weights = self.network.blendshapes(codes)
        shown = perform(self.network, codes, weights, self.reference)
        if probabilities is None:
            shown = show_spoken(shown, np.zeros_like(weights))
        else:
            shown = show_spoken(shown, lacking(weights, rounding(probabilities)))
            shown = tuck(shown, tucking(probabilities))
        offsets = LazyOffsets(self.network, codes, shown.shift)[:]
        rows = zip(numbers, shown.weights, offsets, strict=True)
        return [LiveFrame(int(number), float(number / self.fps), weights, offsets) for number, weights, offsets in rows]

    def _hear_columns(self, centres: np.ndarray) -> None:
        """Compute what is computed of a column alone for those of the columns (T, K) that are not kept yet."""
        new = np.setdiff1d(centres, self._centres)
        if not len(new):
            return
        gain = self._level.gains(new + WINDOW // 2) if self._gain is None else self._gain
        features = self.network.features(spectrum(self._samples, new - self._first, gain))
        if not len(self._centres):
            self._centres, self._features = new, features
            return
        order = np.argsort(np.concatenate([self._centres, new]))
        self._centres = np.concatenate([self._centres, new])[order]
        self._features = np.concatenate([self._features, features])[order]

    def _forget(self) -> None:
        """Drop the columns and samples that no frame to come needs."""
        needed = int(window_centres(np.array([self._frame / self.fps]), count=self.network.columns)[0, 0])
        kept = self._centres >= needed
        self._centres, self._features = self._centres[kept], self._features[kept]
        position = min(max(0, needed - WINDOW // 2), self.heard)
        self._level.forget(position)
        self._samples = self._samples[position - self._first :]
        self._first = position

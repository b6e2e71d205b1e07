"""Samples about zero: an offset, as cheap microphones and interfaces add, would count as loudness and as a low tone."""

import numpy as np

from backend.audio.decode import SAMPLE_RATE

LEAST_OFFSET = 1e-3
"""Power of an offset as a share of the sound's, 30 dB under it; what is less is hardly heard, and voices are learnt
with it."""
SILENT_PIECE = SAMPLE_RATE // 1000
"""Samples, 1 ms: zeros of that length are digital silence, which has no offset."""
PIECE = SAMPLE_RATE // 50
"""Samples after which the offset of live sound is measured anew: 20 ms."""
LEAST_PIECES, MEMORY = 25, 500
"""Pieces that must be heard before an offset is believed, half a second, and after which one counts for 1/e."""


def remove_offset(samples: np.ndarray) -> None:
    """Take the mean of a recording (n,) float32 off in place, where it is an offset; digital silence stays as it is."""
    whole = len(samples) // SILENT_PIECE * SILENT_PIECE
    pieces = samples[:whole].reshape(-1, SILENT_PIECE)
    sounding = pieces.any(axis=1)
    count = max(1, np.count_nonzero(sounding) * SILENT_PIECE)
    offset = audible_offset(float(pieces.sum(dtype=np.float64)) / count, float(np.dot(samples, samples)) / count)
    if offset:
        np.subtract(pieces, np.float32(offset), out=pieces, where=sounding[:, None])
        samples[whole:] -= np.float32(offset)


def audible_offset(mean: float, power: float) -> float:
    """The mean of a sound of that mean square, 0 where it lies so far under the sound that it may stay."""
    return mean if mean**2 > LEAST_OFFSET * (power - mean**2) else 0.0


class RunningOffset:
    """Takes the offset off live sound, as far as it is known by then; how the sound is cut into chunks is all one."""

    def __init__(self) -> None:
        self._offset = self._mean = self._power = 0.0
        self._pieces = 0
        self._sum = self._squares = 0.0  # of the piece that is being heard
        self._heard = 0

    def feed(self, samples: np.ndarray) -> np.ndarray:
        """The next samples (n,) float32 without the offset, (n,) float32."""
        result = samples.copy()
        start = 0
        while start < len(samples):
            part = slice(start, start + PIECE - self._heard)
            result[part] -= np.float32(self._offset)
            self._hear(samples[part].astype(np.float64))
            start = part.stop
        return result

    def _hear(self, part: np.ndarray) -> None:
        self._sum += float(part.sum())
        self._squares += float(np.dot(part, part))
        self._heard += len(part)
        if self._heard < PIECE:
            return
        self._pieces = min(MEMORY, self._pieces + 1)
        self._mean += (self._sum / PIECE - self._mean) / self._pieces
        self._power += (self._squares / PIECE - self._power) / self._pieces
        if self._pieces >= LEAST_PIECES:
            self._offset = audible_offset(self._mean, self._power)
        self._sum = self._squares = 0.0
        self._heard = 0

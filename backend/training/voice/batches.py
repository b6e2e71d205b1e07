"""Random stretches of the voice corpus, their sound changed, as tensors."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from backend.audio.spectrogram import COMPRESSION
from backend.speech.phones import BILABIALS, OPEN_VOWELS, SYMBOLS
from backend.training.voice.augment import augment_magnitudes, random_noise
from backend.training.voice.corpus import COLUMN_SECONDS, SHAPE_SECONDS, Corpus, Recording

FRAME_COLUMNS = 4
"""10 ms columns between frames: 25 frames a second."""
AROUND = 2
"""Columns on either side of a frame that must all be a bilabial, or an open vowel, for the lips to be told by it."""
LABELLED = (-8, -4, 0, 4, 8)
"""Columns from a frame whose phonemes are told apart: what the lips do hangs on the neighbours too."""
RESTING = 20
"""Columns on either side of a frame that must all be silence for the face to be at rest."""
NOISE_SHARE = 0.06
"""How many of the stretches without a filmed face are noise without a voice."""
RECORDED_SHARE = 0.15
"""How many of the stretches without a filmed face come from recorded performances."""
READ_SHARE = 0.05
"""And how many from people reading: few are there, but no engine speaks as people do."""


_BILABIALS, _OPEN_VOWELS = ([SYMBOLS.index(symbol) for symbol in kind] for kind in (BILABIALS, OPEN_VOWELS))


@dataclass(frozen=True)
class _Stretch:
    """columns (C, 256), index (L, K) into them, labels (L, 5), bilabial (L,), open (L,), resting (L,); places (L,):
    columns of the recording; rows (L,) of the corpus's faces, -1 where there is none."""

    columns: np.ndarray
    index: np.ndarray
    labels: np.ndarray
    bilabial: np.ndarray
    open: np.ndarray
    resting: np.ndarray
    places: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class VoiceBatch:
    """B stretches of L frames.

    columns (C, 2, 256), index (B * L, K): sound; labels (B * L, 5) int64 phoneme numbers at LABELLED;
    speakers (S,) int64 number of the speaker of each stretch seen;
    bilabial, open, resting (B, L) bool: where a bilabial, an open vowel, or nothing sounds; shapes (H, L, 52): weights
    of the stretches that were heard only, the first ones; offsets (S, L, 468, 3), weights (S, L, 52), valid (S, L): of
    those seen.
    """

    columns: Tensor
    index: Tensor
    labels: Tensor
    speakers: Tensor
    bilabial: Tensor
    open: Tensor
    resting: Tensor
    shapes: Tensor
    offsets: Tensor
    weights: Tensor
    valid: Tensor


class VoiceBatches:
    """Draws batches: `heard` stretches of any recording and `seen` stretches of filmed ones."""

    def __init__(
        self,
        corpus: Corpus,
        columns: int,
        heard: int = 16,
        seen: int = 8,
        length: int = 64,
        held_out: Sequence[str] = (),
    ) -> None:
        """columns: in the encoder's windows; held_out: recordings whose source begins so are left out."""
        self.columns = columns
        self.corpus, self.heard, self.seen, self.length = corpus, heard, seen, length
        kept = [r for r in corpus.recordings if not f"{r.source} ".startswith(tuple(f"{name} " for name in held_out))]
        filmed = [r for r in kept if r.frames[0] < r.frames[1]]
        self.recorded = [r for r in kept if r.source.startswith("facegood")]
        self.read = [r for r in kept if r.source.startswith("ljspeech")]
        self.spoken = [r for r in kept if r.shapes[0] < r.shapes[1] and r not in self.recorded]
        speakers = sorted({speaker_of(r) for r in filmed})
        self.filmed = [[r for r in filmed if speaker_of(r) == speaker] for speaker in speakers]

    def draw(self, rng: np.random.Generator) -> VoiceBatch:
        """One batch. Every filmed speaker is as likely as any other, however many clips there are of them."""
        heard = [self._choose_heard(rng) for _ in range(self.heard)]
        pairs = [(recording, self._stretch(recording, rng, rng.random() < NOISE_SHARE)) for recording in heard]
        speakers = rng.integers(len(self.filmed), size=self.seen)
        for speaker in speakers:
            clips = self.filmed[speaker]
            recording = clips[rng.integers(len(clips))]
            pairs.append((recording, self._stretch(recording, rng)))
        stretches = [stretch for _, stretch in pairs]
        starts = np.cumsum([0, *(len(stretch.columns) for stretch in stretches)])
        columns = np.concatenate([stretch.columns for stretch in stretches])
        index = [stretch.index + start for stretch, start in zip(stretches, starts, strict=False)]
        rows = np.stack([stretch.rows for stretch in stretches[self.heard :]])
        shapes = np.stack([self._shapes(*pair) for pair in pairs[: self.heard]])
        return VoiceBatch(
            torch.from_numpy(np.stack([columns, np.zeros_like(columns)], axis=1)),
            torch.from_numpy(np.concatenate(index)),
            torch.from_numpy(np.concatenate([stretch.labels for stretch in stretches]).astype(np.int64)),
            torch.from_numpy(speakers),
            torch.from_numpy(np.stack([stretch.bilabial for stretch in stretches])),
            torch.from_numpy(np.stack([stretch.open for stretch in stretches])),
            torch.from_numpy(np.stack([stretch.resting for stretch in stretches])),
            torch.from_numpy(shapes),
            torch.from_numpy(self.corpus.offsets[rows].astype(np.float32)),
            torch.from_numpy(self.corpus.weights[rows].astype(np.float32)),
            torch.from_numpy((rows >= 0) & self.corpus.valid[rows]),
        )

    def _choose_heard(self, rng: np.random.Generator) -> Recording:
        kind, among = rng.random(), self.spoken or self.recorded
        if self.recorded and kind < RECORDED_SHARE:
            among = self.recorded
        elif self.read and kind > 1 - READ_SHARE:
            among = self.read
        return among[rng.integers(len(among))]

    def _stretch(self, recording: Recording, rng: np.random.Generator, noise: bool = False) -> _Stretch:
        """`length` frames of a recording at a random speed, or of as much noise instead."""
        first, last = recording.columns
        speed = float(np.exp(rng.uniform(-0.17, 0.17)))
        rows = np.full(self.length, -1)
        if recording.frames[0] < recording.frames[1]:
            count = recording.frames[1] - recording.frames[0]
            start = recording.frames[0] + int(rng.integers(0, max(1, count - self.length + 1)))
            rows = np.arange(start, start + self.length)
            times = self.corpus.times[rows.clip(max=recording.frames[1] - 1)] * 100
            rows[rows >= recording.frames[1]] = -1
        else:
            span = self.length * FRAME_COLUMNS * speed
            times = rng.uniform(0, max(1, last - first - span)) + np.arange(self.length) * FRAME_COLUMNS * speed
        # Played `speed` times as fast, what was `speed` columns apart is one column apart.
        places = np.rint((times - times[0]) / speed).astype(int)
        wanted = times[0] + (np.arange(places[-1] + self.columns) - self.columns // 2) * speed
        heard = self._columns(first, last, wanted)
        babble = partial(self._babble, rng=rng)
        columns = random_noise(len(heard), rng) if noise else augment_magnitudes(heard, rng, babble)
        index = places[:, None] + np.arange(self.columns)
        around = self._labels(recording, times[:, None] + np.arange(-RESTING, RESTING + 1))
        near = around[:, RESTING - AROUND : RESTING + AROUND + 1]
        if noise:
            around, near = np.zeros_like(around), np.zeros_like(near)
        return _Stretch(
            columns,
            index,
            around[:, [RESTING + place for place in LABELLED]],
            np.isin(near, _BILABIALS).all(1),
            np.isin(near, _OPEN_VOWELS).all(1),
            (around == 0).all(1),
            times,
            rows,
        )

    def _babble(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """So many columns of three to five voices at once: (count, 256) float32, not compressed."""
        voices = self.spoken or self.recorded
        power = np.zeros((count, self.corpus.columns.shape[1]), np.float32)
        for _ in range(int(rng.integers(3, 6))):
            first, last = voices[rng.integers(len(voices))].columns
            start = int(rng.integers(first, last))
            part = self.corpus.columns[np.arange(start, start + count) % (last - first) + first]
            power += part.astype(np.float32) ** (2 / COMPRESSION)
        return np.sqrt(power)

    def _labels(self, recording: Recording, places: np.ndarray) -> np.ndarray:
        """Phoneme numbers at columns of a recording; beyond its ends silence."""
        first, last = recording.columns
        centre = np.rint(places).astype(int)
        inside = (centre >= 0) & (centre < last - first)
        return np.where(inside, self.corpus.labels[first + np.clip(centre, 0, last - first - 1)], 0)

    def _shapes(self, recording: Recording, stretch: _Stretch) -> np.ndarray:
        """Blendshape weights (L, 52) float32 of a stretch that was heard only."""
        if stretch.resting.all():
            return np.zeros((self.length, self.corpus.shapes.shape[1]), np.float32)
        first, last = recording.shapes
        rows = first + np.rint(stretch.places * COLUMN_SECONDS / SHAPE_SECONDS).astype(int)
        return self.corpus.shapes[rows.clip(first, last - 1)].astype(np.float32) / 255

    def _columns(self, first: int, last: int, wanted: np.ndarray) -> np.ndarray:
        """Columns at fractional places after `first`; silence outside the recording."""
        low = np.floor(wanted).astype(int)
        part = (wanted - low).astype(np.float32)[:, None]
        rows = np.zeros((2, len(wanted), 256), np.float32)
        for side, place in enumerate((low, low + 1)):
            inside = (place >= 0) & (place < last - first)
            rows[side, inside] = self.corpus.columns[first + place[inside]]
        return rows[0] * (1 - part) + rows[1] * part


def speaker_of(recording: Recording) -> str:
    """`grid s1` of `grid s1 bbaf4p`."""
    return " ".join(recording.source.split()[:2])

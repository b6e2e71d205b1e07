"""Random stretches of the voice corpus, their sound changed, as tensors."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from backend.training.voice.augment import augment_magnitudes
from backend.training.voice.corpus import Corpus, Recording

FRAME_COLUMNS = 4
"""10 ms columns between frames: 25 frames a second."""


@dataclass(frozen=True)
class VoiceBatch:
    """B stretches of L frames.

    columns (C, 2, 256), index (B * L, K): sound; labels (B * L,) int64 phoneme numbers;
    offsets (B, L, 468, 3), weights (B, L, 52), valid (B, L): faces of the stretches that have one, the last ones.
    """

    columns: Tensor
    index: Tensor
    labels: Tensor
    offsets: Tensor
    weights: Tensor
    valid: Tensor


class VoiceBatches:
    """Draws batches: `heard` stretches of any recording and `seen` stretches of filmed ones."""

    def __init__(self, corpus: Corpus, columns: int, heard: int = 16, seen: int = 8, length: int = 64) -> None:
        """columns: in the encoder's windows."""
        self.columns = columns
        self.corpus, self.heard, self.seen, self.length = corpus, heard, seen, length
        self.spoken = [r for r in corpus.recordings if r.frames[0] == r.frames[1]]
        filmed = [r for r in corpus.recordings if r.frames[0] < r.frames[1]]
        speakers = sorted({speaker_of(r) for r in filmed})
        self.filmed = [[r for r in filmed if speaker_of(r) == speaker] for speaker in speakers]

    def draw(self, rng: np.random.Generator) -> VoiceBatch:
        """One batch. Every filmed speaker is as likely as any other, however many clips there are of them."""
        stretches = [self._stretch(self.spoken[rng.integers(len(self.spoken))], rng) for _ in range(self.heard)]
        faces = []
        for _ in range(self.seen):
            clips = self.filmed[rng.integers(len(self.filmed))]
            recording = clips[rng.integers(len(clips))]
            columns, index, labels, rows = self._stretch(recording, rng)
            stretches.append((columns, index, labels, rows))
            faces.append(rows)
        starts = np.cumsum([0] + [len(columns) for columns, *_ in stretches])
        columns = np.concatenate([columns for columns, *_ in stretches])
        index = np.concatenate([index + start for (_, index, *_), start in zip(stretches, starts, strict=False)])
        rows = np.stack(faces)
        valid = (rows >= 0) & self.corpus.valid[rows]
        return VoiceBatch(
            torch.from_numpy(np.stack([columns, np.zeros_like(columns)], axis=1)),
            torch.from_numpy(index),
            torch.from_numpy(np.concatenate([labels for _, _, labels, _ in stretches])),
            torch.from_numpy(self.corpus.offsets[rows].astype(np.float32)),
            torch.from_numpy(self.corpus.weights[rows].astype(np.float32)),
            torch.from_numpy(valid),
        )

    def _stretch(
        self, recording: Recording, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Columns, index, labels and rows of the face (-1: none) of `length` frames at a random speed."""
        first, last = recording.columns
        speed = float(np.exp(rng.uniform(-0.17, 0.17)))
        filmed = recording.frames[0] < recording.frames[1]
        rows = np.full(self.length, -1)
        if filmed:
            count = recording.frames[1] - recording.frames[0]
            start = recording.frames[0] + int(rng.integers(0, max(1, count - self.length + 1)))
            rows = np.arange(start, start + self.length)
            rows[rows >= recording.frames[1]] = -1
            times = self.corpus.times[np.maximum(rows, start)] * 100
        else:
            span = self.length * FRAME_COLUMNS * speed
            times = rng.uniform(0, max(1, last - first - span)) + np.arange(self.length) * FRAME_COLUMNS * speed
        # Played `speed` times as fast, what was `speed` columns apart is one column apart.
        places = np.rint((times - times[0]) / speed).astype(int)
        wanted = times[0] + (np.arange(places[-1] + self.columns) - self.columns // 2) * speed
        columns = augment_magnitudes(self._columns(first, last, wanted), rng)
        index = places[:, None] + np.arange(self.columns)
        centre = np.rint(times).astype(int)
        inside = (centre >= 0) & (centre < last - first)
        labels = np.where(inside, self.corpus.labels[first + np.clip(centre, 0, last - first - 1)], 0)
        return columns, index, labels.astype(np.int64), rows

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

"""Stretches of consecutive training frames, with augmented sound, as tensors."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from backend.audio.decode import SAMPLE_RATE
from backend.audio.spectrogram import HOP_SECONDS, normalise_level, spectrogram_windows
from backend.training.augment import augment_columns, augment_samples, change_speed, coloured_noise
from backend.training.config import TrainConfig
from backend.training.dataset import Dataset

MARGIN_SECONDS = 0.05
"""Of sound on either side of the windows of a stretch."""
GAP_SECONDS = 0.5
"""Between what is trained on and what is measured: a frame's neighbours show nearly the same."""
LEAST_HELD_OUT = 12
"""Frames with a face that the cut must leave of a clip for measuring; fewer say nothing."""
REST_NOISE_RMS = 0.002
"""Loudest noise in a stretch of made silence: 28 dB below speech."""


@dataclass(frozen=True)
class Batch:
    """B stretches of L frames; S of their frames are chosen for the texture.

    columns (C, 2, 256), index (B * L, K): sound. frames (B, L): their numbers in the dataset, -1 of a face at rest.
    offsets (B, L, 468, 3), weights (B, L, 52), valid (B, L): targets.
    chosen (S,) indices into B * L; crops, previous (S, 3, 128, 128) in 0..1; pixels (S, 1, 128, 128) loss weights.
    """

    columns: Tensor
    index: Tensor
    frames: Tensor
    offsets: Tensor
    weights: Tensor
    valid: Tensor
    chosen: Tensor
    crops: Tensor
    previous: Tensor
    pixels: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(*(getattr(self, item.name).to(device, non_blocking=True) for item in fields(self)))


@dataclass(frozen=True)
class Span:
    """Frames start..stop of the dataset, all of one clip."""

    start: int
    stop: int


def split_spans(dataset: Dataset, held_out: float) -> tuple[list[Span], list[Span]]:
    """Divide the clips by time: the last `held_out` of the frames, never neighbours, are kept from training.

    A gap at the cut keeps neighbouring frames apart; the last windows of training's sound reach over it. Returns
    (training, held-out) spans; held-out ones that hardly show a face are left out.
    """
    clip = np.asarray(dataset.clip)
    bounds = np.flatnonzero(np.diff(clip, prepend=-1, append=-1))
    cut = round(len(clip) * (1 - held_out))
    train, held = [], []
    for start, stop in itertools.pairwise(bounds):
        if stop <= cut:
            train.append(Span(int(start), int(stop)))
        elif start >= cut:
            held.append(Span(int(start), int(stop)))
        else:
            last = int(np.searchsorted(dataset.times[start:cut], dataset.times[cut] - GAP_SECONDS)) + int(start)
            if last > start:
                train.append(Span(int(start), last))
            held.append(Span(int(cut), int(stop)))
    valid = np.asarray(dataset.valid)
    return train, [span for span in held if valid[span.start : span.stop].sum() >= LEAST_HELD_OUT]


class Batches:
    """Draws random batches from training spans; the same seed and epoch give the same batches."""

    def __init__(self, dataset: Dataset, spans: list[Span], config: TrainConfig, columns: int) -> None:
        """columns: how many the network's windows have."""
        self.dataset = dataset
        self.spans = [span for span in spans if span.stop - span.start >= 2]
        self.config = config
        self.columns = columns
        self.reference = dataset.reference_vertices
        self.audio = {k: normalise_level(dataset.audio(k)) for k in np.unique(dataset.clip)}

    def epoch(self, number: int, process: int = 0, processes: int = 1) -> Iterator[Batch]:
        """Batches that together hold about as many frames as the training spans.

        Of several processes each gets its own batches, and all get equally many.
        """
        rng = np.random.default_rng([self.config.seed, number])
        stretches = [
            Span(start, min(start + self.config.chunk, span.stop))
            for span in self.spans
            for start in self._starts(span, rng)
        ]
        order = rng.permutation(len(stretches))
        groups = [order[first : first + self.config.chunks] for first in range(0, len(order), self.config.chunks)]
        if processes > 1:
            groups = groups[process : len(groups) // processes * processes : processes]
            rng = np.random.default_rng([self.config.seed, number, process])
        for group in groups:
            yield self._batch([stretches[i] for i in group], rng)

    def previous(self, frames: np.ndarray) -> np.ndarray:
        """The crops before frames (B,), (B, 128, 128, 3) uint8; all zero where the clip begins or no face is seen."""
        clip, before = np.asarray(self.dataset.clip), np.maximum(frames - 1, 0)
        blank = (clip[before] != clip[frames]) | (frames == 0) | ~np.asarray(self.dataset.valid[before])
        return np.where(blank[:, None, None, None], 0, self.dataset.crops[before])

    def _starts(self, span: Span, rng: np.random.Generator) -> list[int]:
        free = max(1, span.stop - span.start - self.config.chunk + 1)
        count = -(-(span.stop - span.start) // self.config.chunk)
        return [span.start + int(start) for start in rng.integers(0, free, count)]

    def _batch(self, stretches: list[Span], rng: np.random.Generator) -> Batch:
        length = self.config.chunk
        columns, index, targets = [], [], []
        total = 0
        for stretch in stretches:
            # A stretch shorter than the others repeats its last frame, which is then not valid.
            frames = np.minimum(np.arange(stretch.start, stretch.start + length), stretch.stop - 1)
            rest = rng.random() < self.config.augment.silence_probability
            stretch_columns, stretch_index = self._sound(frames, rest, rng)
            columns.append(stretch_columns)
            index.append(stretch_index + total)
            total += len(stretch_columns)
            targets.append((frames, rest, np.arange(length) < stretch.stop - stretch.start))
        frames = np.concatenate([t[0] for t in targets])
        rest = np.repeat([t[1] for t in targets], length)
        valid = np.concatenate([t[2] for t in targets]) & (np.asarray(self.dataset.valid[frames]) | rest)
        offsets = np.where(rest[:, None, None], 0, self.dataset.vertices[frames] - self.reference)
        weights = np.where(rest[:, None], 0, self.dataset.weights[frames])
        shape = (len(stretches), length)
        return Batch(
            torch.from_numpy(np.concatenate(columns)),
            torch.from_numpy(np.concatenate(index)),
            torch.from_numpy(np.where(rest, -1, frames)).unflatten(0, shape),
            torch.from_numpy(offsets.astype(np.float32)).unflatten(0, shape),
            torch.from_numpy(weights.astype(np.float32)).unflatten(0, shape),
            torch.from_numpy(valid).unflatten(0, shape),
            *self._texture(frames, rest, valid, rng),
        )

    def _sound(self, frames: np.ndarray, rest: bool, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        times = np.asarray(self.dataset.times[frames])
        margin = self.columns / 2 * HOP_SECONDS * (1 + self.config.augment.speed) + MARGIN_SECONDS
        first = max(0, int((times[0] - margin) * SAMPLE_RATE))
        samples = self.audio[int(self.dataset.clip[frames[0]])][first : int((times[-1] + margin) * SAMPLE_RATE)]
        times = times - first / SAMPLE_RATE
        augment = self.config.augment
        if rest:
            samples = np.zeros_like(samples)
            if rng.random() < 0.5:
                samples = coloured_noise(len(samples), REST_NOISE_RMS * 10 ** -rng.uniform(0, 2), rng)
        else:
            samples, times = change_speed(samples, times, float(np.exp(rng.uniform(-1, 1) * np.log1p(augment.speed))))
            samples = augment_samples(samples, augment, rng)
        windows = spectrogram_windows(samples, times, snap=True, count=self.columns)
        return augment_columns(windows.columns, augment, rng), windows.index

    def _texture(
        self, frames: np.ndarray, rest: np.ndarray, valid: np.ndarray, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        usable = np.flatnonzero(valid)
        chosen = np.sort(rng.permutation(usable)[: self.config.texture_frames])
        frames, rest = frames[chosen], rest[chosen]
        blank = rng.random(len(frames)) < self.config.blank_previous
        previous = np.where(blank[:, None, None, None], 0, self.previous(frames))
        crops = np.where(rest[:, None, None, None], self.dataset.reference_crop, self.dataset.crops[frames])
        visible = np.where(rest, 0, self.dataset.visible[frames]).astype(np.float32)
        return (
            torch.from_numpy(chosen),
            to_image_tensor(crops),
            to_image_tensor(previous),
            torch.from_numpy(
                texture_weights(self.dataset.mask, self.dataset.interior, visible, self.config.interior_weight)
            ),
        )


def to_image_tensor(images: np.ndarray) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float32 in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255


def texture_weights(mask: np.ndarray, interior: np.ndarray, visible: np.ndarray, interior_weight: float) -> np.ndarray:
    """How much each pixel of each frame counts: skin by its validity, the mouth interior by how much of it is seen.

    mask (128, 128) 0..1; interior (128, 128) bool; visible (B,) 0..1. Returns (B, 1, 128, 128) float32.
    """
    weights = np.where(interior, interior_weight * visible[:, None, None], mask)
    return weights[:, None].astype(np.float32)

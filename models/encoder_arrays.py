"""The two audio encoders in NumPy; models/audio_encoder.py and models/voice_encoder.py define them."""

from collections.abc import Mapping

import numpy as np

from models.mel import stretch
from models.phonemes import LEAST_LOG, MOMENTS, PHONEMES, SURE, TRUST, UNSURE, lips_shown

SLOPE = 0.2
"""Of the leaky ReLU, as in models/audio_encoder.py."""
BINS_LEFT = 4
"""256 frequency bins after six halvings."""
LAYER_NORM_EPSILON = 1e-5
"""PyTorch's."""
TONGUE = "interior.tongue.0.weight"
"""Where a texture reads what is said (models/mouth_interior.py)."""
COLUMNS_AT_ONCE = 64
FRAMES_AT_ONCE = 32
"""Sizes at which the widest layer of the paper's encoder stays within a core's cache (1 MB)."""


class AudioEncoderArrays:
    """What `AudioEncoder` computes in evaluation, to rounding."""

    columns = 24
    """In a window."""
    said = 0
    """It tells no phonemes apart."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        """weights: float32 arrays under their names in `TalkingFace.state_dict()`. Raises KeyError, ValueError."""
        self.frequency = _stack(weights, "encoder.frequency.layers")
        self.time = _stack(weights, "encoder.time.layers")
        self.use_phase = len(self.frequency[0][0]) == 3 * 2
        code = weights["encoder.code.weight"]
        self.code_weight = np.ascontiguousarray(
            code.reshape(len(code), -1, BINS_LEFT).transpose(2, 1, 0).reshape(-1, len(code))
        )
        self.code_bias = weights["encoder.code.bias"]

    def features(self, columns: np.ndarray) -> np.ndarray:
        """Layers over frequency, each column alone: (C, 2, 256) float32 -> (C, 4, width)."""
        pieces = [
            self._features(columns[start : start + COLUMNS_AT_ONCE])
            for start in range(0, len(columns), COLUMNS_AT_ONCE)
        ]
        return np.concatenate(pieces)

    def hear(self, features: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, None]:
        """Layers over time: features (C, 4, width), index (T, 24) into them -> codes (T, Ns) float32; no phonemes."""
        codes = np.empty((len(index), len(self.code_bias)), np.float32)
        for start in range(0, len(index), FRAMES_AT_ONCE):
            rows = features[index[start : start + FRAMES_AT_ONCE]]
            for kernel, bias in self.time:
                rows = _halve(rows, kernel, bias)
            codes[start : start + len(rows)] = rows.reshape(len(rows), -1) @ self.code_weight + self.code_bias
        return codes, None

    def _features(self, columns: np.ndarray) -> np.ndarray:
        rows = columns if self.use_phase else np.hypot(columns[:, :1], columns[:, 1:])
        rows = rows.transpose(0, 2, 1)[:, :, None]
        for kernel, bias in self.frequency:
            rows = _halve(rows, kernel, bias)
        return rows[:, :, 0]


class VoiceEncoderArrays:
    """What `VoiceEncoder` computes in evaluation, to rounding."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        """weights: float32 arrays under their names in `TalkingFace.state_dict()`. Raises KeyError, ValueError."""
        bands, bias = _linear(weights, "encoder.bands")
        tracts = weights.get("encoder.tracts", np.ones(1))
        self._bands = np.hstack([stretch(float(length)) @ bands for length in tracts]), np.tile(bias, len(tracts))
        self._band_count = len(bias)
        levels = len({name.split(".")[2] for name in weights if name.startswith("encoder.levels.")})
        self._levels = [_Halving(weights, f"encoder.levels.{level}") for level in range(levels)]
        self._instants = weights.get("encoder.instants", np.zeros(1, np.int64))
        self._heard_columns = 2 ** (levels + 1) - 1
        self.columns = self._heard_columns + int(np.ptp(self._instants))
        """In a window."""
        self._normal = weights["encoder.normalise.weight"], weights["encoder.normalise.bias"]
        self._phonemes = _linear(weights, "encoder.phonemes") if "encoder.phonemes.weight" in weights else None
        if self._phonemes is not None:
            self._lips, self._lips_apart = weights["encoder.lips"], weights["encoder.lips_apart"]
        manner = [f"encoder.code.{layer}" for layer in ("first", "second", "last")]
        self._code = [
            _linear(weights, name) for name in (manner if f"{manner[0]}.weight" in weights else ["encoder.code"])
        ]
        self._shares = weights.get("encoder.code.shares", np.ones((1, 1), np.float32))
        self.code_bias = self._code[-1][1]
        self.said = MOMENTS * PHONEMES if self._phonemes is not None and TONGUE in weights else 0
        """How many numbers behind each code tell what is said."""

    def features(self, columns: np.ndarray) -> np.ndarray:
        """Bands of each column, for every length of the vocal tract: (C, 2, 256) float32 -> (C, 80 * lengths)."""
        return np.hypot(columns[:, 0], columns[:, 1]) @ self._bands[0] + self._bands[1]

    def hear(self, features: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Levels over time: features (C, 80 * lengths), index (T, columns) into them -> codes (T, Ns) float32.

        And the phonemes' probabilities, (T, MOMENTS, PHONEMES) float32; None where the code is one speaker's own, who
        was seen to do what they ask for. Where the texture has a tongue they stand behind the code, (T, Ns + 205).
        """
        lengths = features.reshape(len(features), -1, self._band_count).transpose(1, 0, 2)
        starts = self._instants - self._instants[0]
        instants = np.concatenate([index[:, start : start + self._heard_columns] for start in starts])
        heard = np.stack([self._heard(rows, instants) for rows in lengths])
        heard = heard.reshape(len(lengths), len(starts), len(index), -1)
        if self._phonemes is None:
            return self._codes(heard[0]), None
        logarithms = self._phoneme_logarithms(heard)
        probabilities = np.exp(logarithms)
        told = [np.float32(SURE) * probabilities, np.float32(UNSURE) * np.maximum(logarithms, LEAST_LOG)]
        features = np.concatenate([heard, *(part.reshape(*heard.shape[:3], -1) for part in told)], axis=-1)
        probabilities, logarithms = (values[:, len(starts) // 2] for values in (probabilities, logarithms))
        share = np.float32(TRUST) * (probabilities * logarithms).sum(axis=-1).mean(axis=-1)
        share = np.exp(share - share.max(axis=0))
        share = (share / share.sum(axis=0))[..., None]
        codes = (share * self._codes(features)).sum(axis=0)
        probabilities = (share[..., None] * probabilities).sum(axis=0)
        codes = self._close_lips(codes, probabilities)
        if self.said:
            codes = np.hstack([codes, np.float32(SURE) * probabilities.reshape(len(codes), -1)])
        return codes, None if len(self._code) > 1 else probabilities

    def _heard(self, rows: np.ndarray, index: np.ndarray) -> np.ndarray:
        """The last level, normalised: (T, width)."""
        for level in self._levels:
            triples, index = shared_triples(index, len(rows))
            rows = level(rows, triples)
        return _layer_norm(rows[index[:, 0]], *self._normal)

    def _codes(self, heard: np.ndarray) -> np.ndarray:
        """(..., instants, T, F) -> (..., T, Ns)."""
        for weight, bias in self._code[:-1]:
            heard = _gelu(heard @ weight + bias)
        return (heard * self._shares[:, None]).sum(axis=-3) @ self._code[-1][0] + self._code[-1][1]

    def _phoneme_logarithms(self, heard: np.ndarray) -> np.ndarray:
        assert self._phonemes is not None
        scores = heard @ self._phonemes[0] + self._phonemes[1]
        scores = scores.reshape(*heard.shape[:-1], MOMENTS, PHONEMES)
        scores -= scores.max(axis=-1, keepdims=True)
        scores -= np.log(np.exp(scores).sum(axis=-1, keepdims=True))
        return scores

    def _close_lips(self, codes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        apart = codes @ self._lips[0] + self._lips_apart
        shown = lips_shown(apart, probabilities, own=len(self._code) > 1)
        return codes - (apart - shown)[:, None] * self._lips[1]


class _Halving:
    """`models.voice_encoder.Halving` in evaluation."""

    def __init__(self, weights: Mapping[str, np.ndarray], name: str) -> None:
        self.residual = f"{name}.normalise.weight" in weights
        if self.residual:
            self.normal = weights[f"{name}.normalise.weight"], weights[f"{name}.normalise.bias"]
        self.gather, self.mix = _linear(weights, f"{name}.gather"), _linear(weights, f"{name}.mix")

    def __call__(self, rows: np.ndarray, triples: np.ndarray) -> np.ndarray:
        normal = _layer_norm(rows, *self.normal) if self.residual else rows
        gathered = normal[triples].reshape(len(triples), -1) @ self.gather[0] + self.gather[1]
        result = _gelu(gathered) @ self.mix[0] + self.mix[1]
        return rows[triples[:, 1]] + result if self.residual else result


def shared_triples(index: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`models.voice_encoder.shared_triples` for arrays."""
    triples = np.stack([index[:, :-2:2], index[:, 1:-1:2], index[:, 2::2]], axis=-1)
    keys = (triples[..., 0] * count + triples[..., 1]) * count + triples[..., 2]
    _, first, places = np.unique(keys, return_index=True, return_inverse=True)
    return triples.reshape(-1, 3)[first], places.reshape(keys.shape)


def _linear(weights: Mapping[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Matrix (in, out) and bias (out,) of a linear layer."""
    return np.ascontiguousarray(weights[f"{name}.weight"].T), weights[f"{name}.bias"]


def _layer_norm(rows: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    centred = rows - rows.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", centred, centred)[:, None] / rows.shape[1]
    return centred / np.sqrt(variance + np.float32(LAYER_NORM_EPSILON)) * weight + bias


def _gelu(values: np.ndarray) -> np.ndarray:
    """The tanh form, as in models/voice_encoder.py."""
    inner = np.float32(np.sqrt(2 / np.pi)) * (values + np.float32(0.044715) * values * values * values)
    return np.float32(0.5) * values * (1 + np.tanh(inner))


def _stack(weights: Mapping[str, np.ndarray], name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Kernels (3 * channels, out) and biases (out,) of the six convolutions that lie under `name`."""
    layers = []
    for layer in range(0, 12, 2):  # every other one is the leaky ReLU
        kernel = weights[f"{name}.{layer}.weight"]
        layers.append(
            (np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, len(kernel))), weights[f"{name}.{layer}.bias"])
        )
    return layers


def _halve(rows: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Convolution (kernel 3, stride 2, padding 1) over axis 1 and leaky ReLU, as one matrix product.

    rows: (N, L, B, channels), B being carried along; kernel: (3 * channels, out). Returns (N, ceil(L / 2), B, out).
    """
    count, length, carried, channels = rows.shape
    half = (length + 1) // 2
    taps = np.empty((count, half, carried, 3, channels), np.float32)
    taps[:, 0, :, 0] = 0
    taps[:, 1:, :, 0] = rows[:, 1 : 2 * half - 2 : 2]
    taps[:, :, :, 1] = rows[:, ::2]
    taps[:, : length // 2, :, 2] = rows[:, 1::2]
    if length % 2:
        taps[:, -1, :, 2] = 0
    result = taps.reshape(-1, 3 * channels) @ kernel
    result += bias
    np.maximum(result, SLOPE * result, out=result)
    return result.reshape(count, half, carried, -1)

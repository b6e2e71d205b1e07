"""The part of the network that moves the face, in NumPy alone: it starts in a fraction of the time PyTorch takes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

SLOPE = 0.2
"""Of the leaky ReLU, as in models/audio_encoder.py."""
BINS_LEFT = 4
"""256 frequency bins after six halvings."""
PARTS = ("encoder.", "geometry.", "blendshapes.")
"""What begins the names of the weights that are needed here; the texture's are never read."""
COLUMNS_AT_ONCE = 64
FRAMES_AT_ONCE = 32
"""Sizes at which the widest layer of the `default` preset stays within a core's cache (1 MB)."""


class MotionNetwork:
    """`TalkingFace` from the sound to vertices and blendshape weights, for inference.

    Computes what `models/audio_encoder.py`, `geometry_decoder.py` and `blendshape_decoder.py` compute in evaluation,
    to rounding. Those stay the definition: they are trained, and this is tested against them.
    """

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
        # Two linear layers with nothing between them in evaluation are one.
        hidden, last = weights["geometry.hidden.weight"], weights["geometry.offsets.weight"]
        self.offsets_weight = np.ascontiguousarray((last @ hidden).T)
        self.offsets_bias = last @ weights["geometry.hidden.bias"] + weights["geometry.offsets.bias"]
        self.blendshapes_weight = np.ascontiguousarray(weights["blendshapes.weights.weight"].T)
        self.blendshapes_bias = weights["blendshapes.weights.bias"]

    def features(self, columns: np.ndarray) -> np.ndarray:
        """Layers over frequency, each column alone: (C, 2, 256) float32 -> (C, 4, width)."""
        pieces = [
            self._features(columns[start : start + COLUMNS_AT_ONCE])
            for start in range(0, len(columns), COLUMNS_AT_ONCE)
        ]
        return np.concatenate(pieces)

    def codes(self, features: np.ndarray, index: np.ndarray) -> np.ndarray:
        """Layers over time: features (C, 4, width), index (T, 24) into them -> codes (T, Ns) float32."""
        codes = np.empty((len(index), len(self.code_bias)), np.float32)
        for start in range(0, len(index), FRAMES_AT_ONCE):
            rows = features[index[start : start + FRAMES_AT_ONCE]]
            for kernel, bias in self.time:
                rows = _halve(rows, kernel, bias)
            codes[start : start + len(rows)] = rows.reshape(len(rows), -1) @ self.code_weight + self.code_bias
        return codes

    def offsets(self, codes: np.ndarray) -> np.ndarray:
        """(T, Ns) -> offsets from the reference vertices, (T, 468, 3) float32, interocular units, head space."""
        return (codes @ self.offsets_weight + self.offsets_bias).reshape(len(codes), -1, 3)

    def blendshapes(self, codes: np.ndarray) -> np.ndarray:
        """(T, Ns) -> ARKit weights (T, 52) float32, clipped to 0..1."""
        return np.clip(codes @ self.blendshapes_weight + self.blendshapes_bias, 0, 1)

    def _features(self, columns: np.ndarray) -> np.ndarray:
        rows = columns if self.use_phase else np.hypot(columns[:, :1], columns[:, 1:])
        rows = rows.transpose(0, 2, 1)[:, :, None]
        for kernel, bias in self.frequency:
            rows = _halve(rows, kernel, bias)
        return rows[:, :, 0]


def load_motion_network(path: Path) -> MotionNetwork:
    """Read the network from a .safetensors file; the file is memory-mapped and only the needed weights are read.

    Raises: safetensors.SafetensorError, KeyError, ValueError where the file does not hold them.
    """
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return MotionNetwork({name: file.get_tensor(name) for name in file.keys() if name.startswith(PARTS)})  # noqa: SIM118


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

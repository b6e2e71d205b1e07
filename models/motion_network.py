"""The part of the network that moves the face, in NumPy alone: it starts in a fraction of the time PyTorch takes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from models.encoder_arrays import TONGUE, AudioEncoderArrays, VoiceEncoderArrays

PARTS = ("encoder.", "geometry.", "blendshapes.", TONGUE)
"""What begins the names of the weights that are needed here; the texture's are never read but for whether there are."""


class MotionNetwork:
    """`TalkingFace` from the sound to vertices and blendshape weights, for inference.

    Computes what the encoder, `geometry_decoder.py` and `blendshape_decoder.py` compute in evaluation, to rounding.
    Those stay the definition: they are trained, and this is tested against them.
    """

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        """weights: float32 arrays under their names in `TalkingFace.state_dict()`. Raises KeyError, ValueError."""
        kind = VoiceEncoderArrays if "encoder.bands.weight" in weights else AudioEncoderArrays
        self._encoder = kind(weights)
        self.columns = self._encoder.columns
        """In a window."""
        # Two linear layers with nothing between them in evaluation are one.
        hidden, last = weights["geometry.hidden.weight"], weights["geometry.offsets.weight"]
        self.offsets_weight = np.ascontiguousarray((last @ hidden).T)
        self.offsets_bias = last @ weights["geometry.hidden.bias"] + weights["geometry.offsets.bias"]
        self.code_length = len(self._encoder.code_bias)
        """Ns, how many numbers move the face of a frame."""
        self.numbers = self.code_length + self._encoder.said
        """How many describe its sound: a code, and what is said behind it, which the texture alone reads."""
        self.blendshapes_weight = np.ascontiguousarray(weights["blendshapes.weights.weight"].T)
        self.blendshapes_bias = weights["blendshapes.weights.bias"]

    def features(self, columns: np.ndarray) -> np.ndarray:
        """What is computed of each column alone: (C, 2, 256) float32 -> (C, ...)."""
        return self._encoder.features(columns)

    def hear(self, features: np.ndarray, index: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Features (C, ...) of columns, index (T, columns) into them -> codes (T, numbers) float32.

        And the phonemes' probabilities (T, MOMENTS, PHONEMES) float32 where the code is no one speaker's.
        """
        return self._encoder.hear(features, index)

    def offsets(self, codes: np.ndarray) -> np.ndarray:
        """(T, Ns or more) -> offsets from the reference vertices, (T, 468, 3) float32, interocular, head space."""
        return (codes[:, : self.code_length] @ self.offsets_weight + self.offsets_bias).reshape(len(codes), -1, 3)

    def blendshapes(self, codes: np.ndarray) -> np.ndarray:
        """(T, Ns or more) -> ARKit weights (T, 52) float32, clipped to 0..1."""
        return np.clip(codes[:, : self.code_length] @ self.blendshapes_weight + self.blendshapes_bias, 0, 1)


def load_motion_network(path: Path) -> MotionNetwork:
    """Read the network from a .safetensors file; the file is memory-mapped and only the needed weights are read.

    Raises: safetensors.SafetensorError, KeyError, ValueError where the file does not hold them.
    """
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return MotionNetwork({name: file.get_tensor(name) for name in file.keys() if name.startswith(PARTS)})  # noqa: SIM118

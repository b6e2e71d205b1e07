"""A performance: what the network heard, and what style, transcript and layers make of it."""

from dataclasses import dataclass, replace

import numpy as np

from models.motion_network import MotionNetwork
from shape_keys.basis import load_basis
from shape_keys.topology import LOWER_INNER_LIP, UPPER_INNER_LIP

WIDE_PERCENTILE = 95
"""Of the lip gap: the opening that others are compared with (closed is under a tenth of it)."""


@dataclass(frozen=True)
class Performance:
    """T frames of one face.

    codes: (T, Ns or more) float32, of the network, which textures are decoded from; weights: (T, 52) float32 in 0..1;
    shift: (T, 52) float32, what the vertices move by beyond the codes, as multiples of the basis' shapes;
    rest_gap: the lips' vertical distance on the face at rest, interocular units.
    """

    network: MotionNetwork
    codes: np.ndarray
    weights: np.ndarray
    shift: np.ndarray
    rest_gap: float

    def __len__(self) -> int:
        return len(self.codes)

    def reweighted(self, weights: np.ndarray) -> "Performance":
        """The same with other weights (T, 52), clipped to 0..1; the vertices follow through the basis."""
        weights = np.clip(weights, 0, 1).astype(np.float32)
        return replace(self, weights=weights, shift=self.shift + (weights - self.weights))

    def gap(self) -> np.ndarray:
        """Vertical distance of the inner lips' middle points, (T,) float32; below 0 where they have crossed."""
        place = 3 * UPPER_INNER_LIP + 1, 3 * LOWER_INNER_LIP + 1
        weight, bias = self.network.offsets_weight, self.network.offsets_bias
        opening = weight[:, place[0]] - weight[:, place[1]]
        heard = self.codes[:, : len(opening)] @ opening + (bias[place[0]] - bias[place[1]])
        return self.rest_gap + heard + self.shift @ gap_of_shapes()


def perform(network: MotionNetwork, codes: np.ndarray, weights: np.ndarray, reference: np.ndarray) -> Performance:
    """The performance of codes (T, Ns or more), its weights (T, 52) clipped to 0..1.

    reference: (468, 3) vertices of the face at rest.
    """
    rest_gap = float(reference[UPPER_INNER_LIP, 1] - reference[LOWER_INNER_LIP, 1])
    return Performance(network, codes, np.clip(weights, 0, 1), np.zeros_like(weights), rest_gap)


def gap_of_shapes() -> np.ndarray:
    """How far each shape at 1 opens the lips, (52,) float32, interocular units."""
    basis = load_basis()
    return basis[:, UPPER_INNER_LIP, 1] - basis[:, LOWER_INNER_LIP, 1]


def wide_gap(gap: np.ndarray) -> float:
    """The lip gap (T,) of a widely opened mouth."""
    return max(float(np.percentile(gap, WIDE_PERCENTILE)), 1e-6)

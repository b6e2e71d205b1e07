"""The reference cylinder: head space, and texture coordinates on the atlas."""

from dataclasses import dataclass

import numpy as np

from backend.normalisation.pose import apply, fit_similarity
from shape_keys.topology import FLIP, LEFT_EYE_OUTER, MIRROR, NOSE_BASE, RIGHT_EYE_OUTER

ATLAS_SIZE = 256
"""Pixels a side (LipSync3D §3.1.1)."""

EYE_ROW = 72.0
NOSE_ROW = 122.0
EYE_COLUMN = 75.0
"""Atlas pixels from the top-left corner at which every speaker's outer eye corners and nose base lie.

Chosen on MediaPipe's canonical face, which then fills the width at 11 pixels a centimetre; 12 pixels a centimetre
down put the top of the forehead at row 4 and a chin dropped by 1.5 cm at row 227.
"""


@dataclass(frozen=True)
class Cylinder:
    """A vertical cylinder through head space and the atlas's scale on it."""

    radius: float
    """Interocular units."""
    u_scale: float
    """Atlas widths a radian."""
    v_scale: float
    """Atlas heights an interocular unit."""
    v_eye: float
    """Texture coordinate v at y = 0, eye height."""

    def project(self, vertices: np.ndarray) -> np.ndarray:
        """Texture coordinates (..., 2) float32, u right, v up, 0..1, of head-space vertices (..., 3)."""
        u = 0.5 + self.u_scale * np.arctan2(vertices[..., 0], vertices[..., 2])
        v = self.v_eye + self.v_scale * vertices[..., 1]
        return np.stack([u, v], axis=-1).astype(np.float32)


def fit_circle(points: np.ndarray, iterations: int = 60) -> tuple[float, float]:
    """Centre z and radius of the circle about x = 0 nearest to points (N, 2: x, z) in the mean of distances (l1).

    Gauss-Newton steps on the distances, reweighted for l1, so that the nose, which stands off the cylinder, does
    not pull it. The algebraic fit only starts it: on arcs it favours small circles.
    """
    x, z = np.asarray(points, np.float64).T
    # x^2 + z^2 = 2 z c + (r^2 - c^2), linear in c and in the bracket.
    (centre, rest), *_ = np.linalg.lstsq(np.stack([2 * z, np.ones_like(z)], axis=1), x**2 + z**2, rcond=None)
    radius = np.sqrt(max(rest + centre**2, 1e-12))
    for _ in range(iterations):
        distance = np.maximum(np.hypot(x, z - centre), 1e-9)
        residual = distance - radius
        root = np.sqrt(1.0 / np.maximum(np.abs(residual), 1e-3 * radius))
        slope = np.stack([(z - centre) / distance, np.ones_like(z)], axis=1)
        step, *_ = np.linalg.lstsq(slope * root[:, None], residual * root, rcond=None)
        centre, radius = centre + step[0], radius + step[1]
    return float(centre), float(radius)


def to_head_space(vertices: np.ndarray) -> tuple[np.ndarray, float]:
    """The similarity (3, 4) that carries upright reference vertices (468, 3) into head space, and the radius.

    The vertices are turned until the face is symmetric about x = 0, the axis is put through the fitted circle's
    centre, the origin at eye height, and the unit is the distance of the outer eye corners.
    """
    matrix = np.eye(3, 4)
    for _ in range(20):  # each round halves what is left of the asymmetry
        turned = apply(matrix, vertices)
        mirrored = turned[MIRROR] * FLIP
        step = fit_similarity(turned[None], (turned + mirrored)[None] / 2, np.ones(len(turned)), scaled=False)[0]
        matrix = _compose(step, matrix)
    turned = apply(matrix, vertices)
    centre, radius = fit_circle(turned[:, [0, 2]])
    eyes = turned[[RIGHT_EYE_OUTER, LEFT_EYE_OUTER]]
    unit = 1.0 / np.linalg.norm(eyes[0] - eyes[1])
    origin = np.array([0.0, eyes[:, 1].mean(), centre])
    matrix = np.concatenate([matrix[:, :3], (matrix[:, 3] - origin)[:, None]], axis=1) * unit
    return matrix, float(radius * unit)


def _compose(second: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The (3, 4) transform that applies `first`, then `second`."""
    return second[:, :3] @ first + np.pad(second[:, 3:], ((0, 0), (3, 0)))


def fit_cylinder(reference: np.ndarray, radius: float) -> Cylinder:
    """Scale the atlas so that eyes and nose of head-space vertices (468, 3) land on their fixed places (§3.1.1)."""
    eyes = reference[[RIGHT_EYE_OUTER, LEFT_EYE_OUTER]]
    angle = np.arctan2(eyes[:, 0], eyes[:, 2])
    u_scale = (ATLAS_SIZE - 2 * EYE_COLUMN) / ATLAS_SIZE / (angle[1] - angle[0])
    v_scale = (NOSE_ROW - EYE_ROW) / ATLAS_SIZE / (eyes[:, 1].mean() - reference[NOSE_BASE, 1])
    v_eye = 1.0 - EYE_ROW / ATLAS_SIZE - v_scale * eyes[:, 1].mean()
    return Cylinder(float(radius), float(u_scale), float(v_scale), float(v_eye))

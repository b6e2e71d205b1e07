"""Which parts of the face the camera sees, and a clean rim where it sees past the cheek."""

import numpy as np

from backend.normalisation.atlas import MOUTH_COUNT, AtlasMap
from backend.normalisation.pose import rotation_of
from backend.normalisation.specularity import fill_holes
from shape_keys.topology import EYE_TRIANGLES, TRIANGLES, VERTEX_COUNT

GRAZING = 0.2
CLEAR = 0.35
"""Cosines between a triangle's normal and the line of sight at which it counts as unseen and as fully seen.

The tracked outline lies a pixel or two outside the true one: on the synthetic speaker (100 pixels from cheek to cheek)
the background reaches up to a cosine of about 0.2."""

RIM = 0.99
"""Share below which a pixel belongs to the rim, if it hangs together with it."""

OPENINGS = np.r_[:MOUTH_COUNT, len(TRIANGLES) - len(EYE_TRIANGLES) : len(TRIANGLES)]
"""Triangles of the mouth's and the eyes' fills, which have no surface of their own."""

MOST_FRAMES = 500
"""Frames, evenly spread, from which the share is taken; it is a mean."""

FILL_SIGMAS = (4.0, 12.0, 36.0)
"""Widths, in atlas pixels, of the blurs that carry seen skin over the rim, nearest first."""


def seen_share(vertices: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """How well the camera sees each vertex over the video: (468,) float32, 0..1.

    vertices: (T, 468, 3) head space. poses: (T, 3, 4) from frame pixels to head space. Frames holding NaN are left
    out. A vertex takes the mean of its skin triangles.
    """
    good = np.flatnonzero(np.isfinite(poses).all(axis=(1, 2)) & np.isfinite(vertices).all(axis=(1, 2)))
    if not good.size:
        return np.ones(VERTEX_COUNT, np.float32)
    frames = good[:: -(-good.size // MOST_FRAMES)]
    skin = np.delete(TRIANGLES, OPENINGS, axis=0)
    cosines = facing(vertices[frames], poses[frames], skin)
    share = np.clip((cosines - GRAZING) / (CLEAR - GRAZING), 0.0, 1.0).mean(axis=0)
    total = np.bincount(skin.ravel(), np.repeat(share, 3), VERTEX_COUNT)
    return (total / np.maximum(np.bincount(skin.ravel(), minlength=VERTEX_COUNT), 1)).astype(np.float32)


def facing(vertices: np.ndarray, poses: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Cosines (T, F) between the triangles' normals and the direction towards the camera; negative when turned away.

    vertices: (T, 468, 3) head space. poses: (T, 3, 4) from frame pixels (z away from the viewer) to head space.
    """
    a, b, c = (np.asarray(vertices, np.float64)[:, triangles[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    towards = -rotation_of(np.asarray(poses, np.float64))[:, :, 2]
    length = np.linalg.norm(normals, axis=2)
    return np.einsum("tfi,ti->tf", normals, towards) / np.maximum(length, 1e-12)


def seen_map(seen: np.ndarray, atlas_map: AtlasMap) -> np.ndarray:
    """The vertices' shares (468,) over the atlas: (256, 256) float32, 0..1; continued outside the mesh.

    Only what hangs together with the mesh's border is held unseen: there the background may shine in. Steep places
    in the middle of the face, beside the nose and under it, show skin at worst from next to them.
    """
    import cv2

    spread = np.clip(atlas_map.interpolate(seen[:, None])[..., 0], 0.0, 1.0)
    spread[np.isin(atlas_map.triangle, OPENINGS)] = 1.0
    doubtful = ((spread < RIM) | ~atlas_map.covered).astype(np.uint8)
    _, labels = cv2.connectedComponents(np.pad(doubtful, 1, constant_values=1), connectivity=4)
    rim = (labels == labels[0, 0])[1:-1, 1:-1]
    return np.where(rim, spread, 1.0).astype(np.float32)


def fill_unseen(atlas: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """An atlas (256, 256, 3) float32 whose unseen part continues the seen skin; seen: see `seen_map`.

    Where the other side of the face is seen better, it lends its mirror image first.
    """
    share = seen[..., None]
    other = np.maximum(share[:, ::-1] - share, 0.0)
    mixed = (share * atlas + other * atlas[:, ::-1]) / np.maximum(share + other, 1e-6)
    known = np.minimum(share + other, 1.0)
    sure = (known[..., 0] > RIM).astype(np.float32)
    smooth = fill_holes(mixed.astype(np.float32), sure, FILL_SIGMAS)
    return (known**2 * mixed + (1.0 - known**2) * smooth).astype(np.float32)

"""Draw a face from the front into a small picture, without a graphics card; needs no Blender."""

import numpy as np

MARGIN = 0.06  # of the picture's side
CLAY = (0.76, 0.67, 0.62)
LIGHT = np.array([0.3, 0.4, 0.87])  # from the upper right in front


def draw_portrait(
    vertices: np.ndarray, triangles: np.ndarray, uv: np.ndarray, atlas: np.ndarray | None, side: int
) -> np.ndarray:
    """(side, side, 4) float32 in 0..1, row 0 at the bottom, transparent around the face.

    vertices (V, 3) in head space, triangles (F, 3), uv (V, 2) with v up; atlas (height, width, 3 or 4) with row 0 at
    the bottom, or None for a shaded clay face. Nearer triangles cover those behind.
    """
    picture = np.zeros((side * side, 4), np.float32)
    which, pixels, shares = _covered(_place(vertices, side)[triangles], side)
    depth = (shares * vertices[triangles[which], 2]).sum(axis=1)
    order = np.argsort(depth, kind="stable")
    nearest = np.full(side * side, -1)
    nearest[pixels[order]] = order  # of several that cover a pixel the last one stays, the nearest
    chosen = nearest[nearest >= 0]
    if atlas is None:
        picture[pixels[chosen], :3] = _shade(vertices[triangles])[which[chosen]]
    else:
        places = (shares[chosen, :, None] * uv[triangles[which[chosen]]]).sum(axis=1)
        picture[pixels[chosen], :3] = _look_up(atlas, places)
    picture[pixels[chosen], 3] = 1
    return picture.reshape(side, side, 4)


def _place(vertices: np.ndarray, side: int) -> np.ndarray:
    """(V, 2) pixels: the face in the middle of the picture."""
    flat = vertices[:, :2].astype(np.float64)
    low, high = flat.min(axis=0), flat.max(axis=0)
    scale = (1 - 2 * MARGIN) * side / (high - low).max()
    return side / 2 + (flat - (low + high) / 2) * scale


def _covered(corners: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N triangles, N pixels, (N, 3) shares of their corners): pixels with their centre in a triangle that faces us.

    corners: (F, 3, 2) pixels. All pixels of all triangles' bounding boxes are tried at once.
    """
    low = np.clip(np.floor(corners.min(axis=1)), 0, side).astype(int)
    size = np.clip(np.ceil(corners.max(axis=1)), 0, side).astype(int) - low
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    counts = np.where(area > 0, size.prod(axis=1), 0)
    which = np.repeat(np.arange(len(corners)), counts)
    within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    columns = low[which, 0] + within % size[which, 0]
    rows = low[which, 1] + within // size[which, 0]
    x, y = columns + 0.5 - corners[which, 0, 0], rows + 0.5 - corners[which, 0, 1]
    b = (x * second[which, 1] - y * second[which, 0]) / area[which]
    c = (first[which, 0] * y - first[which, 1] * x) / area[which]
    shares = np.stack([1 - b - c, b, c], axis=1)
    inside = (shares >= -1e-9).all(axis=1)
    return which[inside], (rows * side + columns)[inside], shares[inside]


def _look_up(atlas: np.ndarray, uv: np.ndarray) -> np.ndarray:
    height, width = atlas.shape[:2]
    columns = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
    rows = np.clip((uv[:, 1] * height).astype(int), 0, height - 1)
    return atlas[rows, columns, :3]


def _shade(corners: np.ndarray) -> np.ndarray:
    """(F, 3) colours of clay triangles (F, 3, 3)."""
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facing = normals @ LIGHT / np.maximum(np.linalg.norm(normals, axis=1), 1e-12)
    return np.array(CLAY) * (0.35 + 0.65 * np.maximum(facing, 0.0))[:, None]

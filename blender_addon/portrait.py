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
    picture = np.zeros((side, side, 4), np.float32)
    depth = np.full((side, side), -np.inf)
    places = _place(vertices, side)
    for triangle in triangles:
        corners = places[triangle]
        columns, rows, shares = _covered(corners, side)
        if not len(rows):
            continue
        near = shares @ vertices[triangle, 2]
        seen = near > depth[rows, columns]
        rows, columns, shares, near = rows[seen], columns[seen], shares[seen], near[seen]
        depth[rows, columns] = near
        picture[rows, columns, :3] = (
            _shade(vertices[triangle]) if atlas is None else _look_up(atlas, shares @ uv[triangle])
        )
        picture[rows, columns, 3] = 1
    return picture


def _place(vertices: np.ndarray, side: int) -> np.ndarray:
    """(V, 2) pixels: the face in the middle of the picture."""
    flat = vertices[:, :2].astype(np.float64)
    low, high = flat.min(axis=0), flat.max(axis=0)
    scale = (1 - 2 * MARGIN) * side / (high - low).max()
    return side / 2 + (flat - (low + high) / 2) * scale


def _covered(corners: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(columns, rows, (N, 3) shares of the corners) of the pixels whose centre lies in a triangle that faces us."""
    low = np.clip(np.floor(corners.min(axis=0)), 0, side).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)), 0, side).astype(int)
    columns, rows = (grid.ravel() for grid in np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1])))
    first, second = corners[1] - corners[0], corners[2] - corners[0]
    area = first[0] * second[1] - first[1] * second[0]
    if area <= 0:
        return columns[:0], rows[:0], np.empty((0, 3))
    x, y = columns + 0.5 - corners[0, 0], rows + 0.5 - corners[0, 1]
    b, c = (x * second[1] - y * second[0]) / area, (first[0] * y - first[1] * x) / area
    shares = np.stack([1 - b - c, b, c], axis=1)
    inside = (shares >= -1e-9).all(axis=1)
    return columns[inside], rows[inside], shares[inside]


def _look_up(atlas: np.ndarray, uv: np.ndarray) -> np.ndarray:
    height, width = atlas.shape[:2]
    columns = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
    rows = np.clip((uv[:, 1] * height).astype(int), 0, height - 1)
    return atlas[rows, columns, :3]


def _shade(corners: np.ndarray) -> np.ndarray:
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    facing = normal @ LIGHT / max(np.linalg.norm(normal), 1e-12)
    return np.array(CLAY) * (0.35 + 0.65 * max(facing, 0.0))

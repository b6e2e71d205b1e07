"""The texture atlas: a face unrolled from a frame onto the reference cylinder."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backend.normalisation.cylinder import ATLAS_SIZE
from shape_keys.topology import CHIN, MOUTH_TRIANGLES, TRIANGLES, VERTEX_COUNT

CROP_SIZE = 128
"""Pixels a side of the lip crop (LipSync3D §3.2)."""

CHIN_MARGIN = 0.15
"""Share of the crop below the layout's chin."""

SHRINK_ABOVE = 1.5
"""Source pixels an atlas pixel above which the frame is shrunk by area first: bicubic lookups skip pixels there."""

MOUTH_COUNT = len(MOUTH_TRIANGLES)
"""The mouth fill comes first among TRIANGLES, so that lips are drawn over it."""


@dataclass(frozen=True)
class Crop:
    """A rectangle of the atlas, in pixels from its top-left corner."""

    x: int
    y: int
    width: int
    height: int
    atlas_size: int = ATLAS_SIZE

    def cut(self, atlas: np.ndarray) -> np.ndarray:
        """The part of an atlas (..., rows, columns[, channels]) of shape (256, 256[, C]) inside the crop."""
        return atlas[self.y : self.y + self.height, self.x : self.x + self.width]


def lip_crop(uv: np.ndarray) -> Crop:
    """The 128x128 crop about the lips of a layout (468, 2): centred on the midline, the chin 15 % above its edge."""
    chin = (1.0 - uv[CHIN, 1]) * ATLAS_SIZE
    y = round(float(chin - (1.0 - CHIN_MARGIN) * CROP_SIZE))
    return Crop((ATLAS_SIZE - CROP_SIZE) // 2, min(max(y, 0), ATLAS_SIZE - CROP_SIZE), CROP_SIZE, CROP_SIZE)


@dataclass(frozen=True)
class AtlasMap:
    """For every atlas pixel the triangle that covers it and its place in that triangle."""

    triangle: np.ndarray
    """(256, 256) int32 index into TRIANGLES, -1 outside the mesh."""
    corners: np.ndarray
    """(256, 256, 3) int32 vertices of that triangle; pixels outside the mesh take the nearest covered pixel's."""
    barycentric: np.ndarray
    """(256, 256, 3) float32 weights of those vertices."""

    @property
    def covered(self) -> np.ndarray:
        """(256, 256) bool: pixels inside the mesh."""
        return self.triangle >= 0

    @property
    def mouth(self) -> np.ndarray:
        """(256, 256) bool: pixels of the mouth interior between the inner lips."""
        return (self.triangle >= 0) & (self.triangle < MOUTH_COUNT)

    @cached_property
    def extent(self) -> float:
        """Area in pixels of the rectangle about the mesh."""
        rows, columns = np.nonzero(self.covered)
        return float(np.ptp(rows) + 1) * float(np.ptp(columns) + 1)

    @cached_property
    def _matrix(self):
        from scipy.sparse import csr_matrix

        pixels = self.triangle.size
        rows = np.arange(0, 3 * pixels + 1, 3)
        return csr_matrix(
            (self.barycentric.reshape(-1), self.corners.reshape(-1), rows), shape=(pixels, int(self.corners.max()) + 1)
        )

    def interpolate(self, values: np.ndarray) -> np.ndarray:
        """Vertex values (468, C) spread over the atlas: (256, 256, C) float32."""
        count = int(self.corners.max()) + 1
        spread = self._matrix @ np.ascontiguousarray(values[:count], np.float32)
        return spread.reshape(*self.triangle.shape, -1)


def map_atlas(uv: np.ndarray, triangles: np.ndarray = TRIANGLES, size: int = ATLAS_SIZE) -> AtlasMap:
    """Rasterise a layout (468, 2): pixel centres at +0.5, later triangles over earlier ones, folded ones skipped.

    Pixels outside the mesh continue their nearest covered pixel, so that bilinear lookups at the mesh's border
    never meet black.
    """
    from scipy.ndimage import distance_transform_edt

    corners = np.asarray(uv, np.float64)[triangles] * [size, -size] + [0, size]
    triangle, barycentric = rasterise(corners, size)
    covered = triangle >= 0
    nearest = distance_transform_edt(~covered, return_distances=False, return_indices=True)
    rows, columns = np.asarray(nearest)
    filled = triangle[rows, columns]
    return AtlasMap(triangle, triangles[filled].astype(np.int32), barycentric[rows, columns])


def signed_areas(points: np.ndarray, triangles: np.ndarray = TRIANGLES) -> np.ndarray:
    """Areas (..., F) of triangles over points (..., N, 2), y up; negative where a triangle is folded over."""
    a, b, c = (points[..., triangles[:, i], :] for i in range(3))
    ab, ac = b - a, c - a
    return 0.5 * (ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0])


def rasterise(corners: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Triangle index (size, size) and barycentric weights (size, size, 3) of triangles (F, 3, 2) in pixels, y down.

    All (triangle, pixel) pairs of all bounding boxes are tested at once.
    """
    low = np.clip(np.ceil(corners.min(axis=1) - 0.5).astype(int), 0, size)
    high = np.clip(np.floor(corners.max(axis=1) - 0.5).astype(int) + 1, 0, size)
    width, height = np.maximum(high - low, 0).T
    # With y down a triangle that is counter-clockwise for the viewer has a negative area.
    area = -2.0 * signed_areas(corners.reshape(-1, 2), np.arange(corners.shape[0] * 3).reshape(-1, 3))
    count = np.where(area > 1e-9, width * height, 0)
    owner = np.repeat(np.arange(len(corners)), count)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    x = low[owner, 0] + place % width[owner]
    y = low[owner, 1] + place // width[owner]
    weights = _barycentric(corners[owner], np.stack([x, y], axis=1) + 0.5)
    inside = (weights >= -1e-6).all(axis=1)
    x, y, owner, weights = x[inside], y[inside], owner[inside], weights[inside]
    triangle = np.full((size, size), -1, np.int32)
    barycentric = np.zeros((size, size, 3), np.float32)
    # Pairs are in triangle order and numpy keeps the last write, so later triangles win.
    triangle[y, x] = owner
    barycentric[y, x] = weights
    return triangle, barycentric


def _barycentric(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac, ap = b - a, c - a, points - a
    whole = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    second = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / whole
    third = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / whole
    return np.stack([1 - second - third, second, third], axis=1)


def unwrap(image: np.ndarray, landmarks: np.ndarray, atlas_map: AtlasMap) -> np.ndarray:
    """The atlas (256, 256, 3) uint8 RGB of a frame (H, W, 3) uint8 with landmarks (468+, 2+) in pixels, y down.

    One bicubic lookup a pixel; where the frame is much finer than the atlas it is shrunk by area first.
    """
    import cv2

    points = np.asarray(landmarks[:VERTEX_COUNT, :2], np.float32)
    face, points = _shrink(image, points, float(np.sqrt(np.prod(np.ptp(points, axis=0)) / atlas_map.extent)))
    where = atlas_map.interpolate(points)
    # Landmarks count pixel corners from 0; remap counts pixel centres.
    return cv2.remap(face, where[..., 0] - 0.5, where[..., 1] - 0.5, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _shrink(image: np.ndarray, points: np.ndarray, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """The face's part of the frame at about one pixel an atlas pixel, and the points in it.

    ratio: frame pixels along one atlas pixel, on the average over the face.
    """
    if ratio <= SHRINK_ABOVE:
        return image, points
    import cv2

    height, width = image.shape[:2]
    low = np.clip(np.floor(points.min(axis=0) - 4).astype(int), 0, [width - 1, height - 1])
    high = np.clip(np.ceil(points.max(axis=0) + 4).astype(int), low + 1, [width, height])
    target = np.maximum(np.round((high - low) / ratio).astype(int), 1)
    part = np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]])
    small = cv2.resize(part, (int(target[0]), int(target[1])), interpolation=cv2.INTER_AREA)
    return small, ((points - low) * (target / (high - low))).astype(np.float32)


def mouth_opening(uv: np.ndarray, layout: np.ndarray) -> np.ndarray:
    """Visible mouth interior (T,) float32, 0..1: its area in a frame over its area in the layout.

    uv: (T, 468, 2), the frames' vertices projected on the cylinder. layout: (468, 2).
    """
    seen = np.maximum(signed_areas(uv, MOUTH_TRIANGLES), 0).sum(axis=-1)
    whole = np.maximum(signed_areas(layout, MOUTH_TRIANGLES), 0).sum()
    return np.clip(seen / max(float(whole), 1e-12), 0.0, 1.0).astype(np.float32)

"""The mouth rendered back into a frame: the textured mesh at the true head pose, and the region that is judged."""

from dataclasses import dataclass

import numpy as np

from backend.normalisation.atlas import rasterise
from shape_keys.topology import OUTER_LIP_LOWER, OUTER_LIP_UPPER, TRIANGLES

GROWTH = 0.15
"""By which the hull of the outer lips is grown."""
MARGIN = 8
"""Pixels about the region that are rendered too: an SSIM window reaches over its edge."""


@dataclass(frozen=True)
class MouthRegion:
    """A rectangle of a frame, in pixels, and the part of it that is the mouth."""

    left: int
    top: int
    mask: np.ndarray
    """(H, W) bool: the hull of the outer lips, grown by 15 %."""

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The rectangle (H, W, 3) of a frame."""
        height, width = self.mask.shape
        return image[self.top : self.top + height, self.left : self.left + width]


def mouth_region(landmarks: np.ndarray, height: int, width: int) -> MouthRegion | None:
    """The region about the outer lips of landmarks (468, 2+) in pixels; None where it is not inside the frame."""
    import cv2

    lips = landmarks[[*OUTER_LIP_UPPER, *OUTER_LIP_LOWER], :2]
    centre = lips.mean(axis=0)
    hull = cv2.convexHull(((lips - centre) * (1 + GROWTH) + centre).astype(np.float32))[:, 0]
    low = np.maximum(np.floor(hull.min(axis=0)).astype(int) - MARGIN, 0)
    high = np.minimum(np.ceil(hull.max(axis=0)).astype(int) + MARGIN, [width, height])
    if (high - low < 2 * MARGIN).any():
        return None
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillConvexPoly(mask, np.round(hull - low).astype(np.int32), (1,))
    return MouthRegion(int(low[0]), int(low[1]), mask.astype(bool))


def render(
    atlas: np.ndarray, uv: np.ndarray, landmarks: np.ndarray, region: MouthRegion, frame: np.ndarray
) -> np.ndarray:
    """The region with the textured mesh over the frame: (H, W, 3) uint8.

    atlas: (256, 256, 3) uint8; uv: (468, 2), v up; landmarks: (468, 2+) pixels; frame: (H, W, 3) uint8.
    """
    import cv2

    height, width = region.mask.shape
    points = landmarks[:, :2].astype(np.float64) - [region.left, region.top]
    corners = points[TRIANGLES]
    near = ((corners.max(axis=1) > 0) & (corners.min(axis=1) < [width, height])).all(axis=1)
    chosen = np.flatnonzero(near)
    triangle, barycentric = rasterise(corners[chosen], max(height, width))
    triangle, barycentric = triangle[:height, :width], barycentric[:height, :width]
    places = uv[TRIANGLES[chosen]] * [atlas.shape[1], -atlas.shape[0]] + [0, atlas.shape[0]]
    where = np.einsum("hwc,hwcd->hwd", barycentric, places[triangle]).astype(np.float32) - 0.5
    drawn = cv2.remap(atlas, where[..., 0], where[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.where((triangle >= 0)[..., None], drawn, region.cut(frame))

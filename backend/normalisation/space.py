"""A speaker's normalised space: reference vertices, cylinder, atlas layout and lip crop."""

from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from backend.errors import InputError
from backend.normalisation.atlas import AtlasMap, Crop, lip_crop, map_atlas
from backend.normalisation.cylinder import Cylinder, fit_cylinder, to_head_space
from backend.normalisation.layout import fixed_layout
from backend.normalisation.pose import apply, fit_similarity, invert, yaw_pitch_roll
from backend.normalisation.reference import reference_vertices
from backend.normalisation.turning import Turning, fit_turning
from backend.normalisation.visibility import OPENINGS, seen_map, seen_share
from shape_keys.topology import MIRROR, RIGID, RIGID_WEIGHTS, TRIANGLES, VERTEX_COUNT

NOSTRILS_RIGHT = (20, 60, 75, 79, 97, 98, 99, 166, 218, 237, 238, 239, 240, 241, 242, 59, 235)
"""Vertices in and round the subject's right nostril (MediaPipe face mesh)."""

MASK_MARGIN = 3
"""Atlas pixels by which the openings are widened in the skin mask: lashes, lip seam and nostril rims."""

SKIN_SEEN = 0.5
"""Share of visibility from which a pixel takes part in the lighting's estimate; less may be background."""

CHUNK = 2000
"""Frames transformed at a time; keeps the float64 copies of a long video small."""


@dataclass(frozen=True)
class SpeakerSpace:
    """Everything that carries a speaker's frames into one common space and back."""

    vertices: np.ndarray
    """(468, 3) float32 reference face, head space, interocular units."""
    uv: np.ndarray
    """(468, 2) float32 fixed layout: the open-mouthed reference on the cylinder."""
    cylinder: Cylinder
    crop: Crop
    seen_vertices: np.ndarray = field(default_factory=lambda: np.ones(VERTEX_COUNT, np.float32))
    """(468,) float32, 0..1: how well the camera sees each vertex over the video."""
    turning: Turning = field(default_factory=Turning)
    """What the tracker adds to the face as the head turns."""

    def poses(self, landmarks: np.ndarray) -> np.ndarray:
        """Similarities (T, 3, 4) float64 from frame pixels to head space; NaN where landmarks (T, 468+, 3) are."""
        return fit_similarity(landmarks[:, RIGID], self.vertices[RIGID], RIGID_WEIGHTS)

    def to_head(self, landmarks: np.ndarray, poses: np.ndarray) -> np.ndarray:
        """Head-space vertices (T, 468, 3) float32 of landmarks (T, 468+, 3) in pixels."""
        result = np.empty((len(landmarks), VERTEX_COUNT, 3), np.float32)
        for start in range(0, len(landmarks), CHUNK):
            part = slice(start, start + CHUNK)
            result[part] = apply(poses[part], landmarks[part, :VERTEX_COUNT]) - self.turning.offsets(poses[part])
        return result

    def to_frame(self, vertices: np.ndarray, poses: np.ndarray) -> np.ndarray:
        """Undo `to_head`: landmarks (..., 468, 3) in pixels of vertices (..., 468, 3) at poses (..., 3, 4)."""
        poses = np.asarray(poses, np.float64)
        return apply(invert(poses), vertices + self.turning.offsets(poses))

    @cached_property
    def atlas_map(self) -> AtlasMap:
        """The rasterised fixed layout."""
        return map_atlas(self.uv)

    @cached_property
    def seen(self) -> np.ndarray:
        """(256, 256) float32, 0..1: how well the camera sees each atlas pixel; continued outside the mesh."""
        return seen_map(self.seen_vertices, self.atlas_map)

    @cached_property
    def skin(self) -> np.ndarray:
        """(256, 256) bool: mesh pixels whose colour changes with the light only; no mouth, eyes, nostrils."""
        import cv2

        inside = self.atlas_map.covered
        open_triangles = np.isin(np.arange(len(TRIANGLES)), OPENINGS)
        nostrils = {*NOSTRILS_RIGHT, *MIRROR[list(NOSTRILS_RIGHT)]}
        open_triangles |= np.isin(TRIANGLES, list(nostrils)).all(axis=1)
        openings = (inside & open_triangles[self.atlas_map.triangle]).astype(np.uint8)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * MASK_MARGIN + 1,) * 2)
        rim = cv2.erode(inside.astype(np.uint8), kernel, borderValue=(0,))
        return rim.astype(bool) & (self.seen > SKIN_SEEN) & ~cv2.dilate(openings, kernel).astype(bool)

    def save(self, path: Path) -> None:
        """Write reference.npz: vertices, uv, the vertices seen, turning, and cylinder's and crop's numbers by name."""
        numbers = {**_prefixed("cylinder", asdict(self.cylinder)), **_prefixed("crop", asdict(self.crop))}
        with path.open("wb") as file:
            arrays = {"vertices": self.vertices, "uv": self.uv, "seen": self.seen_vertices, **self.turning.arrays()}
            np.savez(file, **arrays, **numbers)

    @staticmethod
    def load(path: Path) -> "SpeakerSpace":
        """Read reference.npz; raises `InputError` where it is missing or damaged."""
        try:
            with np.load(path, allow_pickle=False) as data:
                cylinder = {k.removeprefix("cylinder_"): float(data[k]) for k in data if k.startswith("cylinder_")}
                crop = {k.removeprefix("crop_"): int(data[k]) for k in data if k.startswith("crop_")}
                shapes = data["vertices"], data["uv"], Cylinder(**cylinder), Crop(**crop), data["seen"]
                return SpeakerSpace(*shapes, Turning.of(dict(data)))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is no reference of a speaker ({error}); build the dataset again.") from error


def build_space(
    landmarks: np.ndarray, scores: np.ndarray, chosen: int, times: np.ndarray, clip: np.ndarray
) -> SpeakerSpace:
    """A speaker's space from all tracked frames.

    landmarks: (T, 468+, 3) pixels, NaN at gaps. scores: (T,), see `reference.score_frames`; inf keeps a frame out.
    chosen: the reference frame. times (T,) seconds within the clip, clip (T,) numbers.
    """
    upright = reference_vertices(landmarks, scores, chosen)
    matrix, radius = to_head_space(upright)
    reference = apply(matrix, upright)
    cylinder = fit_cylinder(reference, radius)
    draft = SpeakerSpace(
        reference.astype(np.float32), np.zeros((VERTEX_COUNT, 2), np.float32), cylinder, Crop(0, 0, 1, 1)
    )
    poses = draft.poses(landmarks)
    vertices = draft.to_head(landmarks, poses)
    uv = fixed_layout(vertices, np.isfinite(scores), draft.vertices, cylinder)
    turning = fit_turning(vertices, poses, times, clip, yaw_pitch_roll(poses[chosen]))
    return replace(draft, uv=uv, crop=lip_crop(uv), seen_vertices=seen_share(vertices, poses), turning=turning)


def _prefixed(prefix: str, values: dict) -> dict:
    return {f"{prefix}_{name}": value for name, value in values.items()}

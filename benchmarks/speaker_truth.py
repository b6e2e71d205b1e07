"""The synthetic speaker tracked and normalised, and its exact truth in the same terms."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from backend.normalisation.reference import (
    FrameQuality,
    choose_reference,
    measure_quality,
    rough_poses,
    score_frames,
)
from backend.normalisation.space import SpeakerSpace, build_space
from backend.tracking.landmarks import track
from backend.training.dataset import DatasetConfig
from backend.training.tracked_clip import smooth_landmarks
from backend.video.decode import iterate_frames
from benchmarks.relit_speaker import FPS
from shape_keys.topology import LIPS, RIGID, VERTEX_COUNT

BLOCK, EVERY = 20, 150
"""Frames in a row, so that what smooths over time can, and from one such stretch to the next."""

COMPARED = np.union1d(RIGID, LIPS)
"""Vertices that are compared with the truth."""

SUBDIVISIONS = 8
"""Of a triangle's sides where its surface is sampled: points at most 0.6 mm apart."""


def sample_frames(total: int) -> tuple[np.ndarray, np.ndarray]:
    """Frame numbers (T,) of short stretches over the whole video, and the stretch (T,) each belongs to."""
    starts = np.arange(0, total - BLOCK + 1, EVERY)
    return (starts[:, None] + np.arange(BLOCK)).ravel(), np.repeat(np.arange(len(starts)), BLOCK)


@dataclass(frozen=True)
class TrackedSpeaker:
    """Frames of the synthetic speaker in normalised space."""

    frames: np.ndarray
    """(T,) numbers in the video."""
    landmarks: np.ndarray
    """(T, 468, 3) float32 pixels, steadied as a dataset's are."""
    images: dict[int, np.ndarray]
    """Some of the frames' pictures by number, (H, W, 3) uint8."""
    qualities: Sequence[FrameQuality]

    @cached_property
    def reference(self) -> int:
        """Place among the frames of the one that stands for the neutral face."""
        return choose_reference(self._scores)

    @cached_property
    def space(self) -> SpeakerSpace:
        """The speaker's space, made of these frames."""
        stretch = np.cumsum(np.diff(self.frames, prepend=self.frames[0]) > 1)
        return build_space(self.landmarks, self._scores, self.reference, self.frames / FPS, stretch)

    @cached_property
    def poses(self) -> np.ndarray:
        """(T, 3, 4) from frame pixels to head space."""
        return self.space.poses(self.landmarks)

    @cached_property
    def vertices(self) -> np.ndarray:
        """(T, 468, 3) float32 head space."""
        return self.space.to_head(self.landmarks, self.poses)

    @cached_property
    def _scores(self) -> np.ndarray:
        return score_frames(self.landmarks, rough_poses(self.landmarks), self.qualities)


def track_speaker(video: Path, frames: np.ndarray, keep: int = 10) -> TrackedSpeaker:
    """Track the chosen frames of a video; every `keep`-th picture stays in memory, and the reference frame's."""
    wanted, qualities, images = set(frames.tolist()), [], {}
    chosen = (pair for number, pair in enumerate(iterate_frames(video)) if number in wanted)

    def observe(index: int, image: np.ndarray, face: np.ndarray | None) -> None:
        qualities.append(FrameQuality(0.0, 1.0, 0.0) if face is None else measure_quality(image, face))
        images[int(frames[index])] = image

    result = track(chosen, observe=observe)
    landmarks = smooth_landmarks(result.landmarks[:, :VERTEX_COUNT], frames / FPS, DatasetConfig().smoothing)
    speaker = TrackedSpeaker(frames, landmarks, images, qualities)
    for index, frame in enumerate(frames.tolist()):
        if index % keep and index != speaker.reference:
            del images[frame]
    return speaker


class Truth:
    """What the speaker was rendered from, `truth.npz`; lengths in millimetres, head space of the rig."""

    def __init__(self, folder: Path) -> None:
        with np.load(folder / "truth.npz") as data:
            self._data = dict(data)
        specification = importlib.util.spec_from_file_location("truth", folder / "truth.py")
        assert specification is not None and specification.loader is not None
        self._module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(self._module)

    def __len__(self) -> int:
        return len(self._data["weights"])

    def lip_gaps(self, frames: np.ndarray) -> np.ndarray:
        """(T,) millimetres between the inner lips at the midline."""
        return self._data["lip_gap_m"][frames] * 1000

    def head_rotations(self, frames: np.ndarray) -> np.ndarray:
        """(T, 3, 3) from the rig's head to the camera's axes: x right, y down, z away."""
        return self._data["world_to_cam"][:3, :3] @ self._data["head_pose"][frames, :3, :3]

    @cached_property
    def triangles(self) -> np.ndarray:
        """(F, 3) triangles of the face's skin."""
        quads = self._data["faces"]
        triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        skin = np.zeros(len(self._data["rest"]), bool)
        skin[self._data["face_index"]] = True
        return triangles[skin[triangles].all(axis=1)]

    def vertices(self, frame: int) -> np.ndarray:
        """(11468, 3) with the head's pose taken off."""
        pose = self._data["head_pose"][frame]
        return (self._module.vertices(self._data, frame) - pose[:3, 3]) @ pose[:3, :3] * 1000

    def pixels(self, frame: int) -> np.ndarray:
        """(11468, 2) where the vertices are seen, y down."""
        return self._module.project(self._data, self._module.vertices(self._data, frame))

    def surface(self, frame: int) -> np.ndarray:
        """(N, 3) points all over the skin, with the head's pose taken off."""
        steps = [(i, k) for i in range(SUBDIVISIONS + 1) for k in range(SUBDIVISIONS + 1 - i)]
        shares = np.array([(i, k, SUBDIVISIONS - i - k) for i, k in steps]) / SUBDIVISIONS
        corners = self.vertices(frame)[self.triangles]
        return np.einsum("sc,fcx->fsx", shares, corners).reshape(-1, 3)

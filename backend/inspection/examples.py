"""Example frames of a dataset: chosen, read again from the videos, and unwrapped once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.normalisation.atlas import unwrap
from backend.normalisation.lighting import Lighting, estimate_lighting
from backend.normalisation.pose import yaw_pitch_roll
from backend.normalisation.reference import lip_ratio
from backend.training.dataset import Dataset
from backend.video.decode import iterate_frames


@dataclass(frozen=True)
class Example:
    """One frame as the dataset sees it."""

    frame: int
    """Number over all clips."""
    why: str
    """Why it was chosen, in words."""
    image: np.ndarray
    """(H, W, 3) uint8 RGB."""
    landmarks: np.ndarray
    """(468, 3) float32 pixels, y down."""
    atlas: np.ndarray
    """(256, 256, 3) uint8: unwrapped, in the frame's own light."""
    normalised: np.ndarray
    """(256, 256, 3) uint8: in the light of the reference."""
    lighting: Lighting


def choose_frames(dataset: Dataset) -> dict[int, str]:
    """Frame numbers that show the range of the material, each with the reason in words; at most seven."""
    valid = np.flatnonzero(np.asarray(dataset.valid))
    gap = lip_ratio(np.asarray(dataset.vertices)[valid])
    yaw, pitch, _ = yaw_pitch_roll(np.asarray(dataset.poses)[valid]).T
    sharpness, _, brightness = np.asarray(dataset.quality)[valid].T
    agreement = np.asarray(dataset.agreement)[valid].mean(axis=1)
    chosen = {int(dataset.description["reference_frame"]): "reference frame"}
    extremes = {
        "mouth widest open": np.argmax(gap),
        "lips closest": np.argmin(gap),
        "turned most to the side": np.argmax(np.abs(yaw - np.median(yaw))),
        "turned most up or down": np.argmax(np.abs(pitch - np.median(pitch))),
        "darkest": np.argmin(brightness),
        "least like the reference": np.argmin(agreement),
        "most blurred": np.argmin(sharpness),
    }
    for why, index in extremes.items():
        chosen.setdefault(int(valid[index]), why)
    return dict(list(chosen.items())[:7])


def read_examples(dataset: Dataset, videos: Sequence[Path], chosen: dict[int, str]) -> list[Example]:
    """Read the chosen frames. videos: those that the dataset was built from, in order; those left out may be there."""
    numbers = np.asarray(dataset.clip)
    space, reference = dataset.space, dataset.reference_atlas.astype(np.float32) / 255
    examples = []
    for number, path in enumerate(dataset.videos(videos)):
        start = int(np.searchsorted(numbers, number))
        wanted = {frame - start: why for frame, why in chosen.items() if numbers[frame] == number}
        for index, image in _pick(path, set(wanted)):
            frame = start + index
            landmarks = space.to_frame(dataset.vertices[frame], dataset.poses[frame])
            atlas = unwrap(image, landmarks, space.atlas_map)
            lighting = estimate_lighting(reference, atlas.astype(np.float32) / 255, space.skin)
            normalised = np.clip(lighting.normalise(atlas.astype(np.float32) / 255), 0, 1)
            pictures = (atlas, np.round(normalised * 255).astype(np.uint8))
            examples.append(Example(frame, wanted[index], image, landmarks.astype(np.float32), *pictures, lighting))
    order = list(chosen)
    return sorted(examples, key=lambda example: order.index(example.frame))


def _pick(path: Path, wanted: set[int]) -> list[tuple[int, np.ndarray]]:
    picked = []
    last = max(wanted, default=-1)
    for index, (_, image) in zip(range(last + 1), iterate_frames(path), strict=False):
        if index in wanted:
            picked.append((index, image))
    return picked

"""The steps that turn clips into a dataset; each leaves its result in a file and is skipped where that exists."""

import itertools
import math
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from backend.audio.offset import NOT_MEASURED, Offset, estimate_offset, shift_samples
from backend.audio.offset import Clip as SoundClip
from backend.errors import UsageError
from backend.normalisation.atlas import CROP_SIZE, mouth_opening, unwrap
from backend.normalisation.lighting import estimate_lighting, symmetrise
from backend.normalisation.reference import FrameQuality, choose_reference, lip_ratio, rough_poses, score_frames
from backend.normalisation.space import CHUNK, SpeakerSpace, build_space
from backend.normalisation.visibility import fill_unseen
from backend.progress import Progress
from backend.training.dataset import DatasetConfig
from backend.training.occlusion import CELLS, agreement_cells
from backend.training.rows import BLOCK, RowWriter, read_rows
from backend.training.targets import fit_targets
from backend.training.tracked_clip import TrackedClip, save_part
from backend.video.decode import iterate_frames
from shape_keys.topology import VERTEX_COUNT

SPACE_FRAMES = 15_000
"""Frames, evenly spread, from which a speaker's space is made of a longer video; it bounds the memory."""

OFFSET_NOTICE = 0.040
"""Seconds of lag between sound and picture from which people notice (ITU-R BT.1359) and a warning is given."""

OFFSET_CORRECT = 0.015
"""Seconds of lag from which the sound is moved; below, the estimate's own error is as large."""

MOST_THREADS = 4
"""Frames that are unwrapped at once at most; each needs memory for itself and for its atlas in floats."""

OFFSET_SECONDS = 30.0
"""Of video that a lag is estimated from at least; from two clips of 3 s it comes out wrong by two frames."""


def speaker_space(clips: Sequence[TrackedClip], config: DatasetConfig) -> tuple[SpeakerSpace, int]:
    """The speaker's space from all clips together, and the reference frame's number over all clips."""
    total = sum(len(clip.times) for clip in clips)
    chosen = config.reference_frame
    frames = np.arange(0, total, -(-total // SPACE_FRAMES))
    frames = np.union1d(frames, [chosen] if 0 <= chosen < total else frames[:0])
    starts = np.cumsum([0, *(len(clip.times) for clip in clips)])
    parts = [frames[(frames >= a) & (frames < b)] - a for a, b in itertools.pairwise(starts)]
    landmarks = np.concatenate([clip.landmarks[part] for clip, part in zip(clips, parts, strict=True)])
    measured = np.concatenate([clip.quality[part] for clip, part in zip(clips, parts, strict=True)])
    times = np.concatenate([clip.times[part] for clip, part in zip(clips, parts, strict=True)])
    number = np.repeat(np.arange(len(clips)), [len(part) for part in parts])
    scores = score_frames(landmarks, rough_poses(landmarks), [FrameQuality(*map(float, row)) for row in measured])
    place = int(np.searchsorted(frames, chosen))
    if chosen >= total or (chosen >= 0 and not np.isfinite(scores[place])):
        raise UsageError(f"reference_frame {chosen} has no face or does not exist ({total} frames); choose another.")
    if chosen < 0:
        place = choose_reference(scores)
    return build_space(landmarks, scores, place, times, number), int(frames[place])


def reference_texture(
    clips: Sequence[TrackedClip], space: SpeakerSpace, chosen: int, config: DatasetConfig
) -> np.ndarray:
    """The reference frame's atlas (256, 256, 3) float32, 0..1, evenly lit where lighting is normalised.

    What the camera does not see continues the skin beside it: the tracked outline overhangs the true one here and
    there, and the background would enter.
    """
    starts = np.cumsum([0, *(len(clip.times) for clip in clips)])
    number = int(np.searchsorted(starts, chosen, side="right")) - 1
    clip, chosen = clips[number], chosen - int(starts[number])
    image = next(image for index, (_, image) in enumerate(iterate_frames(clip.path)) if index == chosen)
    atlas = unwrap(image, clip.landmarks[chosen], space.atlas_map).astype(np.float32) / 255
    return fill_unseen(symmetrise(atlas, space.skin) if config.lighting else atlas, space.seen)


def unwrap_clips(
    clips: Sequence[TrackedClip],
    space: SpeakerSpace,
    reference: np.ndarray,
    config: DatasetConfig,
    progress: Progress,
) -> None:
    """Write every clip's lighting-normalised lip crops."""
    total, done = sum(len(clip.times) for clip in clips), 0
    for clip in clips:
        if not clip.file("crops").is_file():
            _write_crops(clip, space, reference, config, lambda n, s=done: progress("unwrap", s + n, total))
        done += len(clip.times)
    progress("unwrap", total, total)


def _write_crops(clip: TrackedClip, space: SpeakerSpace, reference: np.ndarray, config: DatasetConfig, report) -> None:
    landmarks, agreement = clip.landmarks, np.full((len(clip.times), CELLS**2), 255, np.uint8)
    blank = np.zeros((CROP_SIZE, CROP_SIZE, 3), np.uint8)

    def normalised(index: int, image: np.ndarray) -> np.ndarray:
        if not clip.found[index]:
            return blank
        crop, agreement[index] = normalised_crop(image, landmarks[index], space, reference, config)
        return crop

    threads = min(os.cpu_count() or 1, MOST_THREADS)
    with (
        RowWriter(clip.file("crops"), (len(clip.times), *blank.shape), np.uint8) as crops,
        ThreadPoolExecutor(threads) as pool,
    ):
        waiting: deque[Future[np.ndarray]] = deque()
        for index, (_, image) in zip(range(len(clip.times)), iterate_frames(clip.path), strict=False):
            waiting.append(pool.submit(normalised, index, image))
            if len(waiting) > threads:
                crops.write(waiting.popleft().result()[None])
            if index % 10 == 0:
                report(index)
        for crop in waiting:
            crops.write(crop.result()[None])
        save_part(clip.part, "agreement", agreement)  # first, so that crops without it are never found complete


def normalised_crop(
    image: np.ndarray, landmarks: np.ndarray, space: SpeakerSpace, reference: np.ndarray, config: DatasetConfig
) -> tuple[np.ndarray, np.ndarray]:
    """The lip crop (128, 128, 3) uint8 of a frame (H, W, 3) uint8, in the light of the reference atlas.

    What the camera does not see is the reference's. Also returns `agreement_cells`: where the crop's skin looks
    like the reference but for its light, (64,) uint8; 255 where lighting is not normalised.
    """
    atlas = unwrap(image, landmarks, space.atlas_map).astype(np.float32) / 255
    crop, agreement = space.crop.cut(atlas), np.full(CELLS**2, 255, np.uint8)
    if config.lighting:
        lighting = estimate_lighting(reference, atlas, space.skin, config.specularities).cut(space.crop)
        agreement = agreement_cells(lighting.weights, space.crop.cut(space.skin))
        crop = lighting.normalise(crop)
    seen = space.crop.cut(space.seen)[..., None]
    return _to_bytes(seen * crop + (1 - seen) * space.crop.cut(reference)), agreement


def audio_offset(clips: Sequence[TrackedClip], warnings: list[str]) -> Offset:
    """The lag of the sound over all clips, zero where it is not to be corrected and NaN where it is not known.

    Warns when people notice it, and when nothing is known of it.
    """
    if round(sum(clip.seconds for clip in clips), 2) < OFFSET_SECONDS:
        warnings.append(f"Whether lips and sound agree was not checked: that takes {OFFSET_SECONDS:.0f} s of video.")
        return NOT_MEASURED
    offset = estimate_offset([SoundClip(clip.times, lip_ratio(clip.landmarks), clip.samples) for clip in clips])
    if not offset.trusted:
        warnings.append(
            f"Lips and sound hardly agree (correlation {offset.correlation:.2f}); is the voice the speaker's own?"
        )
        return Offset(math.nan, offset.correlation)
    if abs(offset.seconds) < OFFSET_CORRECT:
        return Offset(0.0, offset.correlation)
    if abs(offset.seconds) >= OFFSET_NOTICE:
        side = "after" if offset.seconds > 0 else "before"
        warnings.append(f"The sound comes {abs(offset.seconds) * 1000:.0f} ms {side} the picture; it was moved.")
    return offset


def assemble(
    clips: Sequence[TrackedClip],
    work: Path,
    space: SpeakerSpace,
    reference: np.ndarray,
    offset: Offset,
    progress: Progress,
) -> None:
    """Write the dataset's arrays over all clips."""
    total = sum(len(clip.times) for clip in clips)
    times = np.concatenate([clip.times for clip in clips])
    valid = np.concatenate([clip.found for clip in clips])
    number = np.repeat(np.arange(len(clips), dtype=np.int32), [len(clip.times) for clip in clips])
    gaps = np.concatenate([clip.gaps for clip in clips])
    quality = np.concatenate([clip.quality for clip in clips])
    np.save(work / "agreement.npy", np.concatenate([np.load(clip.file("agreement")) for clip in clips]))
    for name, values in {"times": times, "clip": number, "valid": valid, "gaps": gaps, "quality": quality}.items():
        np.save(work / f"{name}.npy", values)
    _write_geometry(clips, work, space, total)
    _write_weights(work, space, number, valid, progress)
    with RowWriter(work / "crops.npy", (total, CROP_SIZE, CROP_SIZE, 3), np.uint8) as crops:
        for clip in clips:
            for rows in read_rows(clip.file("crops")):
                crops.write(rows)
    for index, clip in enumerate(clips):
        np.save(work / f"audio_{index}.npy", shift_samples(clip.samples, float(np.nan_to_num(offset.seconds))))
    np.save(work / "interior.npy", space.crop.cut(space.atlas_map.mouth))
    np.save(work / "mask.npy", space.crop.cut(space.seen * space.atlas_map.covered))
    space.save(work / "reference.npz")
    _write_atlas(work, space, reference, np.load(work / "visible.npy") * valid)


def _write_geometry(clips: Sequence[TrackedClip], work: Path, space: SpeakerSpace, total: int) -> None:
    def rows(name: str, *shape: int) -> RowWriter:
        return RowWriter(work / f"{name}.npy", (total, *shape), np.float32)

    with rows("vertices", VERTEX_COUNT, 3) as vertices, rows("poses", 3, 4) as poses, rows("visible") as visible:
        for clip in clips:
            for first in range(0, len(clip.times), CHUNK):
                landmarks = clip.landmarks[first : first + CHUNK]
                pose = space.poses(landmarks)
                moved = space.to_head(landmarks, pose)
                gap = ~np.isfinite(moved).all(axis=(1, 2))
                moved[gap] = space.vertices  # a face at rest harms nobody who forgets to look at `valid`
                vertices.write(moved)
                poses.write(np.nan_to_num(pose))
                visible.write(np.where(gap, 0, mouth_opening(space.cylinder.project(moved), space.uv)))


def _write_weights(work: Path, space: SpeakerSpace, clip: np.ndarray, valid: np.ndarray, progress: Progress) -> None:
    progress("blendshapes", 0, len(valid))
    vertices = np.load(work / "vertices.npy", mmap_mode="r")
    np.save(work / "weights.npy", fit_targets(vertices, space.vertices, clip, valid))
    progress("blendshapes", len(valid), len(valid))


def _write_atlas(work: Path, space: SpeakerSpace, reference: np.ndarray, visible: np.ndarray) -> None:
    """atlas.png: the reference atlas with the mean mouth interior of the frames, weighted by what they show of it."""
    import cv2
    from PIL import Image

    mean = np.zeros((CROP_SIZE, CROP_SIZE, 3))
    share = np.where(visible > 0.05, visible, 0.0).astype(np.float32)
    for start, rows in zip(range(0, len(share), BLOCK), read_rows(work / "crops.npy"), strict=True):
        mean += np.tensordot(share[start : start + BLOCK], rows.astype(np.float32), 1)
    atlas = _to_bytes(reference)
    total = float(share.sum())
    if total > 0:
        crop = space.crop.cut(atlas)
        interior = space.crop.cut(space.atlas_map.mouth).astype(np.float32)
        # The lips of the closed-mouthed reference meet inside the seam; a soft rim hides the join.
        blend = cv2.GaussianBlur(cv2.dilate(interior, np.ones((5, 5))), (0, 0), 1.0)[..., None]
        crop[:] = np.round(blend * (mean / total) + (1 - blend) * crop).astype(np.uint8)
    Image.fromarray(atlas).save(work / "atlas.png")


def _to_bytes(atlas: np.ndarray) -> np.ndarray:
    return np.round(np.clip(atlas, 0.0, 1.0) * 255).astype(np.uint8)

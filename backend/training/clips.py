"""The steps that turn clips into a dataset; each leaves its result in a file and is skipped where that exists."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.audio.decode import decode_audio
from backend.audio.offset import Clip as SoundClip
from backend.audio.offset import Offset, estimate_offset, shift_samples
from backend.errors import InputError, UsageError
from backend.normalisation.atlas import CROP_SIZE, mouth_opening, unwrap
from backend.normalisation.lighting import estimate_lighting, symmetrise
from backend.normalisation.reference import (
    FrameQuality,
    choose_reference,
    lip_gap,
    measure_quality,
    rough_poses,
    score_frames,
)
from backend.normalisation.space import CHUNK, SpeakerSpace, build_space
from backend.progress import Progress
from backend.tracking.landmarks import MESH_COUNT, open_tracker, track
from backend.training.dataset import DatasetConfig
from backend.video.decode import iterate_frames, open_video

LEAST_FRAMES = 25
"""Frames with a face that a clip must have."""

OFFSET_NOTICE = 0.040
"""Seconds of lag between sound and picture from which people notice (ITU-R BT.1359) and a warning is given."""

OFFSET_CORRECT = 0.015
"""Seconds of lag from which the sound is moved; below, the estimate's own error is as large."""

OFFSET_SECONDS = 30.0
"""Of video that a lag is estimated from at least; from two clips of 3 s it comes out wrong by two frames."""

FACE_SHARE = 0.9
"""Share of frames without a face that is still unremarkable is one minus this."""


@dataclass(frozen=True)
class TrackedClip:
    """One video, tracked."""

    path: Path
    part: Path
    """Where the steps keep this clip's results, without ending."""
    times: np.ndarray
    found: np.ndarray
    quality: np.ndarray
    """(T, 3) float32: sharpness, asymmetry, brightness."""
    samples: np.ndarray
    """(N,) float32, 16 kHz, as recorded."""

    @property
    def landmarks(self) -> np.ndarray:
        """(T, 468, 3) float32 pixels, a memory map."""
        return np.load(_file(self.part, "landmarks"), mmap_mode="r")

    @property
    def crops(self) -> np.ndarray:
        """(T, 128, 128, 3) uint8, a memory map."""
        return np.load(_file(self.part, "crops"), mmap_mode="r")

    def describe(self) -> dict:
        """What dataset.json keeps of the clip."""
        return {
            "name": self.path.name,
            "frames": len(self.times),
            "faces": int(self.found.sum()),
            "seconds": round(float(self.times[-1] - self.times[0]), 3),
        }


def track_clips(
    paths: Sequence[Path], work: Path, config: DatasetConfig, warnings: list[str], progress: Progress
) -> list[TrackedClip]:
    """Track every clip; those without a usable face or sound are left out with a warning."""
    (work / "parts").mkdir(exist_ok=True)
    totals = [_expected_frames(path) for path in paths]
    kept: list[TrackedClip] = []
    done = 0
    for number, (path, total) in enumerate(zip(paths, totals, strict=True)):
        start = done
        try:
            part = work / "parts" / f"{number:05d}"
            kept.append(
                _track_clip(path, part, config, warnings, lambda n, s=start: progress("track", s + n, sum(totals)))
            )
        except InputError as error:
            if len(paths) == 1:
                raise
            warnings.append(f"{path.name} was left out: {error}")
        done = start + total
    if not kept:
        raise InputError("None of the videos can be used: " + " ".join(warnings))
    return kept


def _expected_frames(path: Path) -> int:
    try:
        return open_video(path).frames
    except InputError:
        return 0


def _track_clip(path: Path, part: Path, config: DatasetConfig, warnings: list[str], report) -> TrackedClip:
    samples = decode_audio(path)
    if not _file(part, "track").is_file():
        _write_track(path, part, config, report)
    with np.load(_file(part, "track"), allow_pickle=False) as data:
        times, found, quality, warning = data["times"], data["found"], data["quality"], str(data["warning"])
    if warning:
        warnings.append(warning)
    if found.sum() < LEAST_FRAMES:
        raise InputError(
            f"{path} shows a face in {int(found.sum())} of {len(found)} frames, at least {LEAST_FRAMES} are needed; "
            "film one clearly visible face from the front."
        )
    if found.mean() < FACE_SHARE:
        warnings.append(f"{path.name}: no face in {(~found).sum()} of {len(found)} frames; they are not trained on.")
    return TrackedClip(path, part, times, found, quality, samples)


def _write_track(path: Path, part: Path, config: DatasetConfig, report) -> None:
    qualities: list[tuple[float, float, float]] = []

    def observe(index: int, image: np.ndarray, face: np.ndarray | None) -> None:
        quality = FrameQuality(0.0, 1.0, 0.0) if face is None else measure_quality(image, face)
        qualities.append((quality.sharpness, quality.asymmetry, quality.brightness))
        if index % 10 == 0:
            report(index)

    frames = iterate_frames(path)
    tracker = open_tracker(Path(config.face_model) if config.face_model else None)
    try:
        result = track(frames, tracker, observe)
    finally:
        tracker.close()
    _save(part, "landmarks", result.landmarks[:, :MESH_COUNT])
    temporary = _file(part, "track").with_suffix(".tmp")
    with temporary.open("wb") as file:
        quality = np.array(qualities, np.float32)
        np.savez(file, times=result.times, found=result.found, quality=quality, warning=frames.warning or "")
    temporary.replace(_file(part, "track"))


def speaker_space(clips: Sequence[TrackedClip], config: DatasetConfig) -> tuple[SpeakerSpace, int]:
    """The speaker's space from all clips together, and the reference frame's number over all clips."""
    landmarks = np.concatenate([clip.landmarks for clip in clips])
    quality = [FrameQuality(*map(float, row)) for clip in clips for row in clip.quality]
    scores = score_frames(landmarks, rough_poses(landmarks), quality)
    chosen = config.reference_frame
    if chosen >= len(scores) or (chosen >= 0 and not np.isfinite(scores[chosen])):
        raise UsageError(
            f"--reference-frame {chosen} has no face or does not exist ({len(scores)} frames); choose another."
        )
    if chosen < 0:
        chosen = choose_reference(scores)
    return build_space(landmarks, scores, chosen), chosen


def reference_texture(
    clips: Sequence[TrackedClip], space: SpeakerSpace, chosen: int, config: DatasetConfig
) -> np.ndarray:
    """The reference frame's atlas (256, 256, 3) float32, 0..1, evenly lit where lighting is normalised."""
    starts = np.cumsum([0, *(len(clip.times) for clip in clips)])
    number = int(np.searchsorted(starts, chosen, side="right")) - 1
    clip, chosen = clips[number], chosen - int(starts[number])
    image = next(image for index, (_, image) in enumerate(iterate_frames(clip.path)) if index == chosen)
    atlas = unwrap(image, clip.landmarks[chosen], space.atlas_map).astype(np.float32) / 255
    return symmetrise(atlas, space.skin) if config.lighting else atlas


def unwrap_clips(
    clips: Sequence[TrackedClip],
    work: Path,
    space: SpeakerSpace,
    reference: np.ndarray,
    config: DatasetConfig,
    progress: Progress,
) -> None:
    """Write every clip's lighting-normalised lip crops."""
    total, done = sum(len(clip.times) for clip in clips), 0
    for clip in clips:
        if not _file(clip.part, "crops").is_file():
            _write_crops(clip, space, reference, config, lambda n, s=done: progress("unwrap", s + n, total))
        done += len(clip.times)
    progress("unwrap", total, total)


def _write_crops(clip: TrackedClip, space: SpeakerSpace, reference: np.ndarray, config: DatasetConfig, report) -> None:
    landmarks = clip.landmarks
    temporary = _file(clip.part, "crops").with_suffix(".tmp")
    shape = (len(clip.times), CROP_SIZE, CROP_SIZE, 3)
    crops = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
    for index, (_, image) in enumerate(iterate_frames(clip.path)):
        if clip.found[index]:
            crops[index] = normalised_crop(image, landmarks[index], space, reference, config)
        if index % 10 == 0:
            report(index)
    crops.flush()
    del crops
    temporary.replace(_file(clip.part, "crops"))


def normalised_crop(
    image: np.ndarray, landmarks: np.ndarray, space: SpeakerSpace, reference: np.ndarray, config: DatasetConfig
) -> np.ndarray:
    """The lip crop (128, 128, 3) uint8 of a frame (H, W, 3) uint8, in the light of the reference atlas."""
    atlas = unwrap(image, landmarks, space.atlas_map)
    if not config.lighting:
        return space.crop.cut(atlas)
    atlas = atlas.astype(np.float32) / 255
    lighting = estimate_lighting(reference, atlas, space.skin, config.specularities)
    return _to_bytes(lighting.cut(space.crop).normalise(space.crop.cut(atlas)))


def audio_offset(clips: Sequence[TrackedClip], space: SpeakerSpace, warnings: list[str]) -> Offset:
    """The lag of the sound over all clips, zero where it is not to be corrected; says so when people notice it."""
    if sum(clip.times[-1] - clip.times[0] for clip in clips) < OFFSET_SECONDS:
        return Offset(0.0, 0.0)
    offset = estimate_offset([SoundClip(clip.times, lip_gap(clip.landmarks), clip.samples) for clip in clips])
    if not offset.trusted:
        warnings.append(
            f"Lips and sound hardly agree (correlation {offset.correlation:.2f}); is the voice the speaker's own?"
        )
        return Offset(0.0, offset.correlation)
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
    config: DatasetConfig,
    progress: Progress,
) -> None:
    """Write the dataset's arrays over all clips."""
    total = sum(len(clip.times) for clip in clips)
    times = np.concatenate([clip.times for clip in clips])
    valid = np.concatenate([clip.found for clip in clips])
    number = np.repeat(np.arange(len(clips), dtype=np.int32), [len(clip.times) for clip in clips])
    for name, values in {"times": times, "clip": number, "valid": valid}.items():
        np.save(work / f"{name}.npy", values)
    _write_geometry(clips, work, space, total)
    _write_weights(work, space, total, progress)
    crops = np.lib.format.open_memmap(
        work / "crops.npy", mode="w+", dtype=np.uint8, shape=(total, CROP_SIZE, CROP_SIZE, 3)
    )
    start = 0
    for index, clip in enumerate(clips):
        crops[start : start + len(clip.times)] = clip.crops
        np.save(work / f"audio_{index}.npy", shift_samples(clip.samples, offset.seconds))
        start += len(clip.times)
    crops.flush()
    np.save(work / "interior.npy", space.crop.cut(space.atlas_map.mouth))
    np.save(work / "mask.npy", space.crop.cut(space.atlas_map.covered).astype(np.float32))
    space.save(work / "reference.npz")
    _write_atlas(work, space, reference, crops, np.load(work / "visible.npy") * valid)


def _write_geometry(clips: Sequence[TrackedClip], work: Path, space: SpeakerSpace, total: int) -> None:
    def create(name: str, *shape: int) -> np.memmap:
        return np.lib.format.open_memmap(work / f"{name}.npy", mode="w+", dtype=np.float32, shape=(total, *shape))

    vertices, poses, visible = create("vertices", MESH_COUNT, 3), create("poses", 3, 4), create("visible")
    start = 0
    for clip in clips:
        for first in range(0, len(clip.times), CHUNK):
            landmarks = clip.landmarks[first : first + CHUNK]
            pose = space.poses(landmarks)
            moved = space.to_head(landmarks, pose)
            gap = ~np.isfinite(moved).all(axis=(1, 2))
            moved[gap] = space.vertices  # a face at rest harms nobody who forgets to look at `valid`
            part = slice(start + first, start + first + len(landmarks))
            vertices[part], poses[part] = moved, np.nan_to_num(pose)
            visible[part] = np.where(gap, 0, mouth_opening(space.cylinder.project(moved), space.uv))
        start += len(clip.times)
    for array in (vertices, poses, visible):
        array.flush()


def _write_weights(work: Path, space: SpeakerSpace, total: int, progress: Progress) -> None:
    from shape_keys.basis import load_basis
    from shape_keys.fitting import fit_weights

    progress("blendshapes", 0, total)
    vertices = np.load(work / "vertices.npy", mmap_mode="r")
    weights = [
        fit_weights(vertices[start : start + CHUNK] - space.vertices, load_basis()) for start in range(0, total, CHUNK)
    ]
    np.save(work / "weights.npy", np.concatenate(weights).astype(np.float32))
    progress("blendshapes", total, total)


def _write_atlas(
    work: Path, space: SpeakerSpace, reference: np.ndarray, crops: np.ndarray, visible: np.ndarray
) -> None:
    """atlas.png: the reference atlas with the mean mouth interior of the frames, weighted by what they show of it."""
    import cv2
    from PIL import Image

    mean = np.zeros((CROP_SIZE, CROP_SIZE, 3))
    for index in np.flatnonzero(visible > 0.05):
        mean += visible[index] * crops[index]
    atlas = _to_bytes(reference)
    total = float(visible[visible > 0.05].sum())
    if total > 0:
        crop = space.crop.cut(atlas)
        interior = space.crop.cut(space.atlas_map.mouth).astype(np.float32)
        # The lips of the closed-mouthed reference meet inside the seam; a soft rim hides the join.
        share = cv2.GaussianBlur(cv2.dilate(interior, np.ones((5, 5))), (0, 0), 1.0)[..., None]
        crop[:] = np.round(share * (mean / total) + (1 - share) * crop).astype(np.uint8)
    Image.fromarray(atlas).save(work / "atlas.png")


def _to_bytes(atlas: np.ndarray) -> np.ndarray:
    return np.round(np.clip(atlas, 0.0, 1.0) * 255).astype(np.uint8)


def _file(part: Path, name: str) -> Path:
    ending = "npz" if name == "track" else "npy"
    return part.with_name(f"{part.name}_{name}.{ending}")


def _save(part: Path, name: str, values: np.ndarray) -> None:
    temporary = _file(part, name).with_suffix(".tmp")
    with temporary.open("wb") as file:
        np.save(file, values)
    temporary.replace(_file(part, name))

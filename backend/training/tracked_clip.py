"""Clips of a speaker, tracked: landmarks, gaps, picture quality and sound of each, kept in files between runs."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.errors import InputError
from backend.normalisation.pose import apply, invert, yaw_pitch_roll
from backend.normalisation.reference import FrameQuality, measure_quality, rough_poses
from backend.progress import Progress
from backend.renaming import move
from backend.tracking.gaps import Gap, SceneSigns, count_gaps, describe_gaps, find_gaps
from backend.tracking.landmarks import Track, track
from backend.tracking.smoothing import smooth_vertices
from backend.tracking.trackers import open_tracker
from backend.training.dataset import DatasetConfig, frame_seconds
from backend.video.decode import iterate_frames, open_video

LEAST_FRAMES = 25
"""Frames with a face that a clip must have."""

SOUND_SLACK = 0.25
"""Seconds by which a clip's sound may end before its picture without a gap."""

GAP_SHARE = 0.02
"""Share of a clip's frames that may be gaps without a warning."""


@dataclass(frozen=True)
class TrackedClip:
    """One video, tracked."""

    path: Path
    part: Path
    """Where the steps keep this clip's results, without ending; named by the video's number."""
    times: np.ndarray
    """(T,) float64 seconds."""
    gaps: np.ndarray
    """(T,) uint8 `Gap` numbers; landmarks are NaN where the picture is to blame."""
    quality: np.ndarray
    """(T, 3) float32: sharpness, asymmetry, brightness; see `FrameQuality`."""
    samples: np.ndarray
    """(N,) float32, 16 kHz, as recorded, and silence to the last picture."""

    @property
    def found(self) -> np.ndarray:
        """(T,) bool: frames that show the speaker's face well enough."""
        return self.gaps == Gap.NONE

    @property
    def seconds(self) -> float:
        """How long it lasts, its last frame with it."""
        return float(frame_seconds(self.times).sum())

    @property
    def landmarks(self) -> np.ndarray:
        """(T, 468, 3) float32 pixels, a memory map."""
        return np.load(self.file("landmarks"), mmap_mode="r")

    def file(self, name: str) -> Path:
        """Where a step keeps its result of that name."""
        return part_file(self.part, name)

    def describe(self) -> dict:
        """What dataset.json keeps of the clip."""
        return {
            "name": self.path.name,
            "video": int(self.part.name),
            "frames": len(self.times),
            "faces": int(self.found.sum()),
            "gaps": count_gaps(self.gaps),
            "seconds": round(self.seconds, 3),
        }


def part_file(part: Path, name: str) -> Path:
    """The file of a clip's result: part 00007 and "crops" give 00007_crops.npy."""
    return part.with_name(f"{part.name}_{name}.{'npz' if name == 'track' else 'npy'}")


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


def _track_clip(
    path: Path, part: Path, config: DatasetConfig, warnings: list[str], report: Callable[[int], None]
) -> TrackedClip:
    open_video(path)  # first: of a file that is none, its sound is no matter
    samples = decode_audio(path)
    if not part_file(part, "track").is_file():
        _write_track(path, part, config, report)
    with np.load(part_file(part, "track"), allow_pickle=False) as data:
        times, gaps, quality, warning = data["times"], data["gaps"], data["quality"], str(data["warning"])
    mute = times > len(samples) / SAMPLE_RATE + SOUND_SLACK
    gaps[mute & (gaps == Gap.NONE)] = Gap.NO_SOUND
    samples = np.pad(samples, (0, max(0, math.ceil(times[-1] * SAMPLE_RATE) - len(samples))))
    if warning:
        warnings.append(warning)
    clip = TrackedClip(path, part, times, gaps, quality, samples)
    if clip.found.sum() < LEAST_FRAMES:
        reasons = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in count_gaps(gaps).items())
        dark = (gaps == Gap.BLACK).sum() > (~clip.found).sum() / 2
        advice = "give more light, from the front" if dark else "film one clearly visible face from the front"
        raise InputError(
            f"{path} shows a usable face in {int(clip.found.sum())} of {len(gaps)} frames, at least {LEAST_FRAMES} are "
            f"needed{f' (left out: {reasons})' if reasons else ''}; {advice}."
        )
    if clip.found.mean() < 1 - GAP_SHARE:
        warnings.extend(describe_gaps(gaps, path.name))
    return clip


def _write_track(path: Path, part: Path, config: DatasetConfig, report: Callable[[int], None]) -> None:
    signs, qualities = SceneSigns(), []

    def observe(index: int, image: np.ndarray, face: np.ndarray | None) -> None:
        quality = FrameQuality(0.0, 1.0, 0.0) if face is None else measure_quality(image, face)
        signs.observe(image, None if face is None else quality.brightness)
        qualities.append((quality.sharpness, quality.asymmetry, quality.brightness))
        if index % 10 == 0:
            report(index)

    frames = iterate_frames(path)
    tracker = open_tracker(Path(config.face_model) if config.face_model else None)
    try:
        result = track(frames, tracker, observe)
    finally:
        tracker.close()
    gaps = blank_gaps(result, signs)
    landmarks = result.landmarks
    if config.smoothing > 0:
        landmarks = smooth_landmarks(landmarks, result.times, config.smoothing)
    save_part(part, "landmarks", landmarks)
    temporary = part_file(part, "track").with_suffix(".tmp")
    with temporary.open("wb") as file:
        quality = np.array(qualities, np.float32)
        np.savez(file, times=result.times, gaps=gaps, quality=quality, warning=frames.warning or "")
    move(temporary, part_file(part, "track"))


def blank_gaps(result: Track, signs: SceneSigns) -> np.ndarray:
    """The track's `Gap` numbers (T,) uint8; landmarks that are not to be used become NaN in place."""
    angles = np.full((len(result.times), 3), np.nan)
    angles[result.found] = yaw_pitch_roll(rough_poses(result.landmarks[result.found]))
    gaps = find_gaps(result, signs, angles)
    result.landmarks[gaps != Gap.NONE] = np.nan
    return gaps


def smooth_landmarks(landmarks: np.ndarray, times: np.ndarray, seconds: float) -> np.ndarray:
    """Landmarks (T, 468, 3) in pixels, steadier relative to the head; its own motion in the picture stays."""
    poses = rough_poses(landmarks)
    return apply(invert(poses), smooth_vertices(apply(poses, landmarks), times, seconds)).astype(np.float32)


def save_part(part: Path, name: str, values: np.ndarray) -> None:
    """Write a step's result under a temporary name, then rename it: a file that exists is complete."""
    temporary = part_file(part, name).with_suffix(".tmp")
    with temporary.open("wb") as file:
        np.save(file, values)
    move(temporary, part_file(part, name))

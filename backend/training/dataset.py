"""A speaker's normalised frames on disk: built once from videos, then read as memory maps."""

import hashlib
import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from backend.audio.offset import NOT_MEASURED, Offset
from backend.errors import InputError, UsageError
from backend.normalisation.space import SpeakerSpace
from backend.progress import Progress, no_progress
from backend.renaming import move, patiently, remove_tree
from backend.trust.provenance import file_sha256

FORMAT = 1
PIPELINE = 11
"""Raised with every change of the steps that changes their results, so that old datasets are built again."""


@dataclass(frozen=True)
class DatasetConfig:
    """How videos become a dataset."""

    lighting: bool = True
    """Normalise the lighting of the atlases."""
    specularities: bool = True
    """Remove highlights before the lighting is normalised."""
    smoothing: float = 0.04
    """Seconds of temporal smoothing of the vertices (it spares lip closures, and steadies for longer what the halves of
    the face do apart); 0 keeps the tracker's own jitter."""
    correct_offset: bool = True
    """Move the sound where it is found to lag or lead the picture."""
    reference_frame: int = -1
    """Frame, counted over all clips, that is the neutral face; -1 chooses one."""
    face_model: str = ""
    """A `.task` file for MediaPipe's newer face landmarker; empty uses FaceMesh."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.smoothing <= 0.5:
            raise UsageError(f"smoothing must be between 0 and 0.5 seconds, got {self.smoothing}.")
        if self.reference_frame < -1:
            raise UsageError(f"reference_frame must be a frame number from 0, or -1, got {self.reference_frame}.")


class Dataset:
    """A dataset folder, opened; arrays are memory maps over T frames of all clips together.

    times (T,) float64 seconds within the clip; clip (T,) int32; valid (T,) bool; vertices (T, 468, 3) float32 head
    space, pose and what the tracker adds with it removed; poses (T, 3, 4) float32 frame pixels to head space; crops
    (T, 128, 128, 3) uint8 RGB; visible (T,) float32, mouth interior seen, 0..1; weights (T, 52) float32 blendshape
    targets; interior and mask (128, 128): the mouth fill (bool) and how well the camera sees a pixel (float32, 0..1).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.description: dict = _read_description(folder)
        self.times = self._map("times")
        self.clip = self._map("clip")
        self.valid = self._map("valid")
        self.vertices = self._map("vertices")
        self.poses = self._map("poses")
        self.crops = self._map("crops")
        self.visible = self._map("visible")
        self.weights = self._map("weights")
        self.interior = self._map("interior")
        self.mask = self._map("mask")

    def __len__(self) -> int:
        return len(self.times)

    def close(self) -> None:
        """Let go of the files, so that they can be removed where no open file can be, as on Windows.

        Whatever was taken from a map without copying it must be gone by then. Nothing can be read afterwards.
        """
        vars(self).clear()

    @property
    def audio_offset(self) -> Offset:
        """By how much the sound was moved, and how well lips and sound agree."""
        known = self.description["audio_offset"]
        return Offset(**{name: math.nan if value is None else value for name, value in known.items()})

    @cached_property
    def seconds(self) -> np.ndarray:
        """(T,) float64: how long each frame lasts, see `frame_seconds`."""
        clips = np.split(np.asarray(self.times), np.flatnonzero(np.diff(self.clip)) + 1)
        return np.concatenate([frame_seconds(times) for times in clips])

    def audio(self, clip: int) -> np.ndarray:
        """The sound of one clip, (N,) float32, 16 kHz, moved so that it agrees with the picture."""
        return self._map(f"audio_{int(clip)}")

    def videos(self, given: Sequence[Path]) -> list[Path]:
        """The file of each clip, of the files that the dataset was built from, in their order; not all were usable."""
        return [given[row["video"]] for row in self.description["clips"]]

    def left_out(self, given: Sequence[Path]) -> list[Path]:
        """The files that could not be used, of those that the dataset was built from; `warnings` say why."""
        used = {row["video"] for row in self.description["clips"]}
        return [path for number, path in enumerate(given) if number not in used]

    @cached_property
    def space(self) -> SpeakerSpace:
        """Reference vertices, layout, cylinder and crop rectangle."""
        return SpeakerSpace.load(self.folder / "reference.npz")

    @cached_property
    def gaps(self) -> np.ndarray:
        """(T,) uint8: why a frame is not valid, `backend.tracking.gaps.Gap` numbers."""
        return self._map("gaps")

    @cached_property
    def quality(self) -> np.ndarray:
        """(T, 3) float32: sharpness, asymmetry and brightness of the face, see `FrameQuality`."""
        return self._map("quality")

    @cached_property
    def agreement(self) -> np.ndarray:
        """(T, 64) uint8: how well parts of the face agree with the reference, see `occlusion.agreement_cells`."""
        return self._map("agreement")

    @property
    def reference_vertices(self) -> np.ndarray:
        """(468, 3) float32 neutral face, head space."""
        return self.space.vertices

    @cached_property
    def reference_atlas(self) -> np.ndarray:
        """(256, 256, 3) uint8 RGB, evenly lit, with the speaker's mean mouth interior."""
        from PIL import Image

        return np.asarray(Image.open(self.folder / "atlas.png").convert("RGB"))

    @property
    def reference_crop(self) -> np.ndarray:
        """(128, 128, 3) uint8 RGB: the lip crop of the reference atlas."""
        return self.space.crop.cut(self.reference_atlas)

    @property
    def warnings(self) -> list[str]:
        """What was wrong with the videos, in sentences."""
        return self.description["warnings"]

    def _map(self, name: str) -> np.ndarray:
        try:
            return np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"The dataset {self.folder} is damaged: {name}.npy cannot be read ({error}). "
                "Delete it and build it again."
            ) from error


def frame_seconds(times: np.ndarray) -> np.ndarray:
    """How long each frame of a clip lasts (T,), from their times (T,), seconds: to the next, the last as most do."""
    steps = np.diff(times)
    return np.append(steps, np.median(steps) if len(steps) else 0.0)


def open_dataset(folder: Path) -> Dataset:
    """Open a finished dataset; raises `UsageError` where there is none and `InputError` where it is damaged."""
    return Dataset(Path(folder))


@dataclass(frozen=True)
class KnownFace:
    """A speaker whose space and evenly lit reference atlas (256, 256, 3) uint8 are known from earlier videos."""

    space: SpeakerSpace
    atlas: np.ndarray


def build_dataset(
    videos: Sequence[Path],
    folder: Path,
    config: DatasetConfig | None = None,
    progress: Progress = no_progress,
    face: KnownFace | None = None,
) -> Dataset:
    """Turn the videos of one speaker into a dataset at `folder`, or open the one that is already there.

    With `face` the frames are brought into that speaker's space and light instead of into their own.

    Work goes to `folder.partial`, clip by clip, and is taken up again after an interruption; the finished dataset
    is renamed into place. Videos without a usable face or sound are left out with a warning; raises `InputError`
    where none is left.
    """
    from backend.training import clips
    from backend.training.tracked_clip import track_clips

    config, folder = config or DatasetConfig(), Path(folder)
    paths = [Path(video) for video in videos]
    if not paths:
        raise UsageError("No video was given; give at least one video of the speaker.")
    digest = dataset_digest(paths, config)
    if _finished(folder, digest):
        return open_dataset(folder)
    if folder.exists() and not (folder / "dataset.json").is_file() and any(folder.iterdir()):
        raise UsageError(f"{folder} exists and is no dataset; choose another folder.")
    work = _work_folder(folder, digest)
    warnings: list[str] = []
    tracked = track_clips(paths, work, config, warnings, progress)
    if face is None:
        space, chosen = clips.speaker_space(tracked, config)
        reference = clips.reference_texture(tracked, space, chosen, config)
    else:
        space, chosen = face.space, -1
        reference = face.atlas.astype(np.float32) / 255
    clips.unwrap_clips(tracked, space, reference, config, progress)
    offset = clips.audio_offset(tracked, warnings) if config.correct_offset else NOT_MEASURED
    clips.assemble(tracked, work, space, reference, offset, progress)
    description = {
        "format": FORMAT,
        "digest": digest,
        "settings": asdict(config),
        "frames": int(sum(len(clip.times) for clip in tracked)),
        "clips": [clip.describe() for clip in tracked],
        "reference_frame": chosen,
        "audio_offset": {name: None if math.isnan(value) else value for name, value in asdict(offset).items()},
        "warnings": warnings,
    }
    (work / "dataset.json").write_text(json.dumps(description, indent=1), encoding="utf-8")
    _publish(work, folder)
    return open_dataset(folder)


def dataset_digest(videos: Sequence[Path], config: DatasetConfig) -> str:
    """SHA-256 over the videos' contents, the settings and the pipeline's number.

    Raises UsageError where a video cannot be read, or is there twice: what is kept for measuring would be trained on.
    """
    total = hashlib.sha256(json.dumps([PIPELINE, asdict(config)]).encode())
    seen: dict[str, Path] = {}
    for video in videos:
        try:
            digest = file_sha256(video)
        except OSError as error:
            raise UsageError(f"The video {video} cannot be opened ({error.strerror}); give a video file.") from error
        if digest in seen:
            raise UsageError(f"{seen[digest]} and {video} are the same video; give each once.")
        seen[digest] = video
        total.update(bytes.fromhex(digest))
    return total.hexdigest()


def _finished(folder: Path, digest: str) -> bool:
    if not (folder / "dataset.json").is_file():
        return False
    try:
        return _read_description(folder).get("digest") == digest
    except InputError:
        return False


def _read_description(folder: Path) -> dict:
    path = folder / "dataset.json"
    if not path.is_file():
        raise UsageError(f"{folder} is no dataset (it has no dataset.json); build one from videos first.")
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}); delete {folder} and build the dataset again.") from error
    if description.get("format") != FORMAT:
        raise InputError(
            f"{folder} is a dataset of format {description.get('format')}, expected {FORMAT}; build it again."
        )
    return description


def _work_folder(folder: Path, digest: str) -> Path:
    """The folder of unfinished work; emptied where it belongs to other videos or settings."""
    work = folder.with_name(folder.name + ".partial")
    stamp = work / "digest"
    if work.exists() and not (stamp.is_file() and stamp.read_text(encoding="utf-8") == digest):
        patiently(shutil.rmtree, work)
    try:
        work.mkdir(parents=True, exist_ok=True)
        stamp.write_text(digest, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{work} cannot be written ({error.strerror}); choose another folder.") from error
    return work


def _publish(work: Path, folder: Path) -> None:
    remove_tree(work / "parts")
    patiently((work / "digest").unlink)
    old = folder.with_name(folder.name + ".old")
    remove_tree(old)
    if folder.exists():
        move(folder, old)
    move(work, folder)
    remove_tree(old)

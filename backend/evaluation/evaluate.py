"""Self-reenactment: an actor speaks the sound of a video, and is compared with the speaker in it."""

import json
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from backend.actor_file import Actor
from backend.audio.decode import check_is_file
from backend.errors import InputError, MouthpieceError
from backend.evaluation.metrics import (
    INTEROCULAR_MM,
    aperture_offset,
    correlation,
    lip_error_mm,
    lip_gap,
    of_known,
    vertex_error_mm,
    weighted_psnr,
    weighted_ssim,
)
from backend.evaluation.mouth_figures import MouthFigures
from backend.evaluation.speech_figures import closure_recall, silence_motion, tracked_closures
from backend.inference.direct import direct
from backend.inference.motion import LazyOffsets
from backend.inference.predict import decode_motion, decode_textures, encode_sound
from backend.inference.request import LEAST_FPS, MOST_FPS, AnimateRequest
from backend.normalisation.atlas import Crop
from backend.normalisation.cylinder import fit_cylinder, to_head_space
from backend.normalisation.pose import apply, invert
from backend.normalisation.space import SpeakerSpace
from backend.progress import Progress, no_progress
from backend.speech.phones import BILABIALS, OPEN_VOWELS, Phone
from backend.training.batches import GAP_SECONDS, texture_weights
from backend.training.dataset import Dataset, DatasetConfig, KnownFace, build_dataset
from backend.trust.provenance import file_sha256
from backend.video.decode import open_video
from shape_keys.topology import LIPS


@dataclass(frozen=True)
class ClipResult:
    """One clip, as it is and as the actor says it; frames without a face are left out.

    times (T,) seconds; true, predicted (T, 468, 3) head space; poses (T, 3, 4) frame pixels to head space; frames (T,)
    which frames of the file they are; true_crops, crops (T, 128, 128, 3) uint8, empty without texture; visible (T,);
    gap (T,) how far apart the actor's own lips are: those of a speaker's neutral face may be tracked ajar.
    """

    path: Path
    samples: np.ndarray
    times: np.ndarray
    frames: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    poses: np.ndarray
    true_crops: np.ndarray
    crops: np.ndarray
    visible: np.ndarray
    gap: np.ndarray


def evaluate(
    actor: Actor,
    videos: list[Path],
    transcripts: dict[str, str] | None = None,
    include_training: bool = False,
    video_out: Path | None = None,
    progress: Progress = no_progress,
) -> dict[str, float]:
    """Compare an actor with videos of its speaker; returns the figures by name (docs/guide/evaluation.md).

    transcripts: what is said in each clip, by file name without ending; closures are then judged at /p b m/.
    What the actor was trained on is passed over, unless include_training. video_out: an mp4 of truth beside
    prediction. Raises InputError where no face or sound is found.
    """
    # The general voice model has no face of its own: it moves each speaker's from its own neutral one.
    face = None if actor.is_general else KnownFace(actor_space(actor), actor.atlas)
    settings = DatasetConfig(correct_offset=False)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        closing(build_dataset(videos, Path(folder) / "dataset", settings, progress, face)) as dataset,
    ):
        for warning in dataset.warnings:
            progress(warning, 0, 0)
        clips = []
        trained = {} if include_training else actor.description.get("trained_until", {})
        for number, path in enumerate(dataset.videos(videos)):
            progress("predict", number, len(videos))
            clip = _predict(actor, dataset, number, path, trained.get(file_sha256(path), -1.0) + GAP_SECONDS)
            if len(clip.times) > 1:
                clips.append(clip)
        if not clips:
            raise InputError(
                "No frame with a face is left that the actor was not trained on; evaluate with another video."
            )
        figures = {"left_out": float(len(dataset.left_out(videos)))} | geometry_rows(clips) | frame_rows(clips)
        figures |= speech_rows(clips, transcripts or {}) | texture_rows(clips, dataset, actor)
        mouth = MouthFigures(actor, dataset.space, video_out)
        return figures | mouth.measure(clips, progress)


def actor_space(actor: Actor) -> SpeakerSpace:
    """The space an actor was trained in."""
    reference = actor.reference
    _, radius = to_head_space(reference.vertices)
    return SpeakerSpace(
        reference.vertices, reference.uv, fit_cylinder(reference.vertices, radius), Crop(**reference.rectangle),
        reference.seen, reference.turning,
    )  # fmt: skip


def _predict(actor: Actor, dataset: Dataset, number: int, path: Path, start: float) -> ClipResult:
    rows = np.flatnonzero(np.asarray(dataset.clip) == number)
    first = rows[0]
    rows = rows[np.asarray(dataset.times[rows]) > start]
    if not len(rows):
        return _nothing(path)
    samples, times = np.array(dataset.audio(number)), np.array(dataset.times[rows])
    codes, offsets = _perform(actor, path, samples, times)
    crops = np.zeros((0, 128, 128, 3), np.uint8)
    valid = np.asarray(dataset.valid[rows])
    if actor.has_texture:
        reference = dataset.space.crop.cut(actor.atlas)
        crops = np.stack(list(decode_textures(actor.model, codes, reference, actor.reference.mask)))[valid]
    kept = rows[valid]
    own = dataset.reference_vertices if actor.is_general else actor.reference.vertices
    return ClipResult(
        path,
        samples,
        times[valid],
        kept - first,
        np.asarray(dataset.vertices[kept]),
        (own + offsets)[valid],
        np.asarray(dataset.poses[kept]),
        np.asarray(dataset.crops[kept]) if actor.has_texture else crops,
        crops,
        np.asarray(dataset.visible[kept]),
        lip_gap(actor.reference.vertices + offsets[valid]),
    )


def _perform(actor: Actor, path: Path, samples: np.ndarray, times: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
    """Codes and offsets of the frames at `times`: the voice model's as `animate` shows them, a trained actor's bare."""
    if not actor.is_general:
        codes = encode_sound(actor.model, samples, times)
        return codes, decode_motion(actor.model, codes)[0]
    fps = float(np.clip(1 / np.median(np.diff(times)), LEAST_FPS, MOST_FPS)) if len(times) > 1 else AnimateRequest.fps
    request = AnimateRequest(audio=path, actor=actor.name, outputs=(Path("shown"),), fps=fps)
    shown = direct(actor, samples, request, times=times).performance
    return torch.from_numpy(shown.codes), LazyOffsets(actor.motion, shown.codes, shown.shift)[:]


def _nothing(path: Path) -> ClipResult:
    none, faces = np.zeros(0), np.zeros((0, 468, 3))
    crops = np.zeros((0, 128, 128, 3), np.uint8)
    return ClipResult(path, none, none, none, faces, faces, np.zeros((0, 3, 4)), crops, crops, none, none)


def geometry_rows(clips: list[ClipResult]) -> dict[str, float]:
    """Figures of the vertices; those of the lip gap are medians over the clips."""
    gaps = [(clip.gap, lip_gap(clip.true)) for clip in clips]
    offsets = [aperture_offset(*pair, clip.times) for pair, clip in zip(gaps, clips, strict=True)]
    predicted, true = np.concatenate([c.predicted for c in clips]), np.concatenate([c.true for c in clips])
    scores = [correlation(*pair) for pair in gaps]
    distances = np.concatenate([_lip_pixels(clip) for clip in clips])
    lip = lip_error_mm(predicted, true)
    return {
        "clips": float(len(clips)),
        "frames": float(len(true)),
        "vertex_error_mm": vertex_error_mm(predicted, true),
        "lip_error_mm": lip,
        "lip_error_percent": lip / INTEROCULAR_MM * 100,
        "aperture_r": of_known(np.median, scores),
        "aperture_r_mean": of_known(np.mean, scores),
        "aperture_offset_ms": float(np.median(offsets)) * 1000,
        "lmd_px": float(distances.mean()),
    }


def _lip_pixels(clip: ClipResult) -> np.ndarray:
    """Mean distance of the lips' landmarks in each frame (T,), in its own pixels."""
    back = invert(clip.poses.astype(np.float64))
    lips = list(LIPS)
    true, predicted = apply(back, clip.true[:, lips]), apply(back, clip.predicted[:, lips])
    return np.linalg.norm((true - predicted)[..., :2], axis=-1).mean(axis=1)


def frame_rows(clips: list[ClipResult]) -> dict[str, float]:
    """Width and height in pixels of the upright pictures that `lmd_px` counts in; NaN where the clips differ."""
    sizes = {(info.width, info.height) for info in (open_video(clip.path) for clip in clips)}
    width, height = sizes.pop() if len(sizes) == 1 else (float("nan"), float("nan"))
    return {"frame_width": float(width), "frame_height": float(height)}


def speech_rows(clips: list[ClipResult], transcripts: dict[str, str]) -> dict[str, float]:
    """Closures and stillness. Closures are judged at /p b m/ where every clip has a transcript, else where tracked."""
    closed: list[bool] = []
    own: list[bool] = []
    opened: list[bool] = []
    motion = []
    phones = _align(clips, transcripts)
    for number, clip in enumerate(clips):
        gaps = lip_gap(clip.true), clip.gap
        if phones:
            closed += closure_recall(gaps[1], clip.times, phones[number], BILABIALS)
            own += closure_recall(gaps[0], clip.times, phones[number], BILABIALS)
            opened += closure_recall(gaps[1], clip.times, phones[number], OPEN_VOWELS)
        else:
            closed += tracked_closures(*gaps)
        motion.append(silence_motion(clip.predicted, clip.times, clip.samples))
    silent, speaking = (np.array([row[i] for row in motion]) for i in (0, 1))
    both = np.isfinite(silent) & np.isfinite(speaking)
    rows = {
        "closures": float(len(closed)),
        "closure_recall": of_known(np.mean, closed),
        "silence_motion": float(silent[both].mean() / speaking[both].mean()) if both.any() else float("nan"),
    }
    if phones:
        rows |= {"closure_recall_speaker": of_known(np.mean, own), "false_closure": of_known(np.mean, opened)}
    return rows


def _align(clips: list[ClipResult], transcripts: dict[str, str]) -> list[list[Phone]]:
    if not transcripts:
        return []
    missing = [clip.path.stem for clip in clips if clip.path.stem not in transcripts]
    if missing:
        raise InputError(f"The transcripts do not say what is said in {', '.join(missing)}; add a line for each clip.")
    from backend.speech.alignment import Aligner

    aligner, phones = Aligner(), []
    for clip in clips:
        try:
            phones.append(aligner.align(clip.samples, transcripts[clip.path.stem])[0])
        except MouthpieceError as error:
            raise InputError(f"{clip.path.name}: {error}") from None
    return phones


def texture_rows(clips: list[ClipResult], dataset: Dataset, actor: Actor) -> dict[str, float]:
    """SSIM and PSNR of the lip crop inside its validity mask, beside the mean texture's."""
    if not actor.has_texture:
        return {}
    true, made = np.concatenate([c.true_crops for c in clips]), np.concatenate([c.crops for c in clips])
    visible = np.concatenate([c.visible for c in clips])
    mean = np.broadcast_to(dataset.space.crop.cut(actor.atlas), true.shape)
    mask = np.asarray(dataset.mask) * (actor.reference.mask > 0)
    weights = texture_weights(mask, np.asarray(dataset.interior), visible, 1.0)[:, 0]
    return {
        "ssim_atlas": weighted_ssim(made, true, weights),
        "ssim_atlas_mean_texture": weighted_ssim(mean, true, weights),
        "psnr_atlas": weighted_psnr(made, true, weights),
        "texture_flicker": texture_flicker(clips),
    }


def texture_flicker(clips: list[ClipResult]) -> float:
    """Mean difference, 0..1, of a clip's textures in neighbouring frames; NaN where no two are neighbours."""
    total, count = 0.0, 0
    for clip in clips:
        for number in np.flatnonzero(np.diff(clip.frames) == 1):
            before, after = clip.crops[number : number + 2].astype(np.int16)
            total, count = total + float(np.abs(after - before).mean()), count + 1
    return total / count / 255 if count else float("nan")


def read_transcripts(path: Path) -> dict[str, str]:
    """Texts by clip name from a JSON object, or from lines `name<tab>text`. Raises UsageError, InputError."""
    check_is_file(path, "transcripts: lines of a clip's name, a tab and what is said")
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            return {str(key): str(value) for key, value in json.loads(text).items()}
        rows = [line.split("\t", 1) for line in text.splitlines() if line.strip()]
        return {row[0]: row[1] for row in rows}
    except (OSError, ValueError, AttributeError, IndexError):
        raise InputError(
            f"The transcripts {path} cannot be read; give lines of a clip's name, a tab and what is said."
        ) from None

"""From videos of one speaker to an actor."""

import contextlib
import datetime
import json
import os
import platform
import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.actor_file import ACTOR_FILES, ReferenceFace, check_name, save_actor
from backend.actor_library import VOICE, user_actors
from backend.animation_file import check_output, new_folder, places_read
from backend.errors import Cancelled, InputError, UsageError
from backend.file_lock import Lock
from backend.progress import Progress, no_progress
from backend.training.config import TrainConfig
from backend.training.memory import keep_freed_memory
from backend.training.report_page import EVERY, REPORT, SHEET, ReportPage
from backend.trust.consent import read_consent
from backend.trust.provenance import file_sha256

if TYPE_CHECKING:
    from backend.training.batches import Span
    from backend.training.dataset import Dataset
    from backend.training.loop import TrainingRun
    from models.presets import ModelConfig
    from models.talking_face import TalkingFace

LEAST_SECONDS = 20.0
"""Shortest training material; good actors need 2 to 5 minutes (section 4)."""
CHECKPOINT, SETTINGS = "checkpoint.safetensors", "config.json"
LOCK = "training.lock"
OURS = ("dataset", "dataset.partial", CHECKPOINT, LOCK)
"""What tells a work folder that a training began from a folder of somebody's own."""
SSIM_WORTH = APERTURE_WORTH = 10.0
"""Millimetres of lip error that one of SSIM, and one of aperture r, is worth when the best moment is chosen."""
FEATHER = 12
"""Pixels over which the predicted crop fades into the reference atlas at its border."""


@dataclass(frozen=True)
class TrainRequest:
    """What `mouthpiece train` was asked for."""

    videos: tuple[Path, ...]
    """Video files of one speaker."""
    actor: str
    """Name of the new actor."""
    consent: Path
    """The speaker's consent record."""
    out: Path | None = None
    """Folder of the new actor; by default among the user's actors."""
    work: Path | None = None
    """Folder for the dataset, checkpoints and report; by default beside the actor."""
    config: TrainConfig = field(default_factory=TrainConfig)
    """How to train."""
    resume: bool = False
    """Go on with an unfinished run in the work folder."""
    overwrite: bool = False
    """Replace an actor that exists."""
    accept_quality: bool = False
    """Train although the data-quality gate finds the videos unfit."""
    named: tuple[Path, ...] = ()
    """The files and folders by which the videos were named, for the card; by default the videos themselves."""

    def __post_init__(self) -> None:
        check_name(self.actor)
        if not self.videos:
            raise UsageError("Give at least one video of the speaker.")

    @property
    def folder(self) -> Path:
        """Where the actor is written."""
        return self.out or user_actors() / self.actor

    @property
    def report(self) -> Path:
        """The page that shows how it goes; while it trains, too."""
        return self.work_folder / REPORT

    @property
    def work_folder(self) -> Path:
        """Where everything else is written."""
        return self.work or self.folder.parent / f".{self.actor}.training"


def train(request: TrainRequest, progress: Progress = no_progress) -> Path:
    """Train an actor; returns its folder. Raises ConsentError, UsageError, InputError, Cancelled."""
    from backend.training.devices import choose_device, join_processes

    consent = read_consent(request.consent)
    if request.out is None:
        try:
            request.folder.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{request.folder.parent} cannot be made: {error.strerror}; give --out.") from None
    read = places_read([*request.videos, request.consent, request.work_folder, VOICE])
    check_output(request.folder, request.overwrite, ACTOR_FILES, read)
    settings = _settings(request)
    device = choose_device(request.config.device)
    work = _open_work_folder(request)
    process, processes = join_processes(device)
    with contextlib.nullcontext() if process else _alone(work):  # of several processes the first locks for all
        _check_unfinished(work, request.resume, settings)
        if not process and not (work / CHECKPOINT).exists():
            for drawn in (REPORT, SHEET):  # of an earlier run, maybe of somebody else's face
                (work / drawn).unlink(missing_ok=True)
        try:
            return _train_in(work, request, settings, consent, process, processes, progress)
        except KeyboardInterrupt:
            raise Cancelled(f"Training stopped; {_kept(work)}") from None


def _train_in(
    work: Path,
    request: TrainRequest,
    settings: dict[str, Any],
    consent: dict[str, Any],
    process: int,
    processes: int,
    progress: Progress,
) -> Path:
    from backend.training.dataset import build_dataset
    from backend.training.devices import first_process_first
    from backend.training.first_weights import fit_to_speaker
    from backend.training.quality import check_quality
    from backend.training.teeth import learn_teeth
    from models.presets import PRESETS

    with first_process_first(process, processes):
        dataset = build_dataset(list(request.videos), work / "dataset", progress=progress)
    (work / SETTINGS).write_text(json.dumps(settings, indent=1), encoding="utf-8")
    for warning in dataset.warnings:
        progress(warning, 0, 0)
    findings = check_quality(dataset, request.accept_quality, lambda sentence: progress(sentence, 0, 0))
    keep_freed_memory()
    share = texture_share(np.asarray(dataset.mask), np.asarray(dataset.interior))
    model_config = fit_to_speaker(PRESETS[request.config.preset], dataset)
    run, spans, held = _prepare(request, model_config, dataset, work, share, progress)
    if not held:
        progress("The end of the video, which is kept for measuring, hardly shows a face: nothing is measured.", 0, 0)
    solved = request.config.preset == "instant"
    page = ReportPage(work, request.actor, 0 if solved else request.config.epochs, findings, bool(held))
    if not solved:
        _run(run, page, progress)
    if process:  # of several processes the first writes the actor
        return request.folder
    model = run.result
    taught = learn_teeth(model, run.batches, progress)
    progress("evaluate", 0, 1)
    metrics = held_out_figures(model, dataset, held, share, work / SHEET) if held else {}
    progress("evaluate", 1, 1)
    page.write(run.history, metrics, taught)
    facts = _facts(request, dataset, consent, metrics, run.history, sum(span.stop - span.start for span in spans))
    facts |= {"trained_until": trained_until(request.videos, dataset, spans)}
    _export(request, model, model_config, dataset, share, facts)
    run.checkpoint.unlink(missing_ok=True)
    return request.folder


def _kept(work: Path) -> str:
    """What a stopped training has left in its work folder, and how to go on with it."""
    if (work / CHECKPOINT).exists():
        return f"the finished epochs are kept in {work}, and the same command with --resume goes on after them."
    unfinished = work / "dataset.partial"  # beside it there may be the dataset of an earlier training
    if any((unfinished / "parts").glob("*_track.npz")):
        return f"the videos that were tracked are kept in {work}, and the same command goes on from there."
    if (work / "dataset").is_dir() and not unfinished.exists():
        return f"the tracked video is kept in {work}, and the same command goes on from there."
    return "nothing was finished yet, and the same command begins again."


def _run(run: "TrainingRun", page: ReportPage, progress: Progress) -> None:
    """Train, and keep the report up to date; of several processes the first does."""
    if run.process == 0:
        page.write(run.history)
        progress(f"The report is in {page.path}, and is written anew after every epoch.", 0, 0)
        run.after_epoch = page.write
    run.run(progress)


def texture_share(mask: np.ndarray, interior: np.ndarray) -> np.ndarray:
    """How much of the predicted crop is laid over the reference: 1 on the mesh, fading to 0 at the crop's border.

    mask (128, 128) 0..1; interior (128, 128) bool. Returns (128, 128) float32.
    """
    steps = np.minimum(np.arange(128), np.arange(128)[::-1])
    fade = np.clip(np.minimum(steps[:, None], steps[None]) / FEATHER, 0, 1)
    return (fade * (interior | (mask > 0))).astype(np.float32)


def _settings(request: TrainRequest) -> dict[str, Any]:
    """What a run must be started with again to go on: how to train, and the digest of the videos."""
    from backend.training.dataset import DatasetConfig, dataset_digest

    started = asdict(request.config) | {"videos": dataset_digest(request.videos, DatasetConfig())}
    return json.loads(json.dumps(started))


def _open_work_folder(request: TrainRequest) -> Path:
    """Make the work folder, or check that it is one."""
    work = request.work_folder
    try:
        work.mkdir(parents=True, exist_ok=True)
        if any(work.iterdir()) and not any((work / name).exists() for name in OURS):
            raise UsageError(f"{work} holds other files; choose a folder of its own for the work.")
    except OSError as error:
        raise UsageError(f"The work folder {work} cannot be written: {error.strerror}.") from None
    return work


@contextlib.contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Raise UsageError where another training works in the folder: both would write the same files."""
    lock = Lock(work / LOCK)
    try:
        alone = lock.take()
    except OSError as error:
        raise UsageError(f"The work folder {work} cannot be written: {error.strerror}.") from None
    if not alone:
        raise UsageError(f"Another training is at work in {work}; wait for it, stop it, or give another --work.")
    try:
        yield
    finally:
        lock.release()


def _check_unfinished(work: Path, resume: bool, settings: dict[str, Any]) -> None:
    """Raise UsageError where a run waits in the folder that is not to go on, or was started otherwise.

    It may go on with another device.
    """
    if not (work / CHECKPOINT).exists():
        return
    if not resume:
        raise UsageError(f"{work} holds an unfinished run; add --resume to go on with it, or delete it.")
    try:
        started = json.loads((work / SETTINGS).read_text("utf-8"))
    except (OSError, ValueError):
        raise UsageError(f"The settings of the run in {work} cannot be read; delete it and begin again.") from None
    changed = [name for name in settings if name != "device" and settings[name] != started.get(name)]
    if changed:
        raise UsageError(f"The run in {work} was started with other {', '.join(changed)}; repeat them, or delete it.")


def _prepare(
    request: TrainRequest,
    model_config: "ModelConfig",
    dataset: "Dataset",
    work: Path,
    share: np.ndarray,
    progress: Progress,
) -> "tuple[TrainingRun, list[Span], list[Span]]":
    """The run at its start or where it was left, the training spans and the held-out spans."""
    import torch

    from backend.training.batches import Batches, split_spans
    from backend.training.first_weights import initialise, start_from_voice
    from backend.training.loop import TrainingRun
    from models.presets import build_model

    config = request.config
    spans, held = split_spans(dataset, config.held_out)
    seconds = seen_seconds(dataset, spans)
    if seconds < LEAST_SECONDS:
        raise InputError(
            f"There are {seconds:.0f} s of usable face to train on, the last {config.held_out:.0%} of the video being "
            f"kept for measuring; at least {LEAST_SECONDS:.0f} s are needed, 2 to 5 minutes make a good actor."
        )
    torch.manual_seed(config.seed)
    model = build_model(model_config)
    batches = Batches(dataset, spans, config, model.encoder.columns)
    initialise(model, dataset, batches)
    resumed = request.resume and (work / CHECKPOINT).exists()
    if starts_from_voice(config) and not resumed and not start_from_voice(model, dataset, batches, progress=progress):
        raise UsageError("There is no voice model in models/voice to start from; restore it, or use --from-scratch.")

    def validate(network: "TalkingFace") -> dict[str, float]:
        first = run.process == 0  # of several processes, which all look, it writes
        figures = held_out_figures(network, dataset, held, share, work / SHEET if first else None, EVERY)
        score = figures["lip_error_mm"] + SSIM_WORTH * (1 - figures.get("ssim_atlas", 1.0))
        score += APERTURE_WORTH * (1 - np.nan_to_num(figures["aperture_r"]))
        return figures | {"score": score}

    run = TrainingRun(model, batches, config, work / CHECKPOINT, validate if held else None)
    if resumed:
        run.resume()
    return run, spans, held


def seen_seconds(dataset: "Dataset", spans: "list[Span]") -> float:
    """Seconds of the spans in which a face is seen; each frame lasts to the next."""
    shown = dataset.seconds * np.asarray(dataset.valid)
    return float(sum(shown[span.start : span.stop].sum() for span in spans))


def starts_from_voice(config: TrainConfig) -> bool:
    """Whether a training of these settings takes over the shipped voice model."""
    from models.presets import PRESETS

    return bool(PRESETS[config.preset].voice_width) and not config.from_scratch


def held_out_figures(
    model: "TalkingFace", dataset: "Dataset", held: "list[Span]", share: np.ndarray, sheet: Path | None, every: int = 1
) -> dict[str, float]:
    """Figures on the held-out spans, and a contact sheet where one is asked for; textures of one frame in `every`."""
    from backend.training.held_out import evaluate_held_out
    from backend.training.report import save_contact_sheet

    metrics, true, predicted, visible = evaluate_held_out(model, dataset, held, share, every)
    if len(true) and sheet is not None:
        save_contact_sheet(sheet, true, predicted, visible)
    return metrics


def trained_until(videos: tuple[Path, ...], dataset: "Dataset", spans: "list[Span]") -> dict[str, float]:
    """For each video's SHA-256, the second up to which training saw it; evaluation passes over that."""
    clip, files = np.asarray(dataset.clip), dataset.videos(videos)
    last = {int(clip[span.start]): float(dataset.times[span.stop - 1]) for span in spans}
    return {file_sha256(files[number]): seconds for number, seconds in last.items()}


def _facts(
    request: TrainRequest,
    dataset: "Dataset",
    consent: dict[str, Any],
    metrics: dict[str, float],
    history: list[dict],
    frames: int,
) -> dict[str, Any]:
    """What the actor's description and card say about where it comes from."""
    from backend.training.voice.export import LICENCE as VOICE_LICENCE

    config = request.config
    from_voice = starts_from_voice(config)
    words = ["mouthpiece", "train", *_names(request), "--actor", request.actor]
    words += ["--consent", request.consent.name, "--preset", config.preset]
    if config.preset != "instant":
        words += ["--epochs", str(config.epochs)]
    words += ["--seed", str(config.seed)]
    if config.held_out != TrainConfig.held_out:
        words += ["--held-out", str(config.held_out)]
    if config.from_scratch:
        words.append("--from-scratch")
    if request.accept_quality:
        words.append("--accept-quality")
    return {
        "command": shlex.join(words),
        "data": ", ".join(row["name"] for row in dataset.description["clips"]),
        "train_frames": frames,
        "from_voice": from_voice,
        "held_out": config.held_out,
        "seed": config.seed,
        "epochs": config.epochs,
        "epochs_run": len(history),
        "minutes": sum(row["seconds"] for row in history) / 60,
        "machine": f"{os.cpu_count()} cores, {platform.machine()} {platform.system()}",
        "date": datetime.date.today().isoformat(),
        "consent": consent,
        "licence": consent["licence"] + (f", with the voice model's {VOICE_LICENCE}" if from_voice else ""),
        "metrics": metrics,
        "training": asdict(config),
    }


def _names(request: TrainRequest) -> list[str]:
    """What the command named, without the places on this machine."""
    return [path.name or path.resolve().name for path in request.named or request.videos]


def _export(
    request: TrainRequest,
    model: "TalkingFace",
    model_config: "ModelConfig",
    dataset: "Dataset",
    share: np.ndarray,
    facts: dict[str, Any],
) -> None:
    from backend.training.report import card_text

    space = dataset.space
    reference = ReferenceFace(space.vertices, space.uv, asdict(space.crop), share, space.seen_vertices, space.turning)
    with new_folder(request.folder, ACTOR_FILES, request.overwrite) as folder:
        card = card_text(facts | {"name": request.actor})
        save_actor(folder, request.actor, model, model_config, reference, dataset.reference_atlas, facts, card)

"""From videos of one speaker to an actor."""

import datetime
import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.actor_file import ReferenceFace, check_name, save_actor
from backend.actor_library import VOICE_MODEL, user_actors
from backend.animation_file import check_output, new_folder
from backend.errors import InputError, UsageError
from backend.progress import Progress, no_progress
from backend.training.config import TrainConfig
from backend.training.memory import keep_freed_memory
from backend.training.report_page import write_training_report
from backend.trust.consent import read_consent
from backend.trust.provenance import file_sha256

if TYPE_CHECKING:
    from models.presets import ModelConfig

LEAST_SECONDS = 20.0
"""Shortest training material; good actors need 2 to 5 minutes (section 4)."""
SHEET, CHECKPOINT = "contact_sheet.png", "checkpoint.safetensors"
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

    def __post_init__(self) -> None:
        check_name(self.actor)
        if not self.videos:
            raise UsageError("Give at least one video of the speaker.")

    @property
    def folder(self) -> Path:
        """Where the actor is written."""
        return self.out or user_actors() / self.actor

    @property
    def work_folder(self) -> Path:
        """Where everything else is written."""
        return self.work or self.folder.parent / f".{self.actor}.training"


def train(request: TrainRequest, progress: Progress = no_progress) -> Path:
    """Train an actor; returns its folder. Raises ConsentError, UsageError, InputError, Cancelled."""
    from backend.training.dataset import build_dataset
    from backend.training.devices import choose_device, first_process_first, join_processes
    from backend.training.first_weights import fit_to_speaker
    from backend.training.quality import check_quality
    from models.presets import PRESETS

    consent = read_consent(request.consent)
    if request.out is None:
        request.folder.parent.mkdir(parents=True, exist_ok=True)
    check_output(request.folder, request.overwrite)
    work = _open_work_folder(request)
    process, processes = join_processes(choose_device(request.config.device))
    with first_process_first(process, processes):
        dataset = build_dataset(list(request.videos), work / "dataset", progress=progress)
    for warning in dataset.warnings:
        progress(warning, 0, 0)
    check_quality(dataset, request.accept_quality, lambda sentence: progress(sentence, 0, 0))
    keep_freed_memory()
    share = texture_share(np.asarray(dataset.mask), np.asarray(dataset.interior))
    model_config = fit_to_speaker(PRESETS[request.config.preset], dataset)
    run, spans, held = _prepare(request, model_config, dataset, work, share, progress)
    if request.config.preset != "instant":
        run.run(progress)
    if process:  # of several processes the first writes the actor
        return request.folder
    progress("evaluate", 0, 1)
    metrics = held_out_figures(run.result, dataset, held, share, work / SHEET)
    progress("evaluate", 1, 1)
    write_training_report(work, request.actor, run.history, metrics, request.config.epochs)
    facts = _facts(request, consent, metrics, run.history, sum(span.stop - span.start for span in spans))
    facts |= {"trained_until": trained_until(request.videos, dataset, spans)}
    _export(request, run.result, model_config, dataset, share, facts)
    return request.folder


def texture_share(mask: np.ndarray, interior: np.ndarray) -> np.ndarray:
    """How much of the predicted crop is laid over the reference: 1 on the mesh, fading to 0 at the crop's border.

    mask (128, 128) 0..1; interior (128, 128) bool. Returns (128, 128) float32.
    """
    steps = np.minimum(np.arange(128), np.arange(128)[::-1])
    fade = np.clip(np.minimum(steps[:, None], steps[None]) / FEATHER, 0, 1)
    return (fade * (interior | (mask > 0))).astype(np.float32)


def _open_work_folder(request: TrainRequest) -> Path:
    """Make the work folder, or check that the run in it is the one to go on with."""
    work = request.work_folder
    settings = json.dumps(asdict(request.config), indent=1)
    try:
        work.mkdir(parents=True, exist_ok=True)
        if (work / CHECKPOINT).exists():
            if not request.resume:
                raise UsageError(f"{work} holds an unfinished run; add --resume to go on with it, or delete it.")
            if (work / "config.json").read_text() != settings:
                raise UsageError(f"The run in {work} was started with other settings; repeat them, or delete it.")
        (work / "config.json").write_text(settings)
    except OSError as error:
        raise UsageError(f"The work folder {work} cannot be written: {error.strerror}.") from None
    return work


def _prepare(
    request: TrainRequest,
    model_config: "ModelConfig",
    dataset: Any,
    work: Path,
    share: np.ndarray,
    progress: Progress,
) -> tuple[Any, list, list]:
    """The run at its start or where it was left, the training spans and the held-out spans."""
    import torch

    from backend.training.batches import Batches, split_spans
    from backend.training.first_weights import initialise, start_from_voice
    from backend.training.loop import TrainingRun
    from models.presets import build_model

    config = request.config
    spans, held = split_spans(dataset, config.held_out)
    seconds = sum(dataset.times[s.stop - 1] - dataset.times[s.start] for s in spans)
    if seconds < LEAST_SECONDS:
        raise InputError(
            f"There are {seconds:.0f} s of usable face to train on; at least {LEAST_SECONDS:.0f} s are needed, "
            f"2 to 5 minutes make a good actor."
        )
    torch.manual_seed(config.seed)
    model = build_model(model_config)
    batches = Batches(dataset, spans, config, model.encoder.columns)
    initialise(model, dataset, batches)
    resumed = request.resume and (work / CHECKPOINT).exists()
    started = resumed or (not config.from_scratch and start_from_voice(model, dataset, batches, progress=progress))
    if config.preset == "instant" and not started:
        raise UsageError("--preset instant needs the voice model in models/voice; use --preset fast.")

    def validate(network: Any) -> dict[str, float]:
        figures = held_out_figures(network, dataset, held, share, work / SHEET, every=4)
        score = figures["lip_error_mm"] + SSIM_WORTH * (1 - figures.get("ssim_atlas", 1.0))
        score += APERTURE_WORTH * (1 - np.nan_to_num(figures["aperture_r"]))
        write_training_report(work, request.actor, run.history, figures, config.epochs)
        return figures | {"score": score}

    run = TrainingRun(model, batches, config, work / CHECKPOINT, validate if held else None)
    if resumed:
        run.resume()
    return run, spans, held


def starts_from_voice(config: TrainConfig) -> bool:
    """Whether a training of these settings takes over the shipped voice model."""
    from models.presets import PRESETS

    return bool(PRESETS[config.preset].voice_width) and not config.from_scratch and VOICE_MODEL.is_file()


def held_out_figures(
    model: Any, dataset: Any, held: list, share: np.ndarray, sheet: Path, every: int = 1
) -> dict[str, float]:
    """Figures on the held-out spans, and a contact sheet; textures of one frame in `every`."""
    from backend.training.held_out import evaluate_held_out
    from backend.training.report import save_contact_sheet

    metrics, true, predicted, visible = evaluate_held_out(model, dataset, held, share, every)
    if len(true):
        save_contact_sheet(sheet, true, predicted, visible)
    return metrics


def trained_until(videos: tuple[Path, ...], dataset: Any, spans: list) -> dict[str, float]:
    """For each video's SHA-256, the second up to which training saw it; evaluation passes over that."""
    by_name = {path.name: path for path in videos}
    clip = np.asarray(dataset.clip)
    last = {int(clip[span.start]): float(dataset.times[span.stop - 1]) for span in spans}
    names = [row["name"] for row in dataset.description["clips"]]
    return {file_sha256(by_name[names[number]]): seconds for number, seconds in last.items()}


def _facts(
    request: TrainRequest, consent: dict[str, Any], metrics: dict[str, float], history: list[dict], frames: int
) -> dict[str, Any]:
    """What the actor's description and card say about where it comes from."""
    from backend.training.voice.export import LICENCE as VOICE_LICENCE

    config = request.config
    from_voice = starts_from_voice(config)
    names = " ".join(path.name for path in request.videos)
    command = (
        f"mouthpiece train {names} --actor {request.actor} --consent {request.consent.name} "
        f"--preset {config.preset} --epochs {config.epochs} --seed {config.seed}"
    )
    return {
        "command": command,
        "data": names,
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


def _export(
    request: TrainRequest,
    model: Any,
    model_config: "ModelConfig",
    dataset: Any,
    share: np.ndarray,
    facts: dict[str, Any],
) -> None:
    from backend.training.report import write_card

    space = dataset.space
    reference = ReferenceFace(space.vertices, space.uv, asdict(space.crop), share, space.seen_vertices, space.turning)
    with new_folder(request.folder, request.overwrite) as folder:
        card = write_card(facts | {"name": request.actor})
        save_actor(folder, request.actor, model, model_config, reference, dataset.reference_atlas, facts, card)

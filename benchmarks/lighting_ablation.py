"""The paper's ablation (LipSync3D section 4.1): training under a changing light with and without normalising it.

A minute of the synthetic speaker under a wandering light is turned into two datasets that differ in the lighting
normalisation only; the same network is trained on both. After every epoch the held-out frames are predicted from the
sound and compared with two targets: the run's own crops, as the paper does, and the undisturbed video, into whose
light the predictions of both runs are brought by the same function first.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from backend.inference.predict import decode_textures, encode_sound
from backend.normalisation.atlas import unwrap
from backend.normalisation.lighting import relight
from backend.training.batches import Batches, Span, split_spans, texture_weights, to_image_tensor
from backend.training.config import TrainConfig
from backend.training.dataset import Dataset, DatasetConfig, build_dataset
from backend.training.first_weights import fit_to_speaker, initialise, start_from_voice
from backend.training.loop import TrainingRun
from backend.training.losses import texture_loss
from backend.training.memory import keep_freed_memory
from backend.training.train import texture_share
from backend.video.decode import iterate_frames
from benchmarks.machine import describe_machine
from benchmarks.relit_speaker import ACTOR, write_relit_video
from models.presets import PRESETS, build_model
from models.talking_face import TalkingFace

EVERY = 3
"""Every third held-out frame is compared; all are predicted, since each needs the one before."""
NAMES = {True: "lighting normalised", False: "lighting as filmed"}


class HeldOut:
    """The held-out frames of a dataset, their own crops and those of the undisturbed video."""

    def __init__(self, dataset: Dataset, span: Span) -> None:
        self.dataset, self.span = dataset, span
        self.frames = np.arange(span.start, span.stop)[::EVERY]
        self.truth = dict(_undisturbed(dataset, self.frames))
        self.share = texture_share(np.asarray(dataset.mask), np.asarray(dataset.interior))
        self.skin = dataset.space.crop.cut(dataset.space.skin)

    def losses(self, model: TalkingFace) -> dict[str, float]:
        """1 - SSIM of what the model predicts: against its own crops, and against the truth in the truth's light."""
        own, true, mouth = [], [], []
        for frame, crop in zip(range(self.span.start, self.span.stop), self._predict(model), strict=True):
            if frame in self.truth:
                lit = relight(crop.astype(np.float32) / 255, self.truth[frame].astype(np.float32) / 255, self.skin)
                lit = np.round(lit * 255).astype(np.uint8)
                own.append(self._loss(crop, self.dataset.crops[frame], frame))
                true.append(self._loss(lit, self.truth[frame], frame))
                mouth.append(self._loss(lit, self.truth[frame], frame, skin=0.0))
        return {"own": float(np.mean(own)), "truth": float(np.mean(true)), "mouth": float(np.mean(mouth))}

    def _predict(self, model: TalkingFace) -> Iterator[np.ndarray]:
        times = np.asarray(self.dataset.times[self.span.start : self.span.stop])
        codes = encode_sound(model, self.dataset.audio(0), times)
        return decode_textures(model, codes, self.dataset.reference_crop, self.share)

    def _loss(self, made: np.ndarray, target: np.ndarray, frame: int, skin: float = 1.0) -> float:
        visible = np.asarray(self.dataset.visible[frame : frame + 1])
        weights = texture_weights(skin * self.dataset.mask, self.dataset.interior, visible, 1.0)
        pictures = (to_image_tensor(image[None]) for image in (made, target))
        return float(texture_loss(*pictures, torch.from_numpy(weights), l1_weight=0.0)[0])


def _undisturbed(dataset: Dataset, frames: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The crops of the undisturbed video in the dataset's layout, by frame number."""
    space, wanted = dataset.space, set(frames.tolist())
    for index, (_, image) in islice(enumerate(iterate_frames(ACTOR)), int(frames[-1]) + 1):
        if index in wanted:
            landmarks = space.to_frame(dataset.vertices[index], dataset.poses[index])
            yield index, space.crop.cut(unwrap(image, landmarks, space.atlas_map))


def train_and_watch(dataset: Dataset, epochs: int, checkpoint: Path) -> list[dict[str, float]]:
    """Train on a dataset; the held-out losses before the first epoch and after each."""
    config = TrainConfig(epochs=epochs)
    spans, held = split_spans(dataset, config.held_out)
    torch.manual_seed(config.seed)
    model = build_model(fit_to_speaker(PRESETS[config.preset], dataset))
    batches = Batches(dataset, spans, config, model.encoder.columns)
    initialise(model, dataset, batches)
    start_from_voice(model, dataset, batches)
    run, watched = TrainingRun(model, batches, config, checkpoint), HeldOut(dataset, held[0])
    history: list[dict[str, float]] = []

    def watch(stage: str, done: int, total: int) -> None:
        history.append(watched.losses(run.result))
        print(f"  {stage} {done}/{total}", {name: round(value, 4) for name, value in history[-1].items()}, flush=True)

    run.run(watch)
    return history


def draw_curves(results: dict[str, list[dict[str, float]]], out: Path) -> None:
    """Both runs' curves side by side for each target, as a picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), dpi=110)
    titles = {"own": "against the run's own crops", "truth": "against the undisturbed video, in its light"}
    for place, (key, title) in enumerate(titles.items(), 1):
        axes = figure.add_subplot(1, 2, place)
        for (name, history), colour in zip(results.items(), ("#1f6fb2", "#c0392b"), strict=True):
            axes.plot([row[key] for row in history], color=colour, marker="o", markersize=3, label=name)
        axes.set(title=title, xlabel="epoch", ylabel="held-out texture loss, 1 - SSIM")
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    FigureCanvasAgg(figure).print_png(str(out))


def main(arguments: list[str] | None = None) -> None:
    """Print the table; --picture draws the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--work", type=Path, help="Folder to keep the datasets in.")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    if not ACTOR.is_file():
        print("Nothing measured: the development data (../shared/data) is not on this machine.")
        return
    print(describe_machine())
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        video = work / "relit.mp4"
        if not video.is_file():
            write_relit_video(video, options.seconds)
        results = {}
        for lighting, name in NAMES.items():
            print(name, flush=True)
            dataset = build_dataset([video], work / f"dataset_{int(lighting)}", DatasetConfig(lighting=lighting))
            results[name] = train_and_watch(dataset, options.epochs, work / f"run_{int(lighting)}.safetensors")
    print_table(results)
    if options.picture:
        draw_curves(results, options.picture)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def print_table(results: dict[str, list[dict[str, float]]]) -> None:
    """The held-out losses before and after training."""
    print("| training crops | own crops, first | own crops, last | truth, first | truth, last | truth, mouth |")
    print("|---|---|---|---|---|---|")
    for name, history in results.items():
        first, last = history[0], history[-1]
        row = (first["own"], last["own"], first["truth"], last["truth"], last["mouth"])
        print(f"| {name} | {' | '.join(f'{value:.3f}' for value in row)} |")


if __name__ == "__main__":
    main()

"""What the voice model gives a personal actor: training from it beside training from scratch, epoch by epoch.

    python -m benchmarks.from_voice --dataset FOLDER [--epochs N] [--picture FILE.png] [--json FILE]

FOLDER is the dataset of all 360 clips of GRID s1 (the work folder of `mouthpiece train`). Sixty clips are trained on,
and the sixty that docs/grid_s1_held_out.txt lists are measured.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from backend.progress import no_progress
from backend.training.batches import Batches, Span
from backend.training.config import TrainConfig
from backend.training.dataset import Dataset, open_dataset
from backend.training.first_weights import initialise, start_from_voice
from backend.training.held_out import evaluate_held_out
from backend.training.loop import TrainingRun
from backend.training.voice.grid import held_out, sixty, trainable
from benchmarks.machine import describe_machine
from models.presets import FAST, build_model
from models.talking_face import TalkingFace

SPLITS = {"sixty": sixty, "all": trainable}


def spans_of(dataset: Dataset, names: set[str]) -> list[Span]:
    """Where the clips of these names lie in a dataset."""
    clip = np.asarray(dataset.clip)
    chosen = [number for number, row in enumerate(dataset.description["clips"]) if row["name"] in names]
    rows = [np.flatnonzero(clip == number) for number in chosen]
    return [Span(int(r[0]), int(r[-1]) + 1) for r in rows]


def curve(dataset: Dataset, split: str, config: TrainConfig) -> list[dict[str, float]]:
    """Figures on the held-out clips before the first epoch and after every `validate_every`."""
    clips = [Path(row["name"]) for row in dataset.description["clips"]]
    train, test = (spans_of(dataset, {c.name for c in chosen}) for chosen in (SPLITS[split](clips), held_out(clips)))
    torch.manual_seed(config.seed)
    model = build_model(FAST)
    batches = Batches(dataset, train, config, model.encoder.columns)
    initialise(model, dataset, batches)
    if not config.from_scratch:
        start_from_voice(model, dataset, batches)

    def look(network: TalkingFace) -> dict[str, float]:
        figures, *_ = evaluate_held_out(network, dataset, test, np.ones((128, 128), np.float32))
        return figures | {"score": figures["lip_error_mm"]}

    run = TrainingRun(model, batches, config, dataset.folder / "from_voice.safetensors", look)
    start = look(run.result) | {"epoch": 0.0, "seconds": 0.0}
    run.run(no_progress)
    run.checkpoint.unlink(missing_ok=True)
    seconds = np.cumsum([row["seconds"] for row in run.history])
    rows = [row | {"epoch": number + 1.0} for number, row in enumerate(run.history)]
    return [start, *(row | {"seconds": float(s)} for row, s in zip(rows, seconds, strict=True) if "score" in row)]


def draw(curves: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Plot aperture r against epochs."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 3.6), dpi=100)
    for name, rows in curves.items():
        axes.plot([row["epoch"] for row in rows], [row["aperture_r_clips"] for row in rows], marker="o", label=name)
    axes.set_xlabel("epochs (60 clips, 3 minutes)")
    axes.set_ylabel("aperture r, median of 60 held-out clips")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--split", choices=SPLITS, default="sixty")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.dataset is None:
        print("Nothing measured: name a dataset with --dataset FOLDER.")
        return
    dataset = open_dataset(options.dataset)
    print(f"{describe_machine()}; {options.epochs} epochs, seed 0", flush=True)
    curves = {}
    for name, scratch in (("from the voice model", False), ("from scratch", True)):
        config = TrainConfig(preset="fast", epochs=options.epochs, validate_every=2, from_scratch=scratch)
        curves[name] = curve(dataset, options.split, config)
        for row in curves[name]:
            kept = ("epoch", "seconds", "aperture_r_clips", "lip_error_mm", "aperture_offset_ms")
            print(name, {key: round(row[key], 3) for key in kept}, flush=True)
    if options.picture:
        draw(curves, options.picture)
    if options.json:
        options.json.write_text(json.dumps({"machine": describe_machine(), **curves}, indent=1))


if __name__ == "__main__":
    main()

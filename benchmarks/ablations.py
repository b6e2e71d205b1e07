"""The paper's ablations rerun (appendices F and G): one short training each, judged on the held-out end of the video.

    python -m benchmarks.ablations --dataset FOLDER [--epochs N] [--only NAME...] [--json FILE]

FOLDER is the dataset that `mouthpiece train` leaves in its work folder; with `--plain FOLDER`, one that was built
without lighting normalisation, the lighting is ablated too.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from backend.progress import no_progress
from backend.training.batches import Batches, split_spans
from backend.training.config import AugmentConfig, TrainConfig
from backend.training.dataset import Dataset, open_dataset
from backend.training.first_weights import fit_to_speaker, initialise, start_from_voice
from backend.training.held_out import evaluate_held_out
from backend.training.loop import TrainingRun
from backend.training.teeth import learn_teeth
from backend.training.train import texture_share
from benchmarks.machine import describe_machine
from models.presets import DEFAULT, PAPER, ModelConfig, build_model

FIGURES = ("lip_error_mm", "aperture_r", "ssim_atlas", "psnr_atlas", "interior_skill")
UNCHANGED = AugmentConfig(
    speed=0.0, formant=0.0, gain_db=0.0, tilt_db=0.0, frequency_mask=0, time_mask=0, silence_probability=0.0,
)  # fmt: skip
"""The sound of the video as it is."""
NOISY = AugmentConfig(noise_probability=0.3, reverb_probability=0.1)
"""The sound of the video in noise and rooms too, as the voice model learnt."""
FEWER = {"texture_frames": 16}
"""Frames a step, for the 70 million parameters of the paper's memory and for the default beside it."""
PAPER_MEMORY = {
    "previous_widths": PAPER.previous_widths,
    "previous_kernel": PAPER.previous_kernel,
    "previous_side": PAPER.previous_side,
}


def variants() -> dict[str, tuple[ModelConfig, dict[str, Any]]]:
    """Networks and changed training settings by name."""
    table: dict[str, tuple[ModelConfig, dict[str, Any]]] = {"default": (DEFAULT, {})}
    table |= {f"Na = {length}": (replace(DEFAULT, previous_code_length=length), {}) for length in (0, 8, 16)}
    table |= {f"Ns = {length}": (replace(DEFAULT, code_length=length), {}) for length in (8, 16, 64, 128)}
    table["code linear in what is heard"] = (replace(DEFAULT, voice_manner=0, voice_reach=0), {})
    table["heard at one instant"] = (replace(DEFAULT, voice_reach=0), {})
    table["code of the face's shape alone"] = (DEFAULT, {"appearance_share": 0.0})
    table["scheduled sampling 0.5"] = (DEFAULT, {"scheduled_sampling": 0.5})
    table["teeth and tongue from the code alone"] = (replace(DEFAULT, interior=()), {})
    table["tongue from the code alone"] = (replace(DEFAULT, interior_hidden=0), {})
    table["teeth not learnt again"] = (DEFAULT, {"teeth_views": 0})
    table["teeth as sharp as they were seen"] = (DEFAULT, {"teeth_sharpened": 0.0})
    table["face and texture at once"] = (DEFAULT, {"face_share": 0.0})
    table["no velocity loss"] = (DEFAULT, {"velocity_weight": 0.0})
    table["lips weigh as the rest"] = (DEFAULT, {"lip_weight": 1.0})
    table["no aperture loss"] = (DEFAULT, {"aperture_weight": 0.0})
    table["no closure loss"] = (DEFAULT, {"closure_weight": 0.0})
    table["sound unchanged"] = (DEFAULT, {"augment": UNCHANGED})
    table["noise and rooms"] = (DEFAULT, {"augment": NOISY})
    table["from scratch"] = (DEFAULT, {"from_scratch": True})
    table["16 frames a step"] = (DEFAULT, FEWER)
    table["16 frames a step, paper's memory (table 5)"] = (replace(DEFAULT, **PAPER_MEMORY), FEWER)
    return table


def measure(dataset: Dataset, model_config: ModelConfig, config: TrainConfig) -> dict[str, float]:
    """Train once and measure on the held-out end."""
    torch.manual_seed(config.seed)
    spans, held = split_spans(dataset, config.held_out)
    model = build_model(fit_to_speaker(model_config, dataset))
    batches = Batches(dataset, spans, config, model.encoder.columns)
    initialise(model, dataset, batches)
    if not config.from_scratch:
        start_from_voice(model, dataset, batches)
    run = TrainingRun(model, batches, config, dataset.folder.parent / "ablation.safetensors")
    run.run(no_progress)
    (dataset.folder.parent / "ablation.safetensors").unlink(missing_ok=True)
    share = texture_share(np.asarray(dataset.mask), np.asarray(dataset.interior))
    result = run.result
    learn_teeth(result, batches, no_progress)
    figures, *_ = evaluate_held_out(result, dataset, held, share, every=4)
    return figures | {"minutes": sum(row["seconds"] for row in run.history) / 60}


def main() -> None:
    """Print a Markdown table, a row for each variant as it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path)
    parser.add_argument("--plain", type=Path, help="The same video's dataset without lighting normalisation.")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--only", nargs="*", help="Names of variants.")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.dataset is None:
        print("Nothing measured: name a dataset with --dataset FOLDER.")
        return
    dataset = open_dataset(options.dataset)
    todo = {name: (dataset, *row) for name, row in variants().items()}
    if options.plain:
        todo["no lighting normalisation"] = (open_dataset(options.plain), DEFAULT, {})
    print(f"{describe_machine()}; {options.epochs} epochs, seed 0\n")
    print(f"| variant | {' | '.join(FIGURES)} | minutes |\n{'|---' * (len(FIGURES) + 2)}|", flush=True)
    results = {}
    for name, (data, model_config, changes) in todo.items():
        if options.only and name not in options.only:
            continue
        config = TrainConfig(epochs=options.epochs, checkpoint_minutes=1e6, **changes)
        results[name] = measure(data, model_config, config)
        row = " | ".join(f"{results[name].get(key, float('nan')):.3f}" for key in (*FIGURES, "minutes"))
        print(f"| {name} | {row} |", flush=True)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()

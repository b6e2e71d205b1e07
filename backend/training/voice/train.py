"""Trains the general voice model: `python -m backend.training.voice.train --help`."""

import argparse
import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from backend.progress import no_progress
from backend.speech.phones import SYMBOLS
from backend.training.losses import geometry_loss, vertex_weights
from backend.training.voice.batches import VoiceBatch, VoiceBatches
from backend.training.voice.corpus import Corpus, build_corpus
from backend.training.voice.export import export_voice
from backend.training.voice.grid import sixty
from models.presets import FAST, ModelConfig, build_model
from models.talking_face import TalkingFace
from models.voice_encoder import VoiceEncoder

GEOMETRY_WEIGHT, BLENDSHAPE_WEIGHT, LIP_WEIGHT = 3.0, 0.3, 10.0
"""As in the training of an actor (backend/training/config.py)."""
CLIP_NORM = 3.0


class VoiceTraining:
    """Learns phonemes from every voice and faces from those that were filmed."""

    def __init__(self, corpus: Corpus, steps: int, rate: float, seed: int, config: ModelConfig = FAST) -> None:
        torch.manual_seed(seed)
        self.steps, self.rate, self.seed, self.step = steps, rate, seed, 0
        model = build_model(config)
        encoder = cast(VoiceEncoder, model.encoder)
        self.batches = VoiceBatches(corpus, encoder.columns)
        filmed = torch.from_numpy(corpus.offsets[corpus.valid][::7].astype(np.float32))
        model.geometry.initialise_from(filmed)
        self.parts = nn.ModuleList([model, nn.Linear(encoder.code.in_features, len(SYMBOLS))])
        self.average = AveragedModel(self.parts, multi_avg_fn=get_ema_multi_avg_fn(0.995))
        self.optimiser = torch.optim.AdamW(self.parts.parameters(), rate, weight_decay=1e-2)
        self.vertex_weights = vertex_weights(LIP_WEIGHT)

    @property
    def result(self) -> TalkingFace:
        """The network with averaged weights."""
        return cast(TalkingFace, cast(nn.ModuleList, self.average.module)[0]).eval()

    def train_step(self) -> dict[str, float]:
        """One step; returns the terms of the loss."""
        for group in self.optimiser.param_groups:
            warm = min(1.0, (self.step + 1) / (0.05 * self.steps))
            group["lr"] = self.rate * warm * 0.5 * (1 + math.cos(math.pi * self.step / self.steps))
        losses = self._losses(self.batches.draw(np.random.default_rng([self.seed, self.step])))
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.parts.parameters(), CLIP_NORM)
        self.optimiser.step()
        self.average.update_parameters(self.parts)
        self.step += 1
        return {name: loss.item() for name, loss in losses.items()}

    def _losses(self, batch: VoiceBatch) -> dict[str, Tensor]:
        model, phones = cast(TalkingFace, self.parts[0]), self.parts[1]
        encoder = cast(VoiceEncoder, model.encoder)
        features = encoder.features(batch.columns, batch.index)
        code = encoder.code(features[-batch.valid.numel() :])
        offsets = model.geometry(code).unflatten(0, batch.valid.shape)
        weights = model.blendshapes(code).unflatten(0, batch.valid.shape)
        valid = batch.valid.float()
        moving = valid[:, 1:] * valid[:, :-1]

        def mean(values: Tensor, mask: Tensor) -> Tensor:
            return (values * mask).sum() / mask.sum().clamp_min(1)

        position = geometry_loss(offsets, batch.offsets, self.vertex_weights)
        velocity = geometry_loss(offsets.diff(dim=1), batch.offsets.diff(dim=1), self.vertex_weights)
        return {
            "phonemes": nn.functional.cross_entropy(phones(features), batch.labels),
            "geometry": GEOMETRY_WEIGHT * mean(position, valid),
            "velocity": GEOMETRY_WEIGHT * mean(velocity, moving),
            "blendshapes": BLENDSHAPE_WEIGHT * mean((weights - batch.weights).abs().sum(-1), valid),
        }

    def deepen(self, path: Path) -> None:
        """Start from a checkpoint of fewer levels: the new ones begin by changing nothing."""
        old = torch.load(path, weights_only=True)["average"]
        parts = self.parts.state_dict()
        known = {name.removeprefix("module."): value for name, value in old.items() if name.startswith("module.")}
        for name, value in parts.items():
            if name in known and known[name].shape == value.shape:
                value.copy_(known[name])
            elif name.endswith(("mix.weight", "mix.bias")):
                value.zero_()
        self.parts.load_state_dict(parts)
        self.average.module.load_state_dict(parts)

    def save(self, path: Path) -> None:
        """Write the whole state under a temporary name, then rename it."""
        state = {"parts": self.parts.state_dict(), "average": self.average.state_dict()}
        temporary = path.with_suffix(".partial")
        torch.save(state | {"optimiser": self.optimiser.state_dict(), "step": self.step}, temporary)
        temporary.replace(path)

    def resume(self, path: Path) -> None:
        """Go on from a state that `save` wrote."""
        state = torch.load(path, weights_only=True)
        self.parts.load_state_dict(state["parts"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]


def run(training: VoiceTraining, work: Path) -> TalkingFace:
    """Train in `work`, going on where an earlier run was cut off; prints a line every 50 steps."""
    checkpoint = work / "checkpoint.pt"
    if checkpoint.exists():
        training.resume(checkpoint)
    rows: list[dict[str, float]] = []
    began = time.monotonic()
    while training.step < training.steps:
        rows.append(training.train_step())
        if training.step % 50 == 0:
            means = {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}
            print(json.dumps({"step": training.step, "seconds": round(time.monotonic() - began), **means}), flush=True)
            rows.clear()
        if training.step % 200 == 0:
            training.save(checkpoint)
    training.save(checkpoint)
    return training.result


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder with grid_s1, grid_speakers and speech.")
    parser.add_argument("--work", type=Path, required=True, help="Folder for the corpus and the checkpoint.")
    parser.add_argument("--out", type=Path, required=True, help="Folder of the voice actor; replaced.")
    parser.add_argument("--minutes", type=float, default=180, help="Of synthetic speech.")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=2e-3, help="Highest learning rate.")
    parser.add_argument("--levels", type=int, default=FAST.voice_levels, help="Of the encoder.")
    parser.add_argument("--start", type=Path, help="Checkpoint of a network with fewer levels to begin with.")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    corpus = build_corpus(options.data, options.work / "corpus", options.minutes, grid_clips(options.data), no_progress)
    config = replace(FAST, voice_levels=options.levels)
    training = VoiceTraining(corpus, options.steps, options.rate, options.seed, config)
    if options.start:
        training.deepen(options.start)
    model = run(training, options.work)
    settings = ("minutes", "steps", "rate", "seed", "levels")
    command = " ".join(f"--{name} {getattr(options, name):g}" for name in settings)
    started = " --start CHECKPOINT" if options.start else ""
    export_voice(model, config, options.out, f"python -m backend.training.voice.train {command}{started}", {})


def grid_clips(data: Path) -> dict[str, list[Path]]:
    """The clips of each GRID speaker that are trained on: sixty of s1, all of the others."""
    clips = {"s1": sixty(sorted((data / "grid_s1").glob("*.mp4")))}
    for folder in sorted((data / "grid_speakers").iterdir()):
        clips[folder.name] = sorted(folder.glob("*.mp4"))
    return clips


if __name__ == "__main__":
    main()

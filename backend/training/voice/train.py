"""Trains the general voice model: `python -m backend.training.voice.train --help`."""

import argparse
import copy
import json
import math
import shlex
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from backend.actor_file import load_actor
from backend.actor_library import SHIPPED
from backend.progress import no_progress
from backend.renaming import move
from backend.training.devices import mixed_precision
from backend.training.losses import geometry_loss, vertex_weights
from backend.training.voice.batches import VoiceBatch, VoiceBatches
from backend.training.voice.corpus import UNKNOWN, Corpus, build_corpus
from backend.training.voice.export import export_voice
from backend.training.voice.grid import sixty
from models.lips import close_lips_at_bilabials
from models.presets import VOICE, ModelConfig, build_model
from models.talking_face import TalkingFace
from models.voice_encoder import VoiceEncoder
from shape_keys import arkit
from shape_keys.basis import load_basis
from shape_keys.topology import LOWER_INNER_LIP, UPPER_INNER_LIP

GEOMETRY_WEIGHT, BLENDSHAPE_WEIGHT, LIP_WEIGHT = 3.0, 0.3, 10.0
"""As in the training of an actor (backend/training/config.py)."""
SHAPES_WEIGHT = 0.1
"""Of the weights that only the code learns from: made from phonemes, or another performer's."""
APERTURE_WEIGHT, CONTACT_WEIGHT = 200.0, 100.0
"""Of the squared error of the lips' opening; of lips that are open at a bilabial or closed at an open vowel."""
OWN_WEIGHT = 0.3
"""Of what is learnt about the filmed faces beside phonemes: soon known by heart, it must not lead the encoder."""
REST_WEIGHT = 0.3
"""Of the face's departure from rest where nobody speaks."""
CLOSED, OPEN = 0.002, 0.05
"""Opening above which lips are not closed, and below which not open: interocular units beyond the neutral face."""
CLIP_NORM = 3.0


class VoiceTraining:
    """Learns phonemes from every voice and faces from those that were filmed."""

    def __init__(
        self,
        corpus: Corpus,
        steps: int,
        rate: float,
        seed: int,
        config: ModelConfig = VOICE,
        held_out: Sequence[str] = (),
    ) -> None:
        torch.manual_seed(seed)
        self.steps, self.rate, self.seed, self.step = steps, rate, seed, 0
        model = build_model(config)
        encoder = cast(VoiceEncoder, model.encoder)
        self.batches = VoiceBatches(corpus, encoder.columns, held_out=held_out)
        filmed = torch.from_numpy(corpus.offsets[corpus.valid][::7].astype(np.float32))
        model.geometry.initialise_from(filmed)
        self.parts = nn.ModuleDict(
            {
                "model": model,
                "shapes": nn.Linear(encoder.normalise.normalized_shape[0], len(arkit.NAMES)),
                "own": nn.Linear(encoder.normalise.normalized_shape[0], encoder.code_length),
                "manners": nn.Embedding(len(self.batches.filmed), encoder.code_length + 1),
            }
        )
        with torch.no_grad():  # what is heard beyond phonemes is each speaker's own
            cast(nn.Linear, encoder.code).weight[:, : encoder.normalise.normalized_shape[0]] = 0
        nn.init.zeros_(cast(nn.Embedding, self.parts["manners"]).weight)
        self.average = AveragedModel(self.parts, multi_avg_fn=get_ema_multi_avg_fn(0.995))
        self.optimiser = torch.optim.AdamW(self.parts.parameters(), rate, weight_decay=1e-2)
        self.vertex_weights = vertex_weights(LIP_WEIGHT)
        basis = torch.tensor(load_basis())
        self.opening_of_shapes = opening(basis)
        self._drawing = ThreadPoolExecutor(1)
        self._next: dict[int, Future[VoiceBatch]] = {}

    @property
    def result(self) -> TalkingFace:
        """The network with averaged weights; its code is the mean of what phonemes tell and what is heard beside them.

        The first alone knows no manner of speaking, the second alone has learnt those of the filmed by heart.
        """
        parts = cast(nn.ModuleDict, copy.deepcopy(self.average.module))
        model, own = cast(TalkingFace, parts["model"]).eval(), cast(nn.Linear, parts["own"])
        code = cast(nn.Linear, cast(VoiceEncoder, model.encoder).code)
        with torch.no_grad():
            code.weight[:, : own.in_features] = own.weight
            code.weight.mul_(0.5)
            code.bias.copy_((code.bias + own.bias) / 2)
        return model

    def train_step(self) -> dict[str, float]:
        """One step; returns the terms of the loss."""
        for group in self.optimiser.param_groups:
            warm = min(1.0, (self.step + 1) / (0.05 * self.steps))
            group["lr"] = self.rate * warm * 0.5 * (1 + math.cos(math.pi * self.step / self.steps))
        losses = self._losses(self._drawn())
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.parts.parameters(), CLIP_NORM)
        self.optimiser.step()
        self.average.update_parameters(self.parts)
        self.step += 1
        return {name: loss.item() for name, loss in losses.items()}

    def _drawn(self) -> VoiceBatch:
        """The batch of this step; the next one is drawn meanwhile."""
        now = self._next.pop(self.step, None) or self._draw(self.step)
        self._next = {self.step + 1: self._draw(self.step + 1)}
        return now.result()

    def _draw(self, step: int) -> Future[VoiceBatch]:
        return self._drawing.submit(self.batches.draw, np.random.default_rng([self.seed, step]))

    def _losses(self, batch: VoiceBatch) -> dict[str, Tensor]:
        model = cast(TalkingFace, self.parts["model"])
        encoder = cast(VoiceEncoder, model.encoder)
        with mixed_precision(batch.columns.device):
            heard = encoder.hear(batch.columns, batch.index)
        heard = heard.float()
        logarithms = encoder.phoneme_logarithms(heard)
        spoken = nn.functional.nll_loss(logarithms.flatten(0, 1), batch.labels.flatten(), ignore_index=UNKNOWN)
        made = self.parts["shapes"](heard[: batch.shapes[..., 0].numel()]).unflatten(0, batch.shapes.shape[:2])
        # The code is made of phonemes alone: the few filmed speakers' words would soon be learnt by heart. What else of
        # their faces is heard goes through a layer of its own, for the actors that start from here.
        features = encoder.with_phonemes(heard).detach()
        features[:, : heard.shape[1]] = 0
        stretches = [batch.shapes[..., 0].numel(), batch.valid.numel()]
        first, last = encoder.code(features).split(stretches)
        own = self.parts["own"](heard.split(stretches)[1])
        losses = {"phonemes": spoken, "shapes": SHAPES_WEIGHT * (made - batch.shapes).abs().sum(-1).mean()}
        losses |= self._heard_losses(first, batch) | self._seen_losses(self._in_their_manner(last, batch), batch)
        by_heart = self._seen_losses(self._in_their_manner(own, batch), batch)
        return losses | {f"own {name}": OWN_WEIGHT * loss for name, loss in by_heart.items()}

    def _in_their_manner(self, code: Tensor, batch: VoiceBatch) -> Tensor:
        """Codes (S * L, Ns) as the speakers of the stretches move: each by a gain and a constant of their own.

        The network itself moves as all of them do on average.
        """
        table = cast(nn.Embedding, self.parts["manners"]).weight
        manner = (table - table.mean(0))[batch.speakers].repeat_interleave(batch.valid.shape[1], dim=0)
        return code * (1 + manner[:, :1]) + manner[:, 1:]

    def _heard_losses(self, code: Tensor, batch: VoiceBatch) -> dict[str, Tensor]:
        """What phonemes and recorded performances say of a face that nobody saw: codes (H * L, Ns)."""
        model, shape = cast(TalkingFace, self.parts["model"]), batch.shapes.shape[:2]
        offsets, weights = (head(code).unflatten(0, shape) for head in (model.geometry, model.blendshapes))
        asked = batch.bilabial[: len(batch.shapes)], batch.open[: len(batch.shapes)]
        contacts = contact_loss(opening(offsets), *asked) + contact_loss(weights @ self.opening_of_shapes, *asked)
        resting = batch.resting[: len(batch.shapes)].float()
        rest = geometry_loss(offsets, torch.zeros_like(offsets), self.vertex_weights) + weights.abs().sum(-1)
        return {"rest": REST_WEIGHT * _mean(rest, resting), "contacts": CONTACT_WEIGHT * contacts}

    def _seen_losses(self, code: Tensor, batch: VoiceBatch) -> dict[str, Tensor]:
        """How far codes (S * L, Ns) are from the filmed faces."""
        model, shape, filmed = cast(TalkingFace, self.parts["model"]), batch.valid.shape, batch.valid.float()
        offsets, weights = (head(code).unflatten(0, shape) for head in (model.geometry, model.blendshapes))
        moving = filmed[:, 1:] * filmed[:, :-1]
        position = geometry_loss(offsets, batch.offsets, self.vertex_weights)
        velocity = geometry_loss(offsets.diff(dim=1), batch.offsets.diff(dim=1), self.vertex_weights)
        aperture = (opening(offsets) - opening(batch.offsets)).square()
        return {
            "geometry": GEOMETRY_WEIGHT * _mean(position, filmed),
            "velocity": GEOMETRY_WEIGHT * _mean(velocity, moving),
            "aperture": APERTURE_WEIGHT * _mean(aperture, filmed),
            "blendshapes": BLENDSHAPE_WEIGHT * _mean((weights - batch.weights).abs().sum(-1), filmed),
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
        move(temporary, path)

    def resume(self, path: Path) -> None:
        """Go on from a state that `save` wrote."""
        state = torch.load(path, weights_only=True)
        self.parts.load_state_dict(state["parts"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]


def opening(offsets: Tensor) -> Tensor:
    """How much further apart the inner lips are than in the neutral face: (..., 468, 3) -> (...); negative: pressed."""
    return offsets[..., UPPER_INNER_LIP, 1] - offsets[..., LOWER_INNER_LIP, 1]


def contact_loss(openings: Tensor, bilabial: Tensor, open_vowel: Tensor) -> Tensor:
    """Squared distance of openings (H, L) from what the phonemes ask for, where masks (H, L) say so."""
    apart, together = (openings - CLOSED).clamp_min(0).square(), (OPEN - openings).clamp_min(0).square()
    return _mean(apart, bilabial.float()) + _mean(together, open_vowel.float())


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp_min(1)


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


@torch.no_grad()
def keep_some(model: TalkingFace, began: dict[str, Tensor], share: float) -> None:
    """Move a trained model's weights back to `share` of the way from those it began from.

    What was learnt anew is kept, and what the older weights heard in voices unlike those of the corpus is not forgotten
    (WiSE-FT, Wortsman et al. 2022, doi:10.1109/CVPR52688.2022.00780).
    """
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            value.lerp_(began[name], 1 - share)


def options_parser() -> argparse.ArgumentParser:
    """The options of this command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder with grid_s1, grid_speakers and speech.")
    parser.add_argument("--work", type=Path, required=True, help="Folder for the corpus and the checkpoint.")
    parser.add_argument("--out", type=Path, required=True, help="Folder of the voice actor; replaced.")
    parser.add_argument("--minutes", type=float, default=180, help="Of synthetic speech.")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=2e-3, help="Highest learning rate.")
    parser.add_argument("--levels", type=int, default=VOICE.voice_levels, help="Of the encoder.")
    parser.add_argument("--start", type=Path, help="Checkpoint of a network with fewer levels to begin with.")
    parser.add_argument("--share", type=float, default=1.0, help="Of the way from --start's weights that is kept.")
    parser.add_argument("--hold-out", nargs="*", default=[], help="Beginnings of the names of what is not heard.")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def command_of(options: argparse.Namespace) -> str:
    """How the voice model was made, as its card tells it."""
    settings = ("minutes", "steps", "rate", "seed", "levels", "share")
    words = ["python", "-m", "backend.training.voice.train"]
    words += [word for name in settings for word in (f"--{name}", f"{getattr(options, name):g}")]
    if options.start:
        words += ["--start", "CHECKPOINT"]
    if options.hold_out:
        words += ["--hold-out", *options.hold_out]
    return shlex.join(words)


def main() -> None:
    """The command line."""
    options = options_parser().parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    corpus = build_corpus(options.data, options.work / "corpus", options.minutes, grid_clips(options.data), no_progress)
    config = replace(VOICE, voice_levels=options.levels)
    training = VoiceTraining(corpus, options.steps, options.rate, options.seed, config, options.hold_out)
    if options.start:
        training.deepen(options.start)
    began = training.result.state_dict()
    model = run(training, options.work)
    keep_some(model, began, options.share)
    close_lips_at_bilabials(model, load_actor(SHIPPED / "default").reference.vertices)
    export_voice(model, config, options.out, command_of(options), {})


def grid_clips(data: Path) -> dict[str, list[Path]]:
    """The clips of each GRID speaker that are trained on: sixty of s1, all of the others."""
    clips = {"s1": sixty(sorted((data / "grid_s1").glob("*.mp4")))}
    for folder in sorted((data / "grid_speakers").iterdir()):
        clips[folder.name] = sorted(folder.glob("*.mp4"))
    return clips


if __name__ == "__main__":
    main()

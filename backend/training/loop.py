"""The training loop: batches in, trained weights out, with checkpoints on the way."""

import copy
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from backend.errors import Cancelled
from backend.progress import Progress
from backend.training.batches import Batch, Batches, to_image_tensor
from backend.training.checkpoint import (
    RunState,
    load_checkpoint,
    optimiser_tensors,
    restore_optimiser,
    save_checkpoint,
)
from backend.training.config import TrainConfig
from backend.training.devices import average_gradients, choose_device, join_processes, mixed_precision
from backend.training.losses import closure_loss, geometry_loss, lip_gap, texture_loss, vertex_weights
from models.lips import close_lips_at_bilabials
from models.talking_face import TalkingFace
from models.voice_encoder import VoiceEncoder

PICTURE_RATE = 5.0
"""Learning rate of neural textures, as a share of the texture's."""
CLIP_NORM = 5.0
"""Longest gradient; rare outliers of the first epochs would otherwise undo the initialisation."""


class TrainingRun:
    """One network on its way from first weights to an actor.

    From scratch all of it is trained at once, as in the paper. A face that was solved from the voice model is touched
    up in the first epochs, kept as it is at the best look, and the texture learns from it in the rest: the face is
    best after a few epochs and gets worse after that, the texture needs them all (docs/experiments.md).

    model: composed by `models.presets.build_model`; batches: what it learns from; checkpoint: file that keeps its
    state; validate: figures of a network on the held-out part, with a `score` that is the better the lower. The
    averaged weights of the best look at it (`result`) are what is exported. `after_epoch` hears of each epoch's end.
    """

    def __init__(
        self,
        model: TalkingFace,
        batches: Batches,
        config: TrainConfig,
        checkpoint: Path,
        validate: Callable[[TalkingFace], dict[str, float]] | None = None,
    ) -> None:
        self.device = choose_device(config.device)
        self.process, self.processes = join_processes(self.device)
        self.model = model.to(self.device)
        self.batches = batches
        self.config = config
        self.checkpoint = checkpoint
        self.validate = validate
        self.optimiser = torch.optim.AdamW(_parameter_groups(model, config), weight_decay=config.weight_decay)
        self.average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.average_decay))
        self.vertex_weights = vertex_weights(config.lip_weight).to(self.device)
        self.reference = torch.from_numpy(batches.reference).to(self.device)
        self.reference_crop = to_image_tensor(batches.dataset.reference_crop[None]).to(self.device)
        staged = model.texture is not None and _is_solved(model, config)
        # The texture has one epoch at least; where there is but one, both have it.
        self.face_epochs = min(math.ceil(config.epochs * config.face_share), config.epochs - 1) if staged else 0
        self.epoch = 0
        self.kept = 0
        self.history: list[dict[str, float]] = []
        self.best: dict[str, Tensor] = {}
        self.after_epoch: Callable[[list[dict[str, float]]], None] | None = None

    @property
    def averaged(self) -> TalkingFace:
        """The network with averaged weights, ready for inference."""
        return cast(TalkingFace, self.average.module).eval()

    @property
    def result(self) -> TalkingFace:
        """The averaged network as it was at the best look at the held-out part, or as it is where nobody looked."""
        model = copy.deepcopy(self.averaged).cpu()
        if self.best:
            model.load_state_dict(self.best)
        return self._with_closing_lips(model)

    def resume(self) -> bool:
        """Go on from the checkpoint where there is one; tell whether there was."""
        if not self.checkpoint.exists():
            return False
        state = load_checkpoint(self.checkpoint)
        self.model.load_state_dict(state.model)
        self.average.load_state_dict(state.average)
        restore_optimiser(self.optimiser, state.optimiser)
        self.epoch, self.history, self.best = state.epoch, state.history, state.best
        self.kept = self.epoch
        return True

    def run(self, progress: Progress) -> None:
        """Train to the last epoch. Raises Cancelled where it is stopped before; the last checkpoint stays."""
        saved, finished = time.monotonic(), None
        try:
            while self.epoch < self.config.epochs and not self.settled:
                progress("train", self.epoch, self.config.epochs)
                if self.epoch == self.face_epochs:
                    self._keep_face()
                self.history.append(self._train_epoch())
                self.epoch += 1
                self._look()
                if self.after_epoch is not None:
                    self.after_epoch(self.history)
                if time.monotonic() - saved > self.config.checkpoint_minutes * 60 or self.epoch == self.config.epochs:
                    self.save()
                    saved, finished = time.monotonic(), None
                else:
                    finished = copy.deepcopy(self._state())
        except (Cancelled, KeyboardInterrupt):
            # The epoch that was cut short starts again: its batches are drawn from its number.
            if finished is not None:
                self.save(finished)
            raise Cancelled(
                f"Training stopped in epoch {self.epoch + 1} of {self.config.epochs}; {self.kept} epochs are kept, and "
                f"--resume goes on after them."
            ) from None
        progress("train", self.epoch, self.config.epochs)

    @property
    def face_is_kept(self) -> bool:
        """Whether this epoch trains the texture alone."""
        return 0 < self.face_epochs <= self.epoch

    @property
    def scores(self) -> list[float]:
        """The scores of all looks so far at what is trained: the face, then its texture."""
        start = self.face_epochs if self.epoch > self.face_epochs else 0
        return [row["score"] for row in self.history[start:] if "score" in row]

    @property
    def settled(self) -> bool:
        """Whether the last `patience` looks brought nothing better; a face that has settled still needs its texture."""
        scores = self.scores
        late = self.epoch > self.face_epochs and len(scores) > self.config.patience
        return late and min(scores) < min(scores[-self.config.patience :])

    def _keep_face(self) -> None:
        """Go on from the best face; what is the best is from now on asked of its texture."""
        if self.best:
            self.model.load_state_dict(self.best)
            self.average.module.load_state_dict(self.best)
        self.best = {}

    def _look(self) -> None:
        """Measure the averaged network on the held-out part, and keep it where it is the best so far."""
        last = self.epoch in (self.face_epochs, self.config.epochs)
        if self.validate is None or (self.epoch % self.config.validate_every and not last):
            return
        before = min(self.scores, default=math.inf)
        self.history[-1] |= self.validate(self._with_closing_lips(copy.deepcopy(self.averaged).cpu()))
        if self.history[-1]["score"] < before:
            self.best = {name: value.cpu().clone() for name, value in self.averaged.state_dict().items()}

    def _with_closing_lips(self, model: TalkingFace) -> TalkingFace:
        """A network as it is used: its lips meet where what it took over from the voice model hears a bilabial."""
        if _is_solved(model, self.config):
            close_lips_at_bilabials(model, self.batches.reference)
        return model

    def save(self, state: RunState | None = None) -> None:
        """Write the checkpoint, by default of the run as it is; of several processes the first does."""
        state = state or self._state()
        self.kept = state.epoch
        if not self.process:
            save_checkpoint(self.checkpoint, state)

    def _state(self) -> RunState:
        return RunState(
            self.epoch,
            self.history,
            self.model.state_dict(),
            self.average.state_dict(),
            optimiser_tensors(self.optimiser),
            self.best,
        )

    def _train_epoch(self) -> dict[str, float]:
        torch.manual_seed(self.config.seed * 100_003 + self.epoch + 7919 * self.process)
        for group in self.optimiser.param_groups:
            group["lr"] = self._learning_rate() * group["share"]
        self.model.train()
        for part in (self.model.encoder, self.model.geometry, self.model.blendshapes):
            part.requires_grad_(not self.face_is_kept)
        if _is_solved(self.model, self.config) and not self.face_is_kept:
            # Its units are whole components of the face: blanked now and then, they would learn to move less. A
            # texture, though, that hears them now and then blanked learns less by heart.
            for part in (self.model.encoder.code, self.model.geometry):
                for layer in part.modules():
                    if isinstance(layer, nn.Dropout):
                        layer.eval()
        terms: dict[str, list[float]] = {}
        start = time.monotonic()
        for batch in self.batches.epoch(self.epoch, self.process, self.processes):
            losses = self._losses(batch.to(self.device))
            self._step(losses)
            for name, value in losses.items():
                terms.setdefault(name, []).append(value.item())
        means = {name: sum(values) / len(values) for name, values in terms.items()}
        return means | {"seconds": time.monotonic() - start}

    def _learning_rate(self) -> float:
        stages = range(self.face_epochs), range(self.face_epochs, self.config.epochs)
        (stage,) = (epochs for epochs in stages if self.epoch in epochs)
        done = self.epoch - stage.start
        warm = min(1.0, (done + 1) / 3)
        return self.config.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done / len(stage)))

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        """Terms of the loss, already weighted; their sum is minimised. Empty where no frame tells what is learnt."""
        # What moves the face stays in float32, for its offsets are small; so do all losses, SSIM's variances above all.
        code = self.model.encoder(batch.columns, batch.index)
        losses = {} if self.face_is_kept else self._face_losses(code, batch)
        if self.model.texture is not None and self.epoch >= self.face_epochs and len(batch.chosen):
            losses["texture"] = self._texture_loss(code, batch)
        return losses

    def _face_losses(self, code: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Of vertices and blendshapes; code: (B * L, Ns)."""
        config, valid = self.config, batch.valid.float()
        offsets = self.model.geometry(code).unflatten(0, batch.valid.shape)
        weights = self.model.blendshapes(code).unflatten(0, batch.valid.shape)
        reference = self.reference
        moving = valid[:, 1:] * valid[:, :-1]

        def mean(values: Tensor, mask: Tensor) -> Tensor:
            return (values * mask).sum() / mask.sum().clamp_min(1)

        position = mean(geometry_loss(offsets, batch.offsets, self.vertex_weights), valid)
        velocity = mean(geometry_loss(offsets.diff(dim=1), batch.offsets.diff(dim=1), self.vertex_weights), moving)
        face, true_face = reference + offsets, reference + batch.offsets
        aperture = mean((lip_gap(face) - lip_gap(true_face)).square(), valid)
        closure = mean(closure_loss(face, true_face), valid)
        return {
            "geometry": config.geometry_weight * position,
            "velocity": config.geometry_weight * config.velocity_weight * velocity,
            "aperture": config.aperture_weight * aperture,
            "closure": config.closure_weight * closure,
            "blendshapes": config.blendshape_weight * mean((weights - batch.weights).abs().sum(-1), valid),
        }

    def _texture_loss(self, code: Tensor, batch: Batch) -> Tensor:
        """Of the chosen frames; code: (B * L, Ns)."""
        with mixed_precision(self.device):
            previous = self._sampled_previous(code, batch) if self.config.scheduled_sampling else batch.previous
            # The true lips show the teeth, so that they are learnt sharp.
            shown = batch.offsets.flatten(0, 1)[batch.chosen]
            difference = self.model.decode_texture(code[batch.chosen], previous, shown)
        atlas = self.reference_crop + difference.float()
        return texture_loss(atlas, batch.crops, batch.pixels, self.config.l1_weight).mean()

    @torch.no_grad()
    def _sampled_previous(self, code: Tensor, batch: Batch) -> Tensor:
        """The previous atlases (S, 3, 128, 128), some of them the network's own, made without a memory of their own."""
        before = (batch.chosen - 1).clamp_min(0)
        own = (self.reference_crop + self.model.decode_texture(code[before], torch.zeros_like(batch.previous))).clamp(
            0, 1
        )
        inside = batch.chosen % batch.valid.shape[1] > 0
        taken = inside & (torch.rand(len(batch.chosen), device=self.device) < self.config.scheduled_sampling)
        return torch.where(taken[:, None, None, None], own.float(), batch.previous)

    def _step(self, losses: dict[str, Tensor]) -> None:
        if not losses and self.processes == 1:
            return
        self.optimiser.zero_grad(set_to_none=True)
        if losses:  # a process without any still averages with the others
            torch.stack(list(losses.values())).sum().backward()
        average_gradients((p for p in self.model.parameters() if p.requires_grad), self.processes)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        self.optimiser.step()
        self.average.update_parameters(self.model)


def _parameter_groups(model: TalkingFace, config: TrainConfig) -> list[dict[str, Any]]:
    """Parameters by their shares of the learning rate.

    From the voice model on, what moves the face is solved before the loop begins, and only touched up by it. The
    neural textures behind the lips hold colours, not weights, and have as far to go.
    """
    share = config.voice_rate if _is_solved(model, config) else 1.0
    pictures = [] if model.interior is None else model.interior.textures
    shares = {id(p): PICTURE_RATE for p in pictures}
    for part in (model.encoder, model.geometry, model.blendshapes):
        shares |= {id(p): share for p in part.parameters()}
    groups: dict[float, list[nn.Parameter]] = {}
    for parameter in model.parameters():
        groups.setdefault(shares.get(id(parameter), 1.0), []).append(parameter)
    return [{"params": some, "lr": config.learning_rate * rate, "share": rate} for rate, some in groups.items()]


def _is_solved(model: TalkingFace, config: TrainConfig) -> bool:
    """Whether what moves the face was solved from the voice model (backend/training/first_weights.py)."""
    return isinstance(model.encoder, VoiceEncoder) and not config.from_scratch

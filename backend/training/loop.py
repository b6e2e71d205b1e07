"""The training loop: batches in, trained weights out, with checkpoints on the way."""

import math
import time
from pathlib import Path
from typing import cast

import torch
from torch import Tensor
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
from backend.training.losses import closure_loss, geometry_loss, texture_loss, vertex_weights
from models.talking_face import TalkingFace

CLIP_NORM = 5.0
"""Longest gradient; rare outliers of the first epochs would otherwise undo the initialisation."""


class TrainingRun:
    """One network on its way from first weights to an actor.

    model: composed by `models.presets.build_model`; batches: what it learns from; checkpoint: file that keeps its
    state. The averaged weights (`result`) are what is exported.
    """

    def __init__(self, model: TalkingFace, batches: Batches, config: TrainConfig, checkpoint: Path) -> None:
        self.model = model
        self.batches = batches
        self.config = config
        self.checkpoint = checkpoint
        self.optimiser = torch.optim.AdamW(model.parameters(), config.learning_rate, weight_decay=1e-4)
        self.average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.average_decay))
        self.vertex_weights = vertex_weights(config.lip_weight)
        self.reference_crop = to_image_tensor(batches.dataset.reference_crop[None])
        self.epoch = 0
        self.kept = 0
        self.history: list[dict[str, float]] = []

    @property
    def result(self) -> TalkingFace:
        """The network with averaged weights, ready for inference."""
        return cast(TalkingFace, self.average.module).eval()

    def resume(self) -> bool:
        """Go on from the checkpoint where there is one; tell whether there was."""
        if not self.checkpoint.exists():
            return False
        state = load_checkpoint(self.checkpoint)
        self.model.load_state_dict(state.model)
        self.average.load_state_dict(state.average)
        restore_optimiser(self.optimiser, state.optimiser)
        self.epoch, self.history = state.epoch, state.history
        self.kept = self.epoch
        return True

    def run(self, progress: Progress) -> None:
        """Train to the last epoch. Raises Cancelled where it is stopped before; the last checkpoint stays."""
        saved = time.monotonic()
        try:
            while self.epoch < self.config.epochs:
                progress("train", self.epoch, self.config.epochs)
                self.history.append(self._train_epoch())
                self.epoch += 1
                if time.monotonic() - saved > self.config.checkpoint_minutes * 60 or self.epoch == self.config.epochs:
                    self.save()
                    saved = time.monotonic()
        except (Cancelled, KeyboardInterrupt):
            # The epoch that was cut short starts again: its batches are drawn from its number.
            raise Cancelled(
                f"Training stopped in epoch {self.epoch + 1} of {self.config.epochs}; {self.kept} epochs are kept, and "
                f"--resume goes on after them."
            ) from None
        progress("train", self.epoch, self.config.epochs)

    def save(self) -> None:
        """Write the checkpoint."""
        state = RunState(
            self.epoch,
            self.history,
            self.model.state_dict(),
            self.average.state_dict(),
            optimiser_tensors(self.optimiser),
        )
        save_checkpoint(self.checkpoint, state)
        self.kept = self.epoch

    def _train_epoch(self) -> dict[str, float]:
        torch.manual_seed(self.config.seed * 100_003 + self.epoch)
        for group in self.optimiser.param_groups:
            group["lr"] = self._learning_rate()
        self.model.train()
        sums: dict[str, float] = {}
        count = 0
        start = time.monotonic()
        for batch in self.batches.epoch(self.epoch):
            losses = self._losses(batch)
            self._step(losses)
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value.item()
            count += 1
        return {name: value / count for name, value in sums.items()} | {"seconds": time.monotonic() - start}

    def _learning_rate(self) -> float:
        warm = min(1.0, (self.epoch + 1) / 3)
        return self.config.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * self.epoch / self.config.epochs))

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        """Terms of the loss, already weighted; their sum is minimised."""
        config, valid = self.config, batch.valid.float()
        code = self.model.encoder(batch.columns, batch.index)
        offsets = self.model.geometry(code).unflatten(0, batch.valid.shape)
        weights = self.model.blendshapes(code).unflatten(0, batch.valid.shape)
        reference = torch.from_numpy(self.batches.reference)
        moving = valid[:, 1:] * valid[:, :-1]

        def mean(values: Tensor, mask: Tensor) -> Tensor:
            return (values * mask).sum() / mask.sum().clamp_min(1)

        position = mean(geometry_loss(offsets, batch.offsets, self.vertex_weights), valid)
        velocity = mean(geometry_loss(offsets.diff(dim=1), batch.offsets.diff(dim=1), self.vertex_weights), moving)
        closure = mean(closure_loss(reference + offsets, reference + batch.offsets), valid)
        losses = {
            "geometry": config.geometry_weight * position,
            "velocity": config.geometry_weight * config.velocity_weight * velocity,
            "closure": config.closure_weight * closure,
            "blendshapes": config.blendshape_weight * mean((weights - batch.weights).abs().sum(-1), valid),
        }
        if self.model.texture is not None and len(batch.chosen):
            difference = self.model.decode_texture(code[batch.chosen], batch.previous)
            atlas = self.reference_crop + difference
            losses["texture"] = texture_loss(atlas, batch.crops, batch.pixels, config.l1_weight).mean()
        return losses

    def _step(self, losses: dict[str, Tensor]) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        self.optimiser.step()
        self.average.update_parameters(self.model)

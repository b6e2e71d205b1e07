"""The speaker's own manner: from what is heard to the code of the face, learnt in seconds."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from backend.progress import Progress
from backend.training.batches import Batches
from models.voice_encoder import Manner, VoiceEncoder

PASSES = 6
"""Times that the training video is heard, each time with its sound changed otherwise."""
REPEATS, MOST_STEPS, FRAMES = 15, 6000, 256
"""Times that each lesson is drawn; most steps, and lessons in each of them."""
REPORTED = 100
"""Steps from one report of progress to the next."""
RATE, WEIGHT_DECAY = 2e-3, 0.05
GAP_WEIGHT = 30.0
"""Of the lip gap's own squared error, interocular units: eyes judge a mouth by it more than by any vertex."""


@dataclass(frozen=True)
class CodeSpace:
    """Which codes stand for a frame: (offsets - mean) @ axes of its face, and behind them of its appearance.

    mean (1404,), axes (1404, F); appearance (N + 1, Ns - F): what the face's shape does not tell of the texture of each
    of the dataset's frames, and of a face at rest; worth (Ns,): how much each number of a code counts; opening (Ns,):
    how far each moves the lips apart.
    """

    mean: Tensor
    axes: Tensor
    appearance: Tensor
    worth: Tensor
    opening: Tensor

    def codes(self, offsets: Tensor, frames: Tensor) -> Tensor:
        """Vertex offsets (B, 468, 3) and frame numbers (B,), -1 of a face at rest -> (B, Ns)."""
        return torch.cat([(offsets.flatten(1) - self.mean) @ self.axes, self.appearance[frames]], dim=1)


@torch.no_grad()
def learn_manner(encoder: VoiceEncoder, batches: Batches, space: CodeSpace, progress: Progress) -> None:
    """Train the layers that make the code on what the encoder, left as it is, hears in the training video.

    What it hears is kept, so that thousands of steps take seconds.
    """
    manner = cast(Manner, encoder.code)
    heard, codes = _lessons(encoder.eval(), batches, space, progress)
    sample = heard[::PASSES].float().flatten(0, -2)
    middle, scale = sample.mean(0), sample.std()
    manner.last.bias.copy_(codes.mean(0))
    optimiser = torch.optim.AdamW(manner.parameters(), RATE, weight_decay=WEIGHT_DECAY)
    steps = min(MOST_STEPS, 1 + REPEATS * len(heard) // FRAMES)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, steps)
    generator = torch.Generator().manual_seed(batches.config.seed)
    manner.train()
    for step in range(steps):
        if step % REPORTED == 0:
            progress("manner", step, steps)
        chosen = torch.randint(len(heard), (FRAMES,), generator=generator)
        with torch.enable_grad():
            error = manner((heard[chosen] - middle) / scale) - codes[chosen]
            loss = (error.square() * space.worth).mean() + GAP_WEIGHT * (error @ space.opening).square().mean()
            optimiser.zero_grad()
            loss.backward()
        optimiser.step()
        schedule.step()
    progress("manner", steps, steps)
    manner.eval()
    manner.first.weight.div_(scale)
    manner.first.bias.sub_(manner.first.weight @ middle)


def _lessons(encoder: VoiceEncoder, batches: Batches, space: CodeSpace, progress: Progress) -> tuple[Tensor, Tensor]:
    """Features (N, ..., F), in half precision to spare memory, and codes (N, Ns) of valid frames."""
    heard, codes = [], []
    for number in range(PASSES):
        progress("listen", number, PASSES)
        for batch in batches.epoch(number):
            valid = batch.valid.flatten()
            heard.append(encoder.features(batch.columns, batch.index)[valid].half())
            codes.append(space.codes(batch.offsets.flatten(0, 1)[valid], batch.frames.flatten()[valid]))
    progress("listen", PASSES, PASSES)
    return torch.cat(heard), torch.cat(codes)

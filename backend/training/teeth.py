"""The mouth interior learnt once more, last and alone, from lips that may be tracked beside their place.

The skull holds the teeth still, and so a texture seen from it shows them sharp; but lips are tracked a millimetre
beside their place, and the mean of teeth that are a pixel apart is a blur. So each frame gets a correction of the inner
lips' rim and of the jaw, learnt along with the textures and then forgotten, as cameras' poses are while a scene is
learnt from their pictures (bundle adjustment; Lin et al. 2021, arXiv:2104.06405). docs/decisions/023-sharp-teeth.md has
what it gives.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from backend.errors import Cancelled
from backend.inference.predict import encode_sound
from backend.progress import Progress
from backend.training.batches import Batches, to_image_tensor
from backend.training.config import TrainConfig
from backend.training.losses import texture_loss, unsharp
from models.mouth_interior import JAW_BONE, RIM, MouthInterior
from models.talking_face import TalkingFace

FRAMES = 64
"""In a step."""
MOST_STEPS = 4500
"""However long the video is."""
RATE, TEXTURE_RATE, CORRECTION_RATE = 3e-3, 15e-3, 5e-3
"""Learning rates at their highest: of weights, of the neural textures and of the corrections; they fall to zero."""
WEIGHT_DECAY = 0.01
"""Of weights and textures."""
CORRECTION_COST = 0.02
"""Of the mean squared correction, in units of the textures' half sides."""
EDGE_WEIGHT = 10.0
"""Of the difference in how strong edges are: where teeth were seen in several places SSIM would have them faint."""
REPORTED = 50
"""Steps from one report of progress to the next."""
AT_ONCE = 128
"""Frames whose skin is drawn at once."""


@dataclass(frozen=True)
class _Views:
    """What the training frames show between the lips.

    codes (N, numbers + Na), as `TalkingFace.remember` puts them; offsets (N, 468, 3) as tracked; skin (N, 3, rows,
    columns) float16, the picture without the interior; true (N, 3, rows, columns) uint8; visible (N,) how much of the
    interior is seen.
    """

    codes: Tensor
    offsets: Tensor
    skin: Tensor
    true: Tensor
    visible: Tensor


def learn_teeth(model: TalkingFace, batches: Batches, progress: Progress) -> bool:
    """Train the mouth interior of a trained network on, and tell whether it did; one that has none stays as it is.

    Each frame is seen `TrainConfig.teeth_views` times. The same seed gives the same weights. Raises Cancelled.
    """
    interior, config = model.interior, batches.config
    if interior is None or not config.teeth_views:
        return False
    model.eval().requires_grad_(False)
    interior.requires_grad_(True)
    with torch.no_grad():
        views = _views(model, batches)
    if not views.visible.any():  # a mouth that never opens
        return False
    interior.train()
    try:
        _learn(interior, views, config, progress)
    except (Cancelled, KeyboardInterrupt):
        raise Cancelled(
            "Training stopped while it learnt teeth; its epochs are kept, and --resume goes on after them."
        ) from None
    interior.eval().requires_grad_(False)
    return True


def _learn(interior: MouthInterior, views: _Views, config: TrainConfig, progress: Progress) -> None:
    torch.manual_seed(config.seed)
    corrections = nn.Parameter(torch.zeros(len(views.codes), len(RIM) + 1, 2))
    optimiser = _optimiser(interior, corrections)
    steps = min(MOST_STEPS, 1 + config.teeth_views * len(views.codes) // FRAMES)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    generator = torch.Generator().manual_seed(config.seed)
    for step in range(steps):
        if step % REPORTED == 0:
            progress("teeth", step, steps)
        chosen = torch.multinomial(views.visible.sqrt(), FRAMES, replacement=True, generator=generator)
        loss = _loss(interior, views, chosen, corrections[chosen], config)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    progress("teeth", steps, steps)


def _optimiser(interior: MouthInterior, corrections: nn.Parameter) -> torch.optim.Optimizer:
    textures = {id(texture) for texture in interior.textures}
    weights = [parameter for parameter in interior.parameters() if id(parameter) not in textures]
    groups = [
        {"params": weights},
        {"params": interior.textures, "lr": TEXTURE_RATE},
        {"params": [corrections], "lr": CORRECTION_RATE, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, RATE, weight_decay=WEIGHT_DECAY)


def _loss(interior: MouthInterior, views: _Views, chosen: Tensor, corrections: Tensor, config: TrainConfig) -> Tensor:
    """Of a step's frames with their corrections (B, 21, 2), of the rim's vertices and of the jaw."""
    offsets = views.offsets[chosen].clone()
    moved = corrections * interior.scale
    offsets[:, RIM, :2] += moved[:, :-1]
    offsets[:, JAW_BONE, :2] += moved[:, -1:]
    made = views.skin[chosen].float() + interior.draw(views.codes[chosen], offsets)
    true = unsharp(views.true[chosen].float() / 255, config.teeth_sharpened)
    weights = interior.inside.expand(len(chosen), 1, -1, -1)
    picture = texture_loss(made, true, weights, config.l1_weight, EDGE_WEIGHT)
    return picture.mean() + CORRECTION_COST * corrections.square().mean()


def _views(model: TalkingFace, batches: Batches) -> _Views:
    rows = [part for span in batches.spans for part in _span_views(model, batches, span.start, span.stop)]
    return _Views(*(torch.cat(column) for column in zip(*rows, strict=True)))


def _span_views(model: TalkingFace, batches: Batches, start: int, stop: int) -> Iterator[tuple[Tensor, ...]]:
    """Of a span's frames with a face, some at a time: the columns of `_Views`."""
    dataset, interior = batches.dataset, model.interior
    assert interior is not None and model.texture is not None
    sound = encode_sound(model, dataset.audio(int(dataset.clip[start])), np.asarray(dataset.times[start:stop]))
    reference = to_image_tensor(dataset.reference_crop[None])
    for first in range(start, stop, AT_ONCE):
        frames = np.arange(first, min(first + AT_ONCE, stop))
        frames = frames[np.asarray(dataset.valid[frames])]
        if not len(frames):
            continue
        codes = sound[frames - start]
        if model.previous is not None:
            codes = model.remember(codes, model.previous(to_image_tensor(batches.previous(frames))))
        offsets = dataset.vertices[frames] - batches.reference
        true = torch.from_numpy(np.ascontiguousarray(dataset.crops[frames].transpose(0, 3, 1, 2)))
        yield (
            codes,
            torch.from_numpy(offsets.astype(np.float32)),
            interior.cut(reference + model.texture(codes)).half(),
            interior.cut(true).clone(),
            torch.from_numpy(np.asarray(dataset.visible[frames], np.float32)),
        )

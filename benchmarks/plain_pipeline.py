"""What the fast paths are measured against: the same network as one would first write it, in float32.

Every frame by itself: a spectrogram and a pass of its window through the whole encoder, vertices and weights, the
texture with teeth and tongue from the code and the picture before, one PNG. The paper's pipeline also passes every
picture through an auto-regressive encoder (table 5, 70 million parameters), which the shipped network does without.
"""

import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from backend.actor_file import Actor
from backend.audio.spectrogram import normalise_level, spectrogram_windows
from models.presets import PAPER, build_model


def paper_memory() -> nn.Module:
    """The paper's auto-regressive encoder, of random weights, which change no cost."""
    memory = build_model(PAPER).eval().previous
    assert memory is not None
    return memory


@torch.inference_mode()
def animate_plainly(
    actor: Actor, samples: np.ndarray, times: np.ndarray, folder: Path, memory: nn.Module | None = None
) -> tuple[float, np.ndarray]:
    """Animate the frames at `times` (T,), seconds, and write their pictures.

    memory: what every picture is passed through besides, for its cost alone.
    Returns seconds a frame, and the pictures (T, 128, 128, 3) uint8: those of the fast path to one of 255 levels.
    """
    model, pictures = actor.model, []
    reference = torch.from_numpy(actor.reference_crop.transpose(2, 0, 1).copy()).float()[None] / 255
    share, previous = torch.from_numpy(actor.reference.mask)[None, None], torch.zeros_like(reference)
    started = time.perf_counter()
    level = normalise_level(samples)
    for number, moment in enumerate(times, 1):
        windows = spectrogram_windows(level, np.array([moment]), count=actor.motion.columns)
        code = model.encoder(torch.from_numpy(windows.columns), torch.from_numpy(windows.index))
        offsets = model.geometry(code)
        model.blendshapes(code)
        if memory is not None:
            memory(previous)
        previous = (reference + share * model.decode_texture(code, previous, offsets)).clamp(0, 1)
        pictures.append((previous[0] * 255).round().byte().permute(1, 2, 0).numpy())
        Image.fromarray(pictures[-1]).save(folder / f"{number:04d}.png")
    return (time.perf_counter() - started) / len(times), np.stack(pictures)

"""What the fast paths are measured against: the paper's pipeline as one would first write it, in float32.

Every frame by itself: a spectrogram and a pass of its window through the whole encoder, the previous picture through
the paper's encoder (table 5, 70 million parameters), one texture, one PNG. The shipped network is too small to have
that previous-picture encoder; its weights are random here, which changes no cost.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from backend.actor_file import Actor
from backend.audio.spectrogram import normalise_level, spectrogram_windows
from models.presets import DEFAULT, PAPER, build_model


@torch.inference_mode()
def animate_plainly(actor: Actor, samples: np.ndarray, times: np.ndarray, folder: Path) -> float:
    """Animate the frames at `times` (T,), seconds, and write their pictures; returns seconds a frame."""
    model = actor.model
    paper = replace(PAPER, previous_code_length=DEFAULT.previous_code_length)
    previous_encoder = build_model(paper).eval().previous
    assert previous_encoder is not None
    reference = torch.from_numpy(actor.reference_crop.transpose(2, 0, 1).copy()).float()[None] / 255
    share, previous = torch.from_numpy(actor.reference.mask)[None, None], torch.zeros_like(reference)
    assert model.texture is not None
    started = time.perf_counter()
    level = normalise_level(samples)
    for number, moment in enumerate(times, 1):
        windows = spectrogram_windows(level, np.array([moment]), count=actor.motion.columns)
        code = model.encoder(torch.from_numpy(windows.columns), torch.from_numpy(windows.index))
        model.geometry(code)
        model.blendshapes(code)
        state = previous_encoder(previous)
        if model.previous is not None:
            code = torch.cat([code, state], dim=1)
        previous = (reference + share * model.texture(code)).clamp(0, 1)
        crop = (previous[0] * 255).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(crop).save(folder / f"{number:04d}.png")
    return (time.perf_counter() - started) / len(times)

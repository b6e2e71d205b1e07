"""Samples to codes, vertices, weights and lip textures with a network in PyTorch, float32, frame after frame.

The plain path: training measures itself with it, and the fast paths (`motion.py`, `texture.py`, `stream.py`) are
tested against it.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from backend.audio.decode import SAMPLE_RATE
from backend.audio.spectrogram import normalise_level, spectrogram_windows
from backend.progress import Progress, no_progress
from models.talking_face import TalkingFace

FRAMES_AT_ONCE = 1000
"""Frames encoded in one go: bounds memory for recordings of any length."""


@torch.inference_mode()
def encode_sound(
    model: TalkingFace, samples: np.ndarray, times: np.ndarray, progress: Progress = no_progress
) -> Tensor:
    """Codes of the frames at `times` (T,), seconds, of a recording (n,) float32 at 16 kHz: (T, Ns or more) float32.

    Behind the Ns numbers of a code stands what is said, where the actor's texture is told it.
    """
    level = normalise_level(samples)
    codes = []
    for start in range(0, len(times), FRAMES_AT_ONCE):
        progress("listen", start, len(times))
        windows = spectrogram_windows(level, times[start : start + FRAMES_AT_ONCE], count=model.encoder.columns)
        codes.append(model.encoder(torch.from_numpy(windows.columns), torch.from_numpy(windows.index)))
    progress("listen", len(times), len(times))
    return torch.cat(codes)


def rest_code(model: TalkingFace) -> Tensor:
    """Code of silence, (1, Ns or more): where the face comes to rest."""
    return encode_sound(model, np.zeros(SAMPLE_RATE // 2, np.float32), np.array([0.25]))


@torch.inference_mode()
def decode_motion(model: TalkingFace, codes: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Codes (T, Ns or more) -> offsets (T, 468, 3) float32 in interocular units, weights (T, 52) float32 in 0..1."""
    return model.geometry(codes).numpy(), model.blendshapes(codes).clamp(0, 1).numpy()


@torch.inference_mode()
def decode_textures(
    model: TalkingFace, codes: Tensor, reference_crop: np.ndarray, mask: np.ndarray, first: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield the lip crop of every frame, each made from its code and the crop before it.

    codes: (T, Ns or more), as `encode_sound` gives them; reference_crop: (128, 128, 3) uint8; mask: (128, 128) 0..1,
    0 leaves the reference as it is; first: (128, 128, 3) uint8, the crop before the first frame (all zero, the paper's
    choice, by default). Yields (128, 128, 3) uint8.
    """
    reference = torch.from_numpy(reference_crop.transpose(2, 0, 1).copy()).float()[None] / 255
    share = torch.from_numpy(mask)[None, None]
    previous = torch.zeros_like(reference)
    if first is not None:
        previous = torch.from_numpy(first.transpose(2, 0, 1).copy()).float()[None] / 255
    for code in codes:
        previous = (reference + share * model.decode_texture(code[None], previous)).clamp(0, 1)
        yield (previous[0] * 255).round().byte().permute(1, 2, 0).numpy()

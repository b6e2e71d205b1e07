"""The number format in which this processor decodes textures fastest, found by trying it."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from torch import nn

from backend.inference.side_by_side import run_side_by_side
from models.texture_decoder import TextureDecoder

TRIAL_FRAMES = 4
"""As many as a thread decodes side by side (texture.py)."""
TOLERANCE = 2 / 255
"""Largest difference from float32 that a faster format may make: two of 255 levels."""
GAIN = 0.9
"""A format must take less than this share of float32's time to be worth it."""

_chosen: WeakKeyDictionary[nn.Module, "Calibration"] = WeakKeyDictionary()


@dataclass(frozen=True)
class Calibration:
    """What was tried: the decoder in bfloat16 where that is the one to use, None where the decoder is best as it is;
    milliseconds a frame of each format, and bfloat16's largest difference from float32."""

    half: "Cast | None"
    milliseconds: dict[torch.dtype, float]
    difference: float

    @property
    def precision(self) -> torch.dtype:
        """The format to use."""
        return torch.float32 if self.half is None else torch.bfloat16


def calibrate(decoder: TextureDecoder, code_length: int, clock: Callable[[], float] = time.perf_counter) -> Calibration:
    """Try bfloat16 against float32 on random codes, once for each decoder in a process; takes under a second.

    bfloat16 is chosen where it is faster (AVX-512 BF16, AMX) and differs by at most `TOLERANCE`.
    """
    if decoder not in _chosen:
        trials = (_try_formats(decoder, code_length, clock) for _ in range(1))
        (_chosen[decoder],) = run_side_by_side([trials], lambda: torch.set_num_threads(1))  # as textures are decoded
    return _chosen[decoder]


@torch.inference_mode()
def _try_formats(decoder: TextureDecoder, code_length: int, clock: Callable[[], float]) -> Calibration:
    codes = torch.randn(TRIAL_FRAMES, code_length, generator=torch.Generator().manual_seed(0)) * 0.1
    half = Cast(copy.deepcopy(decoder))
    difference = float((half(codes) - decoder(codes)).abs().max())  # the first run also warms up
    seconds = {torch.float32: _fastest(decoder, codes, clock), torch.bfloat16: _fastest(half, codes, clock)}
    faster = seconds[torch.bfloat16] < GAIN * seconds[torch.float32]
    milliseconds = {kind: 1000 * value / TRIAL_FRAMES for kind, value in seconds.items()}
    return Calibration(half if faster and difference <= TOLERANCE else None, milliseconds, difference)


def _fastest(decoder: nn.Module, codes: torch.Tensor, clock: Callable[[], float]) -> float:
    times = []
    for _ in range(2):
        start = clock()
        decoder(codes)
        times.append(clock() - start)
    return min(times)


class Cast(nn.Module):
    """A decoder in bfloat16 that takes and gives float32."""

    def __init__(self, decoder: nn.Module) -> None:
        super().__init__()
        self.decoder = decoder.to(torch.bfloat16)

    def forward(self, code: torch.Tensor) -> torch.Tensor:
        """(B, code_length) float32 -> (B, 3, 128, 128) float32."""
        return self.decoder(code.to(torch.bfloat16)).float()

"""Code of the sound and of the previous atlas to the lip texture (LipSync3D table 4)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.texture_basis import TextureBasis

START = 4
"""Side of the grid on which the code is spread."""


class TextureDecoder(nn.Module):
    """A fully connected layer to a 4x4 grid, then five stages of (bilinear upsampling by 2, convolution).

    Every layer is followed by ReLU, the last by tanh (table 4); the last kernel is 5x5, the others 3x3. `basis`, which
    the paper does not have, is a second way from the code to the picture whose result is added.
    """

    def __init__(self, code_length: int, widths: Sequence[int], basis: TextureBasis | None = None) -> None:
        super().__init__()
        self.basis = basis
        self.spread = nn.Linear(code_length, widths[0] * START * START)
        self.width = widths[0]
        stages: list[nn.Module] = []
        for before, after in zip(widths, [*widths[1:], 3], strict=True):
            last = after == 3
            stages.append(nn.Upsample(scale_factor=2, mode="bilinear"))
            convolution = nn.Conv2d(before, after, 5 if last else 3, padding="same")
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            stages.append(convolution)
            stages.append(nn.Tanh() if last else nn.ReLU())
            if last:  # start from the reference crop, which is nearly right
                convolution.weight.data.mul_(0.1)
        self.stages = nn.Sequential(*stages)

    def forward(self, code: Tensor) -> Tensor:
        """(B, code_length) -> difference from the reference crop, (B, 3, 128, 128), -1..1 for intensities of 0..1."""
        code = code[:, : self.spread.in_features]
        grid = nn.functional.relu(self.spread(code)).unflatten(1, (self.width, START, START))
        picture = self.stages(grid.contiguous(memory_format=torch.channels_last))
        return picture if self.basis is None else picture + self.basis(code)

"""The linear part of the lip texture: principal components of the training textures."""

import torch
from torch import Tensor, nn

from models.atlas_encoder import CROP


class TextureBasis(nn.Module):
    """Two linear layers, code -> K -> 3 x 128 x 128, the second started as principal components.

    What the geometry decoder does for vertices (LipSync3D section 3.2, after Karras et al. 2017), done for the
    texture: convolutions alone still gave the mean texture after a thousand steps (docs/experiments.md).
    """

    def __init__(self, code_length: int, components: int) -> None:
        super().__init__()
        self.coefficients = nn.Linear(code_length, components)
        self.pictures = nn.Linear(components, 3 * CROP * CROP)

    def forward(self, code: Tensor) -> Tensor:
        """(B, code_length) -> difference from the reference crop, (B, 3, 128, 128)."""
        return self.pictures(self.coefficients(code)).unflatten(1, (3, CROP, CROP))

    @torch.no_grad()
    def initialise_from(self, differences: Tensor, shares: Tensor) -> None:
        """Set the pictures to the principal components of training differences, scaled by their deviations.

        differences: (N, 3, 128, 128) from the reference crop; shares: (N, 1, 128, 128) in 0..1, how much of each
        pixel is to be believed; the rest counts as the mean.
        """
        flat = (differences * shares).flatten(1)
        mean = flat.mean(0)
        flat = flat - mean
        # N is far smaller than the number of pixels: the N x N Gram matrix has the same components.
        _, vectors = torch.linalg.eigh(flat @ flat.T)
        count = min(self.coefficients.out_features, len(flat) - 1)
        strongest = vectors.flip(1)[:, :count]
        self.pictures.weight.zero_()
        self.pictures.weight[:, :count] = flat.T @ strongest / max(1, len(flat) - 1) ** 0.5
        self.pictures.bias.copy_(mean)

"""The previous lip texture to a short code: the memory of the auto-regression (LipSync3D section 3.2.1, table 5)."""

from collections.abc import Sequence

from torch import Tensor, nn

CROP = 128
"""Side of the lip crop in pixels."""


class AtlasEncoder(nn.Module):
    """Convolutions of stride 2 with ReLU, then one fully connected layer with tanh.

    `side` is the size to which the crop is reduced first (by area): 128 keeps it, as the paper does; 32 makes the
    encoder hundreds of times cheaper, and the two numbers that come out say little more than how open the mouth is.
    """

    def __init__(self, code_length: int, widths: Sequence[int], kernel: int, side: int) -> None:
        super().__init__()
        self.side = side
        layers: list[nn.Module] = []
        for before, after in zip([3, *widths[:-1]], widths, strict=True):
            layers += [nn.Conv2d(before, after, kernel, stride=2, padding=kernel // 2), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.code = nn.Linear(widths[-1] * (side // 2 ** len(widths)) ** 2, code_length)

    def forward(self, atlas: Tensor) -> Tensor:
        """Lip crops (B, 3, 128, 128) in 0..1, all zero where there is no previous frame -> codes (B, code_length)."""
        if self.side != CROP:
            atlas = nn.functional.avg_pool2d(atlas, CROP // self.side)
        return self.code(self.layers(atlas).flatten(1)).tanh()

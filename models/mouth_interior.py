"""What shows between the lips: teeth and tongue, looked up where the skull and the jaw hold them."""

import torch
from torch import Tensor, nn

from models.atlas_encoder import CROP
from shape_keys.topology import INNER_LIP_LOWER, INNER_LIP_UPPER, JAW

JAW_BONE = list(JAW)
RIM = list(dict.fromkeys([*INNER_LIP_UPPER, *INNER_LIP_LOWER]))
"""(20,) the inner lips' vertices: between them every pixel of the interior is a mean."""
CHANNELS = 8
"""Of each of the two neural textures."""
TEXTURE_ROWS, TEXTURE_COLUMNS = 32, 64
TONGUE_DROPOUT = 0.1
"""Between the layers that raise the tongue."""
COARSE = 4
"""Pixels along one cell of what is told: tongue, darkness."""


class MouthInterior(nn.Module):
    """Two neural textures behind the lips, one fixed to the skull and one to the jaw, and a small renderer of both.

    In the atlas the lips stand still, and the teeth slide behind them as the mouth opens; told from the code alone
    they blur. Seen from the skull the upper teeth stand still, from the jaw the lower ones: each has its place in a
    texture there, which the lips' opening shows (deferred neural rendering, Thies et al. 2019,
    doi:10.1145/3306346.3323035; used for faces in Neural Voice Puppetry section 5.2). In training the true lips
    show it, so that it is learnt sharp. The tongue, which covers them at some phonemes, comes of what is said
    (docs/decisions/024-tongue.md).

    top, left, rows, columns: the rectangle of the lip crop that it draws in.
    """

    places: Tensor
    follow: Tensor
    inside: Tensor
    scale: Tensor

    def __init__(
        self, code_length: int, top: int, left: int, rows: int, columns: int, said: int = 0, hidden: int = 0
    ) -> None:
        """said: how many numbers behind the code tell what is said; hidden: units between the two layers that raise
        the tongue by them and by the code, 0 leaves it to the code alone.
        """
        super().__init__()
        self.margins = (left, CROP - left - columns, top, CROP - top - rows)
        # Where the pixels are on the neutral face, in units of the textures, and how they follow the rim.
        self.register_buffer("places", torch.zeros(rows, columns, 2))
        self.register_buffer("follow", torch.zeros(rows, columns, len(RIM)))
        self.register_buffer("inside", torch.zeros(rows, columns))
        self.register_buffer("scale", torch.ones(2))
        self.upper = nn.Parameter(0.1 * torch.randn(1, CHANNELS, TEXTURE_ROWS, TEXTURE_COLUMNS))
        self.lower = nn.Parameter(0.1 * torch.randn(1, CHANNELS, TEXTURE_ROWS, TEXTURE_COLUMNS))
        self.cells = (CHANNELS, -(-rows // COARSE), -(-columns // COARSE))
        self.told = nn.Linear(code_length, self.cells[0] * self.cells[1] * self.cells[2])
        self.tongue: nn.Sequential | None = None
        if hidden:
            with torch.random.fork_rng(devices=[]):  # all else begins as it does without
                first, last = nn.Linear(code_length + said, hidden), nn.Linear(hidden, self.told.out_features)
            self.tongue = nn.Sequential(first, nn.GELU(), nn.Dropout(TONGUE_DROPOUT), last)
        self.mix = nn.Conv2d(3 * CHANNELS, 2 * CHANNELS, 3, padding="same")
        self.colour = nn.Conv2d(2 * CHANNELS, 3, 3, padding="same")
        for parameter in self.colour.parameters():  # begins by changing nothing
            nn.init.zeros_(parameter)

    @property
    def textures(self) -> list[nn.Parameter]:
        """The two neural textures; they learn faster than weights do."""
        return [self.upper, self.lower]

    def forward(self, code: Tensor, offsets: Tensor) -> Tensor:
        """Code (B, code_length) with what is said behind it, vertex offsets (B, 468, 3) in head space -> difference
        (B, 3, 128, 128), float32.
        """
        return nn.functional.pad(self.draw(code, offsets), self.margins)

    def draw(self, code: Tensor, offsets: Tensor) -> Tensor:
        """The same inside the rectangle alone: (B, 3, rows, columns)."""
        with torch.autocast(code.device.type, enabled=False):  # a place in bfloat16 is a quarter of a tooth
            rim = offsets[:, RIM, :2].float() / self.scale
            jaw = (offsets[:, JAW_BONE, :2].float() / self.scale).mean(1)
            places = self.places + torch.einsum("hwr,brc->bhwc", self.follow, rim)
            told = self.told(code[:, : self.told.in_features].float())
            if self.tongue is not None:
                told = told + self.tongue(code.float())
            told = told.unflatten(1, self.cells)
            told = nn.functional.interpolate(told, size=list(self.inside.shape), mode="bilinear")
            seen = [_look_up(self.upper, places), _look_up(self.lower, places - jaw[:, None, None]), told]
            return self.colour(nn.functional.relu(self.mix(torch.cat(seen, dim=1) * self.inside))) * self.inside

    def cut(self, crops: Tensor) -> Tensor:
        """The rectangle of lip crops (..., 128, 128): (..., rows, columns)."""
        left, right, top, bottom = self.margins
        return crops[..., top : CROP - bottom, left : CROP - right]

    @torch.no_grad()
    def place(self, weights: Tensor, inside: Tensor, rim: Tensor, offsets: Tensor) -> None:
        """Set where everything is, for one speaker.

        weights: (rows, columns, 20) of the rim's vertices in each pixel; inside: (rows, columns) bool, the pixels
        between the lips; rim: (20, 3) of the neutral face; offsets: (T, 468, 3) of training, which say how far the
        textures must reach.
        """
        reached = torch.einsum("hwr,trc->thwc", weights, (rim + offsets[:, RIM])[..., :2])[:, inside].flatten(0, 1)
        low, high = reached.amin(0), reached.amax(0)
        self.scale.copy_((high - low) / 2)
        self.places.copy_((weights @ rim[:, :2] - (low + high) / 2) / self.scale)
        self.follow.copy_(weights)
        self.inside.copy_(inside)


def _look_up(texture: Tensor, places: Tensor) -> Tensor:
    """Values (B, C, H, W) of a texture (1, C, h, w) at places (B, H, W, 2), -1..1 from edge to edge."""
    every = texture.expand(len(places), -1, -1, -1)
    return nn.functional.grid_sample(every, places, padding_mode="border", align_corners=False)

"""Code of the sound to vertex offsets (LipSync3D section 3.2)."""

import torch
from torch import Tensor, nn

VERTICES = 468


class GeometryDecoder(nn.Module):
    """Two linear layers, code -> 150 -> 1404, with dropout between them; no other non-linearity.

    One dropout mask serves the whole batch: a mask for every frame would make the face tremble in training, and the
    loss on its motion would then still it.

    Being linear, it moves the face in a space of at most `code_length` dimensions: that many shape keys hold it all.
    """

    def __init__(self, code_length: int, hidden: int = 150, dropout: float = 0.5) -> None:
        super().__init__()
        self.hidden = nn.Linear(code_length, hidden)
        self.dropout = nn.Dropout(dropout)
        self.offsets = nn.Linear(hidden, VERTICES * 3)

    def forward(self, code: Tensor) -> Tensor:
        """(B, code_length) -> offsets from the reference vertices, (B, 468, 3), interocular units, head space.

        What stands behind the code plays no part, here and in the other decoders.
        """
        hidden = self.hidden(code[:, : self.hidden.in_features]) * self.dropout(code.new_ones(self.hidden.out_features))
        return self.offsets(hidden).unflatten(1, (VERTICES, 3))

    @torch.no_grad()
    def initialise_from(self, offsets: Tensor) -> None:
        """Set the last layer to the principal components of training offsets (T, 468, 3), as Karras et al. do.

        Each component is scaled by its standard deviation, so that a unit input moves the face by a usual amount.
        """
        flat = offsets.flatten(1)
        mean = flat.mean(0)
        _, singular, components = torch.linalg.svd(flat - mean, full_matrices=False)
        count = min(self.hidden.out_features, len(singular))
        self.offsets.weight.zero_()
        scales = singular[:count] / max(1, len(flat) - 1) ** 0.5
        self.offsets.weight[:, :count] = (components[:count] * scales[:, None]).T
        self.offsets.bias.copy_(mean)

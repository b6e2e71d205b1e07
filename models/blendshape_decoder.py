"""Code of the sound to the 52 ARKit blendshape weights (LipSync3D section 3.2)."""

from torch import Tensor, nn

from shape_keys.arkit import NAMES


class BlendshapeDecoder(nn.Module):
    """One linear layer; trained with an l1 loss to encourage sparse weights."""

    def __init__(self, code_length: int) -> None:
        super().__init__()
        self.weights = nn.Linear(code_length, len(NAMES))

    def forward(self, code: Tensor) -> Tensor:
        """(B, code_length) -> weights (B, 52), not yet clipped to 0..1."""
        return self.weights(code[:, : self.weights.in_features])

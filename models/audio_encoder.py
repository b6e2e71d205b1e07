"""Spectrogram windows to a short code of the sound (LipSync3D section 3.2, after Karras et al. 2017)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

BINS_LEFT = 4
"""256 frequency bins after six halvings."""
SLOPE = 0.2
"""Of the leaky ReLU."""


def _halving_layers(channels: int, widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in zip([channels, *widths[:-1]], widths, strict=True):
        convolution = nn.Conv1d(before, after, kernel_size=3, stride=2, padding=1)
        # Twelve layers of the default initialisation would shrink the signal to nothing (He et al. 2015).
        nn.init.kaiming_normal_(convolution.weight, a=SLOPE)
        assert convolution.bias is not None
        nn.init.zeros_(convolution.bias)
        layers += [convolution, nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers)


class FrequencyLayers(nn.Module):
    """Six convolutions over frequency (kernel 3, stride 2), applied to each column alone."""

    def __init__(self, widths: Sequence[int], use_phase: bool) -> None:
        super().__init__()
        self.use_phase = use_phase
        self.layers = _halving_layers(2 if use_phase else 1, widths)

    def forward(self, columns: Tensor) -> Tensor:
        """(C, 2, 256) real and imaginary parts -> (C, width, 4)."""
        if not self.use_phase:
            columns = torch.linalg.vector_norm(columns, dim=1, keepdim=True)
        return self.layers(columns)


class TimeLayers(nn.Module):
    """Six convolutions over the 24 columns of a window (kernel 3, stride 2), each frequency alone."""

    def __init__(self, width: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.layers = _halving_layers(width, widths)

    def forward(self, windows: Tensor) -> Tensor:
        """(B, width, 4, 24) -> (B, width, 4)."""
        batch, width, bins, columns = windows.shape
        rows = windows.transpose(1, 2).reshape(batch * bins, width, columns)
        return self.layers(rows).reshape(batch, bins, -1).transpose(1, 2)


class AudioEncoder(nn.Module):
    """Frequency layers, time layers, and one linear layer to the code of `code_length` numbers (the paper's Ns).

    Neighbouring windows share 20 of their 24 columns at 25 frames a second; since the frequency layers see each
    column alone, they run once per column and the windows are put together afterwards. The result is the same.
    """

    columns = 24
    """In a window."""

    def __init__(self, frequency: FrequencyLayers, time: TimeLayers, width: int, code_length: int) -> None:
        super().__init__()
        self.frequency = frequency
        self.time = time
        self.code = nn.Linear(width * BINS_LEFT, code_length)
        self.said = 0
        """It tells no phonemes apart (models/voice_encoder.py)."""

    def forward(self, columns: Tensor, index: Tensor) -> Tensor:
        """columns (C, 2, 256), index (B, 24) int64 into them -> codes (B, code_length)."""
        features = self.frequency(columns)
        windows = features[index].permute(0, 2, 3, 1)
        return self.code(self.time(windows).flatten(1))

"""Spectrogram windows to a short code of the sound, small enough to learn on and fast enough to run on two cores."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.mel import MEL_BANDS, mel_weights, stretch
from models.phonemes import LEAST_LOG, MOMENTS, PHONEMES, SURE, TRUST, UNSURE, lips_shown

HEARD_DROPOUT, MANNER_DROPOUT = 0.3, 0.2
"""Of what a speaker's manner is made of, and between its layers."""
INSTANTS = 3
"""At which a frame is heard with `reach`: before it, at it and after it."""
INSTANTS_DEVIATION = 0.8
"""Of the bell that their shares start as, in distances from one to the next."""


class Halving(nn.Module):
    """Each row and its neighbours, three in all, to one row: a convolution of kernel 3 and stride 2 without padding.

    With `residual`, what is computed is added to the middle row, and rows are normalised before (He et al. 2016,
    pre-activation). The first level has neither: normalising a column would take away how loud it is.
    """

    def __init__(self, before: int, width: int, residual: bool, dropout: float) -> None:
        super().__init__()
        self.normalise = nn.LayerNorm(before) if residual else nn.Identity()
        self.gather = nn.Linear(3 * before, width)
        self.mix = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.residual = residual

    def forward(self, rows: Tensor, triples: Tensor) -> Tensor:
        """rows (N, before), triples (M, 3) indices into them -> (M, width)."""
        # `index_select`, whose gradients are added up in one order; those of indexing depend on the threads' haste.
        three = self.normalise(rows).index_select(0, triples.flatten()).view(len(triples), -1)
        result = self.mix(nn.functional.gelu(self.gather(three), approximate="tanh"))
        return rows.index_select(0, triples[:, 1]) + self.dropout(result) if self.residual else result


class Manner(nn.Module):
    """What is heard to the code of one speaker's face: two hidden layers, since nobody's mouth is linear in phonemes.

    With several instants the code is made of a mean of what the layers make of each, for every unit by shares of its
    own (`shares`): one instant alone is heard wrongly more often. backend/training/manner.py trains it.
    """

    def __init__(self, heard: int, hidden: int, code_length: int, instants: int = 1) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(heard, hidden), nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, code_length)
        self.heard_dropout, self.dropout = nn.Dropout(HEARD_DROPOUT), nn.Dropout(MANNER_DROPOUT)
        nearness = torch.exp(-((torch.arange(instants) - instants // 2) ** 2) / (2 * INSTANTS_DEVIATION**2))
        shares = (nearness / nearness.sum())[:, None].repeat(1, hidden)
        self.shares = nn.Parameter(shares) if instants > 1 else None

    def forward(self, features: Tensor) -> Tensor:
        """(B, heard), with several instants (B, instants, heard) -> (B, code_length)."""
        rows = nn.functional.gelu(self.first(self._thinned(features, self.heard_dropout)), approximate="tanh")
        rows = nn.functional.gelu(self.second(self._thinned(rows, self.dropout)), approximate="tanh")
        return self.last(self.dropout(rows if self.shares is None else (rows * self.shares).sum(-2)))

    def _thinned(self, rows: Tensor, dropout: nn.Dropout) -> Tensor:
        """Rows with numbers blanked, the same of all instants, which would tell each other's otherwise."""
        return dropout(rows) if self.shares is None else rows * dropout(torch.ones_like(rows[..., :1, :]))


class VoiceEncoder(nn.Module):
    """Mel-like bands of every column, then levels that each halve the window: six levels for 127 columns, 1.27 s.

    Neighbouring windows share most of their columns, and the triples made of them: whatever several windows share is
    computed once, on every level. At 25 frames a second that leaves one row a frame on all levels but the first.
    """

    def __init__(
        self,
        width: int,
        code_length: int,
        levels: int,
        dropout: float = 0.1,
        phonetic: bool = False,
        manner: int = 0,
        reach: int = 0,
        tracts: Sequence[float] = (),
        tells: bool = False,
    ) -> None:
        """phonetic: the code is made of the phonemes' probabilities too, which differ less from voice to voice.

        manner: hidden units of the layers that make the code; 0 makes it linearly. reach: columns before and after a
        frame at which these layers hear it too; 0: at the frame alone. tracts: lengths of the vocal tract, relative
        to the speaker's, as which a voice is heard in evaluation. tells: what is said stands behind each code; the
        tongue, which phonemes raise, has no vertex.
        """
        super().__init__()
        self.heard_columns = 2 ** (levels + 1) - 1
        """Columns heard at one instant: so many, halved without padding as often as there are levels, come to one."""
        self.reach = reach
        self.columns = self.heard_columns + 2 * reach
        """In a window."""
        self.bands = nn.Linear(256, MEL_BANDS)
        with torch.no_grad():
            self.bands.weight.copy_(torch.from_numpy(mel_weights()))
            self.bands.bias.zero_()
        widths = [MEL_BANDS, *[width] * levels]
        self.levels = nn.ModuleList(
            Halving(before, after, before == after, dropout) for before, after in itertools.pairwise(widths)
        )
        self.normalise = nn.LayerNorm(width)
        told = MOMENTS * PHONEMES
        self.phonemes = nn.Linear(width, told) if phonetic else None
        heard = width + 2 * told if phonetic else width
        instants = INSTANTS if reach else 1
        self.code = Manner(heard, manner, code_length, instants) if manner else nn.Linear(heard, code_length)
        self.register_buffer("instants", torch.arange(-reach, reach + 1, reach) if reach else None)
        self.code_length = code_length
        self.said = told if tells else 0
        """How many numbers behind each code tell what is said."""
        self.lips: Tensor
        self.lips_apart: Tensor
        if phonetic:
            self.register_buffer("lips", torch.zeros(2, code_length))
            self.register_buffer("lips_apart", torch.zeros(1))
        self.tracts: Tensor | None
        self.register_buffer("tracts", torch.tensor(tracts) if tracts else None)

    def features(self, columns: Tensor, index: Tensor, tract: float = 1.0) -> Tensor:
        """columns (C, 2, 256), index (B, columns) int64 into them -> (B, F), what the code is made of.

        With `reach` that of every instant: (B, 3, F).
        """
        if not self.reach:
            return self.with_phonemes(self.hear(columns, index, tract))
        instants = index.unfold(1, self.heard_columns, self.reach)
        heard = self.hear(columns, instants.flatten(0, 1), tract)
        return self.with_phonemes(heard).unflatten(0, instants.shape[:2])

    def with_phonemes(self, heard: Tensor) -> Tensor:
        """What is heard (B, width), and behind it the phonemes' probabilities and their logarithms, where asked for."""
        if self.phonemes is None:
            return heard
        logarithms = self.phoneme_logarithms(heard).flatten(1)
        return torch.cat([heard, SURE * logarithms.exp(), UNSURE * logarithms.clamp_min(LEAST_LOG)], dim=1)

    def phoneme_logarithms(self, heard: Tensor) -> Tensor:
        """Logarithmic probabilities of what is said about each frame: (B, width) -> (B, MOMENTS, PHONEMES)."""
        assert self.phonemes is not None
        return self.phonemes(heard).unflatten(1, (MOMENTS, PHONEMES)).log_softmax(-1)

    def hear(self, columns: Tensor, index: Tensor, tract: float = 1.0) -> Tensor:
        """columns (C, 2, 256), index (B, heard_columns) int64 into them -> (B, width), the last level normalised."""
        magnitudes = columns.square().sum(1).sqrt()  # vector_norm takes five times as long
        rows = self.bands(magnitudes if tract == 1 else magnitudes @ torch.from_numpy(stretch(tract)).to(magnitudes))
        for level in self.levels:
            triples, index = shared_triples(index, len(rows))
            rows = level(rows, triples)
        return self.normalise(rows[index[:, 0]])

    def forward(self, columns: Tensor, index: Tensor) -> Tensor:
        """columns (C, 2, 256), index (B, columns) int64 into them -> codes (B, code_length).

        With `tells` what is said stands behind, `SURE` times the phonemes' probabilities: (B, code_length + 205).

        In evaluation codes are those of a face whose lips meet at bilabials: a mean over all that may be said would
        leave them ajar. With `tracts` they are means over these, the surer one's phonemes counting more (vocal tract
        length normalisation, Lee and Rose 1998, frame by frame): voices are told best at different lengths.
        """
        if self.training or self.phonemes is None:
            features = self.features(columns, index)
            code = self.code(features)
            return torch.cat([code, self._said(features)], dim=1) if self.said else code
        lengths = [1.0] if self.tracts is None else self.tracts.tolist()
        features = torch.stack([self.features(columns, index, length) for length in lengths])
        said = torch.stack([self._said(rows) for rows in features])
        probabilities = (said / SURE).unflatten(-1, (MOMENTS, PHONEMES))
        share = (-TRUST * torch.special.entr(probabilities).sum(-1).mean(-1)).softmax(0)[..., None]
        code = (share * self.code(features)).sum(0)
        code = self._close_lips(code, (share[..., None] * probabilities).sum(0))
        return torch.cat([code, (share * said).sum(0)], dim=1) if self.said else code

    def _said(self, features: Tensor) -> Tensor:
        """`SURE` times the phonemes' probabilities about each frame: (B, F) or (B, 3, F) -> (B, MOMENTS * PHONEMES)."""
        at_frame = features[:, INSTANTS // 2] if self.reach else features
        return at_frame[:, -2 * MOMENTS * PHONEMES : -MOMENTS * PHONEMES]

    def _close_lips(self, code: Tensor, probabilities: Tensor) -> Tensor:
        """`lips` (2, Ns): how codes open the lips, and which change of the code opens them by 1; see models/lips.py."""
        apart = code @ self.lips[0] + self.lips_apart
        shown = lips_shown(apart, probabilities, own=isinstance(self.code, Manner))
        return code - (apart - shown)[:, None] * self.lips[1]


def shared_triples(index: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The different triples of neighbours in windows, and each window in terms of them.

    index: (B, 2n + 1) of rows 0..count-1. Returns (M, 3) int64, and (B, n) int64 into these M.
    """
    triples = torch.stack([index[:, :-2:2], index[:, 1:-1:2], index[:, 2::2]], dim=-1)
    keys = (triples[..., 0] * count + triples[..., 1]) * count + triples[..., 2]
    unique, places = torch.unique(keys, return_inverse=True)
    chosen = triples.new_empty(len(unique), 3)
    chosen[places.flatten()] = triples.flatten(0, 1)
    return chosen, places

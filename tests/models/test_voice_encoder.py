"""Sharing triples between windows changes nothing but the time it takes."""

import numpy as np
import pytest
import torch

from models.mel import BINS, MEL_BANDS, mel_weights, stretch
from models.phonemes import MOMENTS, PHONEMES, SURE, TRUST, UNSURE
from models.voice_encoder import Manner, VoiceEncoder, shared_triples


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "phonetic"])
def encoder(request) -> VoiceEncoder:
    torch.manual_seed(0)
    return VoiceEncoder(16, 4, levels=6, phonetic=request.param).eval()


@torch.inference_mode()
def test_neighbouring_windows_are_as_windows_alone(encoder):
    columns = torch.randn(400, 2, 256)
    index = (torch.arange(60) * 4)[:, None] + torch.arange(encoder.columns)
    together = encoder(columns, index)
    alone = torch.cat([encoder(columns[row], torch.arange(encoder.columns)[None]) for row in index])
    assert torch.allclose(together, alone, atol=1e-5)


@torch.inference_mode()
def test_windows_on_no_common_grid(encoder):
    columns = torch.randn(300, 2, 256)
    index = torch.randint(0, 300, (20, encoder.columns))
    alone = torch.cat([encoder(columns[row], torch.arange(encoder.columns)[None]) for row in index])
    assert torch.allclose(encoder(columns, index), alone, atol=1e-5)


def test_what_is_shared_is_computed_once():
    index = (torch.arange(100) * 4)[:, None] + torch.arange(127)
    rows, count = [], 600
    for _ in range(6):
        triples, index = shared_triples(index, count)
        count = len(triples)
        rows.append(count)
    # 25 frames a second on a 10 ms grid: two rows a frame on the first level, one on the others, and the margins.
    assert rows == [261, 130, 128, 124, 116, 100]
    assert index.shape == (100, 1)


def test_a_gradient_reaches_every_weight():
    encoder = VoiceEncoder(16, 4, levels=2, phonetic=True)
    encoder(torch.randn(30, 2, 256), torch.arange(28).reshape(4, 7)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())


@torch.inference_mode()
def test_probabilities_stand_behind_what_is_heard():
    encoder = VoiceEncoder(16, 4, levels=2, phonetic=True).eval()
    columns, index = torch.randn(30, 2, 256), torch.arange(28).reshape(4, 7)
    features = encoder.features(columns, index)
    told = MOMENTS * PHONEMES
    assert torch.equal(features[:, :16], encoder.hear(columns, index))
    probabilities = features[:, 16 : 16 + told].unflatten(1, (MOMENTS, PHONEMES)) / SURE
    assert torch.allclose(probabilities.sum(-1), torch.ones(4, MOMENTS), atol=1e-5)
    assert torch.allclose(features[:, 16 + told :] / UNSURE, probabilities.flatten(1).log(), atol=1e-4)


def test_how_loud_it_is_is_heard(encoder):
    columns = torch.randn(encoder.columns, 2, 256)
    index = torch.arange(encoder.columns)[None]
    assert not torch.allclose(encoder(columns, index), encoder(0.3 * columns, index), atol=1e-2)


def test_mel_bands():
    weights = mel_weights()
    assert weights.shape == (MEL_BANDS, 256)
    assert np.allclose(weights.sum(axis=1), 1)
    centres = (weights * (np.arange(1, 257) * 31.25)).sum(axis=1)
    assert (np.diff(centres) >= 0).all()
    # O'Shaughnessy: 1000 Hz is 999.99 mel, the highest edge 7600 Hz is 2787 mel.
    assert centres[-1] == pytest.approx(7600, rel=0.05)


def test_a_stretched_tract_is_read_where_it_resonates():
    spectrum = np.exp(-(((np.arange(BINS) - 80) / 6) ** 2)).astype(np.float32)
    for factor in (0.77, 1.3):
        assert (spectrum @ stretch(factor)).argmax() == pytest.approx(80 / factor, abs=1)
    assert np.array_equal(spectrum @ stretch(1.0), spectrum)
    assert np.isfinite(stretch(1.5)).all()
    assert not stretch(1.5)[:, 171:].any()


@torch.inference_mode()
def test_in_evaluation_the_surer_length_of_the_tract_counts_more():
    torch.manual_seed(0)
    encoder = VoiceEncoder(16, 4, levels=2, phonetic=True, tracts=(0.8, 1.25), dropout=0).eval()
    columns, index = torch.rand(30, 2, 256), torch.arange(28).reshape(4, 7)
    heard = [encoder.hear(columns, index, length) for length in (0.8, 1.25)]
    codes = [encoder.code(encoder.with_phonemes(rows)) for rows in heard]
    entropies = [-(row.exp() * row).sum(-1).mean(-1) for row in map(encoder.phoneme_logarithms, heard)]
    assert not torch.allclose(*codes, atol=1e-3)
    # Untrained lips have no direction in which they close, so that the mean is all there is.
    share = torch.sigmoid(TRUST * (entropies[1] - entropies[0]))[:, None]
    assert torch.allclose(encoder(columns, index), share * codes[0] + (1 - share) * codes[1], atol=1e-6)
    encoder.train()
    unchanged = encoder.code(encoder.with_phonemes(encoder.hear(columns, index)))
    assert torch.allclose(encoder(columns, index), unchanged, atol=1e-6)


@torch.inference_mode()
def test_with_reach_the_manner_hears_every_instant():
    torch.manual_seed(0)
    encoder = VoiceEncoder(16, 4, levels=2, phonetic=True, manner=8, reach=4, tells=True).eval()
    assert encoder.columns == 7 + 2 * 4
    columns, index = torch.rand(40, 2, 256), torch.arange(30).reshape(2, 15)
    instants = [encoder.with_phonemes(encoder.hear(columns, index[:, first : first + 7])) for first in (0, 4, 8)]
    code, said = encoder(columns, index).split([4, MOMENTS * PHONEMES], dim=1)
    # Untrained lips have no direction in which they close.
    assert torch.allclose(code, encoder.code(torch.stack(instants, dim=1)), atol=1e-6)
    # What is said at the frame itself stands behind.
    assert torch.allclose(said, instants[1][:, 16 : 16 + MOMENTS * PHONEMES], atol=1e-6)
    moved = columns.clone()
    moved[14] += 1  # the last column of the first window, which only the last instant hears
    assert not torch.allclose(encoder(moved, index)[0], encoder(columns, index)[0], atol=1e-4)


@torch.inference_mode()
def test_with_reach_frames_share_their_instants():
    encoder = VoiceEncoder(16, 4, levels=6, phonetic=True, manner=8, reach=4).eval()
    rows = []
    encoder.levels[-1].register_forward_hook(lambda *call: rows.append(len(call[-1])))
    encoder(torch.randn(400, 2, 256), (torch.arange(60) * 4)[:, None] + torch.arange(encoder.columns))
    assert rows == [60 + 2]


def test_in_training_the_same_is_blanked_in_every_instant():
    torch.manual_seed(0)
    manner = Manner(8, 8, 4, instants=3).train()
    seen = []
    manner.first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    manner(torch.ones(50, 3, 8))
    assert torch.equal(seen[0][:, 0], seen[0][:, 1]) and torch.equal(seen[0][:, 0], seen[0][:, 2])
    assert not torch.equal(seen[0][0], seen[0][1])

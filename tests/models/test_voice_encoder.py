"""Sharing triples between windows changes nothing but the time it takes."""

import numpy as np
import pytest
import torch

from models.mel import MEL_BANDS, mel_weights
from models.phonemes import MOMENTS, PHONEMES, SURE, UNSURE
from models.voice_encoder import VoiceEncoder, shared_triples


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

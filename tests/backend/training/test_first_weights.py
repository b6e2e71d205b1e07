"""What a linear solution can know, a new actor knows before its first step."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from backend.evaluation.metrics import correlation, lip_gap
from backend.inference.predict import decode_motion, encode_sound
from backend.training.batches import Batches, split_spans
from backend.training.config import TrainConfig
from backend.training.first_weights import initialise, start_from_voice
from models.presets import DEFAULT, FAST, PAPER, build_model


@pytest.fixture
def voice(tmp_path):
    """An encoder that was trained on nothing: even its random features tell loud from quiet."""
    torch.manual_seed(5)
    save_file(build_model(FAST).state_dict(), tmp_path / "voice.safetensors")
    return tmp_path / "voice.safetensors"


@pytest.mark.parametrize("config", [FAST, DEFAULT], ids=["fast", "default"])
def test_the_speakers_part_is_solved(formula_dataset, voice, config):
    torch.manual_seed(0)
    model = build_model(config)
    spans, held = split_spans(formula_dataset, 0.15)
    batches = Batches(formula_dataset, spans, TrainConfig(), model.encoder.columns)
    initialise(model, formula_dataset, batches)
    assert start_from_voice(model, formula_dataset, batches, voice)
    span = held[0]
    codes = encode_sound(
        model.eval(), formula_dataset.audio(0), np.asarray(formula_dataset.times[span.start : span.stop])
    )
    offsets, weights = decode_motion(model, codes)
    true = np.asarray(formula_dataset.vertices[span.start : span.stop])
    gaps = lip_gap(formula_dataset.reference_vertices + offsets), lip_gap(true)
    assert correlation(*gaps) > 0.8
    jaw = np.asarray(formula_dataset.weights[span.start : span.stop, 17])
    assert correlation(weights[:, 17], jaw) > 0.8


def test_nothing_to_start_from(formula_dataset, tmp_path, voice):
    model = build_model(FAST)
    batches = Batches(formula_dataset, split_spans(formula_dataset, 0.15)[0], TrainConfig(), model.encoder.columns)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert not start_from_voice(model, formula_dataset, batches, tmp_path / "none.safetensors")
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    paper = build_model(PAPER)
    assert not start_from_voice(paper, formula_dataset, batches, voice)

"""What a linear solution can know, a new actor knows before its first step."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from backend.actor_file import load_actor
from backend.actor_library import SHIPPED
from backend.evaluation.evaluate import actor_space
from backend.evaluation.metrics import correlation, lip_gap
from backend.inference.predict import decode_motion, encode_sound
from backend.training.batches import Batches, split_spans
from backend.training.config import TrainConfig
from backend.training.first_weights import _place, fit_to_speaker, initialise, start_from_voice
from models.mouth_interior import RIM, MouthInterior
from models.presets import DEFAULT, FAST, PAPER, build_model
from shape_keys.topology import LOWER_INNER_LIP, UPPER_INNER_LIP


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


def test_the_mouth_interior_is_where_the_speakers_layout_has_it(formula_dataset):
    config = fit_to_speaker(DEFAULT, formula_dataset)
    top, left, rows, columns = config.interior
    there = np.zeros((128, 128), bool)
    there[top : top + rows, left : left + columns] = True
    assert there[np.asarray(formula_dataset.interior)].all()
    assert not np.asarray(formula_dataset.interior)[[top, top + rows - 1]].any()  # a pixel of rim all about
    model = build_model(config)
    batches = Batches(formula_dataset, split_spans(formula_dataset, 0.15)[0], TrainConfig(), model.encoder.columns)
    initialise(model, formula_dataset, batches)
    assert int(model.interior.inside.sum()) == int(np.asarray(formula_dataset.interior).sum())
    assert fit_to_speaker(FAST, formula_dataset) == FAST


def test_pixels_of_the_mouth_interior_lie_between_the_lips():
    actor = load_actor(SHIPPED / "default")
    space = actor_space(actor)
    face = SimpleNamespace(
        space=space, reference_vertices=space.vertices, interior=space.crop.cut(space.atlas_map.mouth)
    )
    interior = MouthInterior(34, *fit_to_speaker(DEFAULT, face).interior)
    opened = torch.zeros(2, 468, 3)
    opened[1, LOWER_INNER_LIP, 1] = -0.5
    _place(interior, face, opened)
    inside = interior.inside.bool()
    assert torch.allclose(interior.follow.sum(-1)[inside], torch.ones(int(inside.sum())), atol=1e-4)
    lips = torch.tensor(space.vertices[[UPPER_INNER_LIP, LOWER_INNER_LIP], 1]) + torch.tensor([0.0, -0.5])
    column = interior.places[:, interior.places.shape[1] // 2] + torch.einsum(
        "rn,nc->rc", interior.follow[:, interior.places.shape[1] // 2], opened[1, RIM, :2] / interior.scale
    )
    heights = column[inside[:, inside.shape[1] // 2], 1]
    assert (heights.diff() < 0).all()  # from the upper lip down to the lower one, and all of the way
    assert heights.max() - heights.min() == pytest.approx(float((lips[0] - lips[1]) / interior.scale[1]), rel=0.15)


def test_nothing_to_start_from(formula_dataset, tmp_path, voice):
    model = build_model(FAST)
    batches = Batches(formula_dataset, split_spans(formula_dataset, 0.15)[0], TrainConfig(), model.encoder.columns)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert not start_from_voice(model, formula_dataset, batches, tmp_path / "none.safetensors")
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    paper = build_model(PAPER)
    assert not start_from_voice(paper, formula_dataset, batches, voice)

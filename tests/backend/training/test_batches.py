"""Held-out frames stay out, and what a batch holds belongs together."""

import numpy as np
import torch

from backend.audio.spectrogram import COLUMNS
from backend.training.batches import Batches, split_spans, texture_weights
from backend.training.config import AugmentConfig, TrainConfig

PLAIN = AugmentConfig(
    speed=0,
    formant=0,
    gain_db=0,
    tilt_db=0,
    noise_probability=0,
    reverb_probability=0,
    frequency_mask=0,
    time_mask=0,
    silence_probability=0,
)


def test_the_end_is_held_out_with_a_gap(formula_dataset):
    train, held = split_spans(formula_dataset, 0.15)
    assert len(train) == len(held) == 1
    assert held[0].stop == len(formula_dataset)
    assert held[0].stop - held[0].start == round(0.15 * len(formula_dataset))
    gap = formula_dataset.times[held[0].start] - formula_dataset.times[train[0].stop - 1]
    assert gap >= 0.5


def test_an_end_without_a_face_is_not_held_out(formula_dataset, monkeypatch):
    valid = np.arange(len(formula_dataset)) < 0.84 * len(formula_dataset)
    monkeypatch.setattr(formula_dataset, "valid", valid)
    train, held = split_spans(formula_dataset, 0.15)
    assert len(train) == 1
    assert not held


def test_batches_are_drawn_from_their_number(formula_dataset):
    train, _ = split_spans(formula_dataset, 0.15)
    batches = Batches(formula_dataset, train, TrainConfig(), COLUMNS)
    first, again, other = (next(batches.epoch(number)) for number in (3, 3, 4))
    assert torch.equal(first.columns, again.columns)
    assert first.columns.shape != other.columns.shape or not torch.equal(first.columns, other.columns)


def test_each_process_gets_batches_of_its_own_and_as_many(formula_dataset):
    train, _ = split_spans(formula_dataset, 0.15)
    batches = Batches(formula_dataset, train, TrainConfig(augment=PLAIN, texture_frames=1), COLUMNS)
    assert len(list(batches.epoch(0))) == 3
    (first,), (second,) = (list(batches.epoch(0, process, 2)) for process in (0, 1))
    assert not torch.equal(first.frames, second.frames)


def test_no_picture_is_before_the_first_of_a_clip_or_after_a_lost_face(formula_dataset, monkeypatch):
    batches, frames = Batches(formula_dataset, [], TrainConfig(), COLUMNS), np.arange(len(formula_dataset))
    monkeypatch.setattr(formula_dataset, "clip", frames // 400)
    monkeypatch.setattr(formula_dataset, "valid", frames != 500)
    before = batches.previous(np.array([0, 1, 400, 401, 500, 501])).any(axis=(1, 2, 3))
    assert before.tolist() == [False, True, False, True, True, False]


def test_sound_and_targets_agree_without_augmentation(formula_dataset):
    train, _ = split_spans(formula_dataset, 0.15)
    config = TrainConfig(augment=PLAIN)
    loud, open_ = [], []
    for batch in Batches(formula_dataset, train, config, COLUMNS).epoch(0):
        energy = batch.columns[batch.index][:, 10:14].square().sum((1, 2, 3))
        loud.append(energy.numpy())
        open_.append(batch.weights[..., 17].flatten().numpy())
    assert np.corrcoef(np.concatenate(loud), np.concatenate(open_))[0, 1] > 0.8


def test_made_silence_shows_the_face_at_rest(formula_dataset):
    train, _ = split_spans(formula_dataset, 0.15)
    config = TrainConfig(augment=AugmentConfig(silence_probability=1.0))
    batch = next(Batches(formula_dataset, train, config, COLUMNS).epoch(0))
    assert not batch.offsets.any()
    assert not batch.weights.any()
    assert (batch.crops == 150 / 255).all()


def test_texture_weights_by_hand():
    interior = np.zeros((128, 128), bool)
    interior[0, 0] = True
    weights = texture_weights(np.full((128, 128), 0.5), interior, np.array([0.0, 0.25]), 4.0)
    assert weights.shape == (2, 1, 128, 128)
    assert weights[:, 0, 0, 0].tolist() == [0.0, 1.0]
    assert (weights[:, 0, 1:] == 0.5).all()

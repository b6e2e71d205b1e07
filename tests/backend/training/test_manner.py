"""A mouth that opens at middling loudness only: no linear map of the sound tells that, the speaker's manner does."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from backend.evaluation.metrics import correlation, lip_gap
from backend.inference.predict import decode_motion, encode_sound
from backend.training.batches import Batches, split_spans
from backend.training.config import AugmentConfig, TrainConfig
from backend.training.dataset import Dataset, open_dataset
from backend.training.first_weights import initialise, start_from_voice
from backend.training.loop import TrainingRun
from models.phonemes import BILABIALS, MOMENTS, PHONEMES
from models.presets import FAST, ModelConfig, build_model
from models.voice_encoder import VoiceEncoder

LINEAR = replace(FAST, voice_manner=0, voice_reach=0)


@pytest.fixture(scope="module")
def stubborn_speaker(formula_dataset, tmp_path_factory) -> Dataset:
    """The formula's speaker, whose lips part between a quarter and three quarters of their opening, and else close."""
    folder = tmp_path_factory.mktemp("stubborn") / "dataset"
    shutil.copytree(formula_dataset.folder, folder)
    moved = np.asarray(formula_dataset.vertices) - formula_dataset.reference_vertices
    opening = np.abs(moved).max(axis=(1, 2))
    opening /= opening.max()
    whole = moved[opening.argmax()]
    new = np.clip(1 - np.abs(opening - 0.5) / 0.25, 0, 1)
    np.save(
        folder / "vertices.npy", (formula_dataset.reference_vertices + new[:, None, None] * whole).astype(np.float32)
    )
    return open_dataset(folder)


def held_out_r(dataset: Dataset, config: ModelConfig, voice) -> float:
    torch.manual_seed(0)
    model = build_model(config)
    spans, held = split_spans(dataset, 0.15)
    quiet = AugmentConfig(gain_db=0, noise_probability=0, silence_probability=0)
    batches = Batches(dataset, spans, TrainConfig(augment=quiet), model.encoder.columns)
    initialise(model, dataset, batches)
    assert start_from_voice(model, dataset, batches, voice)
    span = held[0]
    codes = encode_sound(model.eval(), dataset.audio(0), np.asarray(dataset.times[span.start : span.stop]))
    offsets, _ = decode_motion(model, codes)
    true = lip_gap(np.asarray(dataset.vertices[span.start : span.stop]))
    return correlation(lip_gap(dataset.reference_vertices + offsets), true)


def test_the_manner_is_learnt(stubborn_speaker, tmp_path):
    torch.manual_seed(5)
    voice = tmp_path / "voice.safetensors"
    save_file(build_model(LINEAR).state_dict(), voice)
    linear, manner = (held_out_r(stubborn_speaker, config, voice) for config in (LINEAR, FAST))
    assert manner > 0.5
    assert manner > linear + 0.1


@pytest.mark.parametrize("from_scratch", [False, True])
def test_an_actor_from_the_voice_model_closes_its_lips_at_bilabials(formula_dataset, tmp_path, from_scratch):
    config = TrainConfig(preset="fast", from_scratch=from_scratch)
    spans, _ = split_spans(formula_dataset, 0.15)
    model = build_model(FAST)
    batches = Batches(formula_dataset, spans, config, model.encoder.columns)
    initialise(model, formula_dataset, batches)
    spoken = TrainingRun(model, batches, config, tmp_path / "checkpoint.safetensors").result.eval()
    encoder = spoken.encoder
    assert isinstance(encoder, VoiceEncoder) and encoder.phonemes is not None
    with torch.no_grad():
        encoder.phonemes.weight.zero_()
        encoder.phonemes.bias.zero_().unflatten(0, (MOMENTS, PHONEMES))[:, BILABIALS] = 20.0  # hears nothing else
    codes = encode_sound(spoken, formula_dataset.audio(0), np.asarray(formula_dataset.times[:200]))
    gaps = lip_gap(formula_dataset.reference_vertices + decode_motion(spoken, codes)[0])
    assert (gaps.max() < 1e-3) is not from_scratch

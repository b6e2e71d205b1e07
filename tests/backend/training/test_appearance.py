"""What shows between the lips without moving them, a code tells too: a tongue has no vertex."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from backend.audio.decode import SAMPLE_RATE
from backend.evaluation.metrics import correlation
from backend.inference.predict import decode_textures, encode_sound
from backend.training.appearance import beyond_shape, initialise_texture
from backend.training.batches import Batches, split_spans
from backend.training.config import AugmentConfig, TrainConfig
from backend.training.dataset import Dataset, open_dataset
from backend.training.first_weights import code_space, initialise, start_from_voice, training_frames
from models.presets import DEFAULT, build_model
from models.texture_basis import TextureBasis

HISSING = 0.4
"""Seconds of every second in which the speaker hisses and shows the tongue."""


@pytest.fixture(scope="module")
def lisping_speaker(formula_dataset, tmp_path_factory) -> Dataset:
    """The formula's speaker, whose lips move as before, and whose mouth is red wherever the sound hisses."""
    folder = tmp_path_factory.mktemp("lisping") / "dataset"
    shutil.copytree(formula_dataset.folder, folder)
    rng = np.random.default_rng(3)
    samples = np.array(formula_dataset.audio(0))
    level = np.sqrt(np.convolve(samples**2, np.ones(320) / 320, "same"))
    hissing = np.arange(len(samples)) / SAMPLE_RATE % 1 < HISSING
    hiss = np.diff(rng.standard_normal(len(samples) + 1))  # high frequencies, as loud as the voice
    np.save(folder / "audio_0.npy", np.where(hissing, level * hiss / hiss.std(), samples).astype(np.float32))
    crops = np.array(formula_dataset.crops)
    red = np.asarray(formula_dataset.times) % 1 < HISSING
    crops[..., 0] = np.where(red[:, None, None] & np.asarray(formula_dataset.interior), 220, crops[..., 0])
    np.save(folder / "crops.npy", crops)
    np.save(folder / "visible.npy", np.ones(len(red), np.float32))
    return open_dataset(folder)


def test_a_code_tells_what_the_lips_do_not(lisping_speaker, tmp_path):
    torch.manual_seed(5)
    save_file(build_model(DEFAULT).state_dict(), tmp_path / "voice.safetensors")
    torch.manual_seed(0)
    model = build_model(DEFAULT)
    spans, held = split_spans(lisping_speaker, 0.15)
    batches = Batches(lisping_speaker, spans, TrainConfig(augment=AugmentConfig(gain_db=0)), model.encoder.columns)
    initialise(model, lisping_speaker, batches)
    assert start_from_voice(model, lisping_speaker, batches, tmp_path / "voice.safetensors")
    span = held[0]
    times = np.asarray(lisping_speaker.times[span.start : span.stop])
    codes = encode_sound(model.eval(), lisping_speaker.audio(0), times)
    share = np.ones((128, 128), np.float32)
    shown = np.stack(list(decode_textures(model, codes, lisping_speaker.reference_crop, share)))
    inside = np.asarray(lisping_speaker.interior)
    redness = (shown[..., 0].astype(float) - shown[..., 2])[:, inside].mean(1)
    red = (times % 1 < HISSING).astype(float)
    assert abs(correlation(codes[:, 24].numpy(), red)) > 0.8  # the first number behind the face's 24
    assert correlation(redness, red) > 0.8


def test_it_is_what_shapes_do_not_tell(lisping_speaker):
    torch.manual_seed(0)
    model = build_model(DEFAULT)
    batches = Batches(lisping_speaker, split_spans(lisping_speaker, 0.15)[0], TrainConfig(), model.encoder.columns)
    initialise(model, lisping_speaker, batches)
    frames = training_frames(lisping_speaker, batches)
    space, faces = code_space(model, lisping_speaker, frames, TrainConfig())
    assert len(faces) == 24 and space.appearance.shape == (len(lisping_speaker) + 1, 8)
    offsets = torch.from_numpy(lisping_speaker.vertices[frames] - lisping_speaker.reference_vertices)
    codes = space.codes(offsets, torch.from_numpy(frames))
    first = codes[:, 24].numpy()
    assert first.std() == pytest.approx(0.3, rel=0.05)
    assert abs(correlation(first, (np.asarray(lisping_speaker.times[frames]) % 1 < HISSING).astype(float))) > 0.9
    assert abs(correlation(first, codes[:, 0].numpy())) < 0.05
    assert not space.opening[24:].any()
    others = np.setdiff1d(np.arange(len(lisping_speaker)), frames)
    assert len(others) and not space.appearance[others].any()


def test_a_face_at_rest_looks_as_the_reference_does(lisping_speaker, tmp_path):
    folder = tmp_path / "dataset"
    shutil.copytree(lisping_speaker.folder, folder)
    crops = np.array(lisping_speaker.crops)
    crops[10] = lisping_speaker.reference_crop
    np.save(folder / "crops.npy", crops)
    dataset = open_dataset(folder)
    frames = np.arange(len(dataset))
    shapes = torch.randn(len(frames), 3, generator=torch.Generator().manual_seed(1))
    basis = TextureBasis(34, 8)
    initialise_texture(basis, dataset, frames)
    appearance, worth = beyond_shape(basis, dataset, frames, shapes, shapes[10], 2)
    assert torch.allclose(appearance[-1], appearance[10], atol=1e-4)
    assert appearance[:-1].std(0).numpy() == pytest.approx(1, rel=0.05)
    assert worth[0] >= worth[1] > 0

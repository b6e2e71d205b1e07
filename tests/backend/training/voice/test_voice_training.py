"""The voice model learns phonemes and faces from a small corpus of synthetic speech."""

import ctypes.util
import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from backend.audio.offset import shift_samples
from backend.speech.alignment import Aligner
from backend.speech.espeak import speak
from backend.speech.phones import SYMBOLS, Phone
from backend.training.voice.augment import _in_room, augment_magnitudes
from backend.training.voice.batches import LABELLED, VoiceBatches
from backend.training.voice.corpus import Corpus, _filmed_pieces, label_columns, magnitude_columns
from backend.training.voice.grid import held_out, sentence, sixty, trainable
from backend.training.voice.texts import other_languages, random_text, sentences
from backend.training.voice.train import VoiceTraining, command_of, contact_loss, keep_some, options_parser
from models.phonemes import MOMENTS, PHONEMES
from models.presets import VOICE, build_model
from shape_keys.basis import load_basis

NEEDS_ENGINES = pytest.mark.skipif(
    ctypes.util.find_library("espeak-ng") is None or not shutil.which("flite") or not shutil.which("festival"),
    reason="espeak-ng, flite or festival is not installed",
)
JAW_OPEN = 17


def hum(frequencies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Tones that tell the phonemes of the made corpus apart, 10 ms each."""
    time = np.arange(160) / 16000
    tones = [np.sin(2 * np.pi * frequency * time) if frequency else np.zeros(160) for frequency in frequencies]
    return (0.2 * np.concatenate(tones) + 0.002 * rng.standard_normal(160 * len(tones))).astype(np.float32)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    """Two phonemes as two tones, and silence; the jaw of the last four recordings, which were filmed, opens at `aa`."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    columns, labels, recordings, offsets, weights, times = [], [], [], [], [], []
    shapes = []
    place = frame = shape = 0
    for number in range(8):
        kinds = np.repeat(rng.integers(0, 3, 40), 10)
        samples = hum(np.array([0.0, 500.0, 2500.0])[kinds], rng)
        rows = magnitude_columns(samples).astype(np.float16)
        symbols = np.array([SYMBOLS.index("sil"), SYMBOLS.index("aa"), SYMBOLS.index("s")], np.int8)[kinds]
        frames = shaped = 0
        if number < 4:
            shapes.append(255 * np.eye(52, dtype=np.uint8)[JAW_OPEN] * (symbols[::2, None] == SYMBOLS.index("aa")))
            shaped = len(shapes[-1])
        else:
            moments = np.arange(0, 4, 0.04)
            opening = (kinds[np.minimum((moments * 100).astype(int), len(kinds) - 1)] == 1).astype(np.float32)
            offsets.append(opening[:, None, None] * load_basis()[JAW_OPEN])
            weights.append(np.eye(52)[JAW_OPEN] * opening[:, None])
            times.append(moments)
            frames = len(moments)
        ranges = {
            "columns": [place, place + len(rows)],
            "frames": [frame, frame + frames],
            "shapes": [shape, shape + shaped],
        }
        recordings.append({"source": f"grid s{number} x", **ranges})
        columns.append(rows)
        labels.append(symbols[: len(rows)])
        place, frame, shape = (ends[1] for ends in ranges.values())
    arrays = {"columns": columns, "labels": labels, "offsets": offsets, "weights": weights, "times": times}
    for name, parts in arrays.items():
        np.save(folder / f"{name}.npy", np.concatenate(parts).astype(np.int8 if name == "labels" else np.float16))
    np.save(folder / "shapes.npy", np.concatenate(shapes).astype(np.uint8))
    np.save(folder / "times.npy", np.concatenate(times).astype(np.float32))
    np.save(folder / "valid.npy", np.ones(frame, bool))
    (folder / "recordings.json").write_text(json.dumps(recordings))
    return Corpus(folder)


def test_it_learns(corpus):
    training = VoiceTraining(corpus, steps=12, rate=3e-3, seed=0)
    losses = [training.train_step() for _ in range(12)]
    assert losses[-1]["phonemes"] < 0.7 * losses[0]["phonemes"]
    assert np.isfinite([value for row in losses for value in row.values()]).all()


def test_a_batch_fits_the_network(corpus):
    training = VoiceTraining(corpus, steps=1, rate=1e-3, seed=0)
    batch = training.batches.draw(np.random.default_rng(0))
    assert batch.index.shape == (24 * 64, training.batches.columns)
    assert int(batch.index.max()) < len(batch.columns)
    assert batch.offsets.shape == (8, 64, 468, 3)
    assert batch.labels.shape == (24 * 64, 5)
    assert bool(batch.valid.any())


def test_what_is_held_out_is_not_drawn(corpus):
    batches = VoiceBatches(corpus, 15, held_out=["grid s1", "grid s5"])
    assert [recording.source for recording in batches.spoken] == ["grid s0 x", "grid s2 x", "grid s3 x"]
    assert [recording.source for clips in batches.filmed for recording in clips] == [
        "grid s4 x",
        "grid s6 x",
        "grid s7 x",
    ]


def test_shapes_and_marks_agree_with_the_phonemes(corpus):
    batches = VoiceBatches(corpus, 15, heard=12, seen=1)
    batch = batches.draw(np.random.default_rng(2))
    labels = batch.labels[:, 2].reshape(13, 64).numpy()
    aa, silence = SYMBOLS.index("aa"), 0
    assert not batch.bilabial.any()
    assert (labels[batch.open.numpy()] == aa).all()
    assert (labels[batch.resting.numpy()] == silence).all()
    jaw = batch.shapes[..., JAW_OPEN].numpy()
    marked = batch.open[:12].numpy()
    assert marked.sum() > 50
    assert jaw[marked].min() == 1
    assert jaw[batch.resting[:12].numpy()].max(initial=0) == 0


def test_the_encoder_learns_nothing_from_the_few_filmed_faces(corpus):
    training = VoiceTraining(corpus, steps=1, rate=1e-3, seed=0, config=replace(VOICE, voice_levels=3, voice_width=16))
    losses = training._losses(training.batches.draw(np.random.default_rng(0)))
    encoder = training.parts["model"].encoder
    (losses["geometry"] + losses["velocity"] + losses["aperture"] + losses["blendshapes"]).backward(retain_graph=True)
    assert encoder.levels[0].gather.weight.grad is None
    assert encoder.phonemes.weight.grad is None
    assert encoder.code.weight.grad[:, :16].abs().max() == 0
    assert encoder.code.weight.grad[:, 16:].abs().max() > 0
    losses["phonemes"].backward()
    assert encoder.levels[0].gather.weight.grad.abs().sum() > 0


def test_the_result_is_the_mean_of_both_ways(corpus):
    config = replace(VOICE, voice_levels=3, voice_width=16, voice_tracts=())
    training = VoiceTraining(corpus, steps=1, rate=1e-3, seed=0, config=config)
    parts, columns, index = training.average.module.eval(), torch.randn(15, 2, 256), torch.arange(15)[None]
    with torch.inference_mode():
        encoder = parts["model"].encoder
        heard = encoder.hear(columns, index)
        features = encoder.with_phonemes(heard)
        features[:, :16] = 0
        both = (encoder.code(features) + parts["own"](heard)) / 2
        assert torch.allclose(training.result.encoder(columns, index), both, atol=1e-6)


def test_lips_are_told_to_meet_at_bilabials():
    closed, wide = torch.tensor([[True, False, False]]), torch.tensor([[False, True, False]])
    assert contact_loss(torch.tensor([[0.0, 0.2, 0.1]]), closed, wide) == 0
    apart, shut = (contact_loss(torch.tensor([row]), closed, wide) for row in ([0.1, 0.2, 0.0], [0.0, 0.01, 0.0]))
    assert apart == pytest.approx(0.098**2)
    assert shut == pytest.approx(0.04**2)


def test_a_deeper_network_begins_as_the_shallower_one(corpus, tmp_path):
    shallow = VoiceTraining(corpus, 1, 1e-3, 0, replace(VOICE, voice_levels=3, voice_width=16))
    shallow.save(tmp_path / "shallow.pt")
    deep = VoiceTraining(corpus, 1, 1e-3, 1, replace(VOICE, voice_levels=4, voice_width=16))
    deep.deepen(tmp_path / "shallow.pt")
    columns = torch.randn(31, 2, 256)
    with torch.inference_mode():
        small = shallow.result.encoder.hear(columns, torch.arange(8, 23)[None])
        large = deep.result.encoder.hear(columns, torch.arange(31)[None])
    assert torch.allclose(small, large, atol=1e-5)


def test_some_of_what_it_began_with_is_kept():
    began, model = build_model(VOICE), build_model(VOICE)
    trained = {name: value.clone() for name, value in model.state_dict().items()}
    keep_some(model, began.state_dict(), 0.7)
    for name, value in model.state_dict().items():
        assert torch.allclose(value, 0.3 * began.state_dict()[name] + 0.7 * trained[name], atol=1e-6), name


def test_the_phonemes_of_the_encoder_are_those_of_the_corpus():
    assert len(SYMBOLS) == PHONEMES
    assert len(LABELLED) == MOMENTS


def test_labels_stand_where_the_phonemes_sound():
    labels = label_columns([Phone(0.0, 0.1, "sil"), Phone(0.1, 0.3, "aa"), Phone(0.3, 0.4, "b")], 50)
    assert [SYMBOLS[k] for k in (labels[5], labels[15], labels[35], labels[45])] == ["sil", "aa", "b", "sil"]


def test_augmented_columns_stay_finite_and_alike():
    rng = np.random.default_rng(0)
    columns = np.abs(rng.standard_normal((100, 256))).astype(np.float32)
    before = columns.copy()
    others = np.abs(rng.standard_normal((100, 256))).astype(np.float32)
    changed = [augment_magnitudes(columns, np.random.default_rng(seed), lambda n: others[:n]) for seed in range(20)]
    assert all(np.isfinite(c).all() and (c >= 0).all() and c.shape == (100, 256) for c in changed)
    assert np.array_equal(columns, before)
    assert any((c[:, 150:] == 0).all() for c in changed)  # a telephone is among them


def test_a_room_goes_on_sounding():
    click = np.zeros((100, 256), np.float32)
    click[20] = 1
    heard = _in_room(click, np.random.default_rng(0))
    assert np.array_equal(heard[:21], click[:21])
    tail = heard[21:, 0]
    assert (tail > 0).all()
    assert (np.diff(tail) < 0).all()
    ratio = (tail[1:] / tail[:-1]) ** 2
    assert np.allclose(ratio, ratio[0])
    assert 0.15 <= -0.06 / np.log10(ratio[0]) <= 0.7  # seconds until it is 60 dB fainter
    assert -15 <= 10 * np.log10((tail**2).sum()) <= 2


def test_texts():
    rng = np.random.default_rng(0)
    assert len(sentences("en")) >= 50
    assert len(other_languages()) == 16
    for language in ("en", *other_languages()):
        assert random_text(language, rng).strip()


@NEEDS_ENGINES
def test_synthetic_speech_has_its_phonemes(tmp_path):
    from backend.training.voice.synthetic import make_synthetic, read_utterances

    make_synthetic(tmp_path, 0.2, seed=3)
    utterances = read_utterances(tmp_path)
    sound = np.load(tmp_path / "sound.npy")
    assert utterances[-1].stop == len(sound) >= 0.2 * 60 * 16000
    for utterance in utterances:
        spoken = [phone for phone in utterance.phones if phone.symbol != "sil"]
        assert 0 < spoken[-1].end <= (utterance.stop - utterance.start) / 16000 + 0.05


@pytest.mark.skipif(ctypes.util.find_library("espeak-ng") is None, reason="espeak-ng is not installed")
def test_phonemes_of_filmed_clips_fit_the_sound_that_is_kept():
    pytest.importorskip("pocketsphinx")
    spoken = speak(sentence("bbaf4p")).samples
    aligner, starts = Aligner(), []
    for lag in (0.0, 0.1):
        kept = shift_samples(np.pad(spoken, 8000), -lag)
        dataset = SimpleNamespace(videos=lambda clips: clips, clip=np.zeros(75), audio=lambda _, kept=kept: kept)
        (piece,) = _filmed_pieces(dataset, [Path("bbaf4p.mp4")], "s1", aligner)  # type: ignore[arg-type]
        assert np.array_equal(piece.samples, kept)
        starts.append([phone.start for phone in piece.phones if phone.symbol != "sil"])
    assert np.subtract(*starts[::-1]) == pytest.approx(0.1, abs=0.03)


def test_the_command_of_a_voice_model_tells_all_that_shaped_it():
    given = ["--data", "d", "--work", "w", "--out", "o", "--steps", "900", "--hold-out", "facegood 1114", "ljspeech L1"]
    command = command_of(options_parser().parse_args(given))
    assert command.startswith("python -m backend.training.voice.train --minutes 180 --steps 900 ")
    assert command.endswith(" --hold-out 'facegood 1114' 'ljspeech L1'")
    assert "--hold-out" not in command_of(options_parser().parse_args(given[:6]))


def test_grid_names_and_splits(tmp_path):
    assert sentence("bbaf4p") == "bin blue at f four please"
    clips = [tmp_path / f"{number:03}.mp4" for number in range(360)]
    assert len(held_out(clips)) == len(sixty(clips)) == 60
    assert not set(held_out(clips)) & set(trainable(clips))
    assert set(sixty(clips)) <= set(trainable(clips))

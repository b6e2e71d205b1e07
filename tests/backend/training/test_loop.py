"""The loop learns what the sound says, and a run that was cut off ends as if it had not been."""

import contextlib
import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from torch import nn

from backend.errors import Cancelled, StorageProblem
from backend.inference.predict import decode_textures, rest_code
from backend.progress import no_progress
from backend.training import checkpoint, loop
from backend.training.batches import Batches, split_spans
from backend.training.config import AugmentConfig, TrainConfig
from backend.training.held_out import evaluate_held_out
from backend.training.loop import TrainingRun
from models.presets import DEFAULT, build_model

TINY = replace(
    DEFAULT,
    voice_width=32,
    texture_widths=(16, 16, 8, 8, 8),
    previous_widths=(4, 4, 4),
)
CONFIG = TrainConfig(epochs=3, from_scratch=True, chunk=32, chunks=2, texture_frames=8, checkpoint_minutes=0)


def make_run(dataset, path, config=CONFIG, model_config=TINY) -> TrainingRun:
    spans, _ = split_spans(dataset, config.held_out)
    torch.manual_seed(config.seed)
    model = build_model(model_config)
    model.geometry.initialise_from(torch.from_numpy(dataset.vertices - dataset.reference_vertices))
    return TrainingRun(model, Batches(dataset, spans, config, model.encoder.columns), config, path)


@pytest.fixture(scope="module")
def trained(formula_dataset, tmp_path_factory) -> TrainingRun:
    config = replace(CONFIG, epochs=25, learning_rate=3e-3)
    run = make_run(formula_dataset, tmp_path_factory.mktemp("run") / "checkpoint.safetensors", config)
    run.run(no_progress)
    return run


def test_it_learns_to_follow_the_sound_on_frames_it_never_saw(trained, formula_dataset):
    _, held = split_spans(formula_dataset, CONFIG.held_out)
    figures, true, made, _ = evaluate_held_out(trained.result, formula_dataset, held, np.ones((128, 128), np.float32))
    assert figures["aperture_r"] > 0.85
    assert abs(figures["aperture_offset_ms"]) <= 40
    assert figures["interior_skill"] > 0.1
    assert true.shape == made.shape == (int(figures["frames"]), 128, 128, 3)


def test_a_checkpoint_that_does_not_fit_on_the_disk(formula_dataset, tmp_path, monkeypatch):
    def save_file(*_):
        raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", save_file)
    with pytest.raises(StorageProblem, match="No space left"):
        make_run(formula_dataset, tmp_path / "checkpoint.safetensors").save()


def test_silence_settles_from_a_random_state(trained, formula_dataset):
    codes = rest_code(trained.result).expand(200, -1)
    first = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    share = np.ones((128, 128), np.float32)
    crops = list(decode_textures(trained.result, codes, formula_dataset.reference_crop, share, first))
    assert np.array_equal(crops[-1], crops[-2])


def test_a_resumed_run_ends_like_an_unbroken_one(formula_dataset, tmp_path):
    whole = make_run(formula_dataset, tmp_path / "whole.safetensors")
    whole.run(no_progress)

    def stop(stage: str, done: int, total: int) -> None:
        if done == 2:
            raise Cancelled("stop")

    cut = make_run(formula_dataset, tmp_path / "cut.safetensors")
    with pytest.raises(Cancelled, match="--resume"):
        cut.run(stop)
    again = make_run(formula_dataset, tmp_path / "cut.safetensors")
    assert again.resume()
    assert again.epoch == 2
    again.run(no_progress)
    for row, other in zip(whole.history, again.history, strict=True):
        assert row["geometry"] == pytest.approx(other["geometry"], rel=1e-4)
    for name, value in whole.result.state_dict().items():
        assert torch.allclose(value, again.result.state_dict()[name], atol=1e-4), name


def test_a_stopped_run_keeps_every_epoch_that_was_finished(formula_dataset, tmp_path):
    def stop(stage: str, done: int, total: int) -> None:
        if done == 2:
            raise Cancelled("stop")

    config = replace(CONFIG, checkpoint_minutes=60)
    with pytest.raises(Cancelled, match="2 epochs are kept"):
        make_run(formula_dataset, tmp_path / "cut.safetensors", config).run(stop)
    again = make_run(formula_dataset, tmp_path / "cut.safetensors", config)
    assert again.resume()
    assert again.epoch == 2


def test_the_end_of_every_epoch_is_told_without_a_look_too(formula_dataset, tmp_path):
    run, told = make_run(formula_dataset, tmp_path / "checkpoint.safetensors"), []
    run.after_epoch = lambda history: told.append(len(history))
    run.run(no_progress)
    assert told == [1, 2, 3]


def test_nothing_to_resume(formula_dataset, tmp_path):
    assert not make_run(formula_dataset, tmp_path / "none.safetensors").resume()


def test_the_best_moment_is_kept_and_training_ends_where_nothing_gets_better(formula_dataset, tmp_path):
    scores = iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0])
    kept = {}

    def validate(model) -> dict[str, float]:
        score = next(scores)
        kept[score] = {name: value.clone() for name, value in model.state_dict().items()}
        return {"score": score}

    config = replace(CONFIG, epochs=6, validate_every=1, patience=3)
    spans, _ = split_spans(formula_dataset, config.held_out)
    model = build_model(TINY)
    batches = Batches(formula_dataset, spans, config, model.encoder.columns)
    run = TrainingRun(model, batches, config, tmp_path / "checkpoint.safetensors", validate)
    run.run(no_progress)
    assert run.epoch == 5  # the best was the second look; three more brought nothing
    for name, value in run.result.state_dict().items():
        assert torch.equal(value, kept[1.0][name])
    again = TrainingRun(build_model(TINY), batches, config, tmp_path / "checkpoint.safetensors", validate)
    assert again.resume()
    assert again.settled
    assert torch.equal(next(iter(again.result.state_dict().values())), next(iter(kept[1.0].values())))


@pytest.mark.parametrize("seen", [0, 64])
def test_a_texture_learns_where_a_face_is_seen_and_else_stays(formula_dataset, tmp_path, seen):
    dataset = copy.copy(formula_dataset)
    dataset.valid = np.arange(len(dataset.valid)) < seen
    config = replace(CONFIG, epochs=2, from_scratch=False, augment=AugmentConfig(silence_probability=0.0))
    run = make_run(dataset, tmp_path / "checkpoint.safetensors", config)
    before = {name: value.clone() for name, value in run.model.state_dict().items() if name.startswith("texture")}
    run.run(no_progress)
    same = [torch.equal(run.model.state_dict()[name], value) for name, value in before.items()]
    assert ("texture" in run.history[1]) == bool(seen)
    assert all(same) == (not seen)


def test_half_precision_leaves_the_losses_as_they_are(formula_dataset, tmp_path, monkeypatch):
    run = make_run(formula_dataset, tmp_path / "checkpoint.safetensors")
    batch = next(iter(run.batches.epoch(0)))
    monkeypatch.setattr(loop, "mixed_precision", lambda _: contextlib.nullcontext())
    run.model.eval()
    exact = run._losses(batch)
    monkeypatch.setattr(loop, "mixed_precision", lambda device: torch.autocast(device.type, torch.bfloat16))
    half = run._losses(batch)
    assert half["texture"].dtype == torch.float32
    assert half["texture"].item() == pytest.approx(exact["texture"].item(), rel=0.05)


@pytest.mark.parametrize("from_scratch", [True, False])
def test_what_was_solved_is_trained_whole(formula_dataset, tmp_path, from_scratch):
    config = replace(CONFIG, epochs=1, from_scratch=from_scratch)
    run = make_run(formula_dataset, tmp_path / "checkpoint.safetensors", config)
    run.run(no_progress)
    parts = (run.model.encoder.code, run.model.geometry)
    blanking = [layer.training for part in parts for layer in part.modules() if isinstance(layer, nn.Dropout)]
    assert blanking == [from_scratch] * 3
    assert run.model.encoder.levels[1].dropout.training  # its units stand for nothing in particular


@pytest.mark.parametrize(("epochs", "face_share", "expected"), [(1, 0.4, 0), (2, 0.9, 1), (9, 1 / 3, 3), (9, 0.0, 0)])
def test_the_texture_always_has_epochs(formula_dataset, tmp_path, epochs, face_share, expected):
    config = replace(CONFIG, epochs=epochs, from_scratch=False, face_share=face_share)
    assert make_run(formula_dataset, tmp_path / "checkpoint.safetensors", config).face_epochs == expected


def test_a_solved_face_is_touched_up_first_and_then_kept_while_its_texture_learns(formula_dataset, tmp_path):
    scores = iter([2.0, 1.0, 3.0, 9.0, 8.0])  # of the face thrice, then of its texture
    looks = []

    def validate(model) -> dict[str, float]:
        looks.append({name: value.clone() for name, value in model.state_dict().items()})
        return {"score": next(scores)}

    config = replace(CONFIG, epochs=5, from_scratch=False, face_share=0.6, validate_every=1)
    run = make_run(formula_dataset, tmp_path / "checkpoint.safetensors", config)
    run.validate = validate
    run.run(no_progress)
    assert ["texture" in row for row in run.history] == [False, False, False, True, True]
    assert ["geometry" in row for row in run.history] == [True, True, True, False, False]
    result = run.result.state_dict()
    for name, value in result.items():
        if name.startswith(("encoder", "geometry", "blendshapes")):
            assert torch.equal(value, looks[1][name]), name  # the best face, not the last
    changed = [name for name in result if not torch.equal(result[name], looks[1][name])]
    assert any(name.startswith("texture") for name in changed)
    assert any(name.startswith("interior") for name in changed)
    assert torch.equal(result["texture.spread.weight"], looks[4]["texture.spread.weight"])  # its best is its own

    def stop(stage: str, done: int, total: int) -> None:
        if done == 4:
            raise Cancelled("stop")

    scores = iter([2.0, 1.0, 3.0, 9.0, 8.0])
    cut = make_run(formula_dataset, tmp_path / "cut.safetensors", config)
    cut.validate = validate
    with pytest.raises(Cancelled):
        cut.run(stop)
    again = make_run(formula_dataset, tmp_path / "cut.safetensors", config)
    again.validate = validate
    assert again.resume()
    again.run(no_progress)
    for name, value in again.result.state_dict().items():
        assert torch.allclose(value, result[name], atol=1e-4), name

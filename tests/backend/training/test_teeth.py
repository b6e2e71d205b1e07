"""Teeth come out sharp though the lips between which they were seen are tracked beside their place."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from backend.errors import Cancelled
from backend.progress import no_progress
from backend.training import teeth
from backend.training.batches import Batches, Span
from backend.training.config import TrainConfig
from backend.training.dataset import Dataset, open_dataset
from backend.training.first_weights import fit_to_speaker, initialise
from backend.training.teeth import learn_teeth
from models.mouth_interior import RIM
from models.presets import DEFAULT, FAST, build_model
from models.talking_face import TalkingFace

GREY, STRIPE = 150, 8
"""Brightness about the mouth, and pixels from one tooth to the next."""
CONFIG, FRAMES = TrainConfig(teeth_views=60), 128


class BareSkin(torch.nn.Module):
    """A texture decoder that leaves the reference as it is, so that only the mouth interior can draw teeth."""

    basis = None

    def forward(self, code: torch.Tensor) -> torch.Tensor:
        """(B, ...) -> (B, 3, 128, 128) of zeros."""
        return torch.zeros(len(code), 3, 128, 128)


@pytest.fixture(scope="module")
def trembling(formula_dataset, tmp_path_factory) -> Dataset:
    """A speaker whose teeth stand still, and whose lips are tracked up to some pixels to the side of their place."""
    folder = tmp_path_factory.mktemp("trembling") / "dataset"
    shutil.copytree(formula_dataset.folder, folder)
    crops = np.full_like(np.asarray(formula_dataset.crops), GREY)
    inside = np.asarray(formula_dataset.interior)
    crops[:, inside] = (GREY + 60 * np.sin(2 * np.pi * np.nonzero(inside)[1] / STRIPE))[:, None].astype(np.uint8)
    np.save(folder / "crops.npy", crops)
    np.save(folder / "visible.npy", np.ones(len(crops), np.float32))
    vertices = np.repeat(formula_dataset.reference_vertices[None], len(crops), axis=0)
    vertices[:, RIM, 0] += np.random.default_rng(0).normal(0, 0.04, (len(crops), 1))
    np.save(folder / "vertices.npy", vertices.astype(np.float32))
    return open_dataset(folder)


def untrained(dataset: Dataset, config: TrainConfig = CONFIG, hidden: int = 0) -> tuple[TalkingFace, Batches]:
    """A network whose interior follows the rim as a whole, a crop's breadth being two units.

    hidden: of the layers that are told what is said; with them it learns its few frames by heart.
    """
    torch.manual_seed(0)
    model = build_model(fit_to_speaker(replace(DEFAULT, interior_hidden=hidden), dataset))
    batches = Batches(dataset, [Span(0, FRAMES)], config, model.encoder.columns)
    initialise(model, dataset, batches)
    model.texture = BareSkin()  # pyright: ignore[reportAttributeAccessIssue]
    interior = model.interior
    assert interior is not None
    interior.follow.zero_()
    interior.follow[..., 0] = 1
    interior.scale.fill_(1)
    rows, columns = interior.inside.shape
    grid = torch.meshgrid(torch.linspace(-0.6, 0.6, rows), torch.linspace(-0.6, 0.6, columns), indexing="ij")
    interior.places.copy_(torch.stack(grid[::-1], dim=-1))
    return model, batches


def stripes_error(model: TalkingFace, dataset: Dataset) -> float:
    """How far the teeth between lips in their place are from the true ones; 1 is as far as no teeth at all."""
    interior = model.interior
    assert interior is not None
    with torch.inference_mode():
        drawn = interior(torch.zeros(1, 34), torch.zeros(1, 468, 3))[0, 0].numpy()
    inside = np.asarray(dataset.interior)
    true = (np.asarray(dataset.crops[0])[..., 0] / 255 - GREY / 255)[inside]
    return float(np.sqrt(((drawn[inside] - true) ** 2).mean() / (true**2).mean()))


def test_teeth_are_sharp_though_lips_tremble(trembling, monkeypatch):
    model, batches = untrained(trembling)
    learn_teeth(model, batches, no_progress)
    corrected = stripes_error(model, trembling)
    monkeypatch.setattr(teeth, "CORRECTION_RATE", 0.0)
    model, batches = untrained(trembling)
    learn_teeth(model, batches, no_progress)
    blurred = stripes_error(model, trembling)
    assert corrected < 0.4 and blurred > 1.5 * corrected, (corrected, blurred)


def test_teeth_may_be_learnt_sharper_than_they_were_seen(trembling):
    strengths = []
    for amount in (0.0, 0.5):
        model, batches = untrained(trembling, replace(CONFIG, teeth_views=20, teeth_sharpened=amount))
        learn_teeth(model, batches, no_progress)
        assert model.interior is not None
        with torch.inference_mode():
            drawn = model.interior(torch.zeros(1, 34), torch.zeros(1, 468, 3))[0, 0].numpy()
        strengths.append(drawn[np.asarray(trembling.interior)].std())
    assert 0.0 < 1.05 * strengths[0] < strengths[1], strengths


@pytest.mark.parametrize("hidden", [0, DEFAULT.interior_hidden])
def test_the_same_seed_gives_the_same_teeth_and_says_how_far_it_is(trembling, hidden):
    told = []
    ends = []
    for seed in (1, 1, 2):
        config = replace(CONFIG, teeth_views=2, seed=seed)
        model, batches = untrained(trembling, config, hidden)
        learn_teeth(model, batches, lambda *row: told.append(row))
        assert model.interior is not None
        ends.append(model.interior.upper.clone())
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])
    assert told[0] == ("teeth", 0, told[0][2]) and told[-1] == ("teeth", told[0][2], told[0][2])


@pytest.mark.parametrize("why", ["not asked for", "no teeth", "a mouth that never opens"])
def test_what_has_nothing_to_learn_stays_as_it_is(trembling, tmp_path, why):
    data = trembling
    if why == "a mouth that never opens":
        shutil.copytree(trembling.folder, tmp_path / "shut")
        np.save(tmp_path / "shut" / "visible.npy", np.zeros(len(trembling), np.float32))
        data = open_dataset(tmp_path / "shut")
    model, batches = untrained(data, replace(CONFIG, teeth_views=0) if why == "not asked for" else CONFIG)
    if why == "no teeth":
        model = build_model(FAST)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    learn_teeth(model, batches, no_progress)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("stop", [Cancelled, KeyboardInterrupt])
def test_who_stops_it_is_told_how_to_go_on(trembling, stop):
    def progress(stage: str, done: int, total: int) -> None:
        if done:
            raise stop

    model, batches = untrained(trembling)
    with pytest.raises(Cancelled, match="--resume goes on"):
        learn_teeth(model, batches, progress)

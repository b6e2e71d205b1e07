"""Teeth stand still where the skull holds them, whatever the lips do."""

from dataclasses import replace

import pytest
import torch

from models.mouth_interior import RIM, MouthInterior
from models.presets import DEFAULT, build_model
from shape_keys.topology import JAW

ROWS, COLUMNS = 20, 40


@pytest.fixture
def interior() -> MouthInterior:
    """A mouth whose pixels all follow the first vertex of the rim, with the textures alone in the picture."""
    torch.manual_seed(0)
    made = MouthInterior(4, 50, 44, ROWS, COLUMNS)
    rim = torch.zeros(len(RIM), 3)
    weights = torch.zeros(ROWS, COLUMNS, len(RIM))
    weights[..., 0] = 1
    made.place(weights, torch.ones(ROWS, COLUMNS, dtype=torch.bool), rim, face(rim=-1.0))
    spread = torch.meshgrid(torch.linspace(-0.5, 0.5, ROWS), torch.linspace(-0.5, 0.5, COLUMNS), indexing="ij")
    made.scale.fill_(1.0)
    made.places.copy_(torch.stack(spread[::-1], dim=-1))
    torch.nn.init.normal_(made.colour.weight)
    for texture in made.textures:
        torch.nn.init.normal_(texture)
    return made.eval()


def face(rim: float = 0.0, jaw: float = 0.0) -> torch.Tensor:
    """Offsets (2, 468, 3): at rest, and with the rim and the jaw moved along y."""
    offsets = torch.zeros(2, 468, 3)
    offsets[1, RIM, 1] = rim
    offsets[1, list(JAW), 1] = jaw
    return offsets


def lower_alone(interior: MouthInterior) -> MouthInterior:
    with torch.no_grad():
        interior.upper.zero_()
    return interior


def pictures(interior: MouthInterior, offsets: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return interior(torch.zeros(len(offsets), 4), offsets)


def test_it_begins_by_changing_nothing_and_draws_inside_its_rectangle_alone(interior):
    fresh = MouthInterior(4, 50, 44, ROWS, COLUMNS)
    assert not pictures(fresh, face()).any()
    made = pictures(interior, face())
    assert made.shape == (2, 3, 128, 128)
    inside = made[:, :, 50 : 50 + ROWS, 44 : 44 + COLUMNS]
    assert inside.any() and inside.abs().sum() == made.abs().sum()


def test_lips_that_move_show_another_part_of_the_teeth(interior):
    rest, moved = pictures(interior, face(rim=0.1))
    assert not torch.allclose(rest, moved, atol=1e-3)


def test_lower_teeth_go_with_the_jaw(interior):
    rest, along, still = (
        pictures(lower_alone(interior), face(rim=r, jaw=j))[1] for r, j in ((0.0, 0.0), (0.1, 0.1), (0.1, 0.0))
    )
    assert torch.allclose(rest, along, atol=1e-4)
    assert not torch.allclose(rest, still, atol=1e-3)


def test_the_textures_reach_as_far_as_the_lips_did():
    interior = MouthInterior(4, 50, 44, 2, 2)
    weights = torch.zeros(2, 2, len(RIM))
    weights[..., 0] = 1
    offsets = torch.zeros(3, 468, 3)
    offsets[1, RIM[0]], offsets[2, RIM[0]] = torch.tensor([0.2, -0.4, 9.0]), torch.tensor([-0.2, 0.0, 9.0])
    interior.place(weights, torch.ones(2, 2, dtype=torch.bool), torch.zeros(len(RIM), 3), offsets)
    assert torch.allclose(interior.scale, torch.tensor([0.2, 0.2]))
    assert torch.allclose(interior.places, torch.tensor([0.0, 1.0]).expand(2, 2, 2))


def test_the_network_shows_teeth_between_its_own_lips_unless_told_others():
    torch.manual_seed(0)
    model = build_model(DEFAULT).eval()
    torch.nn.init.normal_(model.interior.colour.weight)
    model.interior.inside.fill_(1.0)
    model.interior.follow.fill_(1 / len(RIM))
    code, blank = torch.randn(1, model.numbers), torch.zeros(1, 3, 128, 128)
    with torch.inference_mode():
        own = model.decode_texture(code, blank)
        assert torch.equal(own, model.decode_texture(code, blank, model.geometry(code)))
        assert not torch.allclose(own, model.decode_texture(code, blank, model.geometry(code) + 0.1), atol=1e-4)


def test_what_is_said_changes_what_shows_between_the_lips_and_nothing_else():
    torch.manual_seed(0)
    model = build_model(DEFAULT).eval()
    torch.nn.init.normal_(model.interior.colour.weight)
    model.interior.inside.fill_(1.0)
    blank = torch.zeros(2, 3, 128, 128)
    code = torch.randn(1, model.numbers).repeat(2, 1)
    code[1, DEFAULT.code_length :] += 1
    top, left, rows, columns = DEFAULT.interior
    with torch.inference_mode():
        silent, said = model.decode_texture(code, blank)
        assert torch.allclose(*model.geometry(code), atol=1e-6)
    changed = (silent - said).abs().amax(0) > 1e-3
    assert changed[top : top + rows, left : left + columns].any()
    changed[top : top + rows, left : left + columns] = False
    assert not changed.any()


@pytest.mark.parametrize("rectangle", [(0, 0, 129, 4), (-1, 0, 4, 4), (0, 100, 4, 29), (0, 0, 0, 4)])
def test_a_rectangle_outside_the_crop_is_an_error(rectangle):
    with pytest.raises(ValueError, match="interior must be"):
        replace(DEFAULT, interior=rectangle)

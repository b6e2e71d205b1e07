"""Lighting normalisation on atlases lit by hand, where gain, colour and highlight are known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from backend.normalisation.lighting import estimate_lighting, relight, symmetrise
from backend.normalisation.specularity import remove_specularity, specular_alpha

SIZE = 256


@pytest.fixture(scope="module")
def skin_mask() -> np.ndarray:
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    mask = ((x - 127.5) / 110) ** 2 + ((y - 127.5) / 120) ** 2 < 1
    mask[170:210, 90:166] = False  # a mouth, wider than the patch
    return mask


@pytest.fixture(scope="module")
def albedo() -> np.ndarray:
    rng = np.random.default_rng(0)
    spots = gaussian_filter(rng.normal(size=(SIZE, SIZE)), 3)[..., None]
    return (np.array([0.62, 0.45, 0.36]) * (1 + 0.6 * spots)).astype(np.float32)


def side_light(strength: float) -> np.ndarray:
    x = np.linspace(-1, 1, SIZE, dtype=np.float32)
    return np.broadcast_to(1 + strength * x, (SIZE, SIZE))


def test_a_side_light_is_undone_over_skin_and_across_the_mouth(albedo, skin_mask):
    gain = side_light(0.4)
    lit = albedo * gain[..., None]
    lit[170:210, 90:166] = 0.05  # the open mouth is dark in the frame, not in the reference
    lighting = estimate_lighting(albedo, lit, skin_mask, specularities=False)
    error = np.abs(lighting.normalise(lit) - albedo)
    assert error[skin_mask].mean() < 0.01
    mouth = np.s_[175:205, 95:161]
    assert np.abs(lighting.gain[mouth] * gain[mouth] - 1).max() < 0.1


def test_a_colour_cast_is_undone(albedo, skin_mask):
    lit = albedo * np.array([1.15, 1.0, 0.8], np.float32) + np.float32(0.02)
    lighting = estimate_lighting(albedo, lit, skin_mask, specularities=False)
    assert np.abs(lighting.normalise(lit) - albedo)[skin_mask].mean() < 0.012


def test_what_does_not_agree_loses_its_weight(albedo, skin_mask):
    lit = albedo.copy()
    lit[60:90, 60:90] *= 0.3  # a hand
    lighting = estimate_lighting(albedo, lit, skin_mask, specularities=False)
    assert lighting.weights[66:84, 66:84].mean() < 0.8 * lighting.weights[skin_mask].mean() or (
        lighting.gain[66:84, 66:84].mean() > 2
    )


def test_a_region_that_never_agrees_takes_its_gain_from_its_neighbours(albedo, skin_mask):
    """A strand of hair wider than the patch, so that none of the patch agrees: damping leaves it 1/64 of its weight."""
    lit = albedo * np.float32(0.8)
    rng = np.random.default_rng(3)
    hair = np.s_[80:104, 100:124]
    lit[hair] = rng.uniform(0.0, 1.0, size=(6, 6, 1)).repeat(4, axis=0).repeat(4, axis=1)
    lighting = estimate_lighting(albedo, lit, skin_mask, specularities=False)
    assert lighting.weights[88:96, 108:116].max() < 0.1
    normalised = lighting.gain * lighting.colour_gain.mean()
    np.testing.assert_allclose(normalised[88:96, 108:116], 1 / 0.8, rtol=0.2)


def test_restore_is_the_inverse_of_normalise(albedo, skin_mask):
    lit = np.clip(albedo * side_light(-0.3)[..., None] * [1.1, 1, 0.9], 0, 1).astype(np.float32)
    lit[40:60, 100:150] += (1 - lit[40:60, 100:150]) * 0.3
    lighting = estimate_lighting(albedo, lit, skin_mask)
    np.testing.assert_allclose(lighting.restore(lighting.normalise(lit)), lit, atol=1e-4)


def test_relight_brings_the_targets_light(albedo, skin_mask):
    target = (albedo * side_light(0.35)[..., None]).astype(np.float32)
    assert np.abs(relight(albedo, target, skin_mask) - target)[skin_mask].mean() < 0.01


def test_symmetrise_raises_the_dark_side_and_keeps_the_bright_one(skin_mask):
    even = np.full((SIZE, SIZE, 3), (0.6, 0.45, 0.35), np.float32)
    dark_left = even * np.where(np.arange(SIZE) < 128, 0.7, 1.0)[None, :, None].astype(np.float32)
    result = symmetrise(dark_left, skin_mask)
    left, right = result[100:150, 60:100].mean(), result[100:150, 156:196].mean()
    assert right == pytest.approx(even[0, 0].mean(), abs=0.02)
    assert left == pytest.approx(right, abs=0.03)


def test_a_white_highlight_is_found_and_removed(albedo, skin_mask):
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    veil = (0.4 * np.exp(-((x - 128) ** 2 + (y - 60) ** 2) / (2 * 10**2))).astype(np.float32)
    shiny = veil[..., None] + (1 - veil[..., None]) * albedo
    clean = remove_specularity(shiny, specular_alpha(shiny, skin_mask))
    spot = veil > 0.2
    assert np.abs(clean - albedo)[spot].mean() < 0.35 * np.abs(shiny - albedo)[spot].mean()


def test_a_brighter_patch_of_skin_is_no_highlight(skin_mask):
    base = np.full((SIZE, SIZE, 3), (0.5, 0.36, 0.28), np.float32)
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    bright = base * (1 + 0.25 * np.exp(-((x - 128) ** 2 + (y - 60) ** 2) / (2 * 20**2)))[..., None].astype(np.float32)
    assert specular_alpha(bright, skin_mask).max() < 0.02


@pytest.mark.parametrize("mirror", [1, -1])
def test_a_gain_lies_where_its_light_does(albedo, skin_mask, mirror):
    """Two filters of even sizes that lean the same way put it two pixels aside, 0.006 of the gain here."""
    gain = side_light(mirror * 0.4)
    lighting = estimate_lighting(albedo, albedo * gain[..., None], skin_mask, specularities=False)
    assert abs((lighting.gain * gain - 1)[skin_mask].mean()) < 0.001

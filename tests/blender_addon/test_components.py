"""Principal components: how many are kept, and how exactly they rebuild the offsets."""

import numpy as np
import pytest
import scipy.linalg

from blender_addon.components import LIMIT, find_components


def make_offsets(frames: int, rank: int, seed: int = 0) -> np.ndarray:
    """(frames, 468, 3): a random sum of `rank` patterns of falling strength, up to about 0.1 in size."""
    random = np.random.default_rng(seed)
    strengths = 0.02 * 0.85 ** np.arange(rank)
    flat = (random.standard_normal((frames, rank)) * strengths) @ random.standard_normal((rank, 468 * 3))
    return flat.reshape(frames, 468, 3).astype(np.float32)


def rebuild(components) -> np.ndarray:
    return np.einsum("tk,kvc->tvc", components.weights.astype(np.float64), components.shapes.astype(np.float64))


@pytest.mark.parametrize(("frames", "rank"), [(1, 1), (5, 3), (200, 32), (300, 60)])
def test_every_vertex_stays_within_the_tolerance(frames: int, rank: int) -> None:
    offsets = make_offsets(frames, rank)
    components = find_components(offsets)
    distance = np.linalg.norm(rebuild(components) - offsets, axis=2).max()
    assert distance <= 1.01e-4
    assert distance == pytest.approx(components.error, abs=2e-6)
    assert len(components.shapes) <= 1 + rank


def test_keeps_no_more_than_the_singular_values_ask_for() -> None:
    offsets = make_offsets(200, 40)
    flat = offsets.reshape(200, -1).astype(np.float64)
    left, values, right = scipy.linalg.svd(flat, full_matrices=False)

    def error(count: int) -> float:
        residual = flat - (left[:, :count] * values[:count]) @ right[:count]
        return float(np.linalg.norm(residual.reshape(200, 468, 3), axis=2).max())

    fewest = next(count for count in range(1, 201) if error(count) <= 1e-4)
    assert len(find_components(offsets).shapes) == 1 + fewest


def test_weights_go_from_zero_to_one() -> None:
    components = find_components(make_offsets(100, 12))
    np.testing.assert_array_equal(components.weights[:, 0], 1)
    np.testing.assert_array_equal(components.weights[:, 1:].min(axis=0), 0)
    np.testing.assert_array_equal(components.weights[:, 1:].max(axis=0), 1)
    assert components.weights.dtype == components.shapes.dtype == np.float32


def test_a_still_face_gets_one_component() -> None:
    pose = make_offsets(1, 1)
    components = find_components(np.repeat(pose, 10, axis=0))
    assert len(components.shapes) == 1
    np.testing.assert_allclose(rebuild(components), np.repeat(pose, 10, axis=0), atol=1e-6)
    assert not find_components(np.zeros((10, 468, 3), np.float32)).shapes.any()


def test_says_what_the_limit_costs() -> None:
    noise = 0.01 * np.random.default_rng(1).standard_normal((200, 468, 3))
    components = find_components(noise)
    assert len(components.shapes) == 1 + LIMIT
    assert components.error > 1e-4
    assert components.error == pytest.approx(np.linalg.norm(rebuild(components) - noise, axis=2).max(), rel=1e-3)


def test_equal_input_gives_equal_keys() -> None:
    first, second = (find_components(make_offsets(50, 8)) for _ in range(2))
    np.testing.assert_array_equal(first.shapes, second.shapes)

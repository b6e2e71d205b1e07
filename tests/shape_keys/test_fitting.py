"""The fit of blendshape weights against SciPy's solvers and against weights that are known."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear, minimize, nnls

from shape_keys import arkit
from shape_keys.basis import load_basis
from shape_keys.fitting import UNSEEN, fit_weights


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def sparse_weights(rng: np.random.Generator, frames: int) -> np.ndarray:
    weights = np.where(rng.random((frames, 52)) < 0.25, rng.random((frames, 52)), 0)
    weights[:, list(UNSEEN)] = 0
    return weights


def test_random_problems_against_lsq_linear(rng):
    basis = rng.normal(size=(9, 20, 3))
    offsets = rng.normal(size=(12, 20, 3)) + 0.8 * basis[0]
    fitted = fit_weights(offsets, basis, l1=0, ridge=0, frozen=())
    matrix = basis.reshape(9, -1).T
    expected = [lsq_linear(matrix, frame.ravel(), bounds=(0, 1), tol=1e-12).x for frame in offsets]
    assert fitted.dtype == np.float32
    assert fitted.shape == (12, 9)
    assert np.allclose(fitted, expected, atol=1e-4)


def test_against_nnls_where_the_upper_bound_is_idle(rng):
    basis = rng.normal(size=(9, 20, 3))
    offsets = 0.05 * rng.normal(size=(12, 20, 3))
    expected = [nnls(basis.reshape(9, -1).T, frame.ravel())[0] for frame in offsets]
    assert np.max(expected) < 1
    assert np.allclose(fit_weights(offsets, basis, l1=0, ridge=0, frozen=()), expected, atol=1e-4)


def test_l1_ridge_and_vertex_weights_against_a_general_solver(rng):
    basis, offsets, weight = rng.normal(size=(4, 6, 3)), rng.normal(size=(5, 6, 3)), rng.random(6)

    def objective(flat: np.ndarray) -> float:
        w = flat.reshape(5, 4)
        error = offsets - np.tensordot(w, basis, 1)
        return (error**2 * weight[:, None]).sum() / 2 + 0.7 * w.sum() + 3 * (np.diff(w, axis=0) ** 2).sum() / 2

    found = minimize(objective, np.full(20, 0.5), bounds=[(0, 1)] * 20, options={"ftol": 1e-14, "gtol": 1e-9})
    fitted = fit_weights(offsets, basis, l1=0.7, ridge=3, vertex_weights=weight, frozen=())
    assert np.allclose(fitted, found.x.reshape(5, 4), atol=1e-3)


def test_known_weights_are_recovered(rng):
    weights = sparse_weights(rng, 200)
    fitted = fit_weights(np.tensordot(weights, load_basis(), 1), load_basis(), l1=0, ridge=0)
    assert np.abs(fitted - weights).max() < 2e-3


def test_known_weights_are_recovered_with_default_prices_and_tracking_noise(rng):
    time_s = np.arange(250) / 25
    weights = np.zeros((250, 52))
    weights[:, arkit.INDEX["jawOpen"]] = 0.35 + 0.3 * np.sin(9 * time_s)
    weights[:, arkit.INDEX["mouthPucker"]] = np.clip(np.sin(5 * time_s), 0, 1)
    weights[:, arkit.INDEX["browInnerUp"]] = 0.5
    offsets = np.tensordot(weights, load_basis(), 1) + rng.normal(0, 0.003, (250, 468, 3))
    fitted = fit_weights(offsets, load_basis())
    assert np.abs(fitted - weights).max() < 0.12
    assert np.corrcoef(fitted[:, arkit.INDEX["jawOpen"]], weights[:, arkit.INDEX["jawOpen"]])[0, 1] > 0.999


def test_bounds_and_unseen_shapes(rng):
    fitted = fit_weights(rng.normal(0, 0.3, (20, 468, 3)), load_basis())
    assert fitted.min() >= 0
    assert fitted.max() <= 1
    assert not fitted[:, list(UNSEEN)].any()
    assert [arkit.NAMES[i] for i in UNSEEN if not arkit.NAMES[i].startswith("eyeLook")] == ["tongueOut"]
    assert len(UNSEEN) == 9


def test_a_still_face_and_no_frames():
    assert not fit_weights(np.zeros((7, 468, 3)), load_basis()).any()
    assert fit_weights(np.zeros((0, 468, 3)), load_basis()).shape == (0, 52)


def test_l1_keeps_fewer_shapes_and_ridge_smooths(rng):
    offsets = np.tensordot(sparse_weights(rng, 40), load_basis(), 1) + rng.normal(0, 0.01, (40, 468, 3))
    plain = fit_weights(offsets, load_basis(), l1=0, ridge=0)
    assert (fit_weights(offsets, load_basis(), l1=0.02, ridge=0) > 0.01).sum() < (plain > 0.01).sum()
    smooth = fit_weights(offsets, load_basis(), l1=0, ridge=0.5)
    assert np.abs(np.diff(smooth, axis=0)).sum() < 0.5 * np.abs(np.diff(plain, axis=0)).sum()


@pytest.mark.parametrize(
    ("offsets", "options", "message"),
    [
        (np.zeros((3, 467, 3)), {}, "do not fit"),
        (np.zeros((468, 3)), {}, "do not fit"),
        (np.full((1, 468, 3), np.nan), {}, "not finite"),
        (np.zeros((1, 468, 3)), {"l1": -1.0}, "negative"),
        (np.zeros((1, 468, 3)), {"vertex_weights": np.ones(3)}, "vertex_weights"),
        (np.zeros((1, 468, 3)), {"vertex_weights": np.full(468, -1.0)}, "vertex_weights"),
    ],
)
def test_bad_input(offsets, options, message):
    with pytest.raises(ValueError, match=message):
        fit_weights(offsets, load_basis(), **options)


def test_each_shape_may_have_its_own_price():
    basis = np.zeros((2, 4, 3), np.float32)
    basis[0, 0, 0] = basis[1, 1, 0] = 1.0
    offsets = np.zeros((3, 4, 3), np.float32)
    offsets[:, :2, 0] = 0.5
    fitted = fit_weights(offsets, basis, l1=np.array([0.1, 0.3]), frozen=())
    np.testing.assert_allclose(fitted, [[0.4, 0.2]] * 3, atol=1e-3)  # 0.5 less the price, by hand
    with pytest.raises(ValueError, match="l1 has shape"):
        fit_weights(offsets, basis, l1=np.zeros(3), frozen=())

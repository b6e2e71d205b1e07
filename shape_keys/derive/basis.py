"""Derive `data/basis.npz` by registering the ICT-FaceKit head to the 468-vertex face.

    python -m shape_keys.derive.basis ICT_FOLDER

The head is drawn under a few expressions, MediaPipe FaceMesh 0.10.21 finds its 468 landmarks in each picture, and the
triangle seen under a landmark says where on the head the landmark lies. Pictures with an open mouth tell the upper
inner lip from the lower one. A landmark's movement is the mean of its places' movements.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator

from shape_keys import arkit
from shape_keys.derive.ict_head import IctHead, draw, read_head
from shape_keys.derive.landmarks import picture_landmarks
from shape_keys.derive.mesh import apply_similarity, similarity
from shape_keys.topology import (
    CANONICAL_FACE,
    FLIP,
    INNER_LIP_LOWER,
    INNER_LIP_UPPER,
    LIPS,
    MIRROR,
    RIGID,
    RIGID_WEIGHTS,
)

OUTPUT = Path(__file__).parents[1] / "data" / "basis.npz"
REACH = 12  # px; how far from a landmark over an eye, a tooth or the background skin is looked for
OUTLIER = 0.5  # cm; places farther from where the canonical face leads to expect a landmark are dropped
JAW_SHARE = 0.5  # of the largest movement of jawOpen; the lower lip moves more, the upper less

EXPRESSIONS: tuple[dict[str, float], ...] = (
    {},
    {"browInnerUp_L": 0.5, "browInnerUp_R": 0.5},
    {"eyeWide_L": 0.8, "eyeWide_R": 0.8},
    {"mouthSmile_L": 0.5, "mouthSmile_R": 0.5},
    {"jawOpen": 0.2},
    {"jawOpen": 0.35},
    {"jawOpen": 0.5},
    {"jawOpen": 0.7},
    {"jawOpen": 0.4, "mouthSmile_L": 0.4, "mouthSmile_R": 0.4},
    {"jawOpen": 0.3, "eyeWide_L": 0.8, "eyeWide_R": 0.8},
)
PARTS: dict[str, tuple[str, ...]] = {
    "browInnerUp": ("browInnerUp_L", "browInnerUp_R"),
    "cheekPuff": ("cheekPuff_L", "cheekPuff_R"),
    "tongueOut": (),
}
"""ARKit shapes that are no single ICT expression; ICT-FaceKit has no tongueOut."""
SIDEWAYS = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
"""ARKit shapes in whose names Left and Right are directions: ICT-FaceKit writes them the same way."""


def locate(head: IctHead, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where on the head each landmark of one picture lies.

    Returns:
        (468, 3) int vertices of the skin triangle under the landmark, (468, 3) float64 barycentric weights.
    """
    picture, seen, screen = draw(head, vertices)
    landmarks = picture_landmarks(picture)
    if landmarks is None:
        raise SystemExit("no face was found in a picture of the head")
    skin = np.where(seen >= 0, head.skin[seen], False)
    rows, columns = np.nonzero(skin)
    places = [_skin_pixel(skin, rows, columns, point) for point in landmarks[:, :2]]
    triangles = head.triangles[[seen[row, column] for row, column in places]]
    points = np.array([_inside(point, place) for point, place in zip(landmarks[:, :2], places, strict=True)])
    return triangles, _barycentric(points, screen[triangles])


def _skin_pixel(skin: np.ndarray, rows: np.ndarray, columns: np.ndarray, point: np.ndarray) -> tuple[int, int]:
    column, row = int(point[0]), int(point[1])
    if skin[row, column]:
        return row, column
    distance = np.hypot(rows + 0.5 - point[1], columns + 0.5 - point[0])
    nearest = int(distance.argmin())
    if distance[nearest] > REACH:
        raise SystemExit(f"a landmark lies {distance[nearest]:.0f} px off the skin")
    return int(rows[nearest]), int(columns[nearest])


def _inside(point: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    """The landmark itself, or the middle of the nearest skin pixel where it lies off the skin."""
    middle = np.array([place[1] + 0.5, place[0] + 0.5])
    return point if np.abs(point - middle).max() <= 0.5 else middle


def _barycentric(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Weights (N, 3), clipped into the triangle, of points (N, 2) in triangles (N, 3, 2)."""
    matrix = np.concatenate([triangles.transpose(0, 2, 1), np.ones((len(points), 1, 3))], axis=1)
    weights = np.linalg.solve(matrix, np.concatenate([points, np.ones((len(points), 1))], axis=1)[..., None])[..., 0]
    weights = np.clip(weights, 0, None)
    return weights / weights.sum(1, keepdims=True)


def register(head: IctHead) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Register the head under all expressions.

    Returns:
        (S, 468, 3) int triangles' vertices, (S, 468, 3) barycentric weights, (S, 468) weight of each place; a
        landmark's weights sum to 1.
    """
    found = [locate(head, head.posed(expression)) for expression in EXPRESSIONS]
    triangles, weights = (np.array(parts) for parts in zip(*found, strict=True))
    opened = np.array([expression.get("jawOpen", 0) for expression in EXPRESSIONS])
    good = np.ones(triangles.shape[:2], bool)
    good[np.ix_(opened < 0.3, LIPS)] = False
    jaw = _sample(head.deltas["jawOpen"], triangles, weights)
    share = (
        np.linalg.norm(jaw, axis=-1) / np.linalg.norm(head.deltas["jawOpen"][head.triangles[head.skin]], axis=-1).max()
    )
    good[:, INNER_LIP_UPPER[1:-1]] &= share[:, INNER_LIP_UPPER[1:-1]] < JAW_SHARE
    good[:, INNER_LIP_LOWER[1:-1]] &= share[:, INNER_LIP_LOWER[1:-1]] > JAW_SHARE / 2
    positions = _sample(head.neutral, triangles, weights)
    expected = _expected(np.nanmedian(np.where(good[..., None], positions, np.nan), axis=0))
    good &= np.linalg.norm(positions - expected, axis=-1) < OUTLIER
    for lost in np.flatnonzero(~good.any(axis=0)):  # on an ear or the outline: the nearest vertex of the skin instead
        corners = np.unique(head.triangles[head.skin])
        nearest = np.linalg.norm(head.neutral[corners] - expected[lost], axis=1).argmin()
        triangles[0, lost], weights[0, lost], good[0, lost] = corners[nearest], 1 / 3, True
    return triangles, weights, good / good.sum(axis=0)


def _expected(places: np.ndarray) -> np.ndarray:
    """Where landmarks belong: a spline from the canonical face through places that agree with their mirror image."""
    mirrored = places[MIRROR] * FLIP
    agree = np.linalg.norm(places - mirrored, axis=1) < OUTLIER
    spline = RBFInterpolator(CANONICAL_FACE[agree], (places + mirrored)[agree] / 2, smoothing=1e-3)
    return spline(CANONICAL_FACE)


def _sample(values: np.ndarray, triangles: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.einsum("slkc,slk->slc", values[triangles], weights)


def parts_of(name: str) -> tuple[str, ...]:
    """The ICT expressions whose sum is an ARKit shape."""
    if name in SIDEWAYS:
        return (name,)
    return PARTS.get(name, (name.replace("Left", "_L").replace("Right", "_R"),))


def derive(head: IctHead) -> tuple[np.ndarray, dict[str, float]]:
    """The basis (52, 468, 3) float32 in head space and figures about the registration."""
    triangles, weights, shares = register(head)

    def at_landmarks(values: np.ndarray) -> np.ndarray:
        return np.einsum("slc,sl->lc", _sample(values, triangles, weights), shares)

    neutral = at_landmarks(head.neutral)
    neutral = (neutral + neutral[MIRROR] * FLIP) / 2
    scale, rotation, translation = similarity(neutral[RIGID], CANONICAL_FACE[RIGID], RIGID_WEIGHTS)
    zero = np.zeros((468, 3))
    raw = {name: sum((at_landmarks(head.deltas[part]) for part in parts_of(name)), zero) for name in arkit.NAMES}
    moved = {name: scale * delta @ rotation.T for name, delta in raw.items()}
    basis = [(moved[name] + moved[arkit.mirrored(name)][MIRROR] * FLIP) / 2 for name in arkit.NAMES]
    spread = np.linalg.norm(_sample(head.neutral, triangles, weights) - neutral, axis=-1)[shares > 0]
    residual = np.linalg.norm(apply_similarity((scale, rotation, translation), neutral) - CANONICAL_FACE, axis=1)
    figures = {
        "median distance of a landmark's places to their mean, mm": 10 * float(np.median(spread)),
        "95th percentile of it, mm": 10 * float(np.percentile(spread, 95)),
        "median distance of the registered head to the canonical face, interocular": float(np.median(residual)),
    }
    return np.array(basis, np.float32), figures


def main() -> None:
    """Write `data/basis.npz` and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ict_folder", type=Path)
    basis, figures = derive(read_head(parser.parse_args().ict_folder))
    np.savez_compressed(OUTPUT, names=np.array(arkit.NAMES), deltas=basis.astype(np.float16))
    for name, value in figures.items():
        print(f"{name}: {value:.3f}")


if __name__ == "__main__":
    main()

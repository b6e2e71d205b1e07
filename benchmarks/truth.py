"""Normalised geometry against the synthetic speaker's exact truth (docs/decisions/004)."""

import argparse
import json
from pathlib import Path

import numpy as np

from backend.evaluation.metrics import correlation
from backend.normalisation.pose import apply, fit_similarity, rotation_of
from backend.normalisation.reference import INTEROCULAR_MM, lip_ratio
from backend.training.targets import fit_targets
from benchmarks.machine import describe_machine
from benchmarks.relit_speaker import ACTOR
from benchmarks.speaker_truth import COMPARED, TrackedSpeaker, Truth, sample_frames, track_speaker
from shape_keys.arkit import NAMES
from shape_keys.topology import RIGID

SURFACE_FRAMES = 16
"""Frames, evenly spread, in which the distance to the true surface is measured."""
CALIBRATION_FRAMES = 30
"""Frames, evenly spread and none of the above, in which the true point under each landmark is found."""
ROUNDS = 15
"""Of finding nearest points and aligning again."""


def rotation_errors(speaker: TrackedSpeaker, truth: Truth) -> np.ndarray:
    """Degrees (T,) between tracked and true head rotation, less the constant turn between the two head frames."""
    from scipy.spatial.transform import Rotation

    measured = np.swapaxes(rotation_of(speaker.poses), -1, -2)
    difference = Rotation.from_matrix(np.swapaxes(truth.head_rotations(speaker.frames), -1, -2) @ measured)
    return np.degrees((difference * difference.mean().inv()).magnitude())


def jaw_weights(speaker: TrackedSpeaker, stretch: np.ndarray) -> np.ndarray:
    """The fitted weight of jawOpen (T,), 0..1; stretch (T,): which frames follow one another."""
    valid = np.ones(len(stretch), bool)
    weights = fit_targets(speaker.vertices, speaker.space.vertices, stretch, valid)
    return weights[:, NAMES.index("jawOpen")]


def surface_errors(speaker: TrackedSpeaker, truth: Truth) -> np.ndarray:
    """Millimetres (frames, vertices) from COMPARED vertices to the true skin.

    One similarity between the two head spaces, the same for all frames, brings both together: it starts from the true
    vertices that are seen where the landmarks are and is fitted to the nearest points of the surface from there.
    """
    from scipy.spatial import cKDTree

    places = _spread(len(speaker.frames), SURFACE_FRAMES)
    tracked = np.asarray(speaker.vertices[places][:, COMPARED], np.float64)
    clouds = [truth.surface(int(frame)) for frame in speaker.frames[places]]
    trees = [cKDTree(cloud) for cloud in clouds]
    similarity = _first_similarity(speaker, truth, int(places[0]))
    for _ in range(ROUNDS):
        moved = apply(similarity, tracked)
        nearest = np.stack(
            [cloud[tree.query(points)[1]] for cloud, tree, points in zip(clouds, trees, moved, strict=True)]
        )
        every = tracked.reshape(1, -1, 3), nearest.reshape(1, -1, 3)
        similarity = fit_similarity(*every, np.ones(every[0].shape[1]))[0]
    moved = apply(similarity, tracked)
    return np.stack([tree.query(points)[0] for tree, points in zip(trees, moved, strict=True)])


def point_errors(speaker: TrackedSpeaker, truth: Truth) -> np.ndarray:
    """Differences (frames, vertices, 3), millimetres in the rig's axes (x, depth, up), from COMPARED vertices to the
    true points that move with them: those whose projections follow the landmarks best over other frames."""
    calibration = _spread(len(speaker.frames), CALIBRATION_FRAMES)
    corners, shares = follow_landmarks(speaker, truth, calibration)
    places = np.setdiff1d(_spread(len(speaker.frames), 2 * SURFACE_FRAMES), calibration)
    true = np.stack([(truth.vertices(int(f))[corners] * shares[..., None]).sum(1) for f in speaker.frames[places]])
    tracked = np.asarray(speaker.vertices[places][:, COMPARED], np.float64)
    similarity = fit_similarity(tracked.mean(0)[None], true.mean(0), np.ones(len(COMPARED)))[0]
    return apply(similarity, tracked) - true


def follow_landmarks(speaker: TrackedSpeaker, truth: Truth, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (V, 3) and shares (V, 3) of the true surface point that each of COMPARED follows best in the picture."""
    seen = np.stack([truth.pixels(int(frame)) for frame in speaker.frames[places]])
    skin = np.unique(truth.triangles)
    corners, shares = [], []
    for vertex in COMPARED:
        landmark = speaker.landmarks[places, vertex, :2]
        distance = np.square(seen[:, skin] - landmark[:, None]).sum(2).mean(0)
        near = skin[np.argsort(distance)[:8]]
        candidates = truth.triangles[np.isin(truth.triangles, near).any(axis=1)]
        fits = [_follow(seen[:, triangle], landmark) for triangle in candidates]
        best = int(np.argmin([error for error, _ in fits]))
        corners.append(candidates[best])
        shares.append(fits[best][1])
    return np.array(corners), np.array(shares)


def _follow(corners: np.ndarray, landmark: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean squared pixels and shares (3,) of the point of a triangle (T, 3, 2) that follows a landmark (T, 2) best."""
    sides = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=2).reshape(-1, 2)
    wanted = (landmark - corners[:, 0]).reshape(-1)
    share = np.clip(np.linalg.lstsq(sides, wanted, rcond=None)[0], 0, 1)
    share /= max(1.0, share.sum())
    return float(np.square(sides @ share - wanted).mean()), np.array([1 - share.sum(), *share])


def _first_similarity(speaker: TrackedSpeaker, truth: Truth, place: int) -> np.ndarray:
    from scipy.spatial import cKDTree

    frame, skin = int(speaker.frames[place]), np.unique(truth.triangles)
    nearest = cKDTree(truth.pixels(frame)[skin]).query(speaker.landmarks[place, COMPARED, :2])[1]
    true = truth.vertices(frame)[skin[nearest]]
    return fit_similarity(speaker.vertices[place, COMPARED][None], true, np.ones(len(COMPARED)))[0]


def _spread(total: int, count: int) -> np.ndarray:
    return np.unique(np.linspace(0, total - 1, count).astype(int))


def measure(speaker: TrackedSpeaker, truth: Truth, stretch: np.ndarray) -> dict[str, float]:
    """All figures."""
    gaps = truth.lip_gaps(speaker.frames)
    steps = np.linalg.norm(np.diff(speaker.vertices[:, RIGID], axis=0), axis=2)[np.diff(stretch) == 0]
    surface, points = surface_errors(speaker, truth), point_errors(speaker, truth)
    rigid = np.isin(COMPARED, RIGID)
    movement = points - points.mean(axis=0)
    return {
        "frames": float(len(speaker.frames)),
        "rotation_degrees": float(np.median(rotation_errors(speaker, truth))),
        "lip_gap_r": correlation(lip_ratio(speaker.vertices), gaps),
        "jaw_open_r": correlation(jaw_weights(speaker, stretch), gaps),
        "rigid_jitter_mm": float(np.median(steps) * INTEROCULAR_MM),
        "to_surface_mm": float(np.median(surface)),
        "to_surface_rigid_mm": float(np.median(surface[:, rigid])),
        "to_surface_lips_mm": float(np.median(surface[:, ~rigid])),
        "to_point_mm": float(np.median(np.linalg.norm(points, axis=2))),
        "to_point_in_face_plane_mm": float(np.median(np.linalg.norm(points[..., [0, 2]], axis=2))),
        "to_point_movement_mm": float(np.median(np.linalg.norm(movement, axis=2))),
    }


def main(arguments: list[str] | None = None) -> None:
    """Print the table; --all takes every frame of the video."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every frame instead of 500 in short stretches")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    if not ACTOR.is_file():
        print("Nothing measured: the development data (../shared/data) is not on this machine.")
        return
    truth = Truth(ACTOR.parent)
    frames, stretch = sample_frames(len(truth))
    if options.all:
        frames, stretch = np.arange(len(truth)), np.zeros(len(truth), int)
    figures = measure(track_speaker(ACTOR, frames), truth, stretch)
    print(describe_machine())
    for name, value in figures.items():
        print(f"{name:30} {value:8.3f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

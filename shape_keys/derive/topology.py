"""Derive `data/topology.json` from MediaPipe's mesh connections and its canonical face.

    python -m shape_keys.derive.topology CANONICAL.obj CONNECTIONS.py VIDEO

CANONICAL.obj is MediaPipe's `canonical_face_model.obj` in any vertex order and pose; CONNECTIONS.py is
`mediapipe/python/solutions/face_mesh_connections.py` of mediapipe 0.10.21; VIDEO shows one face. The tracked mean
face of the video says which vertex of the canonical face is which landmark.
"""

import argparse
import ast
import json
from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.optimize import least_squares, linear_sum_assignment
from scipy.spatial.distance import cdist

from shape_keys.derive.landmarks import mean_landmarks
from shape_keys.derive.mesh import apply_similarity, read_obj, similarity

OUTPUT = Path(__file__).parents[1] / "data" / "topology.json"
FLIP = np.diag([-1.0, 1.0, 1.0])


def read_triangles(connections: Path) -> np.ndarray:
    """The (852, 3) triangles of FACEMESH_TESSELATION, three directed edges each, in the order of the file."""
    for node in ast.parse(Path(connections).read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "FACEMESH_TESSELATION":
            edges = np.array(ast.literal_eval(node.value.args[0])).reshape(-1, 3, 2)  # type: ignore[attr-defined]
            if not np.array_equal(edges[:, :, 1], np.roll(edges[:, :, 0], -1, axis=1)):
                raise SystemExit("the tesselation's edges do not come in closed threes")
            return edges[:, :, 0]
    raise SystemExit(f"no FACEMESH_TESSELATION in {connections}")


def mirror_by_texture(texture: np.ndarray) -> np.ndarray:
    """Index of every vertex's mirror image, from a texture layout that is symmetric about u = 0.5."""
    return linear_sum_assignment(cdist(texture, texture * [-1, 1] + [1, 0]) ** 2)[1]


def frontal(positions: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Turn a symmetric face so that x = 0 is its mirror plane; its pitch about x stays open."""
    across = np.linalg.svd(positions - positions[mirror])[2][0]
    across *= np.sign(across[0])
    toward = np.cross(across, [0.0, 1.0, 0.0])
    toward /= np.linalg.norm(toward)
    turned = positions @ np.stack([across, np.cross(toward, across), toward]).T
    turned = turned - [turned[:, 0].mean(), 0, 0]
    return (turned + turned[mirror] @ FLIP) / 2


def match(landmarks: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Vertex of `positions` for each landmark: similarity, then ever freer thin-plate splines with assignment."""
    moved = landmarks - landmarks.mean(0)
    moved = moved * np.ptp(positions[:, 0]) / np.ptp(moved[:, 0]) + positions.mean(0)
    chosen = np.arange(len(positions))
    for step in range(24):
        chosen = linear_sum_assignment(cdist(moved, positions) ** 2)[1]
        if step < 6:
            moved = apply_similarity(similarity(moved, positions[chosen]), moved)
        else:
            stiffness = max(50 / 2 ** (step - 6), 0.01)
            moved = moved + RBFInterpolator(moved, positions[chosen] - moved, smoothing=stiffness)(moved)
    return chosen


def head_space(face: np.ndarray) -> tuple[np.ndarray, float]:
    """Put a frontal face into head space: forehead 10 above chin 152, origin on the cylinder's axis at eye height.

    Returns:
        (468, 3) vertices and the cylinder's radius, both in units of the distance 33-263.
    """
    up = face[10] - face[152]
    angle = np.arctan2(up[2], up[1])
    cos, sin = np.cos(angle), np.sin(angle)
    face = face @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    face = face / np.linalg.norm(face[33] - face[263])

    def residual(parameters: np.ndarray) -> np.ndarray:
        return np.hypot(face[:, 0], face[:, 2] - parameters[0]) - parameters[1]

    axis_z, radius = least_squares(residual, [-0.2, 0.8], loss="cauchy", f_scale=0.034).x
    return face - [0, face[[33, 263], 1].mean(), axis_z], float(radius)


def check(triangles: np.ndarray, mirror: np.ndarray) -> None:
    """Refuse a mirror map that is no involution or does not map the mesh's edges onto its edges."""
    edges = {frozenset(map(int, pair)) for a in range(3) for pair in triangles[:, [a, (a + 1) % 3]]}
    kept = sum(frozenset(int(mirror[v]) for v in edge) in edges for edge in edges)
    if not np.array_equal(mirror[mirror], np.arange(468)) or (mirror == np.arange(468)).sum() != 28:
        raise SystemExit("the mirror map is not made of 220 pairs and 28 midline vertices")
    if kept < 0.99 * len(edges):
        raise SystemExit(f"the mirror map keeps only {kept} of {len(edges)} edges")


def derive(canonical: Path, connections: Path, video: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Triangles (852, 3), mirror map (468,), canonical face (468, 3) in head space, radius of its cylinder."""
    positions, texture, _ = read_obj(canonical)
    obj_mirror = mirror_by_texture(texture)
    positions = frontal(positions, obj_mirror)
    chosen = match(mean_landmarks(video), positions)
    mirror = np.argsort(chosen)[obj_mirror[chosen]]
    triangles = read_triangles(connections)
    check(triangles, mirror)
    return triangles, mirror, *head_space(positions[chosen])


def main() -> None:
    """Write `data/topology.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("canonical", "connections", "video"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    write(*derive(arguments.canonical, arguments.connections, arguments.video))


def write(triangles: np.ndarray, mirror: np.ndarray, face: np.ndarray, radius: float) -> None:
    """Write the arrays as JSON, one row a line, so that a change shows in a diff."""

    def rows(values: list) -> str:
        return "[\n" + ",\n".join("  " + json.dumps(value) for value in values) + "\n ]"

    OUTPUT.write_text(
        "{\n"
        ' "source": "MediaPipe 0.10.21 (Apache-2.0, see NOTICE): FACEMESH_TESSELATION in file order; canonical face",\n'
        ' "made_by": "python -m shape_keys.derive.topology",\n'
        f' "cylinder_radius": {radius:.6f},\n'
        f' "mirror": {json.dumps(mirror.tolist())},\n'
        f' "triangles": {rows(triangles.tolist())},\n'
        f' "canonical_face": {rows(np.round(face, 6).tolist())}\n'
        "}\n"
    )


if __name__ == "__main__":
    main()

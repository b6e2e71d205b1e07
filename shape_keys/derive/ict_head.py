"""The ICT-FaceKit head as arrays, and pictures of it on which a landmark detector finds its way."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

SIZE = 900  # px, side of a picture
CAMERA_DISTANCE = 65.0  # cm before the origin of the head
BACKGROUND = 120

COLOURS = {  # RGB of the parts that are drawn; lashes are left out, their cards hide the lids
    "M_Face": (205, 160, 135),
    "M_BackHead": (190, 150, 125),
    "M_GumsTongue": (150, 70, 70),
    "M_Teeth": (230, 225, 215),
    "M_ScleraLeft": (235, 235, 235),
    "M_ScleraRight": (235, 235, 235),
}
LIP, BROW, IRIS = (165, 75, 75), (70, 50, 40), (70, 50, 35)


@dataclass(frozen=True)
class IctHead:
    """Vertices in cm, x to the viewer's right, y up, z towards the viewer."""

    neutral: np.ndarray
    """(V, 3) float64."""
    deltas: dict[str, np.ndarray]
    """Expression name to (V, 3) float32."""
    triangles: np.ndarray
    """(T, 3) int, those that are drawn."""
    colours: np.ndarray
    """(T, 3) float, RGB 0..255."""
    skin: np.ndarray
    """(T,) bool, face and back of the head."""

    def posed(self, weights: dict[str, float], yaw: float = 0.0) -> np.ndarray:
        """Vertices (V, 3) under an expression and a turn about y in degrees."""
        vertices = self.neutral + sum(w * self.deltas[name] for name, w in weights.items())
        cos, sin = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
        return vertices @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])


def read_head(folder: Path) -> IctHead:
    """Read `generic_neutral_mesh.obj`, `expression_deltas.npz` and `vertex_indices.json` of ICT-FaceKit."""
    with np.load(folder / "expression_deltas.npz") as stored:
        neutral = stored["neutral"].astype(np.float64)
        deltas = dict(zip(stored["names"].tolist(), stored["deltas"], strict=True))
    parts = [(part, triangle) for part, triangle in read_parts(folder / "generic_neutral_mesh.obj") if part in COLOURS]
    triangles = np.array([triangle for _, triangle in parts])
    names = np.array([part for part, _ in parts])
    landmarks = json.loads((folder / "vertex_indices.json").read_text())["idx_to_landmark_verts"]
    colours = np.array([COLOURS[part] for part in names], float)
    _paint(colours, names, neutral[triangles].mean(1), neutral[landmarks])
    return IctHead(neutral, deltas, triangles, colours, np.isin(names, ("M_Face", "M_BackHead")))


def read_parts(path: Path) -> list[tuple[str, tuple[int, int, int]]]:
    """The OBJ file's triangles, each with the name of its material."""
    part, parts = "", []
    for line in path.read_text().splitlines():
        if line.startswith("usemtl"):
            part = line.split()[1]
        elif line.startswith("f "):
            corners = [int(field.split("/")[0]) - 1 for field in line.split()[1:]]
            parts += [(part, (corners[0], corners[k], corners[k + 1])) for k in range(1, len(corners) - 1)]
    return parts


def _paint(colours: np.ndarray, names: np.ndarray, centres: np.ndarray, landmarks: np.ndarray) -> None:
    """Paint lips, brows and irises: a bare grey head misleads the detector. `landmarks` are the 68 of iBUG."""
    import cv2

    face = names == "M_Face"
    outline = landmarks[48:60, :2].astype(np.float32)
    inside = [cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0 for x, y in centres[:, :2]]
    colours[face & np.array(inside) & (centres[:, 2] > 8)] = LIP
    for brow in (landmarks[17:22], landmarks[22:27]):
        steps = np.linspace(0, 1, 12)[:, None]
        line = np.concatenate([a + steps * (b - a) for a, b in pairwise(brow)])
        distance = np.linalg.norm(centres[:, None] - line[None], axis=2).min(1)
        colours[face & (distance < 0.32)] = BROW
    for side in ("M_ScleraLeft", "M_ScleraRight"):
        eye = names == side
        middle = (centres[eye].min(0) + centres[eye].max(0)) / 2
        colours[eye & (np.linalg.norm(centres[:, :2] - middle[:2], axis=1) < 0.6)] = IRIS


def draw(head: IctHead, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw the head from the front, farthest triangles first.

    Returns:
        (SIZE, SIZE, 3) uint8 RGB picture; (SIZE, SIZE) int index of the triangle seen in each pixel, -1 for none;
        (V, 2) vertices in px, y down.
    """
    import cv2

    depth = CAMERA_DISTANCE - vertices[:, 2]
    screen = SIZE / 2 + 2.2 * SIZE * (vertices[:, :2] - [0, 1.5]) * [1, -1] / depth[:, None]
    corners = screen[head.triangles]
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    facing = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] < 0
    order = np.argsort(-depth[head.triangles].mean(1))
    colours = head.colours * _shade(vertices, head.triangles)[:, None]
    picture = np.full((SIZE, SIZE, 3), BACKGROUND, np.uint8)
    seen = np.zeros((SIZE, SIZE), np.int32)
    fixed = np.round(corners * 16).astype(np.int32)
    for index in order[facing[order]]:
        cv2.fillConvexPoly(picture, fixed[index], colours[index].tolist(), cv2.LINE_AA, 4)
        cv2.fillConvexPoly(seen, fixed[index], [int(index) + 1], cv2.LINE_8, 4)
    return picture, seen - 1, screen


def _shade(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[triangles[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12
    light = np.array([0.2, 0.4, 1.0]) / np.linalg.norm([0.2, 0.4, 1.0])
    return 0.35 + 0.65 * np.clip(normals @ light, 0, 1)

"""Draw all 52 blendshapes on the canonical face as one picture.

    python -m shape_keys.derive.contact_sheet docs/pictures/blendshapes.png

Redder skin moves farther.
"""

import sys

import numpy as np

from shape_keys import arkit
from shape_keys.basis import load_basis
from shape_keys.topology import CANONICAL_FACE, EYE_TRIANGLES, MOUTH_TRIANGLES, TRIANGLES

COLUMNS, CELL, CAPTION = 9, 132, 12  # cells, px, px
PIXELS_PER_UNIT = 56
YAW = 0.25  # radians; a little from the side, so that forward movements show
STILL, MOVED = np.array([215.0, 200, 190]), np.array([225.0, 60, 40])  # RGB
MOUTH, EYE = np.array([70.0, 20, 25]), np.array([245.0, 245, 245])
FULL_RED = 0.15  # interocular units


def draw_face(face: np.ndarray, movement: np.ndarray) -> np.ndarray:
    """Picture (CELL, CELL, 3) uint8 RGB of a face (468, 3) whose vertices moved by `movement` (468,)."""
    import cv2

    picture = np.full((CELL, CELL, 3), 255, np.uint8)
    turn = np.array([[np.cos(YAW), 0, np.sin(YAW)], [0, 1, 0], [-np.sin(YAW), 0, np.cos(YAW)]])
    turned = face @ turn.T
    screen = np.array([CELL / 2 - 12, CELL * 0.31]) + turned[:, :2] * [PIXELS_PER_UNIT, -PIXELS_PER_UNIT]
    a, b, c = (turned[TRIANGLES[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    light = np.clip(normals @ np.array([0.0, 0.35, 0.94]), 0.2, 1)
    amount = np.clip(movement[TRIANGLES].mean(1) / FULL_RED, 0, 1)[:, None]
    colours = (STILL + amount * (MOVED - STILL)) * light[:, None]
    colours[: len(MOUTH_TRIANGLES)], colours[-len(EYE_TRIANGLES) :] = MOUTH, EYE
    order = np.argsort((a + b + c)[:, 2])
    order = np.concatenate([order[order < len(MOUTH_TRIANGLES)], order[order >= len(MOUTH_TRIANGLES)]])
    for index in order[normals[order, 2] > 0]:
        corners = np.round(screen[TRIANGLES[index]] * 16).astype(np.int32)
        cv2.fillConvexPoly(picture, corners, colours[index].tolist(), cv2.LINE_AA, 4)
    return picture


def draw_sheet() -> np.ndarray:
    """The neutral face and the 52 shapes with their names: (H, W, 3) uint8 RGB."""
    import cv2

    movements = np.concatenate([np.zeros((1, 468, 3)), load_basis()])
    rows = -(-len(movements) // COLUMNS)
    sheet = np.full((rows * (CELL + CAPTION), COLUMNS * CELL, 3), 255, np.uint8)
    for index, (name, delta) in enumerate(zip(("neutral", *arkit.NAMES), movements, strict=True)):
        top, left = (index // COLUMNS) * (CELL + CAPTION), (index % COLUMNS) * CELL
        cell = sheet[top : top + CELL, left : left + CELL]
        cell[:] = draw_face(CANONICAL_FACE + delta, np.linalg.norm(delta, axis=1))
        origin = (left + 6, top + CELL + 4)
        cv2.putText(sheet, name, origin, cv2.FONT_HERSHEY_SIMPLEX, 0.34, (0, 0, 0), 1, cv2.LINE_AA)
    return sheet


if __name__ == "__main__":
    from PIL import Image

    Image.fromarray(draw_sheet()).quantize(200, dither=Image.Dither.NONE).save(sys.argv[1], optimize=True)

"""The 468-vertex face: triangles, mirror map, named vertices and index sets, and the canonical face.

Sides are the subject's own: the subject's right eye is at the viewer's left, at negative x. Where nothing else is
said, an index set is a contour of MediaPipe's face mesh 0.10.21 (`face_mesh_connections.py`) in the order walked;
all of them stand here, whether Mouthpiece itself needs them or those who work with its faces.
The numbers that are no short lists lie in `data/topology.json`; `shape_keys.derive.topology` made them.
"""

import json
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"

VERTEX_COUNT = 468  # MediaPipe face mesh without irises

NOSE_TIP = 1
NOSE_BASE = 2
UPPER_INNER_LIP = 13
LOWER_INNER_LIP = 14
RIGHT_EYE_OUTER = 33
RIGHT_MOUTH_CORNER = 61
CHIN = 152
LEFT_EYE_OUTER = 263
LEFT_MOUTH_CORNER = 291


def _indices(*values: int) -> np.ndarray:
    array = np.array(values, np.int32)
    array.setflags(write=False)
    return array


# FACEMESH_LIPS, four chains from the subject's right corner to the left one.
INNER_LIP_UPPER = _indices(78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LIP_LOWER = _indices(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
OUTER_LIP_UPPER = _indices(61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LIP_LOWER = _indices(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LIPS = _indices(
    *sorted({int(i) for chain in (INNER_LIP_UPPER, INNER_LIP_LOWER, OUTER_LIP_UPPER, OUTER_LIP_LOWER) for i in chain})
)
"""(40,) all vertices of the two lip rings, ascending."""

# FACEMESH_RIGHT_EYE and FACEMESH_LEFT_EYE, lids from the outer to the inner corner.
RIGHT_UPPER_LID = _indices(33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_LOWER_LID = _indices(33, 7, 163, 144, 145, 153, 154, 155, 133)
LEFT_UPPER_LID = _indices(263, 466, 388, 387, 386, 385, 384, 398, 362)
LEFT_LOWER_LID = _indices(263, 249, 390, 373, 374, 380, 381, 382, 362)
RIGHT_EYE = _indices(*RIGHT_LOWER_LID, *RIGHT_UPPER_LID[-2:0:-1])
"""(16,) loop about the subject's right eye from its outer corner over the lower lid, counter-clockwise."""
LEFT_EYE = _indices(*LEFT_LOWER_LID, *LEFT_UPPER_LID[-2:0:-1])
"""(16,) loop about the subject's left eye from its outer corner over the lower lid, clockwise."""

RIGHT_EYEBROW = _indices(46, 53, 52, 65, 55, 70, 63, 105, 66, 107)
LEFT_EYEBROW = _indices(276, 283, 282, 295, 285, 300, 293, 334, 296, 336)

FACE_OVAL = _indices(
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""(36,) outer border of the mesh from the top of the forehead, clockwise as the viewer sees it."""

JAW = _indices(58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288)
"""(15,) the part of the oval that follows the jaw bone, the subject's right to left."""


def _load(data: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    stored = json.loads((data / "topology.json").read_text(encoding="utf-8"))
    arrays = (
        np.array(stored["triangles"], np.int32),
        np.array(stored["mirror"], np.int32),
        np.array(stored["canonical_face"], np.float32),
    )
    for array in arrays:
        array.setflags(write=False)
    return *arrays, float(stored["cylinder_radius"])


TESSELATION, MIRROR, CANONICAL_FACE, CYLINDER_RADIUS = _load(DATA)
"""(852, 3) int32 triangles of FACEMESH_TESSELATION in the order of the file, holes at mouth and eyes;
(468,) int32 index of each vertex's mirror image (220 pairs, 28 midline vertices map to themselves);
(468, 3) float32 MediaPipe's canonical face in head space, exactly symmetric: x to the viewer's right, y up, z towards
the viewer, origin on the axis of the cylinder fitted to it at eye height, unit = distance 33-263;
that cylinder's radius in the same unit."""
FLIP = np.array([-1.0, 1.0, 1.0], np.float32)
"""From one half of the head to the other: vertices[MIRROR] * FLIP is the mirrored face."""


def _strip(upper: np.ndarray, lower: np.ndarray) -> list[tuple[int, int, int]]:
    """Fill the loop between two chains with common ends; diagonals mirror each other about the middle column."""
    last = len(upper) - 1
    triangles = [(upper[0], lower[1], upper[1])]
    for i in range(1, last - 1):
        a, b, c, d = upper[i], lower[i], lower[i + 1], upper[i + 1]
        triangles += [(a, b, c), (a, c, d)] if i < last // 2 else [(b, c, d), (b, d, a)]
    return [*triangles, (upper[last - 1], lower[last - 1], upper[last])]


MOUTH_TRIANGLES = np.array(_strip(INNER_LIP_UPPER, INNER_LIP_LOWER), np.int32)
"""(18, 3) int32 fill of the mouth between the inner lip chains; drawn first, the lips cover its border."""

_RIGHT_EYE_TRIANGLES = np.array(_strip(RIGHT_UPPER_LID, RIGHT_LOWER_LID), np.int32)
EYE_TRIANGLES = np.concatenate([_RIGHT_EYE_TRIANGLES, MIRROR[_RIGHT_EYE_TRIANGLES][:, ::-1]])
"""(28, 3) int32 fill of the two eye loops, the subject's right eye first, the left one its mirror image."""

TRIANGLES = np.concatenate([MOUTH_TRIANGLES, TESSELATION, EYE_TRIANGLES])
"""(898, 3) int32 the closed face in drawing order, counter-clockwise as the viewer sees them."""

_RIGID_RIGHT = (4, 6, 10, 33, 54, 67, 117, 119, 121, 127, 133, 143, 198, 129)
RIGID = _indices(*sorted({int(i) for v in _RIGID_RIGHT for i in (v, MIRROR[v])}))
"""(25,) vertices that expressions hardly move, for the head pose: upper face, nose and temples; no brows, no jaw."""
RIGID_WEIGHTS = np.where(np.isin(RIGID, (129, 358)), 0.5, 1.0).astype(np.float32)
"""(25,) float32 weight of each rigid vertex in the pose fit; half for the wings of the nose."""

for _array in (FLIP, MOUTH_TRIANGLES, EYE_TRIANGLES, TRIANGLES, RIGID_WEIGHTS):
    _array.setflags(write=False)

"""An actor's face as it looks from the front, drawn from the actor's own files; needs no Blender."""

import json
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from .portrait import draw_portrait
from .rig_map import PLACES

TOPOLOGY = tuple(place.parent / "data" / "topology.json" for place in PLACES)
"""Where the face's triangles lie in an installed extension, and in a checkout."""


def actor_portrait(folder: Path, atlas: np.ndarray, side: int) -> np.ndarray | None:
    """(side, side, 4) float32 in 0..1, row 0 at the bottom; None where the folder has no whole reference face.

    atlas: (height, width, channels) in 0..1, row 0 at the bottom.
    """
    try:
        with np.load(folder / "reference.npz", allow_pickle=False) as reference:
            vertices, uv = reference["vertices"], reference["uv"]
        return draw_portrait(vertices, face_triangles(), uv, atlas, side)
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile):
        return None


@lru_cache(maxsize=1)
def face_triangles() -> np.ndarray:
    """(F, 3) int: the face with eyes and mouth closed. Raises OSError, KeyError, ValueError without its file."""
    path = next((path for path in TOPOLOGY if path.is_file()), TOPOLOGY[-1])
    triangles = np.array(json.loads(path.read_text("utf-8"))["triangles"])
    loops = sorted(_boundaries(triangles), key=len)[:-1]  # the longest is the face's outline
    filling = [(loop[0], loop[place], loop[place + 1]) for loop in loops for place in range(1, len(loop) - 1)]
    return np.concatenate([np.array(filling), triangles])


def _boundaries(triangles: np.ndarray) -> list[list[int]]:
    """The loops of edges that have a triangle on one side only, seen counter-clockwise from within the hole."""
    edges = {(int(a), int(b)) for first, second, third in triangles
             for a, b in ((first, second), (second, third), (third, first))}  # fmt: skip
    following = {b: a for a, b in edges if (b, a) not in edges}
    loops = []
    while following:
        start, vertex = following.popitem()
        loop = [start]
        while vertex != start:
            loop.append(vertex)
            vertex = following.pop(vertex)
        loops.append(loop)
    return loops

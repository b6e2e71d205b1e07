"""The atlas layout: texture coordinates in which the lips stand still and the mouth interior has room."""

import numpy as np

from backend.normalisation.cylinder import Cylinder
from backend.normalisation.reference import lip_ratio
from shape_keys.topology import MIRROR

OPEN_SHARE = 0.01
"""Share of the frames, those of the widest mouth, whose mean gives the layout's open mouth."""

LEAST_OPEN_FRAMES = 10

LAYOUT_GAP = 0.15
"""Least inner-lip gap of the layout, in interocular units: about 17 atlas rows of mouth interior."""

LARGEST_STRETCH = 2.5
"""Most that a small opening is exaggerated; beyond it the lips' corners would fold."""


def open_mouth(vertices: np.ndarray, valid: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The reference face with the speaker's own open mouth: (468, 3) head space.

    The mean of the frames (T, 468, 3) with the widest inner-lip gap; a speaker who hardly opens the mouth is
    exaggerated to a gap of 0.15 interocular.
    """
    frames = np.flatnonzero(valid)
    gaps = lip_ratio(vertices[frames])
    count = min(len(frames), max(LEAST_OPEN_FRAMES, round(OPEN_SHARE * len(frames))))
    widest = frames[np.sort(np.argsort(gaps)[-count:])]
    offset = vertices[widest].mean(axis=0) - reference
    stretches = np.linspace(1.0, LARGEST_STRETCH, 16)
    faces = reference + stretches[:, None, None] * offset
    enough = np.flatnonzero(lip_ratio(faces) >= LAYOUT_GAP)
    return faces[enough[0] if len(enough) else -1]


def fixed_layout(vertices: np.ndarray, valid: np.ndarray, reference: np.ndarray, cylinder: Cylinder) -> np.ndarray:
    """Texture coordinates (468, 2) float32 for all frames: the open-mouthed reference on the cylinder.

    Made a mirror image of itself about u = 0.5, so that the mirrored atlas lies exactly on the atlas, which
    symmetric lighting normalisation asks for.
    """
    uv = cylinder.project(open_mouth(vertices, valid, reference))
    mirrored = uv[MIRROR] * np.array([-1.0, 1.0]) + np.array([1.0, 0.0])
    return ((uv + mirrored) / 2).astype(np.float32)

"""Blendshape targets: the weights that stand for every frame's movement, fitted clip by clip."""

import itertools
from collections.abc import Iterator

import numpy as np

from backend.normalisation.space import CHUNK
from shape_keys import arkit
from shape_keys.basis import load_basis
from shape_keys.fitting import L1, UNSEEN, fit_weights
from shape_keys.topology import LIPS, VERTEX_COUNT

LIP_WEIGHT = 10.0
"""Weight of a lip vertex against any other; lips are 40 of 468 vertices and carry the speech."""

LIP_PRICE = LIP_WEIGHT * L1
"""Price of a weight (the l1 term) for shapes of jaw and mouth, interocular units squared: the error they explain is
counted tenfold, so they pay tenfold. At the common price they explain the tracker's noise by shapes that cancel each
other: 15 shapes a frame instead of 11 on the synthetic speaker, and jawOpen follows the mouth's opening with r 0.93
instead of 0.95."""

CONFUSED = ("jawForward", "mouthShrugUpper", "mouthShrugLower", "mouthClose")
"""Shapes held at 0 because the tracker cannot tell them from jawOpen and its opposite.

jawForward and the shrugs differ from it chiefly in depth, and a frontal camera does not measure the depth of the lips
(tracked against true movement of the lips in depth: r 0.40, up and down 0.93). mouthClose is the lips' way back over
an open jaw, all but jawOpen's negative about the lips; with it free a closed mouth is explained by an open jaw."""


def fit_targets(vertices: np.ndarray, reference: np.ndarray, clip: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Blendshape weights (T, 52) float32, 0..1, of normalised vertices; 0 where there is no face.

    vertices: (T, 468, 3) head space. reference: (468, 3) neutral face. clip: (T,) number of each frame's clip.
    valid: (T,) bool. Neither a cut nor a gap is smoothed over.
    """
    weights = np.zeros((len(vertices), len(arkit.NAMES)), np.float32)
    importance = np.ones(VERTEX_COUNT)
    importance[LIPS] = LIP_WEIGHT
    prices = np.array([LIP_PRICE if name.startswith(("jaw", "mouth")) else L1 for name in arkit.NAMES])
    frozen = (*UNSEEN, *(arkit.NAMES.index(name) for name in CONFUSED))
    for part in _stretches(clip, valid):
        weights[part] = fit_weights(
            vertices[part] - reference, load_basis(), l1=prices, vertex_weights=importance, frozen=frozen
        )
    return weights


def _stretches(clip: np.ndarray, valid: np.ndarray) -> Iterator[slice]:
    """Runs of frames with a face within one clip, none longer than CHUNK."""
    label = np.where(valid, clip, -1)
    bounds = np.flatnonzero(np.diff(label, prepend=-2, append=-2))
    for start, stop in itertools.pairwise(bounds):
        if label[start] >= 0:
            for first in range(start, stop, CHUNK):
                yield slice(first, min(first + CHUNK, stop))

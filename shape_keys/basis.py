"""The 52 ARKit blendshapes as movements of the 468 vertices."""

from functools import lru_cache
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data" / "basis.npz"


@lru_cache(maxsize=1)
def load_basis() -> np.ndarray:
    """Movement of every vertex under every shape at weight 1, in the order of `arkit.NAMES`.

    Left and right shapes mirror each other exactly. tongueOut is zero: the mesh has no tongue. Of the eight eyeLook
    shapes only the lids' part is there: the mesh has no eyeballs. A face with weights w stands at
    reference + tensordot(w, basis, 1).

    Returns:
        (52, 468, 3) float32, interocular units, head space; read-only. Source: ICT-FaceKit (MIT), see `data/README.md`.
    """
    with np.load(DATA) as stored:
        basis = stored["deltas"].astype(np.float32)
    basis.setflags(write=False)
    return basis

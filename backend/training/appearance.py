"""The texture of frames as few numbers, and what of it the face's shape does not tell: the tongue has no vertex.

Shape and appearance apart, as in active appearance models (Cootes, Edwards and Taylor 2001, doi:10.1109/34.927467).
"""

import numpy as np
import torch
from torch import Tensor, nn

from backend.progress import Progress, no_progress
from backend.training.batches import texture_weights, to_image_tensor
from backend.training.dataset import Dataset
from backend.training.ridge import set_ridge
from models.texture_basis import TextureBasis

AT_ONCE = 800
"""Frames, evenly spread, of which the texture's components are taken; as many at a time are looked at."""
BELIEF = 3.0
"""A mouth interior a third of which is seen is believed whole: less would pull its components towards the mean."""
WORTH = 0.3
"""Of the strongest number of the appearance, where the strongest of the shape is worth 1."""


def initialise_texture(basis: TextureBasis, dataset: Dataset, frames: np.ndarray) -> None:
    """Start the texture's pictures as principal components of the frames."""
    chosen = _spread(frames)
    basis.initialise_from(_differences(dataset, chosen), _belief(dataset, chosen))


@torch.no_grad()
def solve_texture(basis: TextureBasis, dataset: Dataset, frames: np.ndarray, codes: Tensor) -> None:
    """Set the texture's coefficients to the ridge regression on the codes (N, Ns) of the frames.

    The previous atlas plays no part yet.
    """
    coefficients = _coefficients(basis, dataset, _spread(frames))
    solved = nn.Linear(codes.shape[1], coefficients.shape[1])
    set_ridge(solved, _spread(codes), coefficients)
    basis.coefficients.weight.zero_()
    basis.coefficients.weight[:, : codes.shape[1]] = solved.weight
    basis.coefficients.bias.copy_(solved.bias)


@torch.no_grad()
def beyond_shape(
    basis: TextureBasis,
    dataset: Dataset,
    frames: np.ndarray,
    shapes: Tensor,
    rest: Tensor,
    count: int,
    progress: Progress = no_progress,
) -> tuple[Tensor, Tensor]:
    """The strongest components of what the shapes do not tell linearly of the texture, and what each is worth.

    frames: N numbers; shapes (N, F): the faces' own numbers; rest (F,): of a face at rest, which looks as the
    reference does. Returns (len(dataset) + 1, count) with deviation 1, of a face at rest in the last row, zero in
    those of other frames; and (count,).
    """
    size = basis.pictures.weight.square().sum(0).sqrt()
    parts = []
    for start in range(0, len(frames), AT_ONCE):
        progress("appearance", start, len(frames))
        parts.append(_coefficients(basis, dataset, frames[start : start + AT_ONCE]) * size)
    progress("appearance", len(frames), len(frames))
    seen = torch.cat(parts)
    told = nn.Linear(shapes.shape[1], len(size))
    set_ridge(told, shapes, seen)
    _, singular, components = torch.linalg.svd(seen - told(shapes), full_matrices=False)
    deviation = (singular[:count] / len(frames) ** 0.5).clamp_min(1e-6)
    axes = components[:count].T / deviation
    result = torch.zeros(len(dataset) + 1, count)
    result[frames] = (seen - told(shapes)) @ axes
    result[-1] = (_project(basis, torch.zeros(1, len(basis.pictures.bias)))[0] * size - told(rest)) @ axes
    return result, WORTH * deviation / deviation[0]


def _spread(rows):
    """At most `AT_ONCE` of the rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(AT_ONCE, len(rows))).astype(int)]


def _coefficients(basis: TextureBasis, dataset: Dataset, frames: np.ndarray) -> Tensor:
    """(N, K) of the texture's pictures in the frames."""
    return _project(basis, (_differences(dataset, frames) * _belief(dataset, frames)).flatten(1))


def _project(basis: TextureBasis, differences: Tensor) -> Tensor:
    pictures = basis.pictures.weight
    return (differences - basis.pictures.bias) @ pictures / pictures.square().sum(0).clamp_min(1e-9)


def _differences(dataset: Dataset, frames: np.ndarray) -> Tensor:
    """(N, 3, 128, 128) from the reference crop."""
    return to_image_tensor(dataset.crops[frames]) - to_image_tensor(dataset.reference_crop[None])


def _belief(dataset: Dataset, frames: np.ndarray) -> Tensor:
    """(N, 1, 128, 128) in 0..1: skin by how well it is seen, the mouth interior by how much of it is open."""
    share = np.clip(BELIEF * np.asarray(dataset.visible[frames]), 0, 1)
    return torch.from_numpy(texture_weights(dataset.mask, dataset.interior, share, 1.0))

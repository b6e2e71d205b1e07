"""First weights that depend on the data: where the network starts from before any step."""

import numpy as np
import torch

from backend.training.batches import Batches, to_image_tensor
from backend.training.dataset import Dataset
from models.talking_face import TalkingFace

TEXTURE_FRAMES = 800
"""Frames, evenly spread, of which the texture's components are taken."""
BELIEF = 3.0
"""A mouth interior a third of which is seen is believed whole: less would pull its components towards the mean."""


def initialise(model: TalkingFace, dataset: Dataset, batches: Batches) -> None:
    """Start the decoders' last layers as principal components of the training frames."""
    frames = np.concatenate([np.arange(span.start, span.stop) for span in batches.spans])
    frames = frames[np.asarray(dataset.valid[frames])]
    model.geometry.initialise_from(torch.from_numpy(dataset.vertices[frames] - dataset.reference_vertices))
    if model.texture is not None and model.texture.basis is not None:
        chosen = frames[np.linspace(0, len(frames) - 1, min(TEXTURE_FRAMES, len(frames))).astype(int)]
        differences = to_image_tensor(dataset.crops[chosen]) - to_image_tensor(dataset.reference_crop[None])
        model.texture.basis.initialise_from(differences, _belief(dataset, np.asarray(dataset.visible[chosen])))


def _belief(dataset: Dataset, visible: np.ndarray) -> torch.Tensor:
    """(N, 1, 128, 128) in 0..1: skin by how well it is seen, the mouth interior by how much of it is open."""
    share = np.clip(BELIEF * visible, 0, 1)[:, None, None]
    return torch.from_numpy(np.where(dataset.interior, share, dataset.mask).astype(np.float32))[:, None]

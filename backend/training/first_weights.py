"""First weights that depend on the data: where the network starts from before any step."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open

from backend.actor_library import VOICE_MODEL
from backend.audio.spectrogram import spectrogram_windows
from backend.normalisation.atlas import CROP_SIZE
from backend.progress import Progress, no_progress
from backend.training.appearance import beyond_shape, initialise_texture, solve_texture
from backend.training.batches import Batches
from backend.training.config import TrainConfig
from backend.training.dataset import Dataset
from backend.training.losses import vertex_weights
from backend.training.manner import CodeSpace, learn_manner
from backend.training.ridge import set_ridge
from models.mouth_interior import RIM, MouthInterior
from models.presets import ModelConfig
from models.talking_face import TalkingFace
from models.texture_basis import TextureBasis
from models.voice_encoder import Manner, VoiceEncoder
from shape_keys.topology import LOWER_INNER_LIP, UPPER_INNER_LIP

OWN = ("code.", "instants", "lips")
"""What begins the names of an encoder's weights that are not the voice model's."""
RIM_PIXELS = 1
"""Pixels about the mouth interior that its rectangle has too."""
CODE_DEVIATION = 0.3
"""Standard deviation of a solved code: small codes learn steadily, see docs/experiments.md."""


def fit_to_speaker(config: ModelConfig, dataset: Dataset) -> ModelConfig:
    """The config with the mouth interior where the speaker's layout has it."""
    if not config.interior:
        return config
    rows, columns = np.nonzero(dataset.interior)
    top, left = max(rows.min() - RIM_PIXELS, 0), max(columns.min() - RIM_PIXELS, 0)
    height, width = (places.max() + 1 + RIM_PIXELS - low for places, low in ((rows, top), (columns, left)))
    rectangle = top, left, min(height, CROP_SIZE - top), min(width, CROP_SIZE - left)
    return replace(config, interior=tuple(int(number) for number in rectangle))


def initialise(model: TalkingFace, dataset: Dataset, batches: Batches) -> None:
    """Start the decoders' last layers as principal components of the training frames, and place the mouth interior."""
    frames = training_frames(dataset, batches)
    offsets = torch.from_numpy(dataset.vertices[frames] - dataset.reference_vertices)
    model.geometry.initialise_from(offsets)
    if model.interior is not None:
        _place(model.interior, dataset, offsets)
    if (basis := _basis(model)) is not None:
        initialise_texture(basis, dataset, frames)


def _basis(model: TalkingFace) -> TextureBasis | None:
    return None if model.texture is None else model.texture.basis


def _place(interior: MouthInterior, dataset: Dataset, offsets: torch.Tensor) -> None:
    """Tell the mouth interior where its pixels are between the lips."""
    space, (left, _, top, _) = dataset.space, interior.margins
    rows, columns = interior.inside.shape
    part = np.s_[top : top + rows, left : left + columns]
    corners, weights = (
        space.crop.cut(values)[part] for values in (space.atlas_map.corners, space.atlas_map.barycentric)
    )
    inside = np.array(dataset.interior[part])
    follow = (weights[..., None] * (corners[..., None] == np.array(RIM))).sum(axis=2)
    rim = torch.from_numpy(dataset.reference_vertices[RIM].copy())
    interior.place(torch.from_numpy(follow).float(), torch.from_numpy(inside), rim, offsets)


def start_from_voice(
    model: TalkingFace,
    dataset: Dataset,
    batches: Batches,
    voice: Path = VOICE_MODEL,
    progress: Progress = no_progress,
) -> bool:
    """Take over the shipped voice model's encoder and solve the speaker's own part from what it hears.

    After Neural Voice Puppetry section 5.3: what is heard is shared by all speakers, and what a speaker's own face
    makes of it is learnt from a few minutes. False, and nothing changed, where the network has another encoder or no
    voice model is shipped.
    """
    if not isinstance(model.encoder, VoiceEncoder) or not voice.is_file():
        return False
    with safe_open(voice, "pt") as file:
        own = model.encoder.state_dict()
        shared = {name: file.get_tensor(f"encoder.{name}") for name in own if not name.startswith(OWN)}
    model.encoder.load_state_dict(own | shared)
    solve_own_part(model, dataset, batches, progress)
    return True


@torch.no_grad()
def solve_own_part(model: TalkingFace, dataset: Dataset, batches: Batches, progress: Progress) -> None:
    """Set the code, the geometry decoder and the blendshape decoder from the training frames.

    The code's own layers are trained (backend/training/manner.py), the rest is linear in the code and solved. A code
    then holds the principal components of the face, lips weighted as in the loss, divided by their deviation;
    where there is a texture, behind them those of what the face does not tell of it.
    """
    assert isinstance(model.encoder, VoiceEncoder)
    heard = torch.cat(list(_hear(model.encoder.eval(), batches)))
    frames = training_frames(dataset, batches, only_valid=False)
    valid = torch.from_numpy(np.asarray(dataset.valid[frames]))
    heard = heard[valid]
    frames = frames[valid.numpy()]
    space, faces = code_space(model, dataset, frames, batches.config, progress)
    if isinstance(model.encoder.code, Manner):
        learn_manner(model.encoder, batches, space, progress)
    else:
        offsets = torch.from_numpy(dataset.vertices[frames] - dataset.reference_vertices)
        set_ridge(model.encoder.code, heard, space.codes(offsets, torch.from_numpy(frames)))
    codes = model.encoder.code(heard)
    hidden, last = model.geometry.hidden, model.geometry.offsets
    hidden.weight.mul_(0.1)
    hidden.bias.zero_()
    hidden.weight[: len(faces)] = torch.eye(len(faces), codes.shape[1]) / CODE_DEVIATION
    last.weight[:, : len(faces)] = faces.T
    last.bias.copy_(space.mean)
    set_ridge(model.blendshapes.weights, codes, torch.from_numpy(np.asarray(dataset.weights[frames])))
    if (basis := _basis(model)) is not None:
        solve_texture(basis, dataset, frames, codes)


def code_space(
    model: TalkingFace, dataset: Dataset, frames: np.ndarray, config: TrainConfig, progress: Progress = no_progress
) -> tuple[CodeSpace, torch.Tensor]:
    """Which codes stand for the frames, and the face (F, 1404) that each of a code's first numbers adds."""
    offsets = torch.from_numpy(dataset.vertices[frames] - dataset.reference_vertices).flatten(1)
    root = vertex_weights(config.lip_weight).sqrt().repeat_interleave(3)
    mean = offsets.mean(0)
    _, singular, components = torch.linalg.svd((offsets - mean) * root, full_matrices=False)
    basis, length = _basis(model), model.geometry.hidden.in_features
    behind = 0 if basis is None else int(config.appearance_share * length)
    deviation = singular[: length - behind] / len(frames) ** 0.5
    faces = components[: len(deviation)] * deviation[:, None] / root
    axes = (components[: len(deviation)] * root / deviation[:, None]).T * CODE_DEVIATION
    worth = deviation / deviation[0]
    opening = (faces[:, 3 * UPPER_INNER_LIP + 1] - faces[:, 3 * LOWER_INNER_LIP + 1]) / CODE_DEVIATION
    appearance = torch.zeros(len(dataset) + 1, 0)
    if basis is not None and behind:
        shapes = (offsets - mean) @ axes
        appearance, strength = beyond_shape(basis, dataset, frames, shapes, -mean @ axes, behind, progress)
        worth, opening = torch.cat([worth, strength]), torch.cat([opening, torch.zeros(behind)])
    return CodeSpace(mean, axes, CODE_DEVIATION * appearance, worth, opening), faces


def _hear(encoder: VoiceEncoder, batches: Batches) -> Iterator[torch.Tensor]:
    """Features (frames of the span, width) of every training span, from its unchanged sound."""
    dataset = batches.dataset
    for span in batches.spans:
        times = np.asarray(dataset.times[span.start : span.stop])
        samples = batches.audio[int(dataset.clip[span.start])]
        windows = spectrogram_windows(samples, times, count=encoder.columns)
        yield encoder.features(torch.from_numpy(windows.columns), torch.from_numpy(windows.index))


def training_frames(dataset: Dataset, batches: Batches, only_valid: bool = True) -> np.ndarray:
    """Numbers of the frames that are trained on, those without a face left out or not."""
    frames = np.concatenate([np.arange(span.start, span.stop) for span in batches.spans])
    return frames[np.asarray(dataset.valid[frames])] if only_valid else frames

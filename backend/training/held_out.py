"""The figures of a trained network on the frames that training never saw."""

import numpy as np

from backend.evaluation.metrics import correlation, geometry_figures, lip_gap, of_known, weighted_psnr, weighted_ssim
from backend.inference.predict import decode_motion, decode_textures, encode_sound
from backend.training.batches import Span, texture_weights
from backend.training.dataset import Dataset
from models.talking_face import TalkingFace


def evaluate_held_out(
    model: TalkingFace, dataset: Dataset, spans: list[Span], share: np.ndarray, every: int = 1
) -> tuple[dict[str, float], np.ndarray, np.ndarray, np.ndarray]:
    """Predict held-out frames from the sound alone and compare; each span starts with a blank previous atlas.

    share: (128, 128), how much of the prediction is laid over the reference; every: textures of one frame in so many
    are compared. Returns the figures, true and predicted crops (T, 128, 128, 3) uint8 (both empty without texture),
    and how much of the mouth interior is seen in them (T,). Textures are compared in the atlas beside the
    mean texture, which is the reference crop; `interior` figures weigh frames by how much of the mouth is seen.
    """
    rows = [_predict(model, dataset, span, share) for span in spans]
    valid = np.concatenate([np.asarray(dataset.valid[span.start : span.stop]) for span in spans])
    true = np.concatenate([dataset.vertices[span.start : span.stop] for span in spans])
    predicted = np.concatenate([row[0] for row in rows])
    step = float(np.median(np.diff(dataset.times[spans[0].start : spans[0].stop])))
    times = np.flatnonzero(valid) * step  # one span after the other
    figures = {"frames": float(valid.sum())} | geometry_figures(predicted[valid], true[valid], times)
    if len(spans) > 1:
        figures["aperture_r_clips"] = _clip_correlation(rows, dataset, spans)
    if model.texture is None:
        empty = np.zeros((0, 128, 128, 3), np.uint8)
        return figures, empty, empty, np.zeros(0, np.float32)
    chosen = np.flatnonzero(valid)[::every]
    crops = np.concatenate([dataset.crops[span.start : span.stop] for span in spans])[chosen]
    made = np.concatenate([row[1] for row in rows])[chosen]
    visible = np.concatenate([dataset.visible[span.start : span.stop] for span in spans])[chosen]
    return figures | _texture_figures(made, crops, visible, dataset), crops, made, visible


def _clip_correlation(rows: list, dataset: Dataset, spans: list[Span]) -> float:
    """Median over the spans of the lip gaps' correlation."""
    scores = []
    for (predicted, _), span in zip(rows, spans, strict=True):
        valid = np.asarray(dataset.valid[span.start : span.stop])
        gaps = lip_gap(predicted[valid]), lip_gap(np.asarray(dataset.vertices[span.start : span.stop])[valid])
        scores.append(correlation(*gaps) if valid.sum() > 2 else np.nan)
    return of_known(np.median, scores)


def _predict(model: TalkingFace, dataset: Dataset, span: Span, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    times = np.asarray(dataset.times[span.start : span.stop])
    codes = encode_sound(model, dataset.audio(int(dataset.clip[span.start])), times)
    offsets, _ = decode_motion(model, codes)
    crops = np.zeros((0, 128, 128, 3), np.uint8)
    if model.texture is not None:
        crops = np.stack(list(decode_textures(model, codes, dataset.reference_crop, share)))
    return dataset.reference_vertices + offsets, crops


def _texture_figures(made: np.ndarray, true: np.ndarray, visible: np.ndarray, dataset: Dataset) -> dict[str, float]:
    mean = np.broadcast_to(dataset.reference_crop, true.shape)
    both = texture_weights(dataset.mask, dataset.interior, visible, 1.0)[:, 0]
    interior = both * dataset.interior
    figures = {
        "ssim_atlas": weighted_ssim(made, true, both),
        "ssim_atlas_mean_texture": weighted_ssim(mean, true, both),
        "psnr_atlas": weighted_psnr(made, true, both),
        "ssim_interior": weighted_ssim(made, true, interior),
        "ssim_interior_mean_texture": weighted_ssim(mean, true, interior),
    }
    figures["interior_skill"] = 1 - (1 - figures["ssim_interior"]) / (1 - figures["ssim_interior_mean_texture"])
    return figures

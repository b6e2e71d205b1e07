"""Lips that meet at bilabials: how a trained network's codes open them, written into its voice encoder."""

import numpy as np
import torch

from models.talking_face import TalkingFace
from models.voice_encoder import VoiceEncoder
from shape_keys.topology import LOWER_INNER_LIP, UPPER_INNER_LIP


@torch.no_grad()
def close_lips_at_bilabials(model: TalkingFace, reference: np.ndarray) -> None:
    """Let a network whose encoder tells phonemes apart close the lips where it hears /p b m/; others stay as they are.

    Geometry is affine in the code, so that the smallest change of a code that brings the lips together is known.
    reference: (468, 3) the face that its offsets are added to, interocular units.
    """
    encoder = model.encoder
    if not isinstance(encoder, VoiceEncoder) or encoder.phonemes is None:
        return
    hidden, last = model.geometry.hidden, model.geometry.offsets
    rows = [3 * vertex + 1 for vertex in (UPPER_INNER_LIP, LOWER_INNER_LIP)]
    upper, lower = last.weight[rows]
    opening = (upper - lower) @ hidden.weight
    encoder.lips.copy_(torch.stack([opening, opening / opening.square().sum().clamp_min(1e-12)]))
    still = (upper - lower) @ hidden.bias + last.bias[rows[0]] - last.bias[rows[1]]
    encoder.lips_apart.fill_(float(still) + float(reference[UPPER_INNER_LIP, 1] - reference[LOWER_INNER_LIP, 1]))

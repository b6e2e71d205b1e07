"""What the figures of an actor mean, and how they are printed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """One figure in words; docs/guide/evaluation.md says the same."""

    sentence: str
    unit: str = ""


HELD_OUT = {
    "frames": Meaning("frames with a face that are compared"),
    "vertex_error_mm": Meaning("mean distance over all 468 vertices", "mm"),
    "lip_error_mm": Meaning("largest distance of a lip vertex in each frame, averaged", "mm"),
    "aperture_r": Meaning("Pearson correlation of the lip gap (vertices 13-14) with the tracked one"),
    "aperture_offset_ms": Meaning("lag of the best correlation: above 0 the prediction is late", "ms"),
    "aperture_r_clips": Meaning("the same correlation within each clip, their median"),
    "ssim_atlas": Meaning(
        "structural similarity (SSIM) of the lip crop inside its validity mask; 1 is the same picture"
    ),
    "ssim_atlas_mean_texture": Meaning("what a still texture reaches"),
    "psnr_atlas": Meaning("peak signal-to-noise ratio of the lip crop", "dB"),
    "ssim_interior": Meaning("SSIM of the visible inside of the mouth alone"),
    "ssim_interior_mean_texture": Meaning("what a still texture reaches there"),
    "interior_skill": Meaning("what the inside gains over a still texture; 0 is nothing, 1 the same picture"),
}
"""Figures of the held-out part of a training, in the order of its report."""


def format_figure(value: float) -> str:
    """A figure with four digits; whole numbers, which are counts, with all of theirs."""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.4g}"

"""Lighting normalisation: a smooth gain and a colour transform that light one atlas like another, and back.

LipSync3D §3.1.2. Atlases are (256, 256, 3) float32 RGB in 0..1 and geometrically aligned.
"""

from dataclasses import dataclass, replace

import numpy as np

from backend.normalisation.atlas import Crop
from backend.normalisation.specularity import add_specularity, remove_specularity, specular_alpha

REDUCTION = 2
"""The gain is estimated on atlases this many times smaller: it is smooth over 16 pixels, and four times as fast."""

PATCH = 16 // REDUCTION
"""Reduced pixels a side of the patch over which a gain is estimated (§3.1.2: 16 of a 256 atlas)."""

TEMPERATURE = 0.1 / REDUCTION**2
"""Squared error, summed over the patch, at which a pixel's weight falls to 1/e (§3.1.2: 0.1 over 16x16 pixels)."""

ITERATIONS = 6

WIDER_PATCHES = (2 * PATCH, 4 * PATCH, 8 * PATCH)
"""Patches that take over, each a hundred times fainter than the last, where the mask leaves a patch empty."""

COLOUR_PRIOR = 0.05**2
"""Variance, a pixel, of evidence for a colour gain of one: skin of one tone cannot tell gain from bias."""

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
"""Y of RGB (ITU-R BT.601), from which gains are estimated.

They are applied to all three channels. The paper applies them to Y and keeps U and V, which washes out what is
raised and oversaturates what is lowered; light scales all channels alike (mean error over the skin of the synthetic
speaker's atlas under a side light of +-40 %: 0.0103 with U and V kept, 0.0011 so).
"""


@dataclass(frozen=True)
class Lighting:
    """What turns an atlas into its normalised self."""

    gain: np.ndarray
    """(256, 256) float32."""
    colour_gain: np.ndarray
    """(3,) float32."""
    colour_bias: np.ndarray
    """(3,) float32."""
    alpha: np.ndarray
    """(256, 256) float32 specular alpha map, removed before the gain."""
    weights: np.ndarray
    """(256, 256) float32, 0..1: how well each pixel agreed."""

    def normalise(self, atlas: np.ndarray) -> np.ndarray:
        """Light the atlas like the reference; not clipped, so that `restore` is exact."""
        return _colour(_relit(remove_specularity(atlas, self.alpha), self.gain), self.colour_gain, self.colour_bias)

    def cut(self, crop: Crop) -> "Lighting":
        """The same for a crop of the atlas."""
        parts = {name: crop.cut(getattr(self, name)) for name in ("gain", "alpha", "weights")}
        return replace(self, **parts)

    def restore(self, atlas: np.ndarray) -> np.ndarray:
        """The inverse of `normalise`: give a normalised atlas this frame's light again."""
        lit = (atlas - self.colour_bias) / self.colour_gain
        return add_specularity(_relit(lit, 1.0 / self.gain), self.alpha)


def estimate_lighting(
    reference: np.ndarray, frame: np.ndarray, skin: np.ndarray, specularities: bool = True
) -> Lighting:
    """The lighting that turns `frame` into the light of `reference`.

    skin: (256, 256) bool, pixels whose colour is the same in both but for the light: no mouth, eyes or nostrils.
    """
    empty = np.zeros(skin.shape, np.float32)
    alpha = specular_alpha(frame, skin) if specularities else empty
    small_reference, small_skin = _reduce(reference), _reduce_mask(skin)
    small_frame = remove_specularity(_reduce(frame), _reduce(alpha))
    gain, weights = estimate_gain(small_reference @ LUMINANCE, small_frame @ LUMINANCE, small_skin)
    colour_gain, colour_bias = _fit_colour(small_reference, _relit(small_frame, gain), weights)
    return Lighting(_enlarge(gain), colour_gain, colour_bias, alpha, _enlarge(weights))


def estimate_gain(reference: np.ndarray, frame: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smooth gain (H, W) with reference ~ gain * frame, and weights (H, W), both float32 (equations 1 and 2).

    Images of the reduced size. Iteratively reweighted least squares over a patch around each pixel, by box filters.
    Each new weight is averaged with the last: undamped, the weights of a doubtful region swing between two states.
    """
    hard = mask.astype(np.float32)
    weights = hard
    squared, crossed, own = reference * reference, reference * frame, frame * frame
    for _ in range(ITERATIONS):
        rr, rf, ff = (_box(weights * image, PATCH) for image in (squared, crossed, own))
        gain = rf / np.maximum(ff, 1e-6)
        error = rr - gain * (2.0 * rf - gain * ff)
        weights = 0.5 * (weights + hard * np.exp(np.maximum(error, 0.0) * (-1.0 / TEMPERATURE)))
    return _spread_gain(weights, crossed, own), weights


def _spread_gain(weights: np.ndarray, crossed: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The gain (H, W) from the final weights; from wider patches where the narrow ones hold nothing that agrees."""
    # Damping leaves 1/64 to what never agreed (hair across from skin); squared, its neighbours outweigh it.
    sure = weights * weights
    upper, lower, share = 0.0, 0.0, 1.0
    for patch in (PATCH, *WIDER_PATCHES):
        scale = share * (PATCH / patch) ** 2
        # Filtered twice, so that a contrasty pixel shows as a soft hill, not as a box with edges.
        upper = upper + scale * _mean(_box(sure * crossed, patch), patch // 2)
        lower = lower + scale * _mean(_box(sure * own, patch), patch // 2)
        share *= 0.01
    return np.clip(upper / np.maximum(lower, 1e-9), 0.05, 20.0)


def symmetrise(reference: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """A reference atlas lit evenly from both sides, without highlights.

    Of every mirrored pair of pixels the darker is raised to the brighter. The paper writes the gain as the larger
    of Gm and its mirror image; since the mirror image is 1 / Gm, that would brighten the bright side too, so here
    it is the larger of Gm and 1, which is what its text describes. The atlas layout must be its own mirror image.
    """
    clean = remove_specularity(reference, specular_alpha(reference, skin))
    luminance = _reduce(clean) @ LUMINANCE
    both = _reduce_mask(skin & skin[:, ::-1])
    gain, _ = estimate_gain(np.ascontiguousarray(luminance[:, ::-1]), luminance, both)
    return np.clip(_relit(clean, np.maximum(_enlarge(gain), 1.0)), 0.0, 1.0)


def relight(atlas: np.ndarray, target: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """Give a synthesised atlas the light of a target frame's atlas: the normalisation, backwards (§3.3)."""
    lighting = estimate_lighting(target, atlas, skin, specularities=False)
    return np.clip(lighting.normalise(atlas), 0.0, 1.0)


def _reduce(image: np.ndarray) -> np.ndarray:
    import cv2

    height, width = image.shape[:2]
    return cv2.resize(image, (width // REDUCTION, height // REDUCTION), interpolation=cv2.INTER_AREA)


def _reduce_mask(mask: np.ndarray) -> np.ndarray:
    return _reduce(mask.astype(np.float32)) > 0.99


def _enlarge(image: np.ndarray) -> np.ndarray:
    import cv2

    height, width = image.shape
    return cv2.resize(image, (width * REDUCTION, height * REDUCTION), interpolation=cv2.INTER_LINEAR)


def _box(image: np.ndarray, size: int) -> np.ndarray:
    import cv2

    return cv2.boxFilter(image, cv2.CV_32F, (size, size), normalize=False, borderType=cv2.BORDER_CONSTANT)


def _mean(image: np.ndarray, size: int) -> np.ndarray:
    import cv2

    anchor = size // 2 - 1  # where _box of an even size looks half a pixel before its place, this looks behind
    return cv2.boxFilter(image, cv2.CV_32F, (size, size), anchor=(anchor, anchor), borderType=cv2.BORDER_CONSTANT)


def _relit(atlas: np.ndarray, gain: np.ndarray) -> np.ndarray:
    return atlas * gain[..., None]


def _colour(atlas: np.ndarray, gain: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return atlas * gain + bias


def _fit_colour(reference: np.ndarray, frame: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gain and bias (3,) of each channel with reference ~ gain * frame + bias, weighted least squares."""
    share = (weights / max(float(weights.sum()), 1e-6)).reshape(-1)
    f, r = frame.reshape(-1, 3), reference.reshape(-1, 3)
    f_mean, r_mean = share @ f, share @ r
    variance = share @ (f * f) - f_mean**2
    covariance = share @ (f * r) - f_mean * r_mean
    gain = (covariance + COLOUR_PRIOR) / (np.maximum(variance, 0.0) + COLOUR_PRIOR)
    gain = np.clip(gain, 0.25, 4.0)
    return gain.astype(np.float32), (r_mean - gain * f_mean).astype(np.float32)

"""How the phonemes that a voice encoder tells apart enter its code and close the lips; for PyTorch and NumPy."""

from typing import Any

PHONEMES, MOMENTS = 41, 5
"""How many phonemes are told apart, and at how many moments about a frame: what lips do hangs on the neighbours too."""
LEAST_LOG = -9.0
"""Of a phoneme's logarithmic probability."""
SURE, UNSURE = 3.0, 0.3
"""Factors of the probabilities and of their logarithms, which bring both to about the same size."""
TRUST = 3.0
"""How much more a length of the vocal tract counts whose phonemes are surer: times their negative entropy, in nats."""
BILABIALS, OPEN_VOWELS = slice(1, 4), [28, 29, 30, 36, 38, 39]
"""Which of them are /p b m/, and which are spoken with the lips well apart."""
CERTAINTY_OF_ANYONE, CERTAINTY_OF_ONE = (0.03, 0.12), (0.3, 0.8)
"""Probability of a bilabial at which lips begin to close, and at which they are closed. Of a voice never heard before,
what may be one is shown; a speaker's own face has learnt most of its closures, and is told the certain ones."""
ASIDE = 0.3
"""How far they close at most in frames beside the likeliest: a closure is short."""
BESIDE, LIKELIEST = 0.6, 0.95
"""Share of the likeliest neighbour's probability up to which a frame is beside it, and from which it is as likely:
frames judge their neighbours by themselves, and none might call itself the likeliest."""
AJAR = 0.02
"""How far apart, in interocular units, a code that was learnt from several speakers leaves lips that another one shuts:
where it is unsure it is the mean of what they do, and the mean of shut and open is ajar."""
WIDE = 0.5
"""Probability of an open vowel from which lips stay as far apart as they are."""


def lips_shown(apart: Any, probabilities: Any, own: bool) -> Any:
    """How far apart to show lips, interocular units: (B,) arrays or tensors alike. Lips never cross.

    apart: how far the code opens them (B,); probabilities (B, MOMENTS, PHONEMES); own: by a code that was learnt from
    the speaker alone, who is seen with lips ajar where they are.
    """
    middle = MOMENTS // 2
    bilabial = probabilities[..., BILABIALS].sum(-1)
    before, now, after = bilabial[:, middle - 1], bilabial[:, middle], bilabial[:, middle + 1]
    most = now + (before - now).clip(0)
    most = most + (after - most).clip(0)
    likeliest = ((now / most.clip(1e-6) - BESIDE) / (LIKELIEST - BESIDE)).clip(0, 1)
    doubt, sure = CERTAINTY_OF_ONE if own else CERTAINTY_OF_ANYONE
    closed = ((now - doubt) / (sure - doubt)).clip(0, 1) * (ASIDE + (1 - ASIDE) * likeliest)
    if own:
        return apart.clip(0) * (1 - closed)
    shut = 1 - (probabilities[:, middle, OPEN_VOWELS].sum(-1) / WIDE).clip(0, 1)
    return (apart * (1 - closed * shut) - AJAR * shut).clip(0)

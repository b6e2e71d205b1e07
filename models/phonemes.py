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
BILABIALS = slice(1, 4)
"""Which of them are /p b m/."""
CERTAINTY_OF_ANYONE, CERTAINTY_OF_ONE = (0.04, 0.12), (0.3, 0.8)
"""Probability of a bilabial at which lips begin to close, and at which they are closed. Of a voice never heard before,
what may be one is shown; a speaker's own face has learnt most of its closures, and is told the certain ones."""
ASIDE = 0.3
"""How far they close at most in frames beside the likeliest: a closure is short."""
BESIDE, LIKELIEST = 0.6, 0.95
"""Share of the likeliest neighbour's probability up to which a frame is beside it, and from which it is as likely:
frames judge their neighbours by themselves, and none might call itself the likeliest."""


def how_closed(now: Any, about: Any, certainty: tuple[float, float]) -> Any:
    """How far lips are to close, 0 to 1: (B,) arrays or tensors alike.

    now, about: a bilabial's probability in a frame, and the highest in it and its two neighbours; certainty: see above.
    """
    doubt, sure = certainty
    likeliest = ((now / about.clip(1e-6) - BESIDE) / (LIKELIEST - BESIDE)).clip(0, 1)
    return ((now - doubt) / (sure - doubt)).clip(0, 1) * (ASIDE + (1 - ASIDE) * likeliest)

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
CERTAINTY_OF_ANYONE, CERTAINTY_OF_ONE = (0.06, 0.2), (0.3, 0.8)
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


def lips_of_anyone(apart: Any, now: Any, about: Any, vowel: Any) -> Any:
    """How far apart to show lips, interocular units, by a code that was learnt from several speakers.

    apart: how far the code opens them; now, about: a bilabial's probability in a frame, and the highest in it and its
    two neighbours; vowel: an open vowel's. All (B,), arrays or tensors alike.
    """
    shut = 1 - (vowel / WIDE).clip(0, 1)
    return (apart * (1 - _how_closed(now, about, CERTAINTY_OF_ANYONE) * shut) - AJAR * shut).clip(0)


def lips_of_one(apart: Any, now: Any, about: Any) -> Any:
    """The same by a code that was learnt from the speaker alone, who is seen with lips ajar where they are."""
    return apart.clip(0) * (1 - _how_closed(now, about, CERTAINTY_OF_ONE))


def _how_closed(now: Any, about: Any, certainty: tuple[float, float]) -> Any:
    doubt, sure = certainty
    likeliest = ((now / about.clip(1e-6) - BESIDE) / (LIKELIEST - BESIDE)).clip(0, 1)
    return ((now - doubt) / (sure - doubt)).clip(0, 1) * (ASIDE + (1 - ASIDE) * likeliest)

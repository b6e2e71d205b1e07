"""How the phonemes that a voice encoder tells apart enter its code and close the lips; for PyTorch and NumPy."""

PHONEMES, MOMENTS = 41, 5
"""How many phonemes are told apart, and at how many moments about a frame: what lips do hangs on the neighbours too."""
LEAST_LOG = -9.0
"""Of a phoneme's logarithmic probability."""
SURE, UNSURE = 3.0, 0.3
"""Factors of the probabilities and of their logarithms, which bring both to about the same size."""
BILABIALS = slice(1, 4)
"""Which of them are /p b m/."""
DOUBT, CERTAINTY = 0.04, 0.12
"""Probability of a bilabial at which lips begin to close, and at which they are closed: what may be one is shown."""
ASIDE = 0.6
"""How far they close at most in frames beside the likeliest: a closure is short."""

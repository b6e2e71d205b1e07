"""How near a prediction is to the truth, in figures."""

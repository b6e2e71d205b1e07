"""Text, phonemes with their times, and voices that speak."""

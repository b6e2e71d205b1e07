"""Moving pictures: files to time-stamped frames, and back."""

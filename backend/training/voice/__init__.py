"""The voice model for everyone: its data, its targets and its training."""

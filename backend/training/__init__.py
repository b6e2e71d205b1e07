"""Speaker videos to a trained actor."""

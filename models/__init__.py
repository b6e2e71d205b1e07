"""The networks, their presets, and the shipped weights."""

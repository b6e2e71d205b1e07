"""Frames to face vertices in pixels."""

"""A sound file and an actor to an animation, in every form it can be written."""

PIPELINE = 2
"""Raised with every change of the steps that changes their results, so that the service makes old ones again."""

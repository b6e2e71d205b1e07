"""A sound file and an actor to an animation, in every form it can be written."""

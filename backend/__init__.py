"""The local backend: everything between a sound or video file and an animation.

Runtime: audio -> models -> inference -> (service ->) Blender
Data:    video -> tracking -> normalisation -> training -> actor
"""

__version__ = "0.1.0"

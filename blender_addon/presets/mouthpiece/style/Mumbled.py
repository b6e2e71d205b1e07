"""A style of speech: mumbled."""

import bpy

style = bpy.context.scene.mouthpiece_style

style.intensity = 0.7
style.jaw = 0.7
style.lips = 0.8
style.style = 0.7
style.smooth = 0.04
style.blinks = 0.3
style.brows = 0.0
style.head = 0.0

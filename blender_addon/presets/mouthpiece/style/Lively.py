"""A style of speech: lively."""

import bpy

style = bpy.context.scene.mouthpiece_style

style.intensity = 1.15
style.jaw = 1.0
style.lips = 1.2
style.style = 1.15
style.smooth = 0.0
style.blinks = 0.5
style.brows = 0.5
style.head = 0.5

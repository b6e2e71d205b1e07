"""A style of speech: calm."""

import bpy

style = bpy.context.scene.mouthpiece_style

style.intensity = 0.85
style.jaw = 1.0
style.lips = 1.0
style.style = 1.0
style.smooth = 0.03
style.blinks = 0.3
style.brows = 0.15
style.head = 0.15

"""A style of speech: cartoon."""

import bpy

style = bpy.context.scene.mouthpiece_style

style.intensity = 1.5
style.jaw = 1.3
style.lips = 1.4
style.style = 1.3
style.smooth = 0.0
style.blinks = 0.5
style.brows = 0.8
style.head = 0.6

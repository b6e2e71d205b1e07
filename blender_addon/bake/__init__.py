"""Build Blender data from an animation: mesh, shape keys, curves, textures, sound, scene."""

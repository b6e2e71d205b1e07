"""A talking head as an asset: in a collection of its own, marked, with a picture of the face for the asset browser."""

import bpy
import numpy as np

from ..animation import Animation
from ..portrait import draw_portrait
from .tags import LINE

SIDE = 128  # pixels of the preview


def collect_head(scene: bpy.types.Scene, line: str, head: bpy.types.Object) -> bpy.types.Object:
    """Put a new head into a new collection of the scene; returns the head."""
    collection = bpy.data.collections.new(line)
    collection[LINE] = line
    collection.objects.link(head)
    scene.collection.children.link(collection)
    for layer in scene.view_layers:  # the scene need not be the open one, whose layer alone is up to date
        layer.update()
    return head


def mark_asset(head: bpy.types.Object, animation: Animation) -> None:
    """Mark the head's collection as an asset with a picture; a head that was moved to another collection is left.

    So is one whose collection is an override of a linked one: Blender cannot mark these.
    """
    own = (found for found in head.users_collection if found.get(LINE) == head.get(LINE))
    collection = next((found for found in own if found.override_library is None), None)
    if collection is None:
        return
    collection.asset_mark()
    collection.asset_data.description = f"Talking head of the actor {animation.actor}"
    picture = draw_portrait(animation.reference, animation.triangles, animation.uv, _atlas(head), SIDE)
    preview = collection.preview_ensure()
    preview.image_size = (SIDE, SIDE)
    preview.image_pixels_float.foreach_set(picture.ravel())


def _atlas(head: bpy.types.Object) -> np.ndarray | None:
    """(height, width, 4) float32 in 0..1, row 0 at the bottom: the still texture; None where there is none."""
    trees = [material.node_tree for material in head.data.materials if material and material.node_tree]
    nodes = [node for tree in trees for node in tree.nodes]
    image = next((n.image for n in nodes if n.type == "TEX_IMAGE" and n.image and n.image.source == "FILE"), None)
    if image is None or 0 in tuple(image.size):  # one of the artist's that is not where it was
        return None
    width, height = image.size
    pixels = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, image.channels)

"""Build the 468-vertex mesh and its principal-component shape keys with their curves."""

import bpy
import numpy as np

from ..animation import Animation
from ..components import Components
from .curves import write_action

SLIDER = 2.0  # baked weights stay within -1..1; the rest is room to exaggerate by hand


def build_mesh(name: str, animation: Animation) -> bpy.types.Mesh:
    """Mesh of the neutral face in head space, with the atlas layout as the UV map "UVMap"."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(animation.reference.tolist(), [], animation.triangles.tolist())
    corners = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    layer = mesh.uv_layers.new(name="UVMap")
    layer.data.foreach_set("uv", np.ascontiguousarray(animation.uv[corners], dtype=np.float32).ravel())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), dtype=bool))
    mesh.update()
    return mesh


def key_name(component: int) -> str:
    """Name of the shape key of a 0-based component: "Mouthpiece 01" for 0."""
    return f"Mouthpiece {component + 1:02d}"


def add_shape_keys(head: bpy.types.Object, components: Components) -> None:
    """Give a mesh object without shape keys the basis and a key for each component."""
    head.shape_key_add(name="Basis", from_mix=False)
    mesh = head.data
    basis = np.empty(3 * len(mesh.vertices), dtype=np.float32)
    mesh.vertices.foreach_get("co", basis)
    for index, shape in enumerate(components.shapes):
        key = head.shape_key_add(name=key_name(index), from_mix=False)
        key.slider_min, key.slider_max = -SLIDER, SLIDER
        points = key.points if hasattr(key, "points") else key.data
        points.foreach_set("co", basis + shape.ravel())


def key_shape_keys(head: bpy.types.Object, name: str, components: Components, start: int):
    """Key every component in every frame, the first at scene frame `start`; returns the action."""
    keys = head.data.shape_keys
    keys.name = name
    paths = [f'key_blocks["{key_name(index)}"].value' for index in range(len(components.shapes))]
    frames = np.arange(start, start + len(components.weights))
    return write_action(keys, name, paths, frames, components.weights)

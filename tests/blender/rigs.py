"""Small characters made of cubes, and what the tests read from them; runs inside Blender."""

import numpy as np


def add_mesh(name: str, keys: list[str], parent=None):
    """A cube whose corner 0 rises by 1 for each shape key."""
    import bpy

    corners = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners, [], [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    item = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(item)
    item.parent = parent
    item.shape_key_add(name="Basis")
    for key in keys:
        item.shape_key_add(name=key, from_mix=False).data[0].co.z += 1
    bpy.context.view_layer.update()
    return item


def curves_of(item) -> dict[str, list[list[float]]]:
    """Data path to [frame, value] of each key, of the action that drives an object's shape keys."""
    from blender_addon.bake.curves import slot_curves

    data = item.data.shape_keys.animation_data
    curves = slot_curves(data.action, getattr(data, "action_slot", None))
    return {curve.data_path: [list(point.co) for point in curve.keyframe_points] for curve in curves}


def values_at(item, frame: float) -> dict[str, float]:
    """Shape key to its evaluated value at a scene frame."""
    import bpy

    bpy.context.scene.frame_set(int(np.floor(frame)), subframe=frame - np.floor(frame))
    evaluated = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {key.name: key.value for key in evaluated.data.shape_keys.key_blocks}


def select(*items) -> None:
    """Select these objects alone; the first is the active one."""
    import bpy

    for item in bpy.context.view_layer.objects:
        item.select_set(item in items)
    bpy.context.view_layer.objects.active = items[0]

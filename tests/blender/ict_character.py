"""A character from ICT-FaceKit: head, teeth and eyes as objects of their own, shape keys with ARKit names.

    python -m tests.blender.ict_character ICT_FOLDER OUT.blend

The expressions keep the names of ICT-FaceKit, ARKit with _L and _R; browInnerUp and cheekPuff come in halves. The eyes
have no expressions: ICT-FaceKit turns them.
"""

import sys
from pathlib import Path

import numpy as np

from shape_keys.derive.ict_head import read_parts

PARTS = {
    "Head": ("M_Face", "M_BackHead"),
    "Teeth": ("M_GumsTongue", "M_Teeth"),
    "Lashes": ("M_EyeLashes", "M_EyeBlend"),
    "Eyes": ("M_ScleraLeft", "M_IrisLeft", "M_ScleraRight", "M_IrisRight"),
}
COLOURS = {
    "Head": (0.6, 0.38, 0.3, 1),
    "Teeth": (0.7, 0.6, 0.55, 1),
    "Lashes": (0.1, 0.08, 0.06, 1),
    "Eyes": (0.8,) * 4,
}
LIPS = tuple(range(60, 68))
"""Inner lips among the 68 landmarks of iBUG: 61-63 upper and 65-67 lower, between the corners 60 and 64."""


def build_character(folder: Path) -> dict:
    """Add the character to the current scene; part to object. Lengths in cm, y up, turned to stand on Blender's z."""
    import bpy

    with np.load(folder / "expression_deltas.npz") as stored:
        neutral, names, deltas = stored["neutral"], stored["names"].tolist(), stored["deltas"]
    triangles = read_parts(folder / "generic_neutral_mesh.obj")
    root = bpy.data.objects.new("Character", None)
    root.rotation_euler = (np.pi / 2, 0, 0)
    bpy.context.scene.collection.objects.link(root)
    items = {}
    for part, materials in PARTS.items():
        faces = np.array([triangle for material, triangle in triangles if material in materials])
        used, corners = np.unique(faces, return_inverse=True)
        items[part] = _add_part(part, neutral[used], corners.reshape(-1, 3), root)
        items[part]["source_vertices"] = used.tolist()
        for name, delta in zip(names, deltas[:, used], strict=True):
            if np.abs(delta).max() > 1e-6 and not name.startswith("Pupil"):
                key = items[part].shape_key_add(name=name, from_mix=False)
                key.points.foreach_set("co", (neutral[used] + delta).astype(np.float32).ravel())
    bpy.context.view_layer.update()
    return items


def _add_part(name: str, vertices: np.ndarray, faces: np.ndarray, root):
    import bpy

    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices.tolist(), [], faces.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    material = bpy.data.materials.new(name)
    material.diffuse_color = COLOURS[name]
    mesh.materials.append(material)
    item = bpy.data.objects.new(name, mesh)
    item.parent = root
    bpy.context.scene.collection.objects.link(item)
    item.shape_key_add(name="Basis", from_mix=False)
    return item


def lip_gap(head, landmarks: list[int]) -> float:
    """Distance of the inner lips in the middle of the mouth, evaluated now, in the object's own units."""
    import bpy

    mesh = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
    positions = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", positions)
    places = {source: index for index, source in enumerate(head["source_vertices"])}
    upper, lower = (positions.reshape(-1, 3)[places[landmarks[index]]] for index in (LIPS[2], LIPS[6]))
    return float(np.linalg.norm(upper - lower))


def main(folder: str, out: str) -> None:
    """Write the character to a .blend."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    build_character(Path(folder))
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(out).absolute()), compress=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

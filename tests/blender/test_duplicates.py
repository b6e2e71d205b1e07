"""Heads that were duplicated: each has the pictures and the lips of its own line when one of them is baked again."""

from pathlib import Path

import pytest

from tests.blender.scene_checks import bake, empty_scene, evaluated_vertices
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender


def look(heads: list, frame: int) -> list:
    """Of each head at a frame: which picture of which folder shows the lips, and how far the vertices moved."""
    import bpy

    seen = []
    for head in heads:
        moved = float(abs(evaluated_vertices(head, frame)).sum())
        material = head.data.materials[0].evaluated_get(bpy.context.evaluated_depsgraph_get())
        node = material.node_tree.nodes["Mouthpiece lips"]
        folder = Path(bpy.path.abspath(node.image.filepath)).parts[-3]
        seen.append([folder, node.image_user.frame_offset, round(moved, 3)])
    return seen


def duplicate_and_bake(folder: str, other: str, options: dict) -> dict:
    """Bake a head, duplicate it as Shift+D does, and its mesh once more as Alt+D does; bake its line again."""
    import bpy

    empty_scene()
    head = bake(folder)[1].head
    bpy.context.view_layer.objects.active = head
    head.select_set(True)
    bpy.ops.object.duplicate()
    second = bpy.context.object
    bpy.ops.object.duplicate(linked=True)
    third = bpy.context.object
    heads = [head, second, third]
    found = {"before": look(heads, 4)}
    bake(other, start=3, **options)
    found["after"] = look(heads, 4)
    found["materials"] = [item.data.materials[0].name for item in heads]
    bpy.data.objects.remove(head)
    found["alone"] = look(heads[1:], 4)
    found["count"] = len(bpy.data.materials)
    return found


@pytest.mark.parametrize("options", [{}, {"lit": True}, {"kind": "CACHE"}])
def test_a_duplicate_keeps_its_own_lips(blender, tmp_path: Path, options: dict) -> None:
    folder, other = (make_animation(tmp_path / name, frames) for name, frames in (("a", 6), ("b", 9)))
    found = blender(duplicate_and_bake, folder=folder, other=other, options=options)
    first, second, third = found["before"]
    assert first == second == third
    assert found["after"][0][:2] == ["b", first[1] - 2]  # its line begins two frames later
    assert found["after"][1:] == found["alone"] == [second, third]
    assert found["after"][0][2] != first[2]
    own, *others = found["materials"]
    assert own == "hello"
    assert others[0] == others[1] != own
    assert found["count"] == 2

"""What an artist made of a head's material stays when its line is baked again, with the new performance's pictures."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.blender.scene_checks import bake, count_data, empty_scene
from tests.blender_addon.example import RECTANGLE, make_animation

pytestmark = pytest.mark.blender

FRAMES = 6


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, str]:
    """A line, and another performance of it whose crops lie elsewhere in the atlas."""
    folder, other = (make_animation(tmp_path / name, FRAMES) for name in "ab")
    (other / "atlas.json").write_text(json.dumps({**RECTANGLE, "x": 32}), encoding="utf-8")
    return {"folder": str(folder), "other": str(other)}


def pictures(material) -> list[str]:
    """The last three names of the paths of a material's pictures."""
    import bpy

    from blender_addon.bake.textures import material_images

    paths = [Path(bpy.path.abspath(image.filepath)) for image in material_images(material)]
    return sorted("/".join(path.parts[-3:]) for path in paths)


def timing(material) -> dict:
    """When which crop shows, and where in the atlas."""
    tree = material.node_tree
    user = tree.nodes["Mouthpiece lips"].image_user
    mapping = next(node for node in tree.nodes if node.type == "MAPPING")
    drivers = [] if tree.animation_data is None else tree.animation_data.drivers
    return {
        "frames": [user.frame_duration, user.frame_start, user.frame_offset],
        "formulas": [driver.driver.expression for driver in drivers],
        "place": [list(mapping.inputs[name].default_value) for name in ("Location", "Scale")],
    }


def edit_material(folder: str, other: str, way: str) -> dict:
    """Edit a head's material in a way and bake its line again twice, from between two frames and from a whole one."""
    import bpy

    empty_scene()
    head = bake(folder)[1].head
    material = head.data.materials[0]
    if way == "copy":
        material = material.copy()
        material.name = "MySkin"
        head.data.materials[0] = material
    material.node_tree.nodes.new("ShaderNodeHueSaturation")
    if way == "atlas":
        bpy.data.images.new("painted", 8, 8)
        nodes = [node for node in material.node_tree.nodes if node.type == "TEX_IMAGE"]
        next(node for node in nodes if node.name != "Mouthpiece lips").image = bpy.data.images["painted"]
    before, found = count_data(), []
    for again, start in ((other, 3.5), (other, 3.0)):
        bake(again, start=start)
        shown = head.data.materials[0]
        edited = any(node.type == "HUE_SAT" for node in shown.node_tree.nodes)
        found.append({"name": shown.name, "edited": edited, "pictures": pictures(shown), **timing(shown)})
    return {"found": found, "slots": len(head.data.materials), "before": before, "after": count_data()}


def bake_fresh(folder: str, other: str) -> list[dict]:
    """The same bakes as new heads."""
    found = []
    for again, start in ((other, 3.5), (other, 3.0)):
        empty_scene()
        found.append(timing(bake(again, start=start)[1].head.data.materials[0]))
    return found


@pytest.mark.parametrize("way", ["nodes", "copy", "atlas"])
def test_an_edited_material_stays(blender, folders: dict[str, str], way: str) -> None:
    found = blender(edit_material, **folders, way=way)
    fresh = blender(bake_fresh, **folders)
    for again, expected in zip(found["found"], fresh, strict=True):
        assert again["name"] == ("MySkin" if way == "copy" else "hello")
        assert again["edited"]
        crops = f"{Path(folders['other']).name}/atlas/0001.png"
        assert crops in again["pictures"]
        assert not any(Path(folders["folder"]).name + "/" in path.replace(crops, "") for path in again["pictures"])
        assert len(again["pictures"]) == 2
        assert (again["frames"], again["formulas"]) == (expected["frames"], expected["formulas"])
        np.testing.assert_allclose(again["place"], expected["place"], atol=1e-6)
    assert [len(again["formulas"]) for again in found["found"]] == [1, 1]
    assert found["slots"] == 1
    assert found["after"]["materials"] == found["before"]["materials"]


def change_kind(folder: str, other: str) -> dict:
    """A material renamed, a line baked with another shading; that shading again; and without lips."""
    import bpy

    empty_scene()
    head = bake(folder)[1].head
    mine = head.data.materials[0]
    mine.name = "MySkin"
    found = []
    for options in ({"lit": True}, {"lit": True}, {"texture": False}, {"texture": False}, {}):
        bake(other, **options)
        (shown,) = head.data.materials
        kinds = {node.type for node in shown.node_tree.nodes} & {"BSDF_PRINCIPLED", "EMISSION", "MIX"}
        found.append([shown.name, sorted(kinds)])
    return {"found": found, "materials": sorted(material.name for material in bpy.data.materials)}


def test_another_kind_of_material_takes_the_place_and_deletes_no_renamed_one(blender, folders: dict[str, str]) -> None:
    found = blender(change_kind, **folders)
    lit, flat, unlit = ["BSDF_PRINCIPLED", "MIX"], ["EMISSION"], ["EMISSION", "MIX"]
    assert found["found"] == [["hello", kinds] for kinds in (lit, lit, flat, flat, unlit)]
    assert found["materials"] == ["MySkin", "hello"]

"""The exchange formats, each read back by something other than the code that wrote it."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.blender.scene_checks import bake, empty_scene, evaluated_vertices
from tests.blender.sound import write_tone
from tests.blender_addon.example import layout, make_animation

pytestmark = pytest.mark.blender

FRAMES = 12
FPS = 29.97  # Blender's glTF exporter gets such rates wrong by itself


@pytest.fixture(scope="module")
def exports(headless, tmp_path_factory) -> Path:
    """Folder with the animation and shot.glb, .usdc, .abc, .fbx, .blend."""
    folder = tmp_path_factory.mktemp("exports")
    animation = make_animation(folder / "animation", frames=FRAMES, fps=FPS)
    sound = write_tone(folder / "tone.wav", FRAMES / FPS)
    outputs = [folder / f"shot{ending}" for ending in (".glb", ".usdc", ".abc", ".fbx", ".blend")]
    status, lines, errors = headless(
        "--animation", animation, "--audio", sound, *(word for path in outputs for word in ("--out", path))
    )
    assert status == 0, errors
    assert lines[-1] == {"wrote": [str(path) for path in outputs]}
    names = {path.name for path in folder.iterdir()}
    assert names == {"animation", "tone.wav", "shot_files", *(path.name for path in outputs)}
    return folder


def accessor(gltf, index: int) -> np.ndarray:
    """An accessor's values as (count, components) float32."""
    entry = gltf.accessors[index]
    view = gltf.bufferViews[entry.bufferView]
    width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3}[entry.type]
    assert entry.componentType == 5126  # FLOAT
    assert entry.sparse is None
    start = (view.byteOffset or 0) + (entry.byteOffset or 0)
    values = np.frombuffer(gltf.binary_blob(), np.float32, entry.count * width, start)
    return values.reshape(entry.count, width)


def test_gltf_holds_the_animation(exports: Path) -> None:
    pygltflib = pytest.importorskip("pygltflib")
    gltf = pygltflib.GLTF2().load(str(exports / "shot.glb"))
    [mesh] = gltf.meshes
    [primitive] = mesh.primitives
    basis = accessor(gltf, primitive.attributes.POSITION)
    targets = np.stack([accessor(gltf, target["POSITION"]) for target in primitive.targets])
    [animation] = gltf.animations
    assert animation.name == "tone"
    [channel] = [channel for channel in animation.channels if channel.target.path == "weights"]
    sampler = animation.samplers[channel.sampler]
    times = accessor(gltf, sampler.input)[:, 0]
    weights = accessor(gltf, sampler.output).reshape(len(times), len(targets))
    np.testing.assert_allclose(times, np.arange(FRAMES) / FPS, atol=1e-4)
    assert weights.min() >= 0  # engines and importers clamp to 0..1
    assert weights.max() <= 1

    # The exporter may reorder and double vertices, so frames are compared as sets of points. It turns y and z of the
    # object's own space and turns the object back, so in the mesh z is -y of head space, and y its z.
    source = np.load(exports / "animation" / "animation.npz")
    for frame in (0, 3, 6, 9, 11):
        points = basis + np.tensordot(weights[frame], targets, axes=1)
        x, y, z = (source["reference"] + source["offsets"][frame]).T
        expected = np.stack([x, z, -y], axis=1)
        assert np.abs(points[:, None] - expected[None]).max(axis=2).min(axis=1).max() < 1e-4


def test_gltf_looks_like_the_atlas(exports: Path) -> None:
    pygltflib = pytest.importorskip("pygltflib")
    gltf = pygltflib.GLTF2().load(str(exports / "shot.glb"))
    [material] = gltf.materials
    assert "KHR_materials_unlit" in material.extensions
    image = gltf.images[gltf.textures[material.pbrMetallicRoughness.baseColorTexture.index].source]
    view = gltf.bufferViews[image.bufferView]
    content = gltf.binary_blob()[view.byteOffset or 0 :][: view.byteLength]
    assert content.startswith(b"\x89PNG")
    assert struct.unpack(">II", content[16:24]) == (256, 256)
    uv = accessor(gltf, gltf.meshes[0].primitives[0].attributes.TEXCOORD_0)
    expected = layout() * [1, -1] + [0, 1]  # glTF's v points down
    assert np.abs(uv[:, None] - expected[None]).max(axis=2).min(axis=1).max() < 1e-5
    extras = json.dumps([node.extras for node in gltf.nodes])
    assert "mouthpiece_provenance" in extras


def test_the_saved_gltf_is_small(exports: Path) -> None:
    assert (exports / "shot.glb").stat().st_size < 1_000_000


def import_back(path: str, frames: list[int]) -> dict:
    """Import an exchange file as a user does; world positions of the only mesh, also with all weights 0; the rest."""
    import bpy

    scene = empty_scene()
    # Blender's glTF importer takes the inverse of the base, as its exporter does.
    scene.render.fps, scene.render.fps_base = 30, FPS / 30 if path.endswith(".glb") else 30 / FPS
    importers = {
        ".glb": lambda: bpy.ops.import_scene.gltf(filepath=path),
        ".usdc": lambda: bpy.ops.wm.usd_import(filepath=path),
        ".abc": lambda: bpy.ops.wm.alembic_import(filepath=path, as_background_job=False),
        ".fbx": lambda: bpy.ops.import_scene.fbx(filepath=path, anim_offset=0.0),
    }
    importers[Path(path).suffix]()
    head = next(item for item in bpy.context.scene.objects if item.type == "MESH")

    def positions(frame: int) -> list:
        local = evaluated_vertices(head, frame)
        matrix = np.array(head.matrix_world)
        return (local @ matrix[:3, :3].T + matrix[:3, 3]).tolist()

    found = {
        "images": [f"{image.name} {image.filepath}" for image in bpy.data.images],
        "positions": [positions(frame) for frame in frames],
        "materials": [material.name for material in bpy.data.materials if material.users],
        "marks": [item.get("mouthpiece_provenance", "") for item in bpy.data.objects],
    }
    if head.data.shape_keys is not None:
        head.data.shape_keys.animation_data_clear()
        for key in head.data.shape_keys.key_blocks:
            key.value = 0
        found["rest"] = positions(0)
    return found


@pytest.mark.parametrize("ending", [".glb", ".usdc", ".abc", ".fbx"])
def test_blender_reads_the_motion_back_from_frame_0(blender, exports: Path, ending: str) -> None:
    frames = [0, 3, 6, 9, 11]
    found = blender(import_back, path=exports / f"shot{ending}", frames=frames)
    source = np.load(exports / "animation" / "animation.npz")
    upright = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]])  # head space to Blender's z-up world
    for frame, positions in zip(frames, found["positions"], strict=True):
        expected = (source["reference"] + source["offsets"][frame]) @ upright.T
        np.testing.assert_allclose(positions, expected, atol=1e-3)
    if ending == ".abc":  # Blender writes custom properties there, and reads none
        assert b"mouthpiece_provenance" in (exports / "shot.abc").read_bytes()
    else:
        assert found["materials"] == ["tone"]
        assert any('"tool": "example"' in mark for mark in found["marks"])
        np.testing.assert_allclose(found["rest"], source["reference"] @ upright.T, atol=1e-5)
        assert any("atlas" in image for image in found["images"])


def fail_to_export(folder: str, out: str) -> dict:
    """Names of the materials and scenes after exports that failed, another scene having the line's name."""
    import bpy

    from blender_addon.errors import OutputError
    from blender_addon.export import export_gltf_scene, export_head

    scene = empty_scene()
    head = bake(folder)[1].head
    bpy.data.scenes.new("hello")
    (Path(out) / "file").write_text("no folder")
    said = []
    for ending in (".glb", ".usdc", ".fbx"):
        try:
            export_head(scene, head, Path(out) / "file" / f"shot{ending}")
        except OutputError as error:
            said.append(str(error))
    scene_file = Path(out) / "scene.glb"
    export_gltf_scene(scene, "hello", scene_file)
    return {
        "said": len(said),
        "materials": [material.name for material in bpy.data.materials],
        "scenes": sorted(item.name for item in bpy.data.scenes),
        "own": [scene.name, head.data.materials[0].name],
    }


def test_names_are_given_back_when_an_export_fails(blender, tmp_path: Path) -> None:
    pygltflib = pytest.importorskip("pygltflib")
    found = blender(fail_to_export, folder=make_animation(tmp_path / "a", 3), out=tmp_path)
    assert found == {"said": 3, "materials": ["hello"], "scenes": ["Scene", "hello"], "own": ["Scene", "hello"]}
    [clip] = pygltflib.GLTF2().load(str(tmp_path / "scene.glb")).animations
    assert clip.name == "hello"


def keys_of_the_scene(path: str) -> dict:
    """Where a .blend's scene and its keys begin and end."""
    import bpy

    from blender_addon.bake.curves import action_curves

    bpy.ops.wm.open_mainfile(filepath=path)
    scene, [action] = bpy.context.scene, bpy.data.actions
    spans = {tuple(curve.keyframe_points[end].co[0] for end in (0, -1)) for curve in action_curves(action)}
    return {"spans": list(spans), "scene": [scene.frame_start, scene.frame_end, scene.frame_current]}


def test_the_scene_begins_at_frame_1_after_the_exports(blender, exports: Path) -> None:
    found = blender(keys_of_the_scene, path=exports / "shot.blend")
    assert found == {"spans": [[1, FRAMES]], "scene": [1, FRAMES, 1]}

"""Export a talking head for other programs: glTF, USD, Alembic, FBX; frame 0 of the animation is at 0 s."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from .bake.curves import move_keys
from .bake.tags import LINE
from .bake.textures import build_exchange_material, material_images
from .errors import OutputError

GLTF = {
    "export_format": "GLB",
    "export_extras": True,
    "export_morph": True,
    "export_morph_animation": True,
    # Independent readers often lack sparse accessors.
    "export_try_sparse_sk": False,
    "export_animations": True,
    "export_animation_mode": "ACTIVE_ACTIONS",
    "export_force_sampling": True,
    "export_optimize_animation_size": False,
    "export_frame_range": True,
    # Frame 0 of the animation is at 0 s, whatever scene frame it was baked to.
    "export_anim_slide_to_zero": True,
}


def export_gltf(scene: bpy.types.Scene, head: bpy.types.Object, path: Path) -> None:
    """Write .glb: a morph target for each shape key, their weights over time, the reference atlas, unlit."""
    clip = {"export_nla_strips_merged_animation_name": head[LINE]}
    with _selected(head), _exchange_material(head, unlit=True), _rate_for_gltf(scene):
        _run(bpy.ops.export_scene.gltf, path, use_selection=True, export_morph_normal=False, **GLTF, **clip)


def export_gltf_scene(scene: bpy.types.Scene, line: str, path: Path) -> None:
    """Write .glb of everything in the scene as it moves there, by actions, strips and drivers alike; a line's clip."""
    whole = {**GLTF, "export_animation_mode": "SCENE", "export_anim_scene_split_object": False}
    with _named(scene, line, bpy.data.scenes), _rate_for_gltf(scene):  # the clip is called as the scene is
        _run(bpy.ops.export_scene.gltf, path, use_active_scene=True, export_morph_normal=True, **whole)


def export_usd(scene: bpy.types.Scene, head: bpy.types.Object, path: Path) -> None:
    """Write .usdc: blend shapes with their weights; the atlas stays in its file, referred to by relative path."""
    with _selected(head), _exchange_material(head, unlit=False):
        _run(
            bpy.ops.wm.usd_export,
            path,
            selected_objects_only=True,
            export_animation=True,
            export_shapekeys=True,
            export_materials=True,
            generate_preview_surface=True,
            # The scene's background would become a dome light with a texture of its own.
            convert_world_material=False,
            export_textures=False,
            export_textures_mode="KEEP",
            relative_paths=True,
        )


def export_alembic(scene: bpy.types.Scene, head: bpy.types.Object, path: Path) -> None:
    """Write .abc: the evaluated vertices of every frame, with their texture coordinates."""
    with _selected(head):
        _run(
            bpy.ops.wm.alembic_export,
            path,
            start=scene.frame_start,
            end=scene.frame_end,
            selected=True,
            uvs=True,
            as_background_job=False,
        )


def export_fbx(scene: bpy.types.Scene, head: bpy.types.Object, path: Path) -> None:
    """Write .fbx: shape keys with their curves, the reference atlas embedded, custom properties of the head."""
    with _selected(head), _exchange_material(head, unlit=False), _named(scene, head[LINE], bpy.data.scenes):
        _run(
            bpy.ops.export_scene.fbx,
            path,
            use_selection=True,
            object_types={"MESH"},
            use_custom_props=True,
            mesh_smooth_type="FACE",
            bake_anim=True,
            bake_anim_use_all_actions=False,
            bake_anim_use_nla_strips=False,
            bake_anim_simplify_factor=0.0,
            path_mode="COPY",
            embed_textures=True,
        )


EXPORTERS: dict[str, Callable[[bpy.types.Scene, bpy.types.Object, Path], None]] = {
    ".glb": export_gltf,
    ".usdc": export_usd,
    ".abc": export_alembic,
    ".fbx": export_fbx,
}


def export_head(scene: bpy.types.Scene, head: bpy.types.Object, path: Path) -> None:
    """Write a talking head, whose line fills the scene's frames, in the format of the path's ending."""
    with _from_zero(scene, head):
        EXPORTERS[path.suffix.lower()](scene, head, path)


def _run(operator, path: Path, **options) -> None:
    """Call an exporter with those of the options that this version of Blender knows."""
    known = operator.get_rna_type().properties
    try:
        result = operator(filepath=str(path), **{name: value for name, value in options.items() if name in known})
    except RuntimeError as error:
        # Of a script's traceback the last line says what went wrong, but for where Blender called it.
        lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("Location:")]
        raise OutputError(f"Blender could not export {path.suffix}: {lines[-1] if lines else error}") from error
    if result != {"FINISHED"} or not path.is_file():
        raise OutputError(f"Blender did not write the {path.suffix} file; its messages above say why.")


@contextmanager
def _selected(head: bpy.types.Object) -> Iterator[None]:
    for item in bpy.context.selected_objects:
        item.select_set(False)
    head.select_set(True)
    bpy.context.view_layer.objects.active = head
    yield
    head.select_set(False)


@contextmanager
def _exchange_material(head: bpy.types.Object, unlit: bool) -> Iterator[None]:
    """Show exporters a plain material with the reference atlas: they do not understand the mix with the crops."""
    slots = head.data.materials
    original = slots[0]
    images = [image for image in material_images(original) if image.source == "FILE"]
    if not images:
        yield
        return
    temporary = build_exchange_material(original.name, images[0], unlit)
    slots[0] = temporary
    try:
        with _named(temporary, original.name, bpy.data.materials):
            yield
    finally:
        slots[0] = original
        bpy.data.materials.remove(temporary)


@contextmanager
def _named(item: bpy.types.ID, name: str, kind) -> Iterator[None]:
    """Call a data-block by a name, which another one of its kind lends where it has it."""
    before, owner = item.name, kind.get((name, None))  # of this file, not of a library
    if owner is not None:
        owner.name = "Mouthpiece set aside"
    item.name = name
    try:
        yield
    finally:
        item.name = before
        if owner is not None:
            owner.name = name


@contextmanager
def _from_zero(scene: bpy.types.Scene, head: bpy.types.Object) -> Iterator[None]:
    """Let the scene begin at frame 0: to exporters it is 0 s, so a line from frame 1 would be late for its sound."""
    first = scene.frame_start
    _move_start(scene, head, -first)
    try:
        yield
    finally:
        _move_start(scene, head, first)


def _move_start(scene: bpy.types.Scene, head: bpy.types.Object, frames: int) -> None:
    for owner in (head, head.data.shape_keys):
        move_keys(owner, frames)
    scene.frame_start, scene.frame_end = scene.frame_start + frames, scene.frame_end + frames
    scene.frame_set(scene.frame_start)


@contextmanager
def _rate_for_gltf(scene: bpy.types.Scene) -> Iterator[None]:
    """Make the glTF exporter time frames right at rates such as 29.97.

    It divides frame numbers by fps * fps_base (Blender 4.2 to 5.2) where the rate is fps / fps_base.
    """
    base = scene.render.fps_base
    scene.render.fps_base = 1.0 / base
    try:
        yield
    finally:
        scene.render.fps_base = base

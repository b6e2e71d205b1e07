"""Build a scene for an animation and write it in every format asked for, all or nothing."""

from collections.abc import Callable
from pathlib import Path

import bpy

from .animation import Animation
from .bake.markers import mark_words
from .bake.scene import add_camera, set_background, set_colours, set_timing, show_textures
from .bake.talking_head import TalkingHead, bake_talking_head
from .blend_file import copy_files, files_folder, refer_to, save_blend
from .export import export_head
from .render import render_frames, set_render
from .staging import Staging

NEEDS_FILES = (".blend", ".usdc")  # formats that refer to textures beside them


def build_scene(animation: Animation, line: str, sound: Path | None, size: int) -> tuple[bpy.types.Scene, TalkingHead]:
    """Empty Blender, then a scene with the talking head from frame 1, markers, a camera and render settings."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    set_timing(scene, animation.fps, 1, animation.frames)
    set_colours(scene)
    baked = bake_talking_head(scene, animation, line, sound)
    mark_words(scene, line, animation.words, 1)
    add_camera(scene, baked.head)
    set_background(scene)
    set_render(scene, size)
    show_textures()
    return scene, baked


def write_results(
    scene: bpy.types.Scene,
    baked: TalkingHead,
    animation: Animation,
    sound: Path | None,
    outputs: list[Path],
    render: Path | None,
    progress: Callable[[str, int, int], None],
) -> list[Path]:
    """Write the outputs and the rendered frames; returns their paths. On an error none of them is left behind."""
    exchanges = [path for path in outputs if path.suffix.lower() != ".blend"]
    blends = [path for path in outputs if path.suffix.lower() == ".blend"]
    with Staging() as staging:
        if render is not None:
            render_frames(scene, staging.folder(render, r"\d{4,}\.png"), progress)
        placed: set[Path] = set()
        # The .blend comes last: saving it makes the paths in memory relative.
        for done, path in enumerate([*exchanges, *blends]):
            progress("write", done, len(outputs))
            folder = files_folder(path)
            if path.suffix.lower() in NEEDS_FILES and folder not in placed:
                copy_files(staging, folder, animation, sound)
                placed.add(folder)
            if path.suffix.lower() in NEEDS_FILES:
                refer_to(folder, baked)
            if path in blends:
                save_blend(scene, baked, staging.file(path), path)
            else:
                export_head(scene, baked.head, staging.file(path))
        if outputs:  # a total of 0 is a message
            progress("write", len(outputs), len(outputs))
    return [*outputs, *([] if render is None else [render])]

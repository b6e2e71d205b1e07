"""Render a scene's frames to PNG files, quickly and without a graphics card."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from .errors import OutputError

SAMPLES = 4  # a pixel; the material is unlit, so samples only smooth edges
BOUNCES = ("max_bounces", "diffuse_bounces", "glossy_bounces", "transmission_bounces", "volume_bounces")


def set_render(scene: bpy.types.Scene, size: int) -> None:
    """Square pictures of `size` pixels from Cycles on the processor.

    Cycles: Workbench is as quick but needs a working EGL, EEVEE takes seconds a frame without a graphics card.
    """
    render = scene.render
    render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    render.use_sequencer = False  # a sound strip alone would otherwise render black
    render.resolution_x = render.resolution_y = size
    render.resolution_percentage = 100
    if hasattr(render.image_settings, "media_type"):  # 5.0 and later
        render.image_settings.media_type = "IMAGE"
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGB"
    render.image_settings.color_depth = "8"
    render.use_file_extension = True


@contextmanager
def quick_render(scene: bpy.types.Scene) -> Iterator[None]:
    """Render with nothing that an unlit face does not need; afterwards all is set as before."""
    render, cycles = scene.render, scene.cycles
    quick = [
        (cycles, "samples", SAMPLES),
        (cycles, "use_adaptive_sampling", False),
        (cycles, "use_denoising", False),
        *((cycles, name, 0) for name in BOUNCES),
        (render, "use_persistent_data", True),
        (render, "use_compositing", False),
    ]
    before = [getattr(owner, name) for owner, name, _ in quick]
    for owner, name, value in quick:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for (owner, name, _), value in zip(quick, before, strict=True):
            setattr(owner, name, value)


def render_frames(scene: bpy.types.Scene, folder: Path, progress: Callable[[str, int, int], None]) -> None:
    """Render the scene's range to `folder` as 0001.png and so on (the scene's frame numbers)."""
    total = scene.frame_end - scene.frame_start + 1
    done = 0

    def count(*_) -> None:
        nonlocal done
        done += 1
        progress("render", done, total)

    before = scene.render.filepath
    scene.render.filepath = str(folder / "####")
    bpy.app.handlers.render_write.append(count)
    try:
        with quick_render(scene):
            bpy.ops.render.render(animation=True, scene=scene.name)
    except RuntimeError as error:
        raise OutputError(f"Blender could not render the frames to {folder}: {error}") from error
    finally:
        bpy.app.handlers.render_write.remove(count)
        scene.render.filepath = before
    if done != total:
        raise OutputError(f"Blender wrote {done} of {total} frames to {folder}; check the space left on the disk.")

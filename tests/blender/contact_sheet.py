"""Pictures of a talking head from five sides at two moments, to be looked at.

    python -m tests.blender.contact_sheet ANIMATION_FOLDER OUT.jpg [--frame 40] [--size 256]

The upper row is the animation's first frame, the lower row the chosen one. ANIMATION_FOLDER is what
`mouthpiece animate SOUND --actor NAME --out FOLDER` wrote.
"""

import argparse
import math
import os
import sys
import tempfile
from pathlib import Path

ANGLES = (-60, -30, 0, 30, 60)
"""Degrees that the camera goes around the head, seen from above."""


def render_sides(folder: Path, frames: list[int], size: int, out: Path) -> list[list[Path]]:
    """Render the head at some 1-based frames: a row of pictures for each, a picture for each angle."""
    import bpy

    from blender_addon.animation import read_animation
    from blender_addon.writing import build_scene

    scene, _ = build_scene(read_animation(folder), "head", None, size)
    camera = scene.camera
    distance, height = -camera.location.y, camera.location.z
    rows = []
    for frame in frames:
        row = []
        scene.frame_set(frame)
        for angle in ANGLES:
            turned = math.radians(angle)
            camera.location = (math.sin(turned) * distance, -math.cos(turned) * distance, height)
            camera.rotation_euler = (math.pi / 2, 0, turned)
            row.append(out / f"{frame:04d}_{angle}.png")
            scene.render.filepath = str(row[-1])
            bpy.ops.render.render(write_still=True)
        rows.append(row)
    return rows


def join_pictures(rows: list[list[Path]], out: Path) -> None:
    """Put pictures of one size into one."""
    from PIL import Image

    side = Image.open(rows[0][0]).width
    sheet = Image.new("RGB", (side * len(rows[0]), side * len(rows)))
    for down, row in enumerate(rows):
        for across, path in enumerate(row):
            sheet.paste(Image.open(path), (across * side, down * side))
    sheet.save(out, quality=88, optimize=True)


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("animation", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--frame", type=int, default=40)
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        join_pictures(render_sides(options.animation, [1, options.frame], options.size, Path(folder)), options.out)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # an ordinary exit crashes bpy 4.2 and hangs 4.5

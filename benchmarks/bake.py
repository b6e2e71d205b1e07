"""How long Blender takes to key a minute of speech, in bulk and with keyframe_insert; needs bpy.

python -m benchmarks.bake [--seconds 60] [--json FILE]
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import bpy
import numpy as np

from benchmarks.machine import describe_machine
from blender_addon.animation import read_animation
from blender_addon.bake.character import bake_character
from blender_addon.bake.characters import character_meshes
from blender_addon.bake.line_action import Job, bake_into_line
from blender_addon.bake.options import EXACT, SPARSE, ResultOptions
from blender_addon.bake.shape_keys import add_shape_keys, build_mesh, head_channels
from blender_addon.bake.talking_head import bake_talking_head
from blender_addon.components import Components, find_components
from shape_keys.arkit import NAMES
from tests.blender.rigs import add_mesh
from tests.blender_addon.example import make_animation

FPS = 25
COMPONENTS = 24
RANK = 32  # of what the networks' last layer can say
INSERTED = 1500  # frames that are keyed one by one; more would take minutes


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    work: str
    figure: float
    unit: str
    goal: str


def measure(seconds: float, folder: Path) -> list[Row]:
    """Key 52 weights and 24 shape keys over some seconds, in both ways."""
    frames = round(seconds * FPS)
    random = np.random.default_rng(0)
    weights = random.random((frames, len(NAMES))).astype(np.float32)
    talk = make_animation(
        folder, frames, texture=False, weights=weights, weight_names=np.array(NAMES), offsets=face_motion(frames)
    )
    animation = read_animation(talk)
    components = Components(
        0.01 * random.standard_normal((COMPONENTS, 468, 3)).astype(np.float32),
        random.random((frames, COMPONENTS)).astype(np.float32),
        0.0,
    )
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = FPS
    character = add_mesh("character", list(NAMES))
    head = bpy.data.objects.new("head", build_mesh("head", animation))
    scene.collection.objects.link(head)
    add_shape_keys(head, components)

    def weights_in_bulk() -> None:
        bake_character(scene, character_meshes([character]), animation, "line")

    def keys_in_bulk() -> None:
        places = np.arange(1, frames + 1)
        job = Job(head.data.shape_keys, head_channels(components, places, EXACT))
        bake_into_line("head", (1, frames), [job])

    first = timed(weights_in_bulk) + timed(keys_in_bulk)
    bulk = min(timed(weights_in_bulk) + timed(keys_in_bulk) for _ in range(3))
    split = timed(lambda: find_components(animation.offsets))
    whole = timed(lambda: bake_talking_head(scene, animation, "whole", None))
    few = timed(lambda: bake_talking_head(scene, animation, "few", None, options=ResultOptions(kind=SPARSE)))
    part = min(frames, INSERTED)
    slow = timed(lambda: insert(head, components.weights[:part]) + insert(character, weights[:part])) * frames / part
    name = f"{seconds:.0f} s ({frames} frames), {len(NAMES)} weights + {COMPONENTS} shape keys"
    return [
        Row(f"bake: {name}", bulk, "s", "0.5" if frames <= 1500 else "5"),
        Row("bake: the same, the first time", first, "s", ""),
        Row("bake: principal components of the vertices, once a line", split, "s", ""),
        Row("bake: a new talking head, everything included", whole, "s", "" if frames <= 1500 else "5"),
        Row("bake: the same with sparse keys", few, "s", ""),
        Row(f"keyframe_insert: the same keys{' (from a part)' if part < frames else ''}", slow, "s", ""),
        Row("keyframe_insert / bake", slow / bulk, "x", "100"),
    ]


def face_motion(frames: int) -> np.ndarray:
    """(frames, 468, 3) float32: as many independent movements as the networks have, of falling strength."""
    random = np.random.default_rng(1)
    strengths = 0.02 * 0.8 ** np.arange(RANK)
    flat = (random.standard_normal((frames, RANK)) * strengths) @ random.standard_normal((RANK, 3 * 468))
    return flat.astype(np.float32).reshape(frames, 468, 3)


def insert(item: bpy.types.Object, values: np.ndarray) -> int:
    """Key an object's shape keys one value at a time, as a script without bulk access does."""
    keys = item.data.shape_keys
    keys.animation_data_clear()
    blocks = list(keys.key_blocks)[1:]
    for frame, row in enumerate(values):
        for block, value in zip(blocks, row, strict=True):
            block.value = value
            block.keyframe_insert("value", frame=frame + 1)
    return len(values)


def timed(work: Callable[[], object]) -> float:
    """Seconds a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(options.seconds, Path(folder))
    for row in rows:
        print(f"{row.work:75} {row.figure:9.3f} {row.unit:2} {f'(goal {row.goal})' if row.goal else ''}")
    if options.json:
        about = {"machine": describe_machine(), "blender": bpy.app.version_string}
        options.json.write_text(json.dumps({**about, "rows": [asdict(row) for row in rows]}, indent=2))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # an ordinary exit crashes bpy 4.2 and hangs 4.5

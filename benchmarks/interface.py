"""How long Blender's interface is held up at a time while a line is animated and baked; needs bpy and the backend.

python -m benchmarks.interface [--seconds 60] [--json FILE]

Every look at the work (the timer's call of `pump`) is timed, the bake too. The goal is 50 ms at a time.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import bpy

import blender_addon
from benchmarks.machine import describe_machine
from blender_addon.animate_operators import chosen_target
from blender_addon.preferences import BACKEND
from blender_addon.session import start_session
from blender_addon.speech_source import file_source
from shape_keys.arkit import NAMES
from tests.backend.service.running import make_sound
from tests.blender.rigs import add_mesh, select

GOAL_MS = 50.0
WAIT_SECONDS = 0.01


@dataclass(frozen=True)
class Row:
    """One kind of line; all times in milliseconds save `seconds`."""

    work: str
    seconds: float
    looks: int
    while_working: float
    """The longest look before the animation has arrived."""
    baking: float
    """The longest from then on."""
    baking_cpu: float
    """The same in processor time, which other programs on the machine do not lengthen."""


def measure(name: str, face: str, sound: Path) -> Row:
    """Animate a sound onto a face as the panel would, timing every look."""
    scene = bpy.context.scene
    scene.mouthpiece.face = face
    begun = time.monotonic()
    activity = start_session(scene, file_source(str(sound), 1.0), chosen_target(bpy.context), "default")
    looks: list[tuple[str, float, float]] = []
    while not activity.ended:
        stage = activity.progress.stage
        started, used = time.perf_counter(), time.thread_time()
        activity.pump()
        looks.append((stage, 1000 * (time.perf_counter() - started), 1000 * (time.thread_time() - used)))
        time.sleep(WAIT_SECONDS)
    if activity.failed:
        raise SystemExit(activity.message)
    first = next((index for index, (stage, *_) in enumerate(looks) if stage == "baking"), len(looks) - 1)
    working, baking = [took for _, took, _ in looks[:first]] or [0.0], [took for _, took, _ in looks[first:]]
    worked = max(used for _, _, used in looks[first:])
    return Row(name, time.monotonic() - begun, len(looks), max(working), max(baking), worked)


def main(argv: list[str] | None = None) -> int:
    """Print the table; optionally write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as place:
        os.environ["MOUTHPIECE_HOME"] = place
        sound = Path(place) / "line.wav"
        sound.write_bytes(make_sound(1, options.seconds))
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.context.scene.render.fps = 25
        blender_addon.register()
        select(add_mesh("character", list(NAMES)))
        try:
            rows = [
                measure("character, 52 shape keys", "CHARACTER", sound),
                measure("the same again", "CHARACTER", sound),
                measure("talking head with textures", "HEAD", sound),
                measure("the same again", "HEAD", sound),
            ]
        finally:
            BACKEND.stop()
    print(f"{options.seconds:.0f} s of sound; longest look in ms; goal {GOAL_MS:.0f}\n{describe_machine()}\n")
    print("| line | seconds | looks | while working | while baking | of it processor |\n|---|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row.work} | {row.seconds:.1f} | {row.looks} | {row.while_working:.1f} | {row.baking:.1f} "
            f"| {row.baking_cpu:.1f} |"
        )
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), "utf-8")
    return 0 if max(max(row.while_working, row.baking) for row in rows) <= GOAL_MS else 1


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # an ordinary exit crashes bpy 4.2 and hangs 4.5

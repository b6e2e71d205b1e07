"""Installs the extension's zip as a user does, sets its backend up from it, and animates through it.

`python tests/end_to_end/set_up_extension.py dist/mouthpiece-VERSION.zip SOUND`, with a Python that has bpy. Everything
lies in a folder of its own that is deleted at the end. It downloads what the backend needs, so it is no part of the
test suite. The last line of what it prints is JSON.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODULE = "bl_ext.user_default.mouthpiece"


def main(package: str, sound: str) -> int:
    """Run the steps in a Blender of their own; returns 0 where all went well."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "user").mkdir()
        environment = {"BLENDER_USER_RESOURCES": str(folder / "user"), "MOUTHPIECE_HOME": str(folder / "home")}
        command = [sys.executable, __file__, "--inside", str(Path(package).resolve()), str(Path(sound).resolve())]
        done = subprocess.run(command, cwd=folder, env={**os.environ, **environment})
    return done.returncode


def inside(package: str, sound: str) -> int:
    """Install, set up, animate, check; the steps' times and words as JSON."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.preferences.system.use_online_access = True
    bpy.ops.extensions.package_install_files(filepath=package, repo="user_default", enable_on_install=True)
    found = {"before": check(), "online": bpy.app.online_access}
    started = time.monotonic()
    found["set_up"] = list(bpy.ops.mouthpiece.set_up_backend())
    found["set_up_seconds"] = round(time.monotonic() - started)
    found["after"] = check()
    bpy.context.scene.mouthpiece.sound = sound
    started = time.monotonic()
    found["animate"] = list(bpy.ops.mouthpiece.animate())
    found["animate_seconds"] = round(time.monotonic() - started, 1)
    found["heads"] = [len(item.data.vertices) for item in bpy.context.scene.objects if item.type == "MESH"]
    found["running"] = check()
    user = Path(bpy.utils.extension_path_user(MODULE))
    found["environment_bytes"] = sum(path.lstat().st_size for path in user.rglob("*") if path.is_file())
    bpy.ops.mouthpiece.stop_backend()
    found["removed"] = list(bpy.ops.mouthpiece.remove_backend())
    bpy.ops.preferences.addon_disable(module=MODULE)
    print(json.dumps(found), flush=True)
    good = found["set_up"] == found["animate"] == found["removed"] == ["FINISHED"] and found["heads"] == [468]
    os._exit(0 if good else 1)


def check() -> str:
    """What Check Backend says."""
    import bpy

    bpy.ops.mouthpiece.check_backend()
    return sys.modules[f"{MODULE}.activity"].shown("backend").message


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(inside(*arguments[1:]) if arguments[0] == "--inside" else main(*arguments))

"""Start of the windowless Blender: `python -m blender_addon.headless`, or this file given to `blender --python`."""

import os
import shutil
import signal
import sys
from pathlib import Path


def start() -> int:
    """Run the command line this process was started with; returns its exit status."""
    if __package__:
        from .command import main

        return main(sys.argv[1:])
    # Blender runs a file outside its package, and puts its own arguments before "--".
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from blender_addon.command import main

    return main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else [])


def remove_scratch() -> None:
    """Remove the folder for temporary files that Blender makes for each start, and removes itself only at its end."""
    bpy = sys.modules.get("bpy")  # not loaded for --help
    folder = None if bpy is None else Path(bpy.app.tempdir)
    if folder is not None and folder.name.startswith("blender_"):
        shutil.rmtree(folder, ignore_errors=True)


def stop_once(*_: object) -> None:
    """Signal handler: half-written results vanish, and no further signal breaks into that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop_once)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # ignored where it was started in the background
        signal.signal(signal.SIGINT, stop_once)
    try:
        status = start()
    except KeyboardInterrupt:
        status = 130
    remove_scratch()
    sys.stdout.flush()
    sys.stderr.flush()
    # Leaving bpy the ordinary way crashes 4.2 and hangs 4.5 where a handler or class is left.
    os._exit(status)

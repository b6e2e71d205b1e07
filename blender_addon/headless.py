"""Start of the windowless Blender: `python -m blender_addon.headless`, or this file given to `blender --python`."""

import os
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


if __name__ == "__main__":
    status = start()
    sys.stdout.flush()
    sys.stderr.flush()
    # Leaving bpy the ordinary way crashes 4.2 and hangs 4.5 where a handler or class is left.
    os._exit(status)

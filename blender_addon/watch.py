"""Run a command for as long as the program that started this lives: `python watch.py COMMAND...`; needs no Blender.

A backend that Blender started must not outlive it, however Blender ends. The pipe on standard input closes with it.
"""

import os
import subprocess
import sys
import threading

PATIENCE = 10.0  # seconds to end in good order


def main(command: list[str]) -> int:
    """Run the command until it ends or standard input closes; returns its exit status."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_parent, args=(child,), daemon=True).start()
    return child.wait()


def _end_with_parent(child: subprocess.Popen) -> None:
    while os.read(0, 4096):  # unbuffered: Python cannot end while a thread waits inside a buffered read
        pass
    child.terminate()
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

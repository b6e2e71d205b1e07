"""Run a function in a Blender of its own: `python -m tests.blender.process MODULE FUNCTION ARGUMENTS RESULT`."""

import json
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path


def main(module: str, function: str, arguments: str, result: str) -> None:
    """Call the function with JSON keyword arguments; write what it returns as JSON; end the process at once."""
    status = 0
    try:
        answer = getattr(import_module(module), function)(**json.loads(arguments))
        Path(result).write_text(json.dumps(answer), encoding="utf-8")
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # An ordinary exit crashes bpy 4.2 and hangs 4.5 where a handler or class is left.
    os._exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])

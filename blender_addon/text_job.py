"""Words to speech to an animation, by the backend's own command, which knows exactly when it says what; no bpy."""

import uuid
from pathlib import Path
from typing import Any

from .animation import Animation, read_animation
from .backend_process import BackendChoice, place_of
from .background import Background
from .errors import BackendError
from .jobs import AnimateRequest, prepare, scratch_folder
from .watched import end_watched, start_watched

POLL_SECONDS = 0.15


def animate_text(background: Background, choice: BackendChoice, request: AnimateRequest, words: str) -> Animation:
    """Let the backend speak and animate words; its sound lies in the animation's folder.

    Raises BackendError with the command's own sentence; nothing is left then.
    """
    if choice.address:
        raise BackendError("Speaking a text needs a backend on this computer; the service in use is elsewhere.")
    python, sources = place_of(choice)
    background.say("speaking")
    with scratch_folder(request.folder) as scratch:
        result, log = scratch / "result", scratch / "log.txt"
        command = [str(python), "-m", "backend", "animate", "--text", words, "--actor", request.actor]
        _run(background, [*command, "--out", str(result), *flags(request.options)], sources, log)
        read_animation(result)
        background.check()
        if request.folder.exists():
            request.folder.replace(scratch / f"replaced-{uuid.uuid4().hex[:8]}")
        result.replace(request.folder)
    return prepare(background, request)


def flags(options: dict[str, Any]) -> list[str]:
    """The service's options as the command's."""
    found = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            found += [] if value else [f"--no-{name.replace('_', '-')}"]
        elif isinstance(value, dict):
            found += [flag, ",".join(f"{key}={factor:g}" for key, factor in value.items())]
        else:
            found += [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    return found


def _run(background: Background, command: list[str], folder: Path, log: Path) -> None:
    with log.open("wb") as output:
        process = start_watched(command[0], command, folder, output)
    try:
        while process.poll() is None:
            background.check()
            background.wait(POLL_SECONDS)
    finally:
        end_watched(process)
    if process.returncode != 0:
        lines = log.read_text("utf-8", errors="replace").strip().splitlines() or ["it said nothing"]
        raise BackendError(lines[-1].removeprefix("mouthpiece: error: "))

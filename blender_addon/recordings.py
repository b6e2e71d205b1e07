"""Which name a line bears: another recording never takes the place of one that has the name already."""

import hashlib
import itertools
import json
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy

from .animation import Animation
from .bake.line_action import line_actions
from .bake.paths import stored_path

RECORDINGS = "mouthpiece_recordings"
"""Custom property of a scene, JSON: for each line the [kind, content, digest] of what it was made of."""
SOUND, FOLDER, TEXT, TAKE = "SOUND", "FOLDER", "TEXT", "TAKE"


@dataclass(frozen=True)
class Recording:
    """What a line is made of."""

    kind: str
    content: str
    """Absolute path of a sound or an animation's folder, the words of a text, the name of a take."""
    digest: str = ""
    """SHA-256 of the sound as hexadecimal text; empty where it is not known."""


def folder_recording(animation: Animation) -> Recording:
    """What a line is made of whose animation is imported from its folder."""
    return Recording(FOLDER, str(animation.folder), animation.audio_sha256)


def line_name(name: str, recording: Recording, taken: Collection[str] = (), earlier: str = "") -> str:
    """A name for a line, which gets a number where another recording, or what took the name, has it: "line 2".

    earlier: the name that it had before, which it keeps as long as that is of this recording.
    """
    known = known_lines()
    if earlier in known and earlier not in taken and _same(known[earlier], recording):
        return earlier
    names = (found for found in numbered(name) if found not in taken)
    return next(found for found in names if found not in known or _same(known[found], recording))


def free_name(name: str) -> str:
    """A name that no line has."""
    known = known_lines()
    return next(found for found in numbered(name) if found not in known and not line_actions(found))


def remember_line(scene: bpy.types.Scene, line: str, recording: Recording) -> None:
    """Let the scene know what a line was made of."""
    content = recording.content if recording.kind in (TEXT, TAKE) else stored_path(Path(recording.content))
    scene[RECORDINGS] = json.dumps({**_lines_of(scene), line: [recording.kind, content, recording.digest]})


def known_lines() -> dict[str, Recording]:
    """The lines of all scenes, and what they were made of."""
    return {line: Recording(*found) for scene in bpy.data.scenes for line, found in _lines_of(scene).items()}


def numbered(name: str) -> Iterator[str]:
    """The name, then the name with 2, 3 and so on."""
    yield name
    yield from (f"{name} {number}" for number in itertools.count(2))


def _lines_of(scene: bpy.types.Scene) -> dict[str, list[str]]:
    return json.loads(scene.get(RECORDINGS, "{}"))


def _same(known: Recording, recording: Recording) -> bool:
    """Whether both are the same recording: at the same place, or moved, or the animation that was made of it."""
    if known.kind == recording.kind:
        if known.kind in (TEXT, TAKE):
            return known.content == recording.content
        place = Path(bpy.path.abspath(known.content))
        if os.path.realpath(place) == os.path.realpath(recording.content):
            return True
        if place.exists():
            return False
    return known.digest != "" and known.digest == _digest(recording)


def _digest(recording: Recording) -> str:
    if recording.digest or recording.kind != SOUND:
        return recording.digest
    try:
        with Path(recording.content).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""

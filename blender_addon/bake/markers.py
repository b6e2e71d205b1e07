"""Markers in the timeline for the words of a line: replaced when the line is baked again."""

import json
from collections.abc import Sequence

import bpy

from ..words import Word
from .scene import scene_rate

MARKERS = "mouthpiece_markers"
"""Custom property of a scene, JSON: for each line the [name, frame] of its markers, which cannot be tagged in 5.0."""


def mark_words(
    scene: bpy.types.Scene,
    line: str,
    words: Sequence[Word],
    start: float,
    within: tuple[float, float] | None = None,
) -> int:
    """Put a marker at the scene frame nearest to the beginning of each word; returns how many.

    start: scene frame of the line's time 0. within: (first, last) scene frames that play; words that begin outside them
    are not marked. The line's earlier markers go; one that was renamed or moved by hand stays.
    """
    remove_markers(scene, line)
    made = []
    for word in words:
        frame = round(start + word.start * scene_rate(scene))
        if within is not None and not within[0] <= frame <= within[1]:
            continue
        scene.timeline_markers.new(word.text, frame=frame)
        made.append([word.text, frame])
    if made:
        scene[MARKERS] = json.dumps({**_made_before(scene), line: made})
    return len(made)


def remove_markers(scene: bpy.types.Scene, line: str) -> None:
    """Remove a line's markers."""
    lines = _made_before(scene)
    for name, frame in lines.pop(line, []):
        found = next((m for m in scene.timeline_markers if m.name == name and m.frame == frame), None)
        if found is not None:
            scene.timeline_markers.remove(found)
    if lines:
        scene[MARKERS] = json.dumps(lines)
    elif MARKERS in scene:
        del scene[MARKERS]


def _made_before(scene: bpy.types.Scene) -> dict[str, list]:
    return json.loads(scene.get(MARKERS, "{}"))

"""Animates many lines, one after the other; one that fails does not stop the others."""

import time
from dataclasses import dataclass, field, replace

import bpy

from .activity import TICK_SECONDS, Activity, unexpected
from .animate_operators import character_target
from .background import Progress
from .bake.characters import character_meshes
from .bake.options import ResultOptions
from .batch_lines import CANCELLED, DONE, FAILED, WAITING, WORKING, MouthpieceLine, find_line
from .errors import AddonError, AnimationError
from .recordings import line_name
from .result_options import chosen_options
from .session import Target, start_session
from .speech_source import SpeechSource, file_source, sound_strips, source_of_strip, with_transcript


@dataclass
class BatchRun:
    """The lines under way; looks to the panel as one `Activity`."""

    scene: str
    keys: list[str]
    """Of the lines, in their order."""
    progress: Progress = field(default_factory=lambda: Progress("starting"))
    message: str = ""
    failed: bool = False
    ended: bool = False
    undo: str = "Mouthpiece: Animate Lines"
    tick: float = TICK_SECONDS
    _next: int = 0
    _line: Activity | None = None
    _stopping: bool = False
    _counts: dict[str, int] = field(default_factory=dict)

    def start(self) -> "BatchRun":
        """Mark the lines as waiting."""
        for key in self.keys:
            self._mark(key, WAITING, "")
        return self

    def cancel(self) -> None:
        """Stop the line under way, and begin no other."""
        self._stopping = True
        if self._line is not None:
            self._line.cancel()

    def abandon(self) -> None:
        """End without anything made of what is under way."""
        if self._line is not None:
            self._line.abandon()
        self.ended = True

    def pump(self) -> None:
        """Look after the line under way, or begin the next. Call on the main thread."""
        if self._line is None:
            if self._stopping or self._next >= len(self.keys):
                self._end()
            else:
                self._begin()
            return
        self._line.pump()
        self._show(self._line.progress)
        if self._line.ended:
            state = DONE if not self._line.failed else CANCELLED if self._stopping else FAILED
            self._mark(self.keys[self._next], state, self._line.message)
            self._next, self._line = self._next + 1, None

    def run(self) -> "BatchRun":
        """Wait for the end, for Blender without a window."""
        while not self.ended:
            self.pump()
            time.sleep(0.02)
        return self

    def _begin(self) -> None:
        scene = bpy.data.scenes.get(self.scene)
        line = find_line(scene, self.keys[self._next])
        if scene is None or line is None:  # it was removed meanwhile
            self._next += 1
            return
        try:
            source, target = line_source(scene, line), line_target(scene, line)
            line.made = own_name(line, source)
            self._line = start_session(scene, source, target, line.actor.strip() or "default", line.made)
            self._mark(line.key, WORKING, "")
        except Exception as error:  # the lines after it wait for their turn, whatever happens
            self._mark(line.key, FAILED, str(error) if isinstance(error, AddonError) else unexpected(error))
            self._next += 1

    def _show(self, progress: Progress) -> None:
        where = f"{self._next + 1} of {len(self.keys)}: {progress.stage}"
        self.progress = Progress(where, (self._next + progress.fraction) / len(self.keys))

    def _mark(self, key: str, state: str, message: str) -> None:
        if state not in (WAITING, WORKING):
            self._counts[state] = self._counts.get(state, 0) + 1
        line = find_line(bpy.data.scenes.get(self.scene), key)
        if line is not None:
            line.state, line.message = state, message

    def _end(self) -> None:
        self.ended = True
        done, bad = self._counts.get(DONE, 0), self._counts.get(FAILED, 0)
        self.failed = done == 0
        self.message = f"{done} of {len(self.keys)} lines were animated"
        if bad:
            self.message += f"; {bad} failed, the list says why"
        if self._stopping:
            self.message += "; the others were cancelled"


def line_source(scene: bpy.types.Scene, line: MouthpieceLine) -> SpeechSource:
    """What a line speaks. Raises AnimationError where it is not there."""
    if line.speech == "FILE":
        return with_transcript(file_source(line.sound, line.start), line)
    strip = next((strip for strip in sound_strips(scene) if strip.name == line.strip), None)
    if strip is None:
        raise AnimationError(f"There is no sound strip {line.strip!r} in {scene.name}; choose another.")
    return with_transcript(source_of_strip(strip), line)


def own_name(line: MouthpieceLine, source: SpeechSource) -> str:
    """The name under which a line of the list is baked: its own, also where others say the same recording."""
    lines = [other for scene in bpy.data.scenes for other in scene.mouthpiece_batch.lines]
    taken = {other.made for other in lines if other.key != line.key}
    return line_name(source.name, source.recording(), taken, line.made)


def line_target(scene: bpy.types.Scene, line: MouthpieceLine) -> Target:
    """What a line is baked onto. Raises AddonError where its character cannot be driven."""
    if line.character is None:
        return Target(scene.name, result=_own_name(scene))
    if line.character.name not in scene.objects:
        raise AnimationError(f"{line.character.name} is not in {scene.name}; choose another character.")
    meshes = character_meshes([line.character], scene)
    if not meshes:
        raise AnimationError(f"{line.character.name} has no shape keys, nor has what belongs to it.")
    return replace(character_target(scene, meshes), result=_own_name(scene))


def _own_name(scene: bpy.types.Scene) -> ResultOptions:
    """The section Result, save that every line's action bears the line's name."""
    return replace(chosen_options(scene), action_name="")

"""A character that moves with sound that is heard now, and the recording of what was seen."""

from dataclasses import dataclass, field
from pathlib import Path

import bpy
import numpy as np

from .activity import Activity
from .animation import Animation
from .bake.character import bake_character
from .bake.scene import include_frames
from .bake.sound import add_sound
from .errors import MappingError
from .face_operators import recognised
from .importing import describe_character
from .live_stream import LiveFrame, LiveStream
from .mapping import CharacterMap
from .recordings import TAKE, Recording, free_name, remember_line
from .rig_map import convert
from .session import Target


@dataclass
class LiveFace:
    """The shape keys of a character that follow the frames, and the values they had."""

    target: Target
    mapping: CharacterMap
    before: dict[tuple[str, str], float] = field(default_factory=dict)

    def show(self, frame: LiveFrame, names: tuple[str, ...]) -> None:
        """Give the shape keys a frame's values; meshes that are gone by now are left out."""
        targets = self.mapping.targets
        values = convert(frame.weights[None], names, self.mapping.rig_map, targets)[0]
        by_target = dict(zip(targets, values.tolist(), strict=True))
        for mesh, keys in self._blocks():
            for key, target in self.mapping.driven[mesh].items():
                block = keys.get(key)
                if block is not None:
                    self.before.setdefault((mesh, key), block.value)
                    block.value = by_target[target]

    def restore(self) -> None:
        """Give the shape keys back the values they had; backwards, for objects may share a linked mesh."""
        for mesh, keys in reversed(list(self._blocks())):
            for key in self.mapping.driven[mesh]:
                block, value = keys.get(key), self.before.get((mesh, key))
                if block is not None and value is not None:
                    block.value = value

    def _blocks(self):
        scene = bpy.data.scenes.get(self.target.scene)
        for mesh in self.mapping.driven:
            item = None if scene is None else scene.objects.get(mesh)
            if item is not None and item.type == "MESH" and item.data.shape_keys is not None:
                yield mesh, item.data.shape_keys.key_blocks


@dataclass
class LiveRun(Activity):
    """The stream under way; looks to the panel as any activity, and ends well when it is stopped."""

    stream: LiveStream | None = None
    face: LiveFace | None = None
    record: bool = True
    recorded: list[LiveFrame] = field(default_factory=list)

    def stop(self) -> None:
        """End it in good order."""
        if self.stream is not None:
            self.stream.stop()

    def pump(self) -> None:
        """Show the newest frame. Call on the main thread."""
        super().pump()
        assert self.stream is not None
        assert self.face is not None
        newest = self._take_frames()
        if newest is not None and not self.ended:
            self.face.show(newest, self.stream.names)

    def abandon(self) -> None:
        """End without a recording."""
        if self.face is not None and not self.ended:
            self.face.restore()
        super().abandon()

    def _end(self, message) -> None:
        assert self.face is not None
        self._take_frames()
        self.face.restore()
        super()._end(message)

    def _take_frames(self) -> LiveFrame | None:
        assert self.stream is not None
        newest = None
        while self.stream.frames:
            newest = self.stream.frames.popleft()
            if self.record:
                self.recorded.append(newest)
        return newest


def live_face(scene: bpy.types.Scene, target: Target) -> LiveFace:
    """The shape keys that a target names. Raises MappingError where nothing could be driven."""
    if not target.meshes:
        raise MappingError("Select a character with shape keys; a live face needs one.")
    mapping = recognised([scene.objects[name] for name in target.meshes], target.map_name)
    mapping.check()
    return LiveFace(target, mapping)


def bake_recording(run: LiveRun, take: str, start: float, again: bool = False) -> str:
    """Bake what was seen as a line; returns what was made. Raises MappingError where the character is gone.

    The take gets a number where another has its name; with `again` it replaces that one.
    """
    assert run.stream is not None
    assert run.face is not None
    if not run.record:
        return "Live has ended; it was not to be recorded"
    if not run.recorded:
        return "Live has ended before a frame arrived; nothing was recorded"
    scene, target = bpy.data.scenes.get(run.face.target.scene), run.face.target
    if scene is None:
        raise MappingError(f"The scene {target.scene} was removed; nothing was recorded.")
    gone = [name for name in target.meshes if name not in scene.objects]
    if gone:
        raise MappingError(f"{gone[0]} was removed from {scene.name}; nothing was recorded.")
    meshes = [scene.objects[name] for name in target.meshes]
    animation = recorded_animation(run.recorded, run.stream.names, run.stream.request.fps, run.stream.request.actor)
    take = take if again else free_name(take)
    baked = bake_character(scene, meshes, animation, take, start, target.map_name, target.corrections)
    if run.stream.request.sound is not None:
        add_sound(scene, take, run.stream.request.sound, round(start))
    include_frames(scene, baked.first, baked.last)
    remember_line(scene, take, Recording(TAKE, take))
    return describe_character(baked)


def recorded_animation(frames: list[LiveFrame], names: tuple[str, ...], fps: float, actor: str) -> Animation:
    """The frames as an animation of weights alone: T frames from the first to the last, gaps filled evenly."""
    first = frames[0].time
    numbers = np.array([round((frame.time - first) * fps) for frame in frames])
    weights = np.array([frame.weights for frame in frames], np.float32)
    every = np.arange(numbers[-1] + 1)
    filled = np.stack([np.interp(every, numbers, column) for column in weights.T], axis=1)
    return Animation(
        folder=Path(),
        fps=fps,
        reference=np.zeros((0, 3), np.float32),
        offsets=np.zeros((len(every), 0, 3), np.float32),
        uv=np.zeros((0, 2), np.float32),
        triangles=np.zeros((0, 3), np.int32),
        weights=np.clip(filled, 0.0, 1.0).astype(np.float32),
        weight_names=names,
        actor=actor,
        audio_sha256="",
        provenance="{}",
        crops=None,
        rectangle=None,
        reference_atlas=None,
    )

"""The animation under way: started by the operator, looked after on the main thread, baked when it has arrived."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from .animation import Animation
from .bake.character import bake_character
from .bake.scene import include_frames
from .bake.sound import add_sound
from .client import default_home
from .errors import AddonError, MappingError
from .importing import describe_character, import_animation
from .jobs import AnimateJob, AnimateRequest, Finished, Progress
from .mapping import AUTOMATIC
from .preferences import BACKEND, backend_choice
from .speech_source import SpeechSource

TICK_SECONDS = 0.1


@dataclass(frozen=True)
class Target:
    """What the animation is baked onto, by name: the person may change the scene while the backend works."""

    scene: str
    meshes: tuple[str, ...] = ()
    """Meshes of the character; none for a new talking head."""
    map_name: str = AUTOMATIC
    corrections: tuple[tuple[str, str], ...] = ()


@dataclass
class Session:
    """One line on its way from sound to keys."""

    job: AnimateJob
    source: SpeechSource
    target: Target
    progress: Progress = field(default_factory=lambda: Progress("starting"))
    message: str = ""
    """What was made, or what went wrong."""
    failed: bool = False
    ended: bool = False

    def pump(self) -> None:
        """Take in what the job says; bake when its animation is there. Call on the main thread."""
        for message in self.job.poll():
            if isinstance(message, Progress):
                self.progress = message
            else:
                self._end(message)

    def run(self) -> None:
        """Wait for the end, for Blender without a window."""
        while not self.ended:
            self.pump()
            time.sleep(0.02)

    def _end(self, message: Finished) -> None:
        self.ended = True
        self.failed = message.animation is None
        self.message = message.error or "Cancelled; nothing was baked"
        if message.animation is None:
            return
        try:
            self.message = bake(message.animation, self.source, self.target)
        except AddonError as error:
            self.failed, self.message = True, str(error)


def start_session(context: bpy.types.Context, source: SpeechSource, target: Target, actor: str) -> Session:
    """Start a job for a source; its folder is beside the saved .blend, else among the user's data."""
    saved = bpy.data.filepath
    folder = (Path(saved).parent / "mouthpiece" if saved else default_home() / "blender") / safe_name(source.name)
    choice = backend_choice(context)  # read here: the job's thread must not touch bpy
    options = {"fps": frame_rate(context.scene), "texture": not target.meshes}
    request = AnimateRequest(source.path, actor, source.name[:100], folder, options)
    session = Session(AnimateJob(lambda: BACKEND.connect(choice), request), source, target)
    session.job.start()
    return session


def frame_rate(scene: bpy.types.Scene) -> float:
    """The scene's rate, within what the backend makes."""
    return min(240.0, max(1.0, scene.render.fps / scene.render.fps_base))


def safe_name(name: str) -> str:
    """A strip's or file's name as a folder's name on every system."""
    kept = "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in name).strip()
    return kept[:80] or "line"


def bake(animation: Animation, source: SpeechSource, target: Target) -> str:
    """Bake an animation that has arrived; returns what was made.

    Raises MappingError where the scene or a mesh is gone by now; nothing is changed then.
    """
    scene = bpy.data.scenes.get(target.scene)
    if scene is None:
        raise MappingError(f"The scene {target.scene} was removed; the animation is in {animation.folder}.")
    if not target.meshes:
        sound = None if source.in_scene else source.path
        return import_animation(scene, animation.folder, sound, round(source.start), not source.in_scene)
    gone = [name for name in target.meshes if name not in scene.objects]
    if gone:
        raise MappingError(f"{gone[0]} was removed from {scene.name}; the animation is in {animation.folder}.")
    meshes = [scene.objects[name] for name in target.meshes]
    baked = bake_character(
        scene, meshes, animation, source.name, source.start, target.map_name, target.corrections, source.within
    )
    if not source.in_scene:
        add_sound(scene, source.name, source.path, round(source.start))
    include_frames(scene, baked.first, baked.last)
    return describe_character(baked)


_current: list[Session] = []


def current_session() -> Session | None:
    """The session under way, or the last one."""
    return _current[-1] if _current else None


def show_session(session: Session) -> None:
    """Make a session the one that the panel shows."""
    _current[:] = [session]


def watch_session(session: Session) -> None:
    """Look after a session from Blender's timer until it has ended."""
    bpy.app.timers.register(lambda: _tick(session), first_interval=TICK_SECONDS)


def _tick(session: Session) -> float | None:
    if session.ended:
        return None
    session.pump()
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "SEQUENCE_EDITOR"):
                area.tag_redraw()
    if session.ended and not session.failed:
        bpy.ops.ed.undo_push(message="Mouthpiece: Animate")
    return None if session.ended else TICK_SECONDS

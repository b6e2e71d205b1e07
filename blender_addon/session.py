"""One line on its way from sound to keys: asked for, and baked when its animation has arrived."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy

from .activity import Activity
from .animation import Animation
from .bake.options import EXACT, ResultOptions
from .bake.sound import add_sound
from .client import default_home
from .errors import MappingError
from .importing import bake_onto_character, import_animation
from .jobs import AnimateJob, AnimateRequest
from .mapping import AUTOMATIC
from .preferences import BACKEND, backend_choice
from .speech_source import SPOKEN, SpeechSource
from .style_settings import changed_options


@dataclass(frozen=True)
class Target:
    """What the animation is baked onto, by name: the person may change the scene while the backend works."""

    scene: str
    meshes: tuple[str, ...] = ()
    """Meshes of the character; none for a new talking head."""
    map_name: str = AUTOMATIC
    corrections: tuple[tuple[str, str], ...] = ()
    result: ResultOptions = EXACT


def start_session(scene: bpy.types.Scene, source: SpeechSource, target: Target, actor: str) -> Activity:
    """Start a job for a source; its folder is beside the saved .blend, else among the user's data."""
    choice = backend_choice(bpy.context)  # read here: the job's thread must not touch bpy
    request = AnimateRequest(
        sound=source.path,
        actor=actor,
        name=job_name(source.name),
        folder=result_folder(source.name),
        options=job_options(scene, source, target),
        text=source.text,
        voice=source.language if source.text else "",
        head=not target.meshes,
    )
    if source.text:
        source = replace(source, path=request.folder / SPOKEN)
    job = AnimateJob(lambda: BACKEND.connect(choice), request)
    return Activity(job, lambda animation: bake(animation, source, target), undo="Mouthpiece: Animate").start()


def result_folder(name: str) -> Path:
    """Where a line's animation goes."""
    saved = bpy.data.filepath
    return (Path(saved).parent / "mouthpiece" if saved else default_home() / "blender") / safe_name(name)


def job_options(scene: bpy.types.Scene, source: SpeechSource, target: Target) -> dict[str, Any]:
    """What the backend is asked for. Raises AnimationError where a control cannot be understood."""
    options: dict[str, Any] = {"fps": frame_rate(scene), "texture": not target.meshes and target.result.texture}
    options |= changed_options(scene)
    if source.transcript:
        options |= {"transcript": source.transcript, **({"language": source.language} if source.language else {})}
    return options


def job_name(name: str) -> str:
    """A strip's or file's name as the backend takes it."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in " ._-") else "_" for letter in name)
    return kept.strip(" ._-")[:80].strip() or "line"


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
        set_up = not source.in_scene
        return import_animation(scene, animation, sound, source.start, set_up, target.result)
    gone = [name for name in target.meshes if name not in scene.objects]
    if gone:
        raise MappingError(f"{gone[0]} was removed from {scene.name}; the animation is in {animation.folder}.")
    meshes = [scene.objects[name] for name in target.meshes]
    message = bake_onto_character(
        scene,
        meshes,
        animation,
        source.name,
        source.start,
        target.map_name,
        target.corrections,
        source.within,
        target.result,
    )
    if not source.in_scene:
        add_sound(scene, source.name, source.path, round(source.start))
    return message

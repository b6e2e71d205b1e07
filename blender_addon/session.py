"""One line on its way from sound to keys: asked for, and baked when its animation has arrived."""

from dataclasses import dataclass, replace
from typing import Any

import bpy

from .activity import Activity
from .animation import FPS_RANGE, Animation
from .bake.options import EXACT, ResultOptions
from .bake.scene import add_camera, follow_sound, scene_rate, set_colours
from .bake.sound import add_sound
from .bake.talking_head import check_mesh, find_head
from .errors import MappingError
from .folders import line_folder
from .importing import bake_head, bake_onto_character
from .jobs import AnimateJob, AnimateRequest
from .mapping import AUTOMATIC
from .preferences import BACKEND, backend_choice
from .recordings import line_name
from .speech_source import SPOKEN, SpeechSource
from .style_settings import changed_options
from .untouched import is_untouched


@dataclass(frozen=True)
class Target:
    """What the animation is baked onto, by name: the person may change the scene while the backend works."""

    scene: str
    meshes: tuple[str, ...] = ()
    """Meshes of the character; none for a new talking head."""
    map_name: str = AUTOMATIC
    corrections: tuple[tuple[str, str], ...] = ()
    result: ResultOptions = EXACT


def start_session(scene: bpy.types.Scene, source: SpeechSource, target: Target, actor: str, line: str = "") -> Activity:
    """Start a job for a source; another recording of the same name makes a line of its own, with a number.

    line: the line's name, where that is settled. Raises AddonError where that cannot be; nothing is changed then.
    """
    choice = backend_choice(bpy.context)  # read here: the job's thread must not touch bpy
    source = replace(source, name=line or line_name(source.name, source.recording()))
    replaced = replaced_objects(scene, source.name, target)
    if not target.meshes:
        for head in replaced:
            check_mesh(head)  # before its textures are replaced
    folder, note = line_folder(source.name, replaced)
    request = AnimateRequest(
        sound=source.path,
        actor=actor,
        name=job_name(source.name),
        folder=folder,
        options=job_options(scene, source, target),
        text=source.text,
        voice=source.language if source.text else "",
        head=not target.meshes,
    )
    if source.text:
        source = replace(source, path=request.folder / SPOKEN)
    job = AnimateJob(lambda: BACKEND.connect(choice), request)

    def finish(animation: Animation) -> str:
        return "; ".join(filter(None, (bake(animation, source, target), note)))

    return Activity(job, finish, undo="Mouthpiece: Animate").start()


def replaced_objects(scene: bpy.types.Scene, line: str, target: Target) -> list[bpy.types.Object]:
    """The objects whose textures and caches a line's bake will replace: the character, or the line's head."""
    if target.meshes:
        return [scene.objects[name] for name in target.meshes if name in scene.objects]
    head = find_head(scene, line)
    return [] if head is None else [head]


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
    least, most = FPS_RANGE
    return min(most, max(least, scene_rate(scene)))


def bake(animation: Animation, source: SpeechSource, target: Target) -> str:
    """Bake an animation that has arrived; returns what was made.

    Raises MappingError where the scene or a mesh is gone by now; nothing is changed then.
    """
    scene = bpy.data.scenes.get(target.scene)
    if scene is None:
        raise MappingError(f"The scene {target.scene} was removed; the animation is in {animation.folder}.")
    if not target.meshes:
        return bake_onto_head(scene, animation, source, target.result)
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
        source.recording(),
    )
    if not source.in_scene:
        add_sound(scene, source.name, source.path, round(source.start))
    return message


def bake_onto_head(scene: bpy.types.Scene, animation: Animation, source: SpeechSource, options: ResultOptions) -> str:
    """Bake a line as a talking head. Colours, playback and camera are set in a scene that nobody has touched alone."""
    fresh = not source.in_scene and is_untouched(scene)
    sound = None if source.in_scene else source.path
    head, message = bake_head(
        scene, animation, source.name, sound, source.start, source.recording(), source.within, options
    )
    if fresh:
        set_colours(scene)
        follow_sound(scene)
        if scene.camera is None:
            add_camera(scene, head)
    return message

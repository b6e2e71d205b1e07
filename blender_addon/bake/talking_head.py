"""Bake an animation into a scene as a talking head: one object in a collection, one material, one action a line."""

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..animation import Animation
from ..components import TOLERANCE, Components
from ..errors import AnimationError
from .asset import collect_head, mark_asset
from .channels import Channel, channel_values, count_keys
from .dressing import dress
from .head_motion import UPRIGHT, head_turns, stop_turning
from .line_action import Job, bake_into_line, check_free, keys_by_hand, remove_from_line
from .lips import key_lips, time_lips
from .mesh_cache import BLOCK, CacheFile, cache_path, play_cache, remove_caches, write_caches
from .options import CACHE, EXACT, SPARSE, ResultOptions
from .scene import scene_rate
from .shape_keys import (
    COMPONENTS,
    add_shape_keys,
    build_mesh,
    fits_mesh,
    head_channels,
    is_altered,
    is_edited,
    is_moved,
    remove_shape_keys,
    rewrite_mesh,
)
from .sound import add_sound
from .tags import ACTOR, AUDIO_DIGEST, LINE, PROVENANCE
from .textures import build_material, remove_material


@dataclass(frozen=True)
class TalkingHead:
    """What a bake made."""

    head: bpy.types.Object
    action: bpy.types.Action | None
    """The line's action; before Blender 4.4 that of the shape keys; None for a mesh cache without head motion."""
    sound: bpy.types.Sound | None
    shape_keys: int
    """0 for a mesh cache."""
    keyframes: int
    """Keys on all curves."""
    last: float
    """Scene frame of the last of the animation's frames."""
    error: float
    """Largest distance of a vertex from the animation, interocular units."""
    silenced: bool
    """Whether a sound was asked for and this Blender cannot play it."""
    held: bool
    """Whether the line turns the head, and the head keeps still since something else turns it."""
    lost: int
    """Keys made by hand outside the line that went, since their shape keys mean other movements now."""

    def shortcomings(self) -> list[str]:
        """What a person should know about the bake, as phrases; empty where all is well."""
        phrases = []
        if self.error > TOLERANCE:
            phrases.append(f"vertices are up to {self.error:.2g} of the eye distance off")
        if self.silenced:
            phrases.append("there is no sound strip: Blender cannot read the file, or was built without sound")
        if self.held:
            phrases.append("the head does not turn: its rotation is animated already; animate that of a parent instead")
        if self.lost:
            phrases.append(f"{self.lost} keys outside the line are gone: their shape keys mean other movements now")
        return phrases


def bake_talking_head(
    scene: bpy.types.Scene,
    animation: Animation,
    line: str,
    sound: Path | None,
    start: float = 1,
    options: ResultOptions = EXACT,
) -> TalkingHead:
    """Bake `animation` so that its frame 0 is scene frame `start`, which need not be whole.

    The mesh's own coordinates are head space (y up), one unit to the interocular distance; the object is turned so that
    it stands upright and looks along Blender's -y, a new one at the 3D cursor. Keys lie at their true times, whatever
    the scene's rate. Baking a line that the scene already has replaces its face, keys, textures and sound; where the
    object was put, other materials, and shape keys and keys made by hand outside the line stay, save for keys on shape
    keys that mean other movements than before. Raises AnimationError where the head is being edited, its mesh was, a
    texture is damaged, a mesh cache cannot be written or a strip is in tweak mode; nothing is changed then.
    """
    head = find_head(scene, line)
    frames = start + np.arange(animation.frames) * (scene_rate(scene) / animation.fps)
    if head is not None:
        _check_editable(head, animation)
    by_hand = 0 if head is None else keys_by_hand(line, head.data.shape_keys, COMPONENTS, (frames[0], frames[-1]))
    material = build_material(line, animation, options)
    cache = cache_path(animation.folder, line)
    if options.kind == CACHE:
        _write_cache(cache, animation, material)
    if head is None:
        head, kept = collect_head(scene, line, _new_head(scene, line, animation)), True
    else:
        kept = _replace_face(head, line, animation)
    worn = dress(head, line, material)
    if options.kind == CACHE:
        channels, changed, error, keys = [], not kept, 0.0, 0
        _forget_keys(head, line)
        play_cache(head, line, cache, scene_rate(scene) / animation.fps, float(start))
        time_lips(worn, animation, start, scene_rate(scene))
    else:
        components = animation.components
        remove_caches(head, line)
        changed, keys = add_shape_keys(head, components) or not kept, len(components.shapes)
        channels = head_channels(components, frames, options)
        error = _error(animation, components, channels, frames, options)
        channels = [*channels, *key_lips(head.data.shape_keys, worn, animation, channels)]
    action, turns = _animate(head, line, animation, frames, channels, changed, options)
    _say_synthetic(animation, head, scene)
    mark_asset(head, animation)
    playing = None if sound is None else add_sound(scene, line, sound, start)
    return TalkingHead(
        head=head,
        action=action,
        sound=playing,
        shape_keys=keys,
        keyframes=count_keys([*channels, *turns]),
        last=float(frames[-1]),
        error=error,
        silenced=sound is not None and playing is None,
        held=animation.head_rotation is not None and not turns,
        lost=by_hand if changed else 0,
    )


def _write_cache(path: Path, animation: Animation, material: bpy.types.Material) -> None:
    """Write the head's vertices; where that fails, the material that was made for it goes too."""
    try:
        write_caches([CacheFile(path, len(animation.reference), animation.frames, _vertices(animation))])
    except AnimationError:
        remove_material(material)
        raise


def _say_synthetic(animation: Animation, *owners: bpy.types.ID) -> None:
    """Write into data-blocks what made the animation."""
    for owner in owners:
        owner[PROVENANCE] = animation.provenance
        owner[ACTOR] = animation.actor
        owner[AUDIO_DIGEST] = animation.audio_sha256


def find_head(scene: bpy.types.Scene, line: str) -> bpy.types.Object | None:
    """The head that a line has in a scene already; one that is linked is another file's."""
    heads = (found for found in scene.objects if found.type == "MESH" and found.get(LINE) == line)
    return next((head for head in heads if head.library is None), None)


def _check_editable(head: bpy.types.Object, animation: Animation) -> None:
    """Raises AnimationError where a head cannot be baked again without loss, now or at all."""
    _check_local(head)
    check_free(head.name, [head, head.data.shape_keys])
    # A mesh that is being edited has its shape keys elsewhere; whoever animates may begin to edit meanwhile.
    if head.mode != "OBJECT" or head.data.is_editmode:
        raise AnimationError(
            f"{head.name} is being edited; go to Object Mode and try again. The animation is in {animation.folder}."
        )
    if is_moved(head.data) or (not fits_mesh(head.data, animation) and is_edited(head)):
        raise AnimationError(f"{_altered(head)} The animation is in {animation.folder}.")


def check_mesh(head: bpy.types.Object) -> None:
    """Raises AnimationError where a head's mesh is another file's, or no animation fits what was made of it."""
    _check_local(head)
    if is_altered(head.data):
        raise AnimationError(_altered(head))


def _check_local(head: bpy.types.Object) -> None:
    """Raises AnimationError where what a bake writes would be gone when the file is opened again."""
    for data in (head.data, head.data.shape_keys):
        if data is None:
            continue
        owner = data if data.override_library is None else data.override_library.reference
        if owner.library is not None:
            raise AnimationError(
                f"{head.name} is linked from {Path(owner.library.filepath).name}; make its mesh local (Object > "
                "Relations > Make Local), or append the head instead."
            )


def _altered(head: bpy.types.Object) -> str:
    return (
        f"The mesh of {head.name} is no longer the face as it was baked, and what you made there would be lost; "
        "undo it (Apply Transform too), separate what you joined to the head, or delete the head to get a new one."
    )


def _new_head(scene: bpy.types.Scene, line: str, animation: Animation) -> bpy.types.Object:
    head = bpy.data.objects.new(line, build_mesh(line, animation))
    head.location = scene.cursor.location  # where Blender puts what is added
    head[LINE] = line
    head.rotation_euler = UPRIGHT
    return head


def _replace_face(head: bpy.types.Object, line: str, animation: Animation) -> bool:
    """Rewrite the mesh in place, so that what was made by hand stays; one of other triangles is replaced.

    Returns whether the mesh is the same.
    """
    if fits_mesh(head.data, animation):
        rewrite_mesh(head.data, animation)
        return True
    old = head.data
    if old.shape_keys is not None:
        remove_from_line(line, old.shape_keys)
    old.name = "Mouthpiece replaced"  # frees the name
    fresh = build_mesh(line, animation)
    for material in old.materials:
        fresh.materials.append(material)
    head.data = fresh
    if old.users == 0:
        bpy.data.meshes.remove(old)
    return False


def _forget_keys(head: bpy.types.Object, line: str) -> None:
    """Take the shape keys of earlier bakes away, and their curves."""
    if head.data.shape_keys is not None:
        remove_from_line(line, head.data.shape_keys)
        remove_shape_keys(head)


def _animate(
    head: bpy.types.Object,
    line: str,
    animation: Animation,
    frames: np.ndarray,
    channels: list[Channel],
    changed: bool,
    options: ResultOptions,
) -> tuple[bpy.types.Action | None, list[Channel]]:
    """(the line's action, the curves of the head's own turns)."""
    turns = head_turns(head, animation.head_rotation, frames, options)
    jobs = [Job(head.data.shape_keys, channels, changed)] if channels else []
    if turns:
        jobs.append(Job(head, turns))
    else:
        remove_from_line(line, head)
        stop_turning(head)
    span = (float(frames[0]), float(frames[-1]))
    actions = bake_into_line(line, span, jobs, options.action_name, options.push_to_nla)
    return (actions[0] if actions else None), turns


def _error(
    animation: Animation,
    components: Components,
    channels: list[Channel],
    frames: np.ndarray,
    options: ResultOptions,
) -> float:
    """Largest distance of a vertex from the animation at its frames."""
    if options.kind != SPARSE:
        return components.error
    weights = np.stack([channel_values(channel, frames) for channel in channels], axis=1).astype(np.float32)
    largest = 0.0
    for first in range(0, len(frames), BLOCK):
        shown = np.tensordot(weights[first : first + BLOCK], components.shapes, 1)
        distance = np.linalg.norm(shown - animation.offsets[first : first + BLOCK], axis=2)
        largest = max(largest, float(distance.max()))
    return largest


def _vertices(animation: Animation):
    """Blocks of (frames, 468, 3)."""
    for first in range(0, animation.frames, BLOCK):
        yield animation.reference + animation.offsets[first : first + BLOCK]

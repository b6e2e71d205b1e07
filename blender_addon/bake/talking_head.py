"""Bake an animation into a scene as a talking head: one object, one material, one action a line."""

import math
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..animation import Animation
from ..components import TOLERANCE, find_components
from .curves import remove_action
from .shape_keys import add_shape_keys, build_mesh, key_shape_keys
from .sound import add_sound
from .tags import ACTOR, AUDIO_DIGEST, LINE, PROVENANCE
from .textures import build_material, material_images


@dataclass(frozen=True)
class TalkingHead:
    """What a bake made."""

    head: bpy.types.Object
    action: bpy.types.Action
    sound: bpy.types.Sound | None
    shape_keys: int
    error: float
    """Largest distance of a vertex from the animation, interocular units."""
    silenced: bool
    """Whether a sound was asked for and this Blender cannot play it."""

    def shortcomings(self) -> list[str]:
        """What a person should know about the bake, as phrases; empty where all is well."""
        phrases = []
        if self.error > TOLERANCE:
            phrases.append(f"vertices are up to {self.error:.2g} of the eye distance off")
        if self.silenced:
            phrases.append("there is no sound strip: Blender cannot read the file, or was built without sound")
        return phrases


def bake_talking_head(
    scene: bpy.types.Scene, animation: Animation, line: str, sound: Path | None, start: int = 1
) -> TalkingHead:
    """Bake `animation` so that its frame 0 is scene frame `start`.

    The mesh's own coordinates are head space (y up); the object is turned so that it stands upright and looks along
    Blender's -y, one unit to the interocular distance. Baking a line that the scene already has replaces its mesh,
    keys, textures and sound, and leaves the object where it was put.
    """
    components = find_components(animation.offsets)
    head = _find_head(scene, line) or _new_head(scene, line)
    _replace_mesh(head, line, animation)
    head.data.materials.append(build_material(line, animation, start))
    add_shape_keys(head, components)
    action = key_shape_keys(head, line, components, start)
    for owner in (head, scene):
        owner[PROVENANCE] = animation.provenance
        owner[ACTOR] = animation.actor
        owner[AUDIO_DIGEST] = animation.audio_sha256
    playing = None if sound is None else add_sound(scene, line, sound, start)
    return TalkingHead(
        head=head,
        action=action,
        sound=playing,
        shape_keys=len(components.shapes),
        error=components.error,
        silenced=sound is not None and playing is None,
    )


def _find_head(scene: bpy.types.Scene, line: str) -> bpy.types.Object | None:
    return next((found for found in scene.objects if found.type == "MESH" and found.get(LINE) == line), None)


def _new_head(scene: bpy.types.Scene, line: str) -> bpy.types.Object:
    head = bpy.data.objects.new(line, bpy.data.meshes.new(line))
    head[LINE] = line
    head.rotation_euler = (math.pi / 2, 0.0, 0.0)
    scene.collection.objects.link(head)
    bpy.context.view_layer.update()
    return head


def _replace_mesh(head: bpy.types.Object, line: str, animation: Animation) -> None:
    """Put a fresh mesh on the object; delete the old one with its keys, action, material and images."""
    old = head.data
    materials = [material for material in old.materials if material is not None]
    if old.shape_keys is not None:
        remove_action(old.shape_keys)
    old.name = "Mouthpiece replaced"  # frees the name
    head.data = build_mesh(line, animation)
    bpy.data.meshes.remove(old)
    for material in materials:
        _remove_material(material)


def _remove_material(material: bpy.types.Material) -> None:
    if material.users > 0:
        return
    images = material_images(material)
    bpy.data.materials.remove(material)
    for image in images:
        if image.users == 0:
            bpy.data.images.remove(image)

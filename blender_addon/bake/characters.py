"""Find the meshes of a character, and their shape keys."""

from collections.abc import Iterable

import bpy


def character_meshes(
    objects: Iterable[bpy.types.Object], scene: bpy.types.Scene | None = None
) -> list[bpy.types.Object]:
    """The objects with shape keys among some objects and the characters they belong to, in a scene: the open one.

    An object's character is everything its armature carries or deforms, else everything below its own parent, else
    itself with what is below it. Objects that share a mesh count once; those that share a linked one count each, for
    a bake gives them meshes of their own.
    """
    found: dict[int, bpy.types.Object] = {}
    present = list((scene or bpy.context.scene).objects)
    places = {item.as_pointer() for item in present}
    for item in objects:
        for part in _character(item, present):
            if part.as_pointer() in places and part.type == "MESH" and part.data.shape_keys is not None:
                owner = part.data.shape_keys if part.data.shape_keys.library is None else part
                found.setdefault(owner.as_pointer(), part)
    return list(found.values())


def shape_key_names(mesh: bpy.types.Object) -> tuple[str, ...]:
    """Names of an object's shape keys without the basis."""
    keys = mesh.data.shape_keys
    return tuple(key.name for key in keys.key_blocks if key != keys.reference_key)


def value_path(key: str) -> str:
    """Data path of a shape key's value."""
    return f'key_blocks["{bpy.utils.escape_identifier(key)}"].value'


def _character(item: bpy.types.Object, present: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    armature = item if item.type == "ARMATURE" else _armature(item)
    if armature is not None:
        deformed = [other for other in present if _armature(other) == armature]
        return [item, *armature.children_recursive, *deformed]
    root = item.parent or item
    return [item, *root.children_recursive, *([root] if root != item else [])]


def _armature(item: bpy.types.Object) -> bpy.types.Object | None:
    parent = item.parent
    while parent is not None:
        if parent.type == "ARMATURE":
            return parent
        parent = parent.parent
    return next((modifier.object for modifier in item.modifiers if modifier.type == "ARMATURE"), None)

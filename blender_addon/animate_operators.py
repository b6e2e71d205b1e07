"""Operators that animate: one line, and its cancelling."""

from typing import ClassVar

import bpy

from .activity import Activity
from .face_operators import corrections_of, in_bake_mode, recognised, selected_meshes
from .long_operator import CancelOperator, LongOperator
from .result_options import chosen_options
from .session import Target, start_session
from .speech_source import chosen_source


class MOUTHPIECE_OT_animate(LongOperator, bpy.types.Operator):
    """Animate the sound, and bake it onto the character or a new talking head; a scene in use keeps its colours"""

    bl_idname = "mouthpiece.animate"
    bl_label = "Animate"
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available in object and pose mode while nothing else is under way, with a character where one is driven."""
        if not cls.is_free("A line is being animated; wait or cancel it"):
            return False
        if not in_bake_mode(cls, context):
            return False
        if context.scene.mouthpiece.face == "CHARACTER" and not selected_meshes(context):
            cls.poll_message_set("Select a character: an object with shape keys, or its armature")
            return False
        return True

    def begin(self, context: bpy.types.Context) -> Activity:
        """Ask the backend for the line that the panel's settings describe."""
        settings = context.scene.mouthpiece
        source = chosen_source(context.scene)
        settings.start = settings.start  # whatever becomes of the scene's range, the line stays where it is
        return start_session(context.scene, source, chosen_target(context), settings.actor.strip() or "default")


def chosen_target(context: bpy.types.Context) -> Target:
    """What the panel's settings say to bake onto. Raises MappingError before anything is asked of the backend."""
    settings = context.scene.mouthpiece
    if settings.face != "CHARACTER":
        return Target(context.scene.name, result=chosen_options(context.scene))
    return character_target(context.scene, selected_meshes(context))


def character_target(scene: bpy.types.Scene, meshes: list[bpy.types.Object]) -> Target:
    """A character's meshes with the scene's rig map. Raises MappingError where nothing of it could be driven."""
    settings = scene.mouthpiece
    recognised(meshes, settings.map_name).check()
    names = tuple(mesh.name for mesh in meshes)
    return Target(scene.name, names, settings.map_name, tuple(corrections_of(meshes)), chosen_options(scene))


class MOUTHPIECE_OT_cancel(CancelOperator, bpy.types.Operator):
    """Stop the line that is being animated; nothing is baked"""

    bl_idname = "mouthpiece.cancel"
    place = "line"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available while a line is under way."""
        return cls.is_busy("No line is being animated")


CLASSES = (MOUTHPIECE_OT_animate, MOUTHPIECE_OT_cancel)
register, unregister = bpy.utils.register_classes_factory(CLASSES)

"""Operators of the Face section: bake onto a character, correct what was recognised."""

from pathlib import Path
from typing import ClassVar

import bpy

from .bake.characters import character_meshes, shape_key_names
from .errors import AddonError
from .importing import bake_onto_character
from .mapping import AUTOMATIC, CharacterMap, map_character
from .result_options import chosen_options


def in_bake_mode(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether nothing is being edited that a bake would change; says what to do where something is."""
    if context.mode in ("OBJECT", "POSE"):
        return True
    operator.poll_message_set("Go to Object Mode or Pose Mode first, in the menu at the top left of the 3D View")
    return False


def selected_meshes(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The meshes with shape keys of the selected characters."""
    return character_meshes(context.selected_objects)


def corrections_of(meshes: list[bpy.types.Object]) -> list[tuple[str, str]]:
    """The corrections of all meshes of a character."""
    return list(dict.fromkeys((row.target, row.key) for mesh in meshes for row in mesh.mouthpiece_corrections))


def recognised(meshes: list[bpy.types.Object], map_name: str) -> CharacterMap:
    """What a bake would drive. Raises MappingError where a correction is wrong."""
    return map_character({mesh.name: shape_key_names(mesh) for mesh in meshes}, map_name, corrections_of(meshes))


class MOUTHPIECE_OT_bake_character(bpy.types.Operator):
    """Bake an animation folder onto the shape keys of the selected characters, as one action"""

    bl_idname = "mouthpiece.bake_character"
    bl_label = "Bake onto Character"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    folder: bpy.props.StringProperty(
        name="Animation", description="Folder that holds animation.npz", subtype="DIR_PATH"
    )
    line: bpy.props.StringProperty(name="Line", description="Name of the action; the folder's name where it is empty")
    start: bpy.props.FloatProperty(name="Start Frame", description="Scene frame of the sound's start", default=1.0)
    map_name: bpy.props.StringProperty(
        name="Shape Keys", description="auto, arkit, oculus or a .json file", default=AUTOMATIC
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available in object and pose mode with a character selected."""
        if not in_bake_mode(cls, context):
            return False
        if not selected_meshes(context):
            cls.poll_message_set("Select a character: an object with shape keys, or its armature")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Bake with the operator's own properties."""
        meshes = selected_meshes(context)
        try:
            folder = Path(bpy.path.abspath(self.folder)) if self.folder else None
            message = bake_onto_character(
                context.scene,
                meshes,
                folder,
                self.line,
                self.start,
                self.map_name,
                corrections_of(meshes),
                options=chosen_options(context.scene),
            )
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, message)
        return {"FINISHED"}


class MOUTHPIECE_OT_correction_add(bpy.types.Operator):
    """Say by hand which shape key a mouth shape drives"""

    bl_idname = "mouthpiece.correction_add"
    bl_label = "Add Correction"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    target: bpy.props.StringProperty(name="Shape", description="Name in the rig map, for example jawOpen")
    key: bpy.props.StringProperty(name="Shape Key", description="Shape key of this character; empty for none")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available where the active object has shape keys."""
        item = context.object
        if item is None or item.type != "MESH" or item.data.shape_keys is None:
            cls.poll_message_set("The active object has no shape keys")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add a row to the active object's list."""
        row = context.object.mouthpiece_corrections.add()
        row.target, row.key = self.target, self.key
        return {"FINISHED"}


class MOUTHPIECE_OT_correction_remove(bpy.types.Operator):
    """Forget this correction"""

    bl_idname = "mouthpiece.correction_remove"
    bl_label = "Remove Correction"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    index: bpy.props.IntProperty(name="Row", description="Place in the list", min=0)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available where the active object has corrections."""
        return context.object is not None and len(context.object.mouthpiece_corrections) > 0

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove a row of the active object's list."""
        context.object.mouthpiece_corrections.remove(self.index)
        return {"FINISHED"}


CLASSES = (MOUTHPIECE_OT_bake_character, MOUTHPIECE_OT_correction_add, MOUTHPIECE_OT_correction_remove)
register, unregister = bpy.utils.register_classes_factory(CLASSES)

"""Operators: each gathers its arguments, calls one function and reports what was made."""

from pathlib import Path
from typing import ClassVar

import bpy

from .errors import AddonError
from .face_operators import in_bake_mode
from .importing import import_animation
from .result_options import chosen_options


class MOUTHPIECE_OT_import_animation(bpy.types.Operator):
    """Bake an animation folder into this scene as a talking head with its sound"""

    bl_idname = "mouthpiece.import_animation"
    bl_label = "Import Animation"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    folder: bpy.props.StringProperty(
        name="Animation", description="Folder that holds animation.npz", subtype="DIR_PATH"
    )
    sound: bpy.props.StringProperty(
        name="Sound", description="The speech the animation was made from", subtype="FILE_PATH"
    )
    start: bpy.props.IntProperty(name="Start Frame", description="Scene frame of the first key", default=1)
    set_up_scene: bpy.props.BoolProperty(
        name="Set Up Scene",
        description="Give the scene the animation's frame rate, range and true colours, and a camera where it has none",
        default=True,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available in object and pose mode."""
        return in_bake_mode(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Import with the operator's own properties."""
        try:
            message = import_animation(
                context.scene,
                _absolute(self.folder),
                _absolute(self.sound),
                self.start,
                self.set_up_scene,
                chosen_options(context.scene),
            )
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, message)
        return {"FINISHED"}


def _absolute(text: str) -> Path | None:
    return Path(bpy.path.abspath(text)) if text else None


def register() -> None:
    """Register the operators."""
    bpy.utils.register_class(MOUTHPIECE_OT_import_animation)


def unregister() -> None:
    """Unregister the operators."""
    bpy.utils.unregister_class(MOUTHPIECE_OT_import_animation)

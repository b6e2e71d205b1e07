"""Sound files that are dropped on the 3D View: one is chosen for the next line, several become lines of the batch."""

from pathlib import Path
from typing import ClassVar

import bpy

from .batch_lines import add_line
from .batch_operators import SOUNDS, common_values


class MOUTHPIECE_OT_take_sound(bpy.types.Operator):
    """Choose a sound file for the Mouthpiece panel; several become lines of its list"""

    bl_idname = "mouthpiece.take_sound"
    bl_label = "Animate Sound with Mouthpiece"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    filepath: bpy.props.StringProperty(
        name="Sound", description="The sound file", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    directory: bpy.props.StringProperty(
        name="Folder", description="Where the files are", subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"}
    )
    files: bpy.props.CollectionProperty(
        name="Files",
        description="The sound files",
        type=bpy.types.OperatorFileListElement,
        options={"SKIP_SAVE", "HIDDEN"},
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put the files where the panel shows them."""
        names = [file.name for file in self.files if file.name]
        paths = [str(Path(self.directory) / name) for name in names] or [self.filepath]
        wrong = [path for path in paths if not Path(bpy.path.abspath(path)).is_file()]
        if wrong:
            self.report({"ERROR"}, f"There is no sound at {wrong[0] or 'an empty path'}; choose an existing file.")
            return {"CANCELLED"}
        settings = context.scene.mouthpiece
        if len(paths) > 1:
            common = common_values(context)
            for path in paths:
                add_line(context.scene, speech="FILE", sound=path, **common)
            self.report({"INFO"}, f"{len(paths)} sounds are lines of the Batch section now")
            return {"FINISHED"}
        settings.speech, settings.sound = "FILE", paths[0]
        settings.start = float(context.scene.frame_current)
        self.report({"INFO"}, f"{Path(paths[0]).name} begins at frame {settings.start:g}; press Animate")
        return {"FINISHED"}


def _file_handler() -> type | None:
    """The class that takes dropped files; None before Blender 4.1."""
    if not hasattr(bpy.types, "FileHandler"):
        return None

    class MOUTHPIECE_FH_sound(bpy.types.FileHandler):
        """Sounds dropped on the 3D View"""

        bl_idname = "MOUTHPIECE_FH_sound"
        bl_label = "Mouthpiece"
        bl_import_operator = MOUTHPIECE_OT_take_sound.bl_idname
        bl_file_extensions = ";".join(ending for ending in SOUNDS if ending not in VIDEOS)

        @classmethod
        def poll_drop(cls, context: bpy.types.Context) -> bool:
            """Whether a drop is taken here."""
            return context.area is not None and context.area.type == "VIEW_3D"

    return MOUTHPIECE_FH_sound


VIDEOS = (".mp4", ".mov", ".mkv", ".webm")
"""Files that have sound, and are dropped on the 3D View to be seen."""
_registered: list[type] = []


def register() -> None:
    """Register the operator, and what takes dropped files."""
    bpy.utils.register_class(MOUTHPIECE_OT_take_sound)
    handler = _file_handler()
    if handler is not None:
        bpy.utils.register_class(handler)
        _registered.append(handler)


def unregister() -> None:
    """Unregister them."""
    while _registered:
        bpy.utils.unregister_class(_registered.pop())
    bpy.utils.unregister_class(MOUTHPIECE_OT_take_sound)

"""Operators of the Batch section: fill the list, animate it."""

from pathlib import Path
from typing import ClassVar

import bpy

from .batch import BatchRun
from .batch_lines import add_line
from .errors import AnimationError
from .face_operators import in_bake_mode, selected_meshes
from .long_operator import LongOperator
from .speech_source import sound_strips

SOUNDS = (".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".mp4", ".mov", ".mkv", ".webm")


class MOUTHPIECE_OT_line_add(bpy.types.Operator):
    """Add a line for each chosen sound file, for the selected character or a new talking head"""

    bl_idname = "mouthpiece.line_add"
    bl_label = "Add Sound Files"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    directory: bpy.props.StringProperty(name="Folder", description="Where the files are", subtype="DIR_PATH")
    files: bpy.props.CollectionProperty(
        name="Files", description="The sound files", type=bpy.types.OperatorFileListElement
    )
    filter_glob: bpy.props.StringProperty(
        name="Filter",
        description="Which files are shown",
        default=";".join(f"*{ending}" for ending in SOUNDS),
        options={"HIDDEN"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Let files be chosen."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add the lines; without files an empty one to fill in."""
        common = common_values(context)
        names = [file.name for file in self.files if file.name]
        for name in names:
            add_line(context.scene, speech="FILE", sound=str(Path(self.directory) / name), **common)
        if not names:
            add_line(context.scene, **common)
        self.report({"INFO"}, f"Added {max(1, len(names))} lines")
        return {"FINISHED"}


class MOUTHPIECE_OT_line_add_strips(bpy.types.Operator):
    """Add a line for each selected sound strip of the Sequencer"""

    bl_idname = "mouthpiece.line_add_strips"
    bl_label = "Add Selected Strips"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available where a sound strip is selected."""
        if not any(strip.select for strip in sound_strips(context.scene)):
            cls.poll_message_set("Select sound strips in the Sequencer")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add the lines."""
        common = common_values(context)
        strips = [strip for strip in sound_strips(context.scene) if strip.select]
        for strip in sorted(strips, key=lambda strip: strip.frame_final_start):
            add_line(context.scene, speech="STRIP", strip=strip.name, **common)
        self.report({"INFO"}, f"Added {len(strips)} lines")
        return {"FINISHED"}


def common_values(context: bpy.types.Context) -> dict:
    """What new lines take over from the panel and the selection."""
    settings = context.scene.mouthpiece
    character = context.object if settings.face == "CHARACTER" and selected_meshes(context) else None
    return {"actor": settings.actor, "character": character, "start": settings.start}


class MOUTHPIECE_OT_line_remove(bpy.types.Operator):
    """Take the line out of the list; what was baked stays"""

    bl_idname = "mouthpiece.line_remove"
    bl_label = "Remove Line"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    every: bpy.props.BoolProperty(name="All", description="Empty the list")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available where there are lines."""
        if not context.scene.mouthpiece_batch.lines:
            cls.poll_message_set("There are no lines")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Remove the active line, or all."""
        batch = context.scene.mouthpiece_batch
        if self.every:
            batch.lines.clear()
        else:
            batch.lines.remove(batch.active)
        batch.active = max(0, min(batch.active, len(batch.lines) - 1))
        return {"FINISHED"}


class MOUTHPIECE_OT_line_move(bpy.types.Operator):
    """Move the line up or down in the list"""

    bl_idname = "mouthpiece.line_move"
    bl_label = "Move Line"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    step: bpy.props.IntProperty(name="Step", description="-1 moves it up, 1 down", default=1, min=-1, max=1)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move the active line."""
        batch = context.scene.mouthpiece_batch
        target = batch.active + self.step
        if not 0 <= target < len(batch.lines):
            return {"CANCELLED"}
        batch.lines.move(batch.active, target)
        batch.active = target
        return {"FINISHED"}


class MOUTHPIECE_OT_animate_lines(LongOperator, bpy.types.Operator):
    """Animate the lines of the list one after the other"""

    bl_idname = "mouthpiece.animate_lines"
    bl_label = "Animate Lines"
    bl_options: ClassVar[set[str]] = {"REGISTER"}

    ticked: bpy.props.BoolProperty(name="Ticked Only", description="Leave out the lines that are not ticked")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available in object and pose mode where there are lines and nothing is being animated."""
        if not context.scene.mouthpiece_batch.lines:
            cls.poll_message_set("Add lines first")
            return False
        if not in_bake_mode(cls, context):
            return False
        return cls.is_free("A line is being animated; wait or cancel it")

    def begin(self, context: bpy.types.Context) -> BatchRun:
        """Begin with the first line."""
        lines = context.scene.mouthpiece_batch.lines
        keys = [line.key for line in lines if line.use or not self.ticked]
        if not keys:
            raise AnimationError("No line is ticked; tick those that are to be animated.")
        return BatchRun(context.scene.name, keys).start()


CLASSES = (
    MOUTHPIECE_OT_line_add,
    MOUTHPIECE_OT_line_add_strips,
    MOUTHPIECE_OT_line_remove,
    MOUTHPIECE_OT_line_move,
    MOUTHPIECE_OT_animate_lines,
)
register, unregister = bpy.utils.register_classes_factory(CLASSES)

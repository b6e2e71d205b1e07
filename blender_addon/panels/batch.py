"""The section Batch: many lines of dialogue."""

import bpy

from ..activity import shown
from ..batch_lines import MouthpieceLine
from .drawing import draw_activity, draw_sentence, letters


class MOUTHPIECE_UL_lines(bpy.types.UIList):
    """The lines with their states"""

    def draw_item(self, context, layout, data, item, icon, active_data, active_property, index=0, flag=0) -> None:
        """Draw a line: tick, name, who speaks, state."""
        row = layout.row(align=True)
        row.prop(item, "use", text="")
        row.label(text="", icon=state_icon(item))
        who = "" if item.character is None else f" ({item.character.name})"
        row.label(text=f"{item.title}{who}", translate=False)


def state_icon(line: MouthpieceLine) -> str:
    """The icon of a line's state."""
    return line.bl_rna.properties["state"].enum_items[line.state].icon


class BatchPanel:
    """What the section is in both places."""

    bl_label = "Batch"
    bl_region_type = "UI"
    bl_category = "Mouthpiece"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        batch = context.scene.mouthpiece_batch
        layout = self.layout
        row = layout.row()
        row.template_list("MOUTHPIECE_UL_lines", "", batch, "lines", batch, "active", rows=4)
        column = row.column(align=True)
        column.operator("mouthpiece.line_add", text="", icon="ADD")
        column.operator("mouthpiece.line_remove", text="", icon="REMOVE").every = False
        column.separator()
        column.operator("mouthpiece.line_move", text="", icon="TRIA_UP").step = -1
        column.operator("mouthpiece.line_move", text="", icon="TRIA_DOWN").step = 1
        layout.operator("mouthpiece.line_add_strips", icon="SEQ_SEQUENCER")
        if 0 <= batch.active < len(batch.lines):
            draw_line(layout, batch.lines[batch.active])
        row = layout.row(align=True)
        row.operator("mouthpiece.animate_lines", text="Animate All", icon="PLAY").ticked = False
        row.operator("mouthpiece.animate_lines", text="Animate Ticked", icon="CHECKBOX_HLT").ticked = True
        if shown("line") is not None:
            draw_activity(layout, "line", "mouthpiece.cancel")


def draw_line(layout: bpy.types.UILayout, line: MouthpieceLine) -> None:
    """A line's details."""
    column = layout.box().column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(line, "speech")
    if line.speech == "STRIP":
        column.prop(line, "strip")
    else:
        column.prop(line, "sound")
        column.prop(line, "start")
    column.prop(line, "transcript")
    if line.transcript is not None:
        column.prop(line, "language")
    column.prop(line, "character")
    column.prop(line, "actor")
    if line.message:
        draw_sentence(column, line.message, state_icon(line), letters())


class MOUTHPIECE_PT_batch(BatchPanel, bpy.types.Panel):
    """Many lines of dialogue."""

    bl_space_type = "VIEW_3D"


class MOUTHPIECE_PT_batch_sequencer(BatchPanel, bpy.types.Panel):
    """Many lines of dialogue."""

    bl_space_type = "SEQUENCE_EDITOR"


CLASSES = (MOUTHPIECE_UL_lines, MOUTHPIECE_PT_batch, MOUTHPIECE_PT_batch_sequencer)

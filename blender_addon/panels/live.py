"""The section Live: a character that moves with the voice that is heard now."""

import bpy

from ..activity import under_way
from ..face_operators import selected_meshes
from .drawing import draw_activity


class MOUTHPIECE_PT_live(bpy.types.Panel):
    """Move the selected character with a voice, as it speaks."""

    bl_label = "Live"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mouthpiece"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        settings = context.scene.mouthpiece_live
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "source")
        if settings.source == "FILE":
            layout.prop(settings, "sound")
        else:
            layout.prop(settings, "device")
        layout.prop(context.scene.mouthpiece, "actor")
        layout.prop(settings, "look_ahead")
        layout.prop(settings, "record")
        if settings.record:
            layout.prop(settings, "take")
            layout.prop(settings, "replace_take")
        if under_way("live") is not None:
            layout.operator("mouthpiece.live_stop", icon="SNAP_FACE")
        else:
            layout.operator("mouthpiece.live_start", icon="REC")
            if not selected_meshes(context):
                layout.label(text="Select a character with shape keys", icon="INFO")
        draw_activity(layout, "live", "mouthpiece.live_cancel")


CLASSES = (MOUTHPIECE_PT_live,)

"""The section Train: an actor from a video."""

import bpy

from .drawing import draw_activity


class MOUTHPIECE_PT_train(bpy.types.Panel):
    """An actor from a video, with the speaker's consent."""

    bl_label = "Train"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mouthpiece"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        settings = context.scene.mouthpiece_training
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "video")
        row = layout.row(align=True)
        row.operator("mouthpiece.inspect_video", icon="VIEWZOOM")
        row.operator("mouthpiece.open_report", text="", icon="URL")
        box = layout.box()
        box.label(text="The speaker's consent", icon="USER")
        column = box.column(align=True)
        for name in ("speaker", "statement", "given_by", "date", "licence"):
            column.prop(settings, name)
        column = layout.column()
        for name in ("actor", "preset", "accept_quality", "overwrite"):
            column.prop(settings, name)
        layout.operator("mouthpiece.train_actor", icon="OUTLINER_OB_ARMATURE")
        draw_activity(layout, "video", "mouthpiece.cancel_video")


CLASSES = (MOUTHPIECE_PT_train,)

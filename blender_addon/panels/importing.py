"""The section Import Animation: what was made on the command line, baked into the scene."""

import bpy

from ..operators import MOUTHPIECE_OT_import_animation


class MOUTHPIECE_PT_import(bpy.types.Panel):
    """Choose an animation and its sound, and bake them."""

    bl_label = "Import Animation"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mouthpiece"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        settings = context.scene.mouthpiece
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "folder")
        layout.prop(settings, "sound")
        layout.prop(settings, "set_up_scene")
        row = layout.row()
        row.enabled = bool(settings.folder)
        button = row.operator(MOUTHPIECE_OT_import_animation.bl_idname, icon="IMPORT")
        button.folder = settings.folder
        button.sound = settings.sound
        button.set_up_scene = settings.set_up_scene
        button.start = context.scene.frame_current
        if not settings.folder:
            layout.label(text="Choose an animation folder", icon="INFO")


CLASSES = (MOUTHPIECE_PT_import,)

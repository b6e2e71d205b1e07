"""The section Face: what will be driven on the selected character, and what not."""

import bpy

from ..errors import AddonError
from ..face_operators import (
    MOUTHPIECE_OT_bake_character,
    MOUTHPIECE_OT_correction_add,
    MOUTHPIECE_OT_correction_remove,
    recognised,
    selected_meshes,
)
from ..mapping import CharacterMap
from ..preset_operators import MOUTHPIECE_MT_map_presets, MOUTHPIECE_OT_map_preset
from ..translations import CONTEXT
from .drawing import draw_presets, draw_sentence, letters


class MOUTHPIECE_PT_face(bpy.types.Panel):
    """What will be driven on the selected character, and what not."""

    bl_label = "Face"
    bl_translation_context = CONTEXT
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mouthpiece"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        settings = context.scene.mouthpiece
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        meshes = selected_meshes(context)
        if not meshes:
            layout.label(text="Select a character with shape keys", icon="INFO")
            return
        row = layout.row(align=True)
        row.prop(settings, "map_name")
        draw_presets(row, MOUTHPIECE_MT_map_presets, MOUTHPIECE_OT_map_preset.bl_idname)
        try:
            found = recognised(meshes, settings.map_name)
        except AddonError as error:
            draw_sentence(layout, str(error), "ERROR", letters())
        else:
            draw_sentence(layout, found.summary(), "CHECKMARK" if found.driven else "ERROR", letters())
            draw_matches(layout, found)
        draw_corrections(layout, context.object)
        layout.prop(settings, "folder")
        row = layout.row()
        row.enabled = bool(settings.folder)
        button = row.operator(MOUTHPIECE_OT_bake_character.bl_idname, icon="SHAPEKEY_DATA")
        button.folder = settings.folder
        button.start = context.scene.frame_current
        button.map_name = settings.map_name


def draw_matches(layout: bpy.types.UILayout, found: CharacterMap) -> None:
    """List which shape drives which key, and the keys that stay as they are: of which mesh, where another's moves."""
    pairs = dict.fromkeys(pair for keys in found.driven.values() for pair in keys.items())
    grid = layout.grid_flow(row_major=True, columns=0, even_columns=True, align=True)
    grid.scale_y = 0.7
    for key, target in pairs:
        grid.label(text=key if key == target else f"{key} ← {target}", icon="CHECKMARK")
    moving = {key for key, _ in pairs}
    left = [f"{key} ({mesh})" if key in moving else key for mesh, keys in found.unmatched.items() for key in keys]
    for name in dict.fromkeys(left):
        grid.label(text=name, icon="X")


def draw_corrections(layout: bpy.types.UILayout, item: bpy.types.Object | None) -> None:
    """The list of corrections of the active object."""
    if item is None or item.type != "MESH" or item.data.shape_keys is None:
        return
    column = layout.column(align=True)
    column.use_property_split = False
    for index, correction in enumerate(item.mouthpiece_corrections):
        row = column.row(align=True)
        row.prop(correction, "target", text="")
        row.prop_search(correction, "key", item.data.shape_keys, "key_blocks", text="")
        row.operator(MOUTHPIECE_OT_correction_remove.bl_idname, text="", icon="X").index = index
    column.operator(MOUTHPIECE_OT_correction_add.bl_idname, icon="ADD")


CLASSES = (MOUTHPIECE_PT_face,)

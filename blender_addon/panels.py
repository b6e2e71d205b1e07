"""The Mouthpiece panel in the 3D View's sidebar."""

import bpy

from .activity import shown
from .errors import AddonError
from .face_operators import (
    MOUTHPIECE_OT_bake_character,
    MOUTHPIECE_OT_correction_add,
    MOUTHPIECE_OT_correction_remove,
    recognised,
    selected_meshes,
)
from .mapping import CharacterMap
from .operators import MOUTHPIECE_OT_import_animation
from .preferences import draw_progress, draw_sentence
from .speech_source import selected_strip


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


class MOUTHPIECE_PT_animate(bpy.types.Panel):
    """From a sound to a finished face, with how far it is."""

    bl_label = "Animate"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Mouthpiece"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        settings = context.scene.mouthpiece
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "speech")
        if settings.speech == "FILE":
            layout.prop(settings, "sound")
            layout.prop(settings, "start")
        else:
            strip = selected_strip(context.scene)
            layout.label(text="Select a sound strip" if strip is None else strip.name, icon="SOUND")
        layout.prop(settings, "face")
        layout.prop(settings, "actor")
        layout.operator("mouthpiece.animate", icon="PLAY")
        draw_activity(layout, "line", "mouthpiece.cancel")


class MOUTHPIECE_PT_animate_sequencer(MOUTHPIECE_PT_animate):
    """The same beside the Sequencer's strips."""

    bl_space_type = "SEQUENCE_EDITOR"


def draw_activity(layout: bpy.types.UILayout, place: str, cancel: str) -> None:
    """How far the work of a place is, or what became of the last."""
    activity = shown(place)
    if activity is None:
        return
    if activity.ended:
        draw_sentence(layout, activity.message, "ERROR" if activity.failed else "CHECKMARK", 40)
    else:
        draw_progress(layout, activity, cancel)


class MOUTHPIECE_PT_face(bpy.types.Panel):
    """What will be driven on the selected character, and what not."""

    bl_label = "Face"
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
        layout.prop(settings, "map_name")
        try:
            found = recognised(meshes, settings.map_name)
        except AddonError as error:
            layout.label(text=str(error), icon="ERROR")
        else:
            layout.label(text=found.summary(), icon="CHECKMARK" if found.driven else "ERROR")
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
    """List which shape drives which key, and the keys that stay as they are."""
    pairs = dict.fromkeys(pair for keys in found.driven.values() for pair in keys.items())
    grid = layout.grid_flow(row_major=True, columns=2, even_columns=True, align=True)
    grid.scale_y = 0.7
    for key, target in pairs:
        grid.label(text=key if key == target else f"{key} ← {target}", icon="CHECKMARK")
    left = dict.fromkeys(key for keys in found.unmatched.values() for key in keys)
    for key in left:
        grid.label(text=key, icon="X")


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


CLASSES = (MOUTHPIECE_PT_animate, MOUTHPIECE_PT_animate_sequencer, MOUTHPIECE_PT_import, MOUTHPIECE_PT_face)


def register() -> None:
    """Register the panels."""
    for item in CLASSES:
        bpy.utils.register_class(item)


def unregister() -> None:
    """Unregister the panels."""
    for item in reversed(CLASSES):
        bpy.utils.unregister_class(item)

"""The section Animate: from a sound to a finished face, with how far it is."""

import bpy

from ..preferences import draw_backend_state, needs_set_up
from ..speech_source import selected_strip
from .drawing import draw_activity


class AnimateSection:
    """What both panels show: Blender loses a panel's class when a class below it is registered."""

    bl_label = "Animate"
    bl_region_type = "UI"
    bl_category = "Mouthpiece"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        settings = context.scene.mouthpiece
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        if needs_set_up(context):
            draw_backend_state(layout, context)
            layout.operator("mouthpiece.set_up_backend", icon="IMPORT")
            return
        draw_speech(layout, context.scene)
        layout.prop(settings, "face")
        draw_actor(layout, settings)
        layout.operator("mouthpiece.animate", icon="PLAY")
        draw_activity(layout, "line", "mouthpiece.cancel")


def draw_speech(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    """What is spoken."""
    settings = scene.mouthpiece
    layout.prop(settings, "speech")
    if settings.speech == "STRIP":
        strip = selected_strip(scene)
        if strip is None:
            layout.label(text="Select a sound strip", icon="SOUND")
        else:
            layout.label(text=strip.name, icon="SOUND", translate=False)
    elif settings.speech == "TEXT":
        layout.prop(settings, "words")
        layout.prop(settings, "voice")
        layout.prop(settings, "start")
    else:
        layout.prop(settings, "sound")
        layout.prop(settings, "start")
    if settings.speech != "TEXT":
        layout.prop(settings, "transcript")
        if settings.transcript is not None:
            layout.prop(settings, "language")


def draw_actor(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    """The actor by name, with its picture."""
    row = layout.row(align=True)
    row.prop(settings, "actor_picture")
    column = layout.column()
    column.use_property_split = False
    column.template_icon_view(settings, "actor_picture", show_labels=True, scale=4.0)


class MOUTHPIECE_PT_animate(AnimateSection, bpy.types.Panel):
    """From a sound to a finished face, with how far it is."""

    bl_space_type = "VIEW_3D"


class MOUTHPIECE_PT_animate_sequencer(AnimateSection, bpy.types.Panel):
    """The same beside the Sequencer's strips."""

    bl_space_type = "SEQUENCE_EDITOR"


CLASSES = (MOUTHPIECE_PT_animate, MOUTHPIECE_PT_animate_sequencer)

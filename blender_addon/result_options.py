"""The section Result: what a bake makes, remembered in each scene."""

import bpy

from .bake.options import CACHE, KEYS, SPARSE, ResultOptions

GROUP = "mouthpiece_result"
"""Name of the settings in a scene."""


class MouthpieceResult(bpy.types.PropertyGroup):
    """The choices of the section Result."""

    kind: bpy.props.EnumProperty(
        name="Result",
        description="How the motion is stored",
        items=[
            (KEYS, "Shape Keys", "A key in every frame: exactly what was predicted"),
            (SPARSE, "Sparse Keys", "Few Bezier keys on the same shape keys, to be edited by hand"),
            (CACHE, "Mesh Cache", "A file of vertices and a modifier: exact, and nothing to edit"),
        ],
        default=KEYS,
    )
    tolerance: bpy.props.FloatProperty(
        name="Tolerance",
        description="How far a sparse curve may be off, as a part of a shape's full weight",
        default=0.03,
        min=0.001,
        max=0.2,
        precision=3,
        step=0.5,
    )
    texture: bpy.props.BoolProperty(
        name="Lip Texture", description="Show the predicted lip texture of each frame on a talking head", default=True
    )
    lit: bpy.props.BoolProperty(
        name="Shade by Lights",
        description="Let the scene's lights shade a talking head, instead of showing its textures as they are",
        default=False,
    )
    pack: bpy.props.BoolProperty(
        name="Pack Still Texture",
        description="Store the face's still texture in the .blend; the sequence of the lips stays in its folder",
        default=False,
    )
    action_name: bpy.props.StringProperty(
        name="Action", description="Name of the line's action; empty for the name of the line"
    )
    push_to_nla: bpy.props.BoolProperty(
        name="Push to NLA", description="Make the line a strip of the non-linear animation", default=False
    )
    markers: bpy.props.BoolProperty(
        name="Word Markers",
        description="Mark where words begin in the timeline, where a transcript or a text was given",
        default=True,
    )


def chosen_options(scene: bpy.types.Scene) -> ResultOptions:
    """What the section says."""
    settings = getattr(scene, GROUP)
    return ResultOptions(
        kind=settings.kind,
        tolerance=settings.tolerance,
        texture=settings.texture,
        lit=settings.lit,
        pack=settings.pack,
        action_name=settings.action_name.strip(),
        push_to_nla=settings.push_to_nla,
        markers=settings.markers,
    )


class ResultSection:
    """What both panels show: Blender loses a panel's class when a class below it is registered."""

    bl_label = "Result"
    bl_region_type = "UI"
    bl_category = "Mouthpiece"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  # Blender wants a set

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the panel."""
        settings = getattr(context.scene, GROUP)
        layout = self.layout  # type: ignore[attr-defined]
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "kind")
        if settings.kind == SPARSE:
            layout.prop(settings, "tolerance")
        if settings.kind != CACHE:
            layout.prop(settings, "action_name")
        ticks = ["push_to_nla"] if settings.kind != CACHE else []
        if context.scene.mouthpiece.face == "HEAD":
            ticks += ["texture", "lit", "pack"]
        column = layout.column(align=True)
        column.use_property_split = False  # a narrow sidebar cuts their names otherwise
        for name in [*ticks, "markers"]:
            column.prop(settings, name)


class MOUTHPIECE_PT_result(ResultSection, bpy.types.Panel):
    """What a bake makes."""

    bl_space_type = "VIEW_3D"
    bl_parent_id = "MOUTHPIECE_PT_animate"


class MOUTHPIECE_PT_result_sequencer(ResultSection, bpy.types.Panel):
    """The same beside the Sequencer's strips."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_parent_id = "MOUTHPIECE_PT_animate_sequencer"


CLASSES = (MouthpieceResult, MOUTHPIECE_PT_result, MOUTHPIECE_PT_result_sequencer)


def register() -> None:
    """Add the settings to every scene, and register the panels; after the panels that they belong to."""
    for item in CLASSES:
        bpy.utils.register_class(item)
    setattr(bpy.types.Scene, GROUP, bpy.props.PointerProperty(type=MouthpieceResult))


def unregister() -> None:
    """Take the settings and panels away."""
    delattr(bpy.types.Scene, GROUP)
    for item in reversed(CLASSES):
        bpy.utils.unregister_class(item)

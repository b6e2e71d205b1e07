"""What the Live section remembers in each scene."""

import bpy


class MouthpieceLive(bpy.types.PropertyGroup):
    """The choices of the Live section."""

    source: bpy.props.EnumProperty(
        name="Heard",
        description="What moves the face",
        items=[
            ("MICROPHONE", "Microphone", "Somebody who speaks now"),
            ("FILE", "Sound File", "A recording, in its own time"),
        ],
    )
    sound: bpy.props.StringProperty(name="Sound", description="The recording", subtype="FILE_PATH")
    device: bpy.props.StringProperty(
        name="Microphone", description="Name or number of the microphone; empty for the system's own"
    )
    look_ahead: bpy.props.FloatProperty(
        name="Look-Ahead",
        description="Seconds of sound after a frame that are waited for: the face is later by this, and more exact",
        default=0.04,
        min=0.0,
        soft_max=0.12,
        max=1.0,
        subtype="TIME_ABSOLUTE",
    )
    record: bpy.props.BoolProperty(
        name="Record", description="Bake what was seen into keys when it is stopped", default=True
    )
    take: bpy.props.StringProperty(
        name="Take",
        description="Name of the action that is recorded; it gets a number where there is a line of this name",
        default="Live",
    )
    replace_take: bpy.props.BoolProperty(
        name="Replace Take",
        description="Record over the take of this name; without it every take is kept",
        default=False,
    )


def register() -> None:
    """Add the settings to every scene."""
    bpy.utils.register_class(MouthpieceLive)
    bpy.types.Scene.mouthpiece_live = bpy.props.PointerProperty(type=MouthpieceLive)


def unregister() -> None:
    """Take the settings away."""
    del bpy.types.Scene.mouthpiece_live
    bpy.utils.unregister_class(MouthpieceLive)

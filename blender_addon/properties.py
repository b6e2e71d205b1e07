"""What the panel remembers in each scene."""

import bpy


class MouthpieceSettings(bpy.types.PropertyGroup):
    """The choices of the Mouthpiece panel."""

    folder: bpy.props.StringProperty(
        name="Animation",
        description="Folder that holds animation.npz, written by `mouthpiece animate SOUND --out FOLDER`",
        subtype="DIR_PATH",
    )
    sound: bpy.props.StringProperty(
        name="Sound",
        description="The speech the animation was made from; leave empty to import the face alone",
        subtype="FILE_PATH",
    )
    set_up_scene: bpy.props.BoolProperty(
        name="Set Up Scene",
        description="Give the scene the animation's frame rate, range and true colours, and a camera where it has none",
        default=True,
    )


def register() -> None:
    """Add the settings to every scene."""
    bpy.utils.register_class(MouthpieceSettings)
    bpy.types.Scene.mouthpiece = bpy.props.PointerProperty(type=MouthpieceSettings)


def unregister() -> None:
    """Take the settings away."""
    del bpy.types.Scene.mouthpiece
    bpy.utils.unregister_class(MouthpieceSettings)

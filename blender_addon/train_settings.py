"""What the Train section remembers in each scene: the video, the actor's name, the speaker's consent."""

import bpy


class MouthpieceTraining(bpy.types.PropertyGroup):
    """The choices of the Train section."""

    video: bpy.props.StringProperty(
        name="Video",
        description="A video of one person who speaks into the camera, or a folder of such clips",
        subtype="FILE_PATH",
    )
    actor: bpy.props.StringProperty(
        name="New Actor", description="Name of the actor that is made: letters, digits, - and _"
    )
    preset: bpy.props.EnumProperty(
        name="Effort",
        description="What is trained",
        items=[
            ("instant", "Instant", "The face alone, from the voice model: a minute after tracking"),
            ("fast", "Fast", "The face alone, touched up: some minutes"),
            ("default", "Default", "The face and the texture of its mouth: a talking head"),
            ("paper", "Published", "As Default, with networks of the published sizes: slow without a GPU"),
        ],
        default="default",
    )
    accept_quality: bpy.props.BoolProperty(
        name="Accept Bad Quality", description="Train although the inspection of the video found faults"
    )
    overwrite: bpy.props.BoolProperty(name="Replace", description="Replace an actor of this name")
    speaker: bpy.props.StringProperty(name="Speaker", description="Whose face and voice are in the video")
    statement: bpy.props.StringProperty(
        name="Statement", description="The sentence the speaker agreed to, in their words or shown to them"
    )
    given_by: bpy.props.StringProperty(name="Given By", description="The speaker, or who may decide for them")
    date: bpy.props.StringProperty(name="Date", description="The day of the consent, as 2026-01-31")
    licence: bpy.props.StringProperty(name="Licence", description="What the actor may be used for")


def register() -> None:
    """Add the settings to every scene."""
    bpy.utils.register_class(MouthpieceTraining)
    bpy.types.Scene.mouthpiece_training = bpy.props.PointerProperty(type=MouthpieceTraining)


def unregister() -> None:
    """Take the settings away."""
    del bpy.types.Scene.mouthpiece_training
    bpy.utils.unregister_class(MouthpieceTraining)

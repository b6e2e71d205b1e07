"""What the panel remembers in each scene."""

import bpy

from .actor_pictures import actor_items, actor_names, choose_actor, chosen_actor
from .mapping import AUTOMATIC
from .rig_map import load_map, map_names
from .translations import CONTEXT

_kept: list[tuple[str, str, str]] = []  # Blender holds no reference of its own to a menu's texts


def map_items(_self, _context) -> list[tuple[str, str, str]]:
    """Entries of the menu of rig maps."""
    maps = [(name, load_map(name).title, f"The names of {load_map(name).title}") for name in map_names()]
    _kept[:] = [(AUTOMATIC, "Automatic", "The names that fit the character best"), *maps]
    return _kept


def target_names(_self, _context, text: str) -> list[str]:
    """Names that can be driven and contain what was typed."""
    names = dict.fromkeys(target for name in map_names() for target in load_map(name).targets())
    return [name for name in names if text.lower() in name.lower()]


def first_frame(settings) -> float:
    """The frame at which lines begin: the scene's first one, until another is chosen."""
    if settings.is_property_set("chosen_start"):
        return settings.chosen_start
    return float(settings.id_data.frame_start)


def choose_start(settings, frame: float) -> None:
    """Keep a frame at which lines begin."""
    settings.chosen_start = frame


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
    speech: bpy.props.EnumProperty(
        name="Speech",
        description="What is spoken",
        items=[
            ("FILE", "Sound File", "A recording on the disk"),
            ("STRIP", "Sound Strip", "The selected sound strip of the Sequencer, with its place and trim"),
            ("TEXT", "Text", "Words that the backend speaks with a synthetic voice"),
        ],
    )
    words: bpy.props.StringProperty(name="Words", description="What is said")
    voice: bpy.props.StringProperty(
        name="Voice", description="The synthetic voice, for example en-us, en-us+f2 or de", default="en-us"
    )
    transcript: bpy.props.PointerProperty(
        name="Transcript",
        description="Text block with the words of the sound: the mouth follows them better, and they can be marked",
        type=bpy.types.Text,
    )
    language: bpy.props.StringProperty(
        name="Language", description="Of the transcript, for example en-us, de, fr", default="en-us"
    )
    face: bpy.props.EnumProperty(
        name="Face",
        description="What speaks",
        translation_context=CONTEXT,
        items=[
            (
                "HEAD",
                "New Talking Head",
                "A head of the actor; an untouched scene gets its colours and a camera, any other keeps its look",
            ),
            ("CHARACTER", "Selected Character", "The shape keys of what is selected"),
        ],
    )
    actor: bpy.props.StringProperty(
        name="Actor", description="Whose way of speaking is used", default="default", search=actor_names
    )
    actor_picture: bpy.props.EnumProperty(
        name="Actor",
        description="Whose way of speaking is used",
        items=actor_items,
        get=chosen_actor,
        set=choose_actor,
    )
    start: bpy.props.FloatProperty(
        name="Start Frame", description="Scene frame at which the sound file begins", get=first_frame, set=choose_start
    )
    chosen_start: bpy.props.FloatProperty(name="Start Frame", options={"HIDDEN"})
    map_name: bpy.props.EnumProperty(
        name="Shape Keys", description="How the character's shape keys are named", items=map_items
    )


class MouthpieceCorrection(bpy.types.PropertyGroup):
    """One mouth shape and the shape key that it drives, said by hand."""

    target: bpy.props.StringProperty(
        name="Shape", description="Name in the rig map, for example jawOpen", search=target_names
    )
    key: bpy.props.StringProperty(name="Shape Key", description="Shape key of this character; empty for none")


def register() -> None:
    """Add the settings to every scene, and the corrections to every object."""
    bpy.utils.register_class(MouthpieceSettings)
    bpy.utils.register_class(MouthpieceCorrection)
    bpy.types.Scene.mouthpiece = bpy.props.PointerProperty(type=MouthpieceSettings)
    bpy.types.Object.mouthpiece_corrections = bpy.props.CollectionProperty(
        type=MouthpieceCorrection, name="Corrections", description="Shape keys that were told by hand"
    )


def unregister() -> None:
    """Take the settings away."""
    del bpy.types.Object.mouthpiece_corrections
    del bpy.types.Scene.mouthpiece
    bpy.utils.unregister_class(MouthpieceCorrection)
    bpy.utils.unregister_class(MouthpieceSettings)

"""The list of lines of the Batch section, remembered in each scene."""

import uuid

import bpy

from .actor_pictures import actor_names

WAITING, WORKING, DONE, FAILED, CANCELLED = "WAITING", "WORKING", "DONE", "FAILED", "CANCELLED"


def strip_names(_self, context, text: str) -> list[str]:
    """Names of the scene's sound strips that contain what was typed."""
    from .speech_source import sound_strips

    return [strip.name for strip in sound_strips(context.scene) if text.lower() in strip.name.lower()]


class MouthpieceLine(bpy.types.PropertyGroup):
    """One line of dialogue to animate."""

    key: bpy.props.StringProperty(name="Key", description="What the line is found by while others come and go")
    made: bpy.props.StringProperty(name="Made", description="Name of what was made, which is replaced another time")
    use: bpy.props.BoolProperty(name="Use", description="Animate this line with the ticked ones", default=True)
    speech: bpy.props.EnumProperty(
        name="Speech",
        description="What is spoken",
        items=[
            ("FILE", "Sound File", "A recording on the disk"),
            ("STRIP", "Sound Strip", "A sound strip of the Sequencer, with its place and trim"),
        ],
    )
    sound: bpy.props.StringProperty(name="Sound", description="The recording", subtype="FILE_PATH")
    strip: bpy.props.StringProperty(name="Strip", description="Name of the sound strip", search=strip_names)
    start: bpy.props.FloatProperty(
        name="Start Frame", description="Scene frame at which the sound file begins", default=1.0
    )
    transcript: bpy.props.PointerProperty(
        name="Transcript",
        description="Text block with the words of the sound: the mouth follows them better, and they can be marked",
        type=bpy.types.Text,
    )
    language: bpy.props.StringProperty(
        name="Language", description="Of the transcript, for example en-us, de, fr", default="en-us"
    )
    character: bpy.props.PointerProperty(
        name="Character",
        description="Who speaks: any part of a character with shape keys; empty for a new talking head",
        type=bpy.types.Object,
    )
    actor: bpy.props.StringProperty(
        name="Actor", description="Whose way of speaking is used", default="default", search=actor_names
    )
    state: bpy.props.EnumProperty(
        name="State",
        description="How far the line is",
        items=[
            (WAITING, "Waiting", "Not animated yet", "RADIOBUT_OFF", 0),
            (WORKING, "Working", "Being animated", "TIME", 1),
            (DONE, "Done", "Animated and baked", "CHECKMARK", 2),
            (FAILED, "Failed", "Not animated; its message says why", "ERROR", 3),
            (CANCELLED, "Cancelled", "Not animated", "X", 4),
        ],
    )
    message: bpy.props.StringProperty(name="Message", description="What was made, or what went wrong")

    @property
    def title(self) -> str:
        """What the list shows."""
        if self.speech == "STRIP":
            return self.strip or "no strip"
        return bpy.path.basename(self.sound) or "no sound"


class MouthpieceBatch(bpy.types.PropertyGroup):
    """The list, and which line of it is shown."""

    lines: bpy.props.CollectionProperty(type=MouthpieceLine, name="Lines", description="The lines of dialogue")
    active: bpy.props.IntProperty(name="Line", description="The line whose details are shown")


def add_line(scene: bpy.types.Scene, **values) -> MouthpieceLine:
    """Add a line with these values, and show it."""
    batch = scene.mouthpiece_batch
    line = batch.lines.add()
    line.key = uuid.uuid4().hex
    for name, value in values.items():
        setattr(line, name, value)
    batch.active = len(batch.lines) - 1
    return line


def find_line(scene: bpy.types.Scene | None, key: str) -> MouthpieceLine | None:
    """A line by its key; None where it was removed."""
    return None if scene is None else next((line for line in scene.mouthpiece_batch.lines if line.key == key), None)


CLASSES = (MouthpieceLine, MouthpieceBatch)


def register() -> None:
    """Add the list to every scene."""
    for item in CLASSES:
        bpy.utils.register_class(item)
    bpy.types.Scene.mouthpiece_batch = bpy.props.PointerProperty(type=MouthpieceBatch)


def unregister() -> None:
    """Take the list away."""
    del bpy.types.Scene.mouthpiece_batch
    for item in reversed(CLASSES):
        bpy.utils.unregister_class(item)

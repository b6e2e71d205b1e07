"""How the speech is performed: the backend's controls, remembered in each scene."""

from typing import Any

import bpy

from .errors import AnimationError

GROUP = "mouthpiece_style"
"""Name of the settings in a scene; presets are kept under it."""


class MouthpieceStyle(bpy.types.PropertyGroup):
    """The backend's style controls; the names are those of its options, the defaults its own."""

    intensity: bpy.props.FloatProperty(
        name="Intensity", description="Size of all motion; 1 as predicted", default=1.0, min=0.0, max=3.0, soft_max=2.0
    )
    jaw: bpy.props.FloatProperty(
        name="Jaw", description="How far the jaw opens; 1 as predicted", default=1.0, min=0.0, max=2.0
    )
    lips: bpy.props.FloatProperty(
        name="Lips", description="How much the lips shape the sounds; 1 as predicted", default=1.0, min=0.0, max=2.0
    )
    style: bpy.props.FloatProperty(
        name="Articulation",
        description="How much the sounds differ from each other: below 1 is mumbled, above 1 pronounced",
        default=1.0,
        min=0.0,
        max=2.0,
    )
    smooth: bpy.props.FloatProperty(
        name="Smoothing",
        description="Seconds over which the motion is smoothed; takes jitter away, and crispness too",
        default=0.0,
        min=0.0,
        max=1.0,
        soft_max=0.2,
        step=1,
        precision=3,
        subtype="TIME_ABSOLUTE",
    )
    silence_gate: bpy.props.FloatProperty(
        name="Silence Gate",
        description="How firmly the mouth stays closed where nobody speaks; 0 for not at all",
        default=1.0,
        min=0.0,
        max=1.0,
    )
    breath: bpy.props.FloatProperty(
        name="Breath",
        description="How far the mouth opens for the breath before speech; 1 as people do, 0 for not at all",
        default=1.0,
        min=0.0,
        max=2.0,
    )
    gains: bpy.props.StringProperty(
        name="Shapes",
        description="Factors for single shapes, for example jawOpen=0.8,mouthSmile=1.2; without a side both are meant",
    )
    blinks: bpy.props.FloatProperty(
        name="Blinks", description="How often the eyes blink; 0 for never", default=0.0, min=0.0, max=1.0
    )
    brows: bpy.props.FloatProperty(
        name="Brows", description="How much the brows move with the voice; 0 for still", default=0.0, min=0.0, max=1.0
    )
    head: bpy.props.FloatProperty(
        name="Head", description="How much the head moves with the voice; 0 for still", default=0.0, min=0.0, max=1.0
    )
    seed: bpy.props.IntProperty(
        name="Seed", description="Another number gives other blinks and head motion", default=0, min=0, max=2**31 - 1
    )


def style_names() -> tuple[str, ...]:
    """The controls' names, in the order in which they are shown."""
    return tuple(MouthpieceStyle.__annotations__)


def changed_options(scene: bpy.types.Scene) -> dict[str, Any]:
    """The options that differ from the backend's defaults; others are not sent, so an older backend takes them.

    Raises AnimationError where the shapes' factors cannot be understood.
    """
    style = getattr(scene, GROUP)
    options = {}
    for name in style_names():
        value, default = getattr(style, name), style.bl_rna.properties[name].default
        if value != default:
            options[name] = round(value, 6) if isinstance(value, float) else value
    if "gains" in options:
        options["gains"] = read_gains(options["gains"])
    return options


def read_gains(text: str) -> dict[str, float]:
    """Shape to factor. Raises AnimationError where the text cannot be understood."""
    gains = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, factor = part.partition("=")
        try:
            gains[name.strip()] = float(factor)
        except ValueError:
            raise AnimationError(f"Shapes: {part!r} is not understood; write NAME=FACTOR, as jawOpen=0.8.") from None
    return gains


def register() -> None:
    """Add the controls to every scene."""
    bpy.utils.register_class(MouthpieceStyle)
    setattr(bpy.types.Scene, GROUP, bpy.props.PointerProperty(type=MouthpieceStyle))


def unregister() -> None:
    """Take the controls away."""
    delattr(bpy.types.Scene, GROUP)
    bpy.utils.unregister_class(MouthpieceStyle)

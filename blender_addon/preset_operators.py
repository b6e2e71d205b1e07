"""Presets: a performance's style, and how a character's shape keys are named; kept with Blender's own."""

from pathlib import Path
from typing import ClassVar

import bpy
from bl_operators.presets import AddPresetBase  # pyright: ignore[reportMissingImports]

from .style_settings import GROUP, style_names

SHIPPED = Path(__file__).parent
"""Has a folder `presets` with the styles that come with the add-on."""


class MOUTHPIECE_MT_style_presets(bpy.types.Menu):
    """Styles that were kept"""

    bl_label = "Style Presets"
    preset_subdir = "mouthpiece/style"
    preset_operator = "script.execute_preset"
    draw = bpy.types.Menu.draw_preset


class MOUTHPIECE_OT_style_preset(AddPresetBase, bpy.types.Operator):
    """Keep the style controls as a preset, or remove one"""

    bl_idname = "mouthpiece.style_preset"
    bl_label = "Add Style Preset"
    preset_menu = "MOUTHPIECE_MT_style_presets"
    preset_subdir = "mouthpiece/style"
    preset_defines: ClassVar[list[str]] = [f"style = bpy.context.scene.{GROUP}"]

    @property
    def preset_values(self) -> list[str]:
        """What is kept."""
        return [f"style.{name}" for name in style_names()]


class MOUTHPIECE_MT_map_presets(bpy.types.Menu):
    """Shape-key names that were kept"""

    bl_label = "Shape Key Presets"
    preset_subdir = "mouthpiece/shape_keys"
    preset_operator = "script.execute_preset"
    draw = bpy.types.Menu.draw_preset


class MOUTHPIECE_OT_map_preset(AddPresetBase, bpy.types.Operator):
    """Keep the rig map and the active object's corrections as a preset, or remove one"""

    bl_idname = "mouthpiece.map_preset"
    bl_label = "Add Shape Key Preset"
    preset_menu = "MOUTHPIECE_MT_map_presets"
    preset_subdir = "mouthpiece/shape_keys"
    preset_defines: ClassVar[list[str]] = ["settings = bpy.context.scene.mouthpiece", "item = bpy.context.object"]
    preset_values: ClassVar[list[str]] = ["settings.map_name", "item.mouthpiece_corrections"]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Available where the active object has corrections to keep or to take."""
        if context.object is None:
            cls.poll_message_set("Make the character the active object")
            return False
        return True


CLASSES = (
    MOUTHPIECE_MT_style_presets,
    MOUTHPIECE_OT_style_preset,
    MOUTHPIECE_MT_map_presets,
    MOUTHPIECE_OT_map_preset,
)


def register() -> None:
    """Register menus and operators, and the styles that come with the add-on."""
    for item in CLASSES:
        bpy.utils.register_class(item)
    if hasattr(bpy.utils, "register_preset_path"):  # Blender 4.2
        bpy.utils.register_preset_path(str(SHIPPED))


def unregister() -> None:
    """Unregister them."""
    if hasattr(bpy.utils, "unregister_preset_path"):
        bpy.utils.unregister_preset_path(str(SHIPPED))
    for item in reversed(CLASSES):
        bpy.utils.unregister_class(item)

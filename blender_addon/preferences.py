"""Where the backend is, in Blender's preferences, and how it does, in words."""

from pathlib import Path

import bpy

from .backend_process import Backend, BackendChoice, default_checkout

BACKEND = Backend()
_state: dict[str, tuple[bool, str]] = {}


class MouthpiecePreferences(bpy.types.AddonPreferences):
    """The add-on's preferences."""

    bl_idname = __package__ or "blender_addon"

    checkout: bpy.props.StringProperty(
        name="Backend Folder",
        description="Folder of a Mouthpiece checkout that `python3 build.py setup` was run in",
        subtype="DIR_PATH",
    )
    address: bpy.props.StringProperty(
        name="Address",
        description="Address of a service elsewhere, for example http://127.0.0.1:8427; leave empty to use the folder",
    )
    token: bpy.props.StringProperty(
        name="Token", description="What stands in the service's token file", subtype="PASSWORD"
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the preferences."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "checkout")
        layout.prop(self, "address")
        if self.address:
            layout.prop(self, "token")
        draw_backend_state(layout)
        row = layout.row()
        row.operator("mouthpiece.check_backend", icon="CHECKMARK")
        row.operator("mouthpiece.start_backend", icon="PLAY")
        row.operator("mouthpiece.stop_backend", icon="SNAP_FACE")


def draw_backend_state(layout: bpy.types.UILayout) -> None:
    """Show what the last check of the backend said."""
    running, sentence = _state.get("last", (False, "Not checked yet"))
    layout.label(text=sentence, icon="CHECKMARK" if running else "INFO")


def backend_choice(context: bpy.types.Context) -> BackendChoice:
    """The backend of the preferences; by default the checkout that the add-on lies in."""
    addon = context.preferences.addons.get(MouthpiecePreferences.bl_idname)
    chosen = None if addon is None else addon.preferences
    folder = "" if chosen is None else chosen.checkout
    return BackendChoice(
        checkout=Path(bpy.path.abspath(folder)) if folder else default_checkout(),
        address="" if chosen is None else chosen.address.strip(),
        token="" if chosen is None else chosen.token.strip(),
        online=bool(getattr(bpy.app, "online_access", False)),
    )


def remember_state(running: bool, sentence: str) -> None:
    """Keep what is shown of the backend."""
    _state["last"] = (running, sentence)


def register() -> None:
    """Register the preferences."""
    bpy.utils.register_class(MouthpiecePreferences)


def unregister() -> None:
    """Unregister the preferences, and stop the backend if this Blender started it."""
    BACKEND.stop()
    bpy.utils.unregister_class(MouthpiecePreferences)

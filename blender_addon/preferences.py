"""Where the backend is, in Blender's preferences, and how it does, in words."""

from pathlib import Path

import bpy

from .activity import under_way
from .backend_process import Backend, BackendChoice, default_checkout
from .client import default_home
from .long_paths import choose_folder
from .set_up import BUNDLE, SetUpRequest, state
from .status_drawing import draw_progress, draw_sentence

BACKEND = Backend()
_state: dict[str, tuple[bool, str]] = {}


class MouthpiecePreferences(bpy.types.AddonPreferences):
    """The add-on's preferences."""

    bl_idname = __package__ or "blender_addon"

    source: bpy.props.EnumProperty(
        name="Backend",
        description="What turns the speech into motion",
        items=[
            ("OWN", "Set Up by This Add-on", "The backend that the add-on carries; one click sets it up"),
            ("FOLDER", "A Folder", "A Mouthpiece checkout on this computer"),
            ("ADDRESS", "A Service", "A service that runs already, here or on another computer"),
        ],
    )
    checkout: bpy.props.StringProperty(
        name="Backend Folder",
        description="Folder of a Mouthpiece checkout that `python3 build.py setup` was run in",
        subtype="DIR_PATH",
    )
    address: bpy.props.StringProperty(
        name="Address", description="Address of a service, for example http://127.0.0.1:8427"
    )
    token: bpy.props.StringProperty(
        name="Token", description="What stands in the service's token file", subtype="PASSWORD"
    )
    python: bpy.props.StringProperty(
        name="Python",
        description="Program of the Python 3.11 to 3.13 to set the backend up with; empty for Blender's own",
        subtype="FILE_PATH",
    )
    training: bpy.props.BoolProperty(
        name="With Training",
        description="Also install what training an actor and inspecting a video need (Python 3.11 or 3.12)",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the preferences."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "source")
        if self.source == "FOLDER":
            layout.prop(self, "checkout")
        elif self.source == "ADDRESS":
            layout.prop(self, "address")
            layout.prop(self, "token")
        else:
            layout.prop(self, "python")
            layout.prop(self, "training")
        draw_backend_state(layout, context)
        row = layout.row()
        if self.source == "OWN":
            row.operator("mouthpiece.set_up_backend", icon="IMPORT")
            row.operator("mouthpiece.remove_backend", icon="TRASH")
        row = layout.row()
        row.operator("mouthpiece.check_backend", icon="CHECKMARK")
        row.operator("mouthpiece.start_backend", icon="PLAY")
        row.operator("mouthpiece.stop_backend", icon="SNAP_FACE")
        row.operator("mouthpiece.open_log", icon="TEXT")


def draw_backend_state(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Show what is under way with the backend, else what the last check of it said."""
    activity = under_way("backend")
    if activity is not None:
        draw_progress(layout, activity, "mouthpiece.cancel_backend")
        return
    running, sentence = _state.get("last", (False, "Not checked yet"))
    choice = backend_choice(context)
    if "last" not in _state and choice.checkout is None and not choice.address and choice.folder is not None:
        running, sentence = state(choice.folder)
    draw_sentence(layout, sentence, "CHECKMARK" if running else "INFO")


def needs_set_up(context: bpy.types.Context) -> bool:
    """Whether the backend is to be set up by the add-on, was not yet, and nobody else's is running."""
    choice = backend_choice(context)
    if choice.address or choice.checkout is not None or choice.folder is None:
        return False
    return not state(choice.folder)[0] and not (default_home() / "service.json").exists()


def addon_preferences(context: bpy.types.Context) -> MouthpiecePreferences | None:
    """The add-on's preferences; None where it runs without being enabled in them."""
    addon = context.preferences.addons.get(MouthpiecePreferences.bl_idname)
    return None if addon is None else addon.preferences


def backend_choice(context: bpy.types.Context) -> BackendChoice:
    """The backend of the preferences; by default what the add-on sets up, or the checkout that it lies in."""
    chosen, online = addon_preferences(context), bool(getattr(bpy.app, "online_access", True))
    if chosen is not None and chosen.source == "ADDRESS":
        return BackendChoice(address=chosen.address.strip(), token=chosen.token.strip(), online=online)
    if chosen is not None and chosen.source == "FOLDER":
        return BackendChoice(checkout=Path(bpy.path.abspath(chosen.checkout)) if chosen.checkout else None)
    return BackendChoice(checkout=None if BUNDLE.is_dir() else default_checkout(), folder=user_folder())


def set_up_request(context: bpy.types.Context) -> SetUpRequest:
    """What the preferences ask to be set up."""
    chosen = addon_preferences(context)
    python = "" if chosen is None else chosen.python.strip()
    return SetUpRequest(
        user_folder(),
        python=bpy.path.abspath(python) if python else "",
        training=chosen is not None and chosen.training,
    )


def user_folder() -> Path:
    """Where the add-on keeps the backend's environment: the extension's own folder, which goes with the extension.

    On Windows, where paths in it mostly get too long, a shorter one among the user's data.
    """
    try:
        own = Path(bpy.utils.extension_path_user(MouthpiecePreferences.bl_idname, path="backend"))
    except (AttributeError, ValueError):  # Blender before 4.2, or not installed as an extension
        return default_home() / "blender_backend"
    return choose_folder(own, default_home() / "env")


def remember_state(running: bool, sentence: str) -> None:
    """Keep what is shown of the backend."""
    _state["last"] = (running, sentence)


def register() -> None:
    """Register the preferences."""
    bpy.utils.register_class(MouthpiecePreferences)


def unregister() -> None:
    """Unregister the preferences, and stop the backend if this Blender started it."""
    BACKEND.stop()
    _state.clear()
    bpy.utils.unregister_class(MouthpiecePreferences)

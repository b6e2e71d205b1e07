"""Mouthpiece for Blender: bakes animations of talking faces into scenes; needs only Blender."""


def register() -> None:
    """Register the add-on's classes; called by Blender."""
    for module in _modules():
        module.register()


def unregister() -> None:
    """Take back what `register` did, in reverse order; called by Blender."""
    for module in reversed(_modules()):
        module.unregister()


def _modules() -> tuple:
    # Imported here, so that the modules that need no Blender can be used without it.
    from . import (
        activity,
        animate_operators,
        backend_operators,
        face_operators,
        operators,
        panels,
        preferences,
        properties,
        style_settings,
    )

    settings = preferences, properties, style_settings
    return *settings, activity, operators, face_operators, backend_operators, animate_operators, panels

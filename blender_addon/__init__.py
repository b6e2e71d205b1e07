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
        actor_pictures,
        animate_operators,
        backend_operators,
        batch_lines,
        batch_operators,
        drop,
        face_operators,
        folders,
        keymap,
        live_operators,
        live_settings,
        operators,
        panels,
        preferences,
        preset_operators,
        properties,
        result_options,
        style_settings,
        train_operators,
        train_settings,
        translations,
    )

    settings = preferences, actor_pictures, properties, style_settings, batch_lines, live_settings, train_settings
    actions = operators, face_operators, backend_operators, animate_operators, batch_operators, live_operators
    shown = preset_operators, panels, result_options, drop, keymap, translations
    return *settings, activity, folders, *actions, train_operators, *shown

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
    from . import animate_operators, face_operators, operators, panels, preferences, properties

    return preferences, properties, operators, face_operators, animate_operators, panels

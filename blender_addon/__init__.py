"""Mouthpiece for Blender: bakes animations of talking faces into scenes; needs only Blender."""


def register() -> None:
    """Register the add-on's classes; called by Blender."""
    # Imported here, so that the modules that need no Blender can be used without it.
    from . import face_operators, operators, panels, properties

    for module in (properties, operators, face_operators, panels):
        module.register()


def unregister() -> None:
    """Take back what `register` did, in reverse order; called by Blender."""
    from . import face_operators, operators, panels, properties

    for module in (panels, face_operators, operators, properties):
        module.unregister()

"""The errors the add-on raises on purpose; each text is a sentence for the user."""


class AddonError(Exception):
    """Base of every error the add-on raises on purpose."""


class AnimationError(AddonError):
    """An animation folder is missing, incomplete, damaged or of a kind that cannot be baked."""


class MappingError(AddonError):
    """A rig map or a correction is wrong, or a character has no shape keys that could be driven."""


class BackendError(AddonError):
    """The backend cannot be reached or started, or gave up on a job."""


class CommandError(AddonError):
    """The windowless command was started with wrong arguments."""


class OutputError(AddonError):
    """Blender failed to write a result: a full disk, an exporter that gave up."""

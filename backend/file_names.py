"""Names that a file can bear on every system, so that what is written on one can be taken to another."""

import re

from backend.errors import UsageError

DEVICE = re.compile(r"(con|prn|aux|nul|con(in|out)\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE | re.DOTALL)
"""Names that Windows opens as devices in any folder, whatever their ending."""


def is_device(name: str) -> bool:
    """Whether Windows takes a file's name for a device."""
    return DEVICE.fullmatch(name) is not None


def as_text(name: str) -> str:
    """The name as text that can be written: on Linux a name may have bytes that are no letters in any encoding."""
    return name.encode("utf-8", "replace").decode("utf-8")


def mend_name(name: str) -> str:
    """The name, or one like it where Windows would take it for a device, or would leave away its last dots."""
    name = re.sub("[\ud800-\udfff]", "_", name).rstrip(". ") or "_"
    return f"_{name}" if is_device(name) else name


def check_file_name(name: str) -> None:
    """Raise UsageError where Windows cannot write a file of this name as it stands."""
    if is_device(name):
        raise UsageError(f"{name!r} is a device on Windows, and no file's name; choose another name.")
    if name.endswith((".", " ")) and name != "..":
        raise UsageError(f"{name!r} ends in {name[-1]!r}, which Windows leaves away; choose another name.")

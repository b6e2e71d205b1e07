"""The shared libraries of the operating system that Blender needs, and the command that installs them.

Standard library only: `build.py` reads this before anything is installed.
"""

import ctypes
import os
import shutil
import sys

DEBIAN_PACKAGES = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
}
"""What the bpy wheels link to and a bare Debian 12 does not have, with the packages that hold it."""

FEDORA_PACKAGES = {
    "libX11.so.6": "libX11",
    "libXrender.so.1": "libXrender",
    "libXfixes.so.3": "libXfixes",
    "libXi.so.6": "libXi",
    "libxkbcommon.so.0": "libxkbcommon",
    "libSM.so.6": "libSM",
    "libICE.so.6": "libICE",
    "libGL.so.1": "libglvnd-glx",
}


def missing_libraries() -> list[str]:
    """Return the file names of the libraries that cannot be loaded; empty on Windows and macOS."""
    if not sys.platform.startswith("linux"):
        return []
    return [name for name in DEBIAN_PACKAGES if not _loads(name)]


def install_command(libraries: list[str]) -> str:
    """Return the command line that installs `libraries` here, or the list to look for on an unknown system."""
    if shutil.which("apt-get"):
        return f"{_sudo()}apt-get install -y " + " ".join(DEBIAN_PACKAGES[name] for name in libraries)
    if shutil.which("dnf"):
        return f"{_sudo()}dnf install -y " + " ".join(FEDORA_PACKAGES[name] for name in libraries)
    return "your system's package manager (the packages that hold " + ", ".join(libraries) + ")"


def _sudo() -> str:
    return "" if getattr(os, "geteuid", int)() == 0 else "sudo "


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True

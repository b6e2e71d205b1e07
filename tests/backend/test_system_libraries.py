"""The libraries Blender links to."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from backend import system_libraries

LIBC = ("libc.", "libm.", "libdl.", "libpthread.", "librt.", "libutil.", "ld-linux", "libstdc++.", "libgcc_s.")
"""Starts of the names of what every Linux has that runs Python."""


@pytest.mark.blender
@pytest.mark.skipif(find_spec("bpy") is None or not shutil.which("readelf"), reason="needs bpy and readelf")
def test_the_table_holds_every_library_that_blender_does_not_bring():
    spec = find_spec("bpy")
    assert spec is not None
    folder = Path(str(spec.origin)).parent
    (binary,) = folder.glob("__init__*.so")
    dynamic = subprocess.run(["readelf", "-d", binary], capture_output=True, text=True, check=True).stdout
    linked = {line.split("[")[1].rstrip("]") for line in dynamic.splitlines() if "(NEEDED)" in line}
    brought = {path.name for path in folder.rglob("*.so*")}
    wanted = {name for name in linked - brought if not name.startswith(LIBC)}
    assert wanted
    assert wanted <= set(system_libraries.DEBIAN_PACKAGES)  # which also has what Blender's own libraries link to


def test_both_tables_know_the_same_libraries():
    assert system_libraries.DEBIAN_PACKAGES.keys() == system_libraries.FEDORA_PACKAGES.keys()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems bring these libraries")
def test_a_library_that_is_not_there_is_found_missing(monkeypatch):
    monkeypatch.setattr(system_libraries, "DEBIAN_PACKAGES", {"libc.so.6": "libc6", "libnothing.so.9": "libnothing9"})
    assert system_libraries.missing_libraries() == ["libnothing.so.9"]


@pytest.mark.parametrize(
    ("tool", "command"),
    [("apt-get", "apt-get install -y libx11-6 libgl1"), ("dnf", "dnf install -y libX11 libglvnd-glx")],
)
def test_the_command_fits_the_system(tool, command, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: name if name == tool else None)
    assert system_libraries.install_command(["libX11.so.6", "libGL.so.1"]).removeprefix("sudo ") == command

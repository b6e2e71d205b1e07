"""Where a line's animation goes: into no folder that something else in the file, or another file, uses."""

import time
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path

import bpy

from .bake.mesh_cache import cache_modifier
from .bake.tags import LINE
from .bake.textures import material_images
from .client import default_home
from .line_files import artists_file, mend_name, safe_name
from .recordings import known_lines, numbered
from .speech_source import sound_strips

_unsaved: list[str] = []


def line_folder(line: str, replaced: Collection[bpy.types.Object]) -> tuple[Path, str]:
    """(folder for a line's animation, what to say of it), near the saved .blend, else among the user's data.

    replaced: the objects whose textures and caches the bake will replace. A folder that is there already is taken by
    the line that made it, as long as nothing else uses it and the artist has nothing in it: all of it is replaced.
    """
    known, used = line in known_lines(), [_comparable(path) for path in _used_files(line, replaced)]
    others, passed = {safe_name(other) for other in known_lines()} - {safe_name(line)}, ""
    for name in numbered(safe_name(line)):
        folder, found = files_folder() / name, None
        if folder.exists():
            inside = _comparable(folder / "x")[:-1]
            if not known or name in others or any(path.startswith(inside) for path in used):
                continue
            found = artists_file(folder)
        if found is None:
            return folder, passed and f"{passed}: this animation is in {name}"
        passed = passed or f"the folder {name} stays as it is, for {found} in it is yours"
    raise AssertionError("there is always a next number")


def files_folder() -> Path:
    """Where the open file's animations are; those of a file that was never saved get a folder of their own.

    A copy saved under another name shows what the first made, and leaves it alone: what it animates goes elsewhere.
    """
    if bpy.data.filepath:
        saved = Path(bpy.data.filepath)
        return saved.parent / "mouthpiece" / mend_name(saved.stem)
    if not _unsaved:
        _unsaved.append(f"{time.strftime('%Y-%m-%d %H-%M-%S')} {uuid.uuid4().hex[:4]}")
    return default_home() / "blender" / _unsaved[0]


def _used_files(line: str, replaced: Collection[bpy.types.Object]) -> Iterator[str]:
    """Files of textures, caches and sounds that the line's bake will not replace."""
    for item in bpy.data.objects:
        own = cache_modifier(item, line) if item in replaced else None
        caches = [modifier for modifier in item.modifiers if modifier.type == "MESH_CACHE"]
        yield from (modifier.filepath for modifier in caches if modifier.name != own)
        if item in replaced:
            continue
        for slot in item.material_slots:
            if slot.material is not None and slot.material.node_tree is not None:
                yield from (image.filepath for image in material_images(slot.material))
    for scene in bpy.data.scenes:
        yield from (strip.sound.filepath for strip in sound_strips(scene) if strip.sound and strip.get(LINE) != line)


def _comparable(path: str | Path) -> str:
    # Case is ignored: two names that differ in it alone are one file on some systems.
    return Path(bpy.path.abspath(str(path))).as_posix().casefold()


@bpy.app.handlers.persistent
def _forget(*_unused) -> None:
    """Another file is opened: its animations lie elsewhere."""
    _unsaved.clear()


def register() -> None:
    """Watch for files being opened."""
    bpy.app.handlers.load_pre.append(_forget)


def unregister() -> None:
    """Watch no longer."""
    bpy.app.handlers.load_pre.remove(_forget)
    _unsaved.clear()

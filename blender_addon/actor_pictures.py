"""The menu of actors with their pictures. The actor's name is what is kept; the menu shows and sets it."""

import bpy
import bpy.utils.previews  # pyright: ignore[reportMissingImports]
import numpy as np

from .actor_portrait import actor_portrait
from .actors import list_actors

SIDE = 128  # pixels of a picture
UNKNOWN = 10_000
"""The menu's number of an actor that is not on this computer: it may be on a service elsewhere."""
_kept: list[tuple[str, str, str, int, int]] = []  # Blender holds no reference of its own to a menu's texts
_pictures: list = []


def actor_names(_self, _context, text: str) -> list[str]:
    """Names of actors that contain what was typed."""
    return [actor.name for actor in list_actors() if text.lower() in actor.name.lower()]


def actor_items(settings, _context) -> list[tuple[str, str, str, int, int]]:
    """Entries of the menu."""
    actors = list_actors()
    items = [(actor.name, actor.name, actor.about, _icon(actor.picture), number) for number, actor in enumerate(actors)]
    if settings is not None and settings.actor not in [actor.name for actor in actors]:
        items.append((settings.actor or "?", settings.actor or "?", "Not on this computer", 0, UNKNOWN))
    _kept[:] = items
    return _kept


def chosen_actor(settings) -> int:
    """The menu's number of the actor that is kept by its name."""
    names = [actor.name for actor in list_actors()]
    return names.index(settings.actor) if settings.actor in names else UNKNOWN


def choose_actor(settings, number: int) -> None:
    """Keep the name of the actor with this number."""
    actors = list_actors()
    if number < len(actors):
        settings.actor = actors[number].name


def _icon(picture) -> int:
    """The number of a picture's icon; 0 for none."""
    if picture is None or not _pictures:
        return 0
    name = f"{picture}:{picture.stat().st_mtime_ns}"
    previews = _pictures[0]
    if name not in previews:
        _show_face(previews.load(name, str(picture), "IMAGE"), picture.parent)
    return previews[name].icon_id


def _show_face(preview, folder) -> None:
    """Replace an actor's texture, a face unrolled, by the face as it looks."""
    width, height = preview.image_size
    if 0 in (width, height):
        return
    atlas = np.array(preview.image_pixels_float[:], np.float32).reshape(height, width, -1)
    face = actor_portrait(folder, atlas, SIDE)
    if face is not None:
        preview.image_size = (SIDE, SIDE)
        preview.image_pixels_float.foreach_set(face.ravel())


def register() -> None:
    """Make room for the pictures."""
    _pictures.append(bpy.utils.previews.new())


def unregister() -> None:
    """Give the pictures' memory back."""
    while _pictures:
        bpy.utils.previews.remove(_pictures.pop())

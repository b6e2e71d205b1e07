"""Where actors lie, and how one is found by its name."""

import os
from collections.abc import Iterator
from pathlib import Path

from backend.actor_file import DESCRIPTION, check_name
from backend.errors import UsageError

SHIPPED = Path(__file__).resolve().parents[1] / "models" / "actors"
"""Actors that come with Mouthpiece."""
VOICE = SHIPPED.parent / "voice"
"""The actor that ships without a face of its own: it speaks with any voice."""
VOICE_MODEL = VOICE / "model.safetensors"
"""The general voice model that new actors start from."""
HOME_VARIABLE = "MOUTHPIECE_HOME"
"""Environment variable that moves the user's own data elsewhere."""


def user_home() -> Path:
    """Folder of the user's own data; it may not exist yet."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser()
    from platformdirs import user_data_path

    return user_data_path("mouthpiece", appauthor=False)


def user_actors() -> Path:
    """Folder of the user's own actors; it may not exist yet."""
    return user_home() / "actors"


def list_actors() -> Iterator[Path]:
    """Folders of all actors, the user's own before the shipped ones, each name once."""
    seen = set()
    for place, name in ((user_actors(), "*"), (SHIPPED, "*"), (VOICE.parent, VOICE.name)):
        for path in sorted(place.glob(f"{name}/{DESCRIPTION}")):
            if path.parent.name not in seen:
                seen.add(path.parent.name)
                yield path.parent


def find_actor(name: str) -> Path:
    """Folder of an actor given by its name, or by the path of its folder. Raises UsageError where there is none."""
    if (Path(name) / DESCRIPTION).is_file():
        return Path(name)
    check_name(name)
    for path in list_actors():
        if path.name == name:
            return path
    known = ", ".join(path.name for path in list_actors()) or "none"
    raise UsageError(f"There is no actor {name!r}; there are: {known}. `mouthpiece actors` lists them.")

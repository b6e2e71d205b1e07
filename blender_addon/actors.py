"""The actors on this computer, read from their folders, so that no backend need run to choose one; needs no Blender."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .backend_process import default_checkout
from .client import default_home
from .set_up import BUNDLE

DESCRIPTION = "actor.json"


@dataclass(frozen=True)
class ActorEntry:
    """An actor to choose."""

    name: str
    about: str
    """Who is seen and what it may be used for, as far as it says."""
    picture: Path | None
    """Its face's texture, which serves as a thumbnail."""


def list_actors(checkout: Path | None = None) -> list[ActorEntry]:
    """All actors, the user's own before the shipped ones, each name once."""
    found: dict[str, ActorEntry] = {}
    for folder in _folders(checkout):
        try:
            stamp = (folder / DESCRIPTION).stat().st_mtime_ns
        except OSError:
            continue
        found.setdefault(folder.name, _read(folder, stamp))
    return list(found.values())


def _folders(checkout: Path | None) -> list[Path]:
    sources = checkout or (BUNDLE if BUNDLE.is_dir() else default_checkout())
    places = [*sorted((default_home() / "actors").glob("*"))]
    if sources is not None:
        places += [*sorted((sources / "models" / "actors").glob("*")), sources / "models" / "voice"]
    return places


@lru_cache(maxsize=256)
def _read(folder: Path, stamp: int) -> ActorEntry:
    """Read a description; once, until it changes, since a panel asks for it whenever it is drawn."""
    try:
        content = json.loads((folder / DESCRIPTION).read_text("utf-8"))
        speaker = (content.get("consent") or {}).get("speaker", "")
        about = ", ".join(str(part) for part in (speaker, content.get("licence", "")) if part)
    except (OSError, ValueError, AttributeError):
        about = "This actor is damaged"
    picture = folder / "atlas.png"
    return ActorEntry(folder.name, about, picture if picture.is_file() else None)

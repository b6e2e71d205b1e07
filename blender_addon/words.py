"""Read the words of a line and their times (markers.json beside an animation); needs no Blender."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from .errors import AnimationError

FORMAT = 1  # the version of markers.json this add-on reads


@dataclass(frozen=True)
class Word:
    """A word as it is spoken."""

    text: str
    start: float
    """Seconds from the start of the sound."""
    end: float
    """Seconds from the start of the sound."""


def read_words(folder: Path) -> tuple[Word, ...]:
    """The words of an animation folder, in the order of time; empty where it has no markers.json.

    Raises AnimationError where the file is damaged or of another format.
    """
    path = folder / "markers.json"
    if not path.is_file():
        return ()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["format"]
        words = [Word(str(word["text"]), float(word["start"]), float(word["end"])) for word in content["words"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnimationError(f"{path} is damaged ({error!r}); animate the sound again.") from error
    if version != FORMAT:
        raise AnimationError(f"{path} has format {version}, this add-on reads format {FORMAT}; update the add-on.")
    strange = [word for word in words if not (math.isfinite(word.start) and 0 <= word.start <= word.end < math.inf)]
    if strange:
        raise AnimationError(f"{path}: the word {strange[0].text!r} has impossible times; animate the sound again.")
    return tuple(sorted(words, key=lambda word: word.start))

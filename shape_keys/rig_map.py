"""Which rig maps there are: the files that say how ARKit weights drive a character's shape keys."""

from pathlib import Path

FOLDER = Path(__file__).parent / "rig_maps"


def map_names() -> tuple[str, ...]:
    """Names of the shipped maps, for example arkit."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))

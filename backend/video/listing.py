"""Which videos are meant: files are taken as they are, folders by the videos in them."""

from collections.abc import Iterable
from pathlib import Path

from backend.errors import UsageError

ENDINGS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpegts", ".mpg", ".mts", ".ts", ".webm")
"""Of files that are taken from a folder; a file named on its own may have any ending."""


def list_videos(paths: Iterable[Path]) -> list[Path]:
    """The videos that `paths` name, those of a folder by name; raises `UsageError` where a folder holds none."""
    videos: list[Path] = []
    for path in map(Path, paths):
        videos += _videos_in(path) if path.is_dir() else [path]
    return videos


def _videos_in(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())
    if not found:
        raise UsageError(f"The folder {folder} holds no video; expected files ending in {', '.join(ENDINGS)}.")
    return found

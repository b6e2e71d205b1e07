"""How sound and video files are named to FFmpeg."""

from pathlib import Path


def media_name(path: Path) -> str:
    """What to give to `av.open`: an absolute path, for in a relative one FFmpeg takes `take:1.wav` for a protocol."""
    return str(path.absolute())

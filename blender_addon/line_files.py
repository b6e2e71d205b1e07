"""Which files in a line's folder are ours: the artist's own are never deleted with them; no bpy."""

import re
from pathlib import Path

ANIMATION = "animation.npz"
LINE_FILES = re.compile(
    r"animation\.npz|reference_atlas\.png|atlas\.json|atlas|atlas/\d{4,}\.png|markers\.json|speech\.wav"
)
"""What the backend puts into a line's folder: paths below it."""
CACHE_FILES = re.compile(r"[^/]+\.pc2")
"""What a bake puts there at any later time: mesh caches."""
NOBODYS_FILES = re.compile(r"(.*/)?(\.DS_Store|Thumbs\.db|desktop\.ini)")
"""What file managers leave in folders that were looked at."""
DEVICE = re.compile(r"(con|prn|aux|nul|con(in|out)\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE | re.DOTALL)
"""Names that Windows opens as devices in any folder, whatever their ending."""
RETOUCHED = 60.0
"""Seconds after which a file of ours that is newer than its animation was written by somebody else: all of ours arrive
together, but a folder that was copied may have taken a while."""


def safe_name(name: str) -> str:
    """A strip's or file's name as a folder's name on every system."""
    kept = "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in name).strip()
    return mend_name(kept[:80]) if kept else "line"


def mend_name(name: str) -> str:
    """A folder's name, or one like it where Windows takes it for a device, or leaves away its last dots and blanks."""
    name = name.rstrip(". ") or "_"
    return f"_{name}" if DEVICE.fullmatch(name) else name


def artists_file(folder: Path) -> str | None:
    """A path below a line's folder at which the artist put a file or painted over one of ours; None without any."""
    try:
        made = (folder / ANIMATION).stat().st_mtime
    except OSError:
        made = float("inf")
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if CACHE_FILES.fullmatch(name) or NOBODYS_FILES.fullmatch(name):
            continue
        if not LINE_FILES.fullmatch(name) or (path.is_file() and path.stat().st_mtime > made + RETOUCHED):
            return name
    return None

"""The animation on disk: `animation.npz`, the atlas sequence beside it, and how both are written without half-results.

Arrays, with T frames and F triangles: fps float64; reference (468, 3); offsets (T, 468, 3), frame t's vertices being
reference + offsets[t]; uv (T or 1, 468, 2), v up; triangles (F, 3); weights (T, 52) in 0..1 with weight_names (52,);
actor, audio_sha256 and provenance as text. Head space, interocular units; frame t is shown from t / fps on.
"""

import json
import os
import re
import secrets
import tempfile
import zipfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from backend.errors import InputError, UsageError
from backend.file_names import check_file_name
from backend.progress import Progress, no_progress
from backend.renaming import move, remove_tree

FORMAT = 1
"""Raised when the arrays change their meaning."""
ANIMATION = "animation.npz"
ATLAS_FOLDER = "atlas"
ATLAS_RECTANGLE = "atlas.json"
REFERENCE_ATLAS = "reference_atlas.png"
OPTIONAL = {"head_rotation"}
"""Arrays that are written only where there is something to say."""
ROWS_AT_ONCE = 500
"""Rows of an array computed and written in one go: 3 MB of vertices."""
SHOWN_OF_NAME = 32
"""Letters of an output's name in its temporary one, which must not be too long where the output's is not."""
_ANIMATED = r"animation\.npz|reference_atlas\.png|atlas\.json|atlas|atlas/\d{4,}\.png"
ANIMATION_FILES = re.compile(rf"{_ANIMATED}|markers\.json|speech\.wav")
"""What a folder of an animation holds: paths below it."""
SHOT_FILES = re.compile(rf"{_ANIMATED}|[^/]+\.wav")
"""What a folder STEM_files beside a .blend or .usdc holds."""
NOBODYS_FILES = re.compile(r"(.*/)?(\.DS_Store|Thumbs\.db|desktop\.ini)")
"""What file managers leave in folders that were looked at."""


class Rows(Protocol):
    """An array, or what computes one piece by piece: has a shape and a dtype, and gives slices along its first axis."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...
    def __len__(self) -> int: ...
    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Animation:
    """What the network made of one recording; shapes as in this module's docstring, float32 unless said otherwise."""

    fps: float
    reference: np.ndarray
    offsets: Rows
    uv: np.ndarray
    triangles: np.ndarray
    weights: np.ndarray
    weight_names: tuple[str, ...]
    actor: str
    audio_sha256: str
    provenance: str
    head_rotation: np.ndarray | None = None
    """(T, 3) radians, XYZ Euler angles in head space, where the head moves."""

    def __post_init__(self) -> None:
        frames = len(self.offsets)
        expected = {
            "reference": (468, 3),
            "offsets": (frames, 468, 3),
            "uv": (len(self.uv), 468, 2),
            "triangles": (len(self.triangles), 3),
            "weights": (frames, len(self.weight_names)),
        }
        if self.head_rotation is not None:
            expected["head_rotation"] = (frames, 3)
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise InputError(f"Animation array {name} has shape {getattr(self, name).shape}, expected {shape}.")
        if len(self.uv) not in (1, frames):
            raise InputError(f"Animation array uv has {len(self.uv)} frames, expected 1 or {frames}.")

    @property
    def vertices(self) -> np.ndarray:
        """(T, 468, 3) float32."""
        return self.reference + self.offsets[:]


def save_animation(animation: Animation, folder: Path, progress: Progress = no_progress) -> Path:
    """Write `animation.npz` into a folder that exists, piece by piece; returns its path."""
    path = folder / ANIMATION
    arrays: dict[str, Rows] = {"format": np.array(FORMAT, np.int64)}
    for field in fields(animation):
        value = getattr(animation, field.name)
        if value is None:
            continue
        arrays[field.name] = value if hasattr(value, "dtype") else np.array(value)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, rows in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                _write_rows(file, rows, progress if name == "offsets" else no_progress)
    return path


def _write_rows(file: IO[bytes], rows: Rows, progress: Progress) -> None:
    """Write an array as .npy without having it in memory whole."""
    header = {"descr": np.lib.format.dtype_to_descr(rows.dtype), "fortran_order": False, "shape": rows.shape}
    np.lib.format.write_array_header_1_0(file, header)
    if not rows.shape:
        file.write(np.asarray(rows).tobytes())
        return
    for start in range(0, len(rows), ROWS_AT_ONCE):
        file.write(rows[start : start + ROWS_AT_ONCE].tobytes())
        progress("write", min(start + ROWS_AT_ONCE, len(rows)), len(rows))


def load_animation(folder: Path) -> Animation:
    """Read `folder/animation.npz`. Raises InputError where it is missing, damaged or of another format."""
    path = Path(folder) / ANIMATION
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is not a readable animation ({error}).") from None
    if int(arrays.pop("format", -1)) != FORMAT:
        raise InputError(f"{path} has another format than {FORMAT}; make the animation again with this version.")
    missing = {field.name for field in fields(Animation)} - set(arrays) - OPTIONAL
    if missing:
        raise InputError(f"{path} lacks {', '.join(sorted(missing))}; make the animation again.")
    for name in ("actor", "audio_sha256", "provenance"):
        arrays[name] = str(arrays[name])
    arrays["fps"] = float(arrays["fps"])
    arrays["weight_names"] = tuple(str(name) for name in arrays["weight_names"])
    return Animation(**{field.name: arrays[field.name] for field in fields(Animation) if field.name in arrays})


def save_atlas_rectangle(rectangle: dict[str, int], folder: Path) -> None:
    """Write where the crops of the sequence lie in the 256 atlas: x, y, width, height, atlas_size in pixels."""
    (folder / ATLAS_RECTANGLE).write_text(json.dumps(rectangle, indent=1) + "\n")


@contextmanager
def new_folder(path: Path, own: re.Pattern[str], overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside `path` that takes its name at the end, or vanishes if anything goes wrong.

    own: paths below the folder that this kind of folder holds. Raises: UsageError where `path` exists and `overwrite`
    is not set, where it holds anything else, or where its place cannot be written.
    """
    path = Path(path)
    check_output(path, overwrite, own)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name[:SHOWN_OF_NAME]}.", dir=path.parent))
    except OSError as error:
        raise UsageError(f"{path.parent} cannot be written ({error.strerror}); choose another place.") from None
    older = temporary.with_name(f"{temporary.name}.older")
    try:
        temporary.chmod(0o755)
        yield temporary
        check_output(path, overwrite, own)  # something may have been put into it meanwhile
        if path.exists():
            _move(path, older, path)
        _move(temporary, path, path)
    finally:
        if older.exists() and not path.exists():
            move(older, path)
        for rest in (temporary, older):
            remove_tree(rest)


@contextmanager
def new_file(path: Path, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary path with the same ending in `path`'s folder that takes its name at the end, or vanishes.

    Raises: UsageError as `new_folder` does.
    """
    path = Path(path)
    check_output(path, overwrite)
    temporary = path.with_name(f".{path.stem[:SHOWN_OF_NAME]}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        _move(temporary, path, path)
    except PermissionError as error:
        raise UsageError(f"{path.parent} cannot be written ({error.strerror}); choose another place.") from None
    finally:
        temporary.unlink(missing_ok=True)


def _move(source: Path, target: Path, named: Path) -> None:
    """Move to or from the place of an output, which Windows refuses while a program shows it."""
    try:
        move(source, target)
    except PermissionError as error:
        raise UsageError(
            f"{named} cannot be replaced ({error.strerror}); close it where it is open, or choose another name."
        ) from None


def check_output(path: Path, overwrite: bool, own: re.Pattern[str] | None = None, read: Collection[Path] = ()) -> None:
    """Raise UsageError unless something new can be written at `path`.

    own: for a folder, the paths below it that this kind of folder holds; None for a file. read: as `places_read` says.
    Overwriting replaces a file by a file, and a folder only where it holds nothing else than what was written there:
    nobody's own files are deleted by a slip of the name.
    """
    if not path.name:
        raise UsageError(f"{path} is no name for an output; write to a new folder or file.")
    check_file_name(path.name)
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent} to write {path.name} to; make it first.")
    if path.resolve() in read:
        raise UsageError(f"{path} would replace what is read; choose another name.")
    if path.is_dir() and (overwrite or path.suffix):
        _check_folder(path, own)
    if os.path.lexists(path) and not overwrite:  # a link that leads nowhere is there too
        raise UsageError(f"{path} exists already; choose another name or add --overwrite.")
    if own is not None and os.path.lexists(path) and not path.is_dir():
        raise UsageError(f"{path} is a file, and a folder is to be written; choose another name.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UsageError(f"{path.parent} cannot be written ({error.strerror}); choose another place.") from None


def places_read(inputs: Iterable[Path]) -> frozenset[Path]:
    """What no output may replace: the inputs, and every folder that they lie in."""
    whole = [path.resolve() for path in inputs]
    return frozenset(place for path in whole for place in (path, *path.parents))


def _check_folder(path: Path, own: re.Pattern[str] | None) -> None:
    """Raise UsageError unless the folder may be replaced."""
    if own is None:
        raise UsageError(f"{path} is a folder, and a file is to be written; choose another name.")
    if path.is_symlink():
        raise UsageError(f"{path} is a link to a folder, which is not replaced; choose another name.")
    names = sorted(below.relative_to(path).as_posix() for below in path.rglob("*"))
    other = [name for name in names if not own.fullmatch(name) and not NOBODYS_FILES.fullmatch(name)]
    other += [name for name in names if name.endswith(".wav")][1:]  # of the sounds one is ours
    if other:
        raise UsageError(f"{path} is a folder with other files in it ({other[0]}); choose another name.")

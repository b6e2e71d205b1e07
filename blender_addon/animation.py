"""Read an animation folder (animation.npz, atlas.json, PNG atlases) into checked arrays; needs no Blender."""

import json
import math
import struct
import zipfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from .components import Components, find_components
from .errors import AnimationError
from .words import Word, read_words

FORMAT = 1  # the version of animation.npz this add-on reads
VERTEX_COUNT = 468  # MediaPipe face mesh without the irises
WEIGHT_COUNT = 52  # ARKit blendshapes
FPS_RANGE = (1.0, 240.0)  # frames per second
ROUNDING = 1e-6  # frames

_ARRAYS = ("reference", "offsets", "uv", "triangles", "weights", "weight_names")
_SCALARS = ("format", "fps", "actor", "audio_sha256", "provenance")


@dataclass(frozen=True)
class Rectangle:
    """Where the lip crops lie in the reference atlas, in atlas pixels from its top-left corner."""

    x: int
    y: int
    width: int
    height: int
    atlas_size: int

    def uv_origin(self) -> tuple[float, float]:
        """(u, v) of the rectangle's lower left corner, u to the right and v up, in 0..1 of the atlas."""
        return self.x / self.atlas_size, 1.0 - (self.y + self.height) / self.atlas_size

    def uv_size(self) -> tuple[float, float]:
        """Width and height of the rectangle in 0..1 of the atlas."""
        return self.width / self.atlas_size, self.height / self.atlas_size


@dataclass(frozen=True)
class Animation:
    """One animated line: T frames of a 468-vertex face, and where its textures are."""

    folder: Path
    """Absolute path of the folder it was read from."""
    fps: float
    """Frames per second; frame t is at t / fps seconds from the start of the sound."""
    reference: np.ndarray
    """(468, 3) float32, interocular units, head space (x right, y up, z to the viewer)."""
    offsets: np.ndarray
    """(T, 468, 3) float32, interocular units: the frame's vertices are reference + offsets."""
    uv: np.ndarray
    """(468, 2) float32 in 0..1, v up."""
    triangles: np.ndarray
    """(F, 3) int32, counter-clockwise seen by the viewer."""
    weights: np.ndarray
    """(T, 52) float32 in 0..1."""
    weight_names: tuple[str, ...]
    actor: str
    audio_sha256: str
    provenance: str
    """JSON text that says what made this animation."""
    crops: Path | None
    """Folder of the lip crops 0001.png to T, None where the texture was switched off."""
    rectangle: Rectangle | None
    """The crops' place in the atlas; None exactly where `crops` is None."""
    reference_atlas: Path | None
    words: tuple[Word, ...] = ()
    """What is said when, where the line was animated with a transcript."""
    head_rotation: np.ndarray | None = None
    """(T, 3) float32, radians: XYZ Euler angles of the head in head space; None where the head keeps still."""
    first_crop: int = 0
    """0-based number of the lip crop of frame 0: that of the frame itself, save for a part of an animation."""

    @cached_property
    def components(self) -> Components:
        """The offsets as few shape keys; found once, so that a thread may find them before they are baked."""
        return find_components(self.offsets)

    @property
    def frames(self) -> int:
        """T, the number of frames."""
        return len(self.offsets)

    def part(self, first: float, last: float) -> tuple[int, "Animation"]:
        """(number of the part's first frame, the animation of the frames from `first` to `last` inclusive).

        Raises AnimationError where no frame lies there.
        """
        begin, end = max(0, math.ceil(first - ROUNDING)), min(self.frames, math.floor(last + ROUNDING) + 1)
        if begin >= end:
            raise AnimationError(
                "None of the animation's frames lies in the part of the sound that plays; trim it less."
            )
        shown = slice(begin, end)
        turns = None if self.head_rotation is None else self.head_rotation[shown]
        cut = {"offsets": self.offsets[shown], "weights": self.weights[shown], "head_rotation": turns}
        part = replace(self, **cut, first_crop=self.first_crop + begin)
        # The same shapes do for a part; finding others would take long.
        vars(part)["components"] = replace(self.components, weights=self.components.weights[shown])
        return begin, part


def crop_name(frame: int) -> str:
    """File name of the lip crop of a 0-based frame: 0001.png for frame 0."""
    return f"{frame + 1:04d}.png"


def read_animation(folder: Path) -> Animation:
    """Read and check an animation folder.

    Raises AnimationError with a sentence where a file is missing or damaged, a shape or value is wrong, or the atlas
    layout moves with the frames.
    """
    folder = Path(folder).absolute()
    path = folder / "animation.npz"
    if not path.is_file():
        raise AnimationError(
            f"There is no animation.npz in {folder}; choose the folder that `mouthpiece animate --out FOLDER` wrote."
        )
    content = _load(path)
    frames = _check_shapes(path, content)
    _check_values(path, content)
    crops, rectangle = _find_crops(folder, frames)
    atlas = folder / "reference_atlas.png"
    if crops is not None and not atlas.is_file():
        raise AnimationError(f"{folder} has lip crops but no reference_atlas.png; animate the sound again.")
    for picture in [*([atlas] if atlas.is_file() else []), *([crops / crop_name(0)] if crops else [])]:
        _check_picture(picture)
    return Animation(
        folder=folder,
        fps=float(content["fps"]),
        reference=content["reference"].astype(np.float32),
        offsets=content["offsets"].astype(np.float32),
        uv=_fixed_layout(path, content["uv"], frames).astype(np.float32),
        triangles=content["triangles"].astype(np.int32),
        weights=content["weights"].astype(np.float32),
        weight_names=tuple(str(name) for name in content["weight_names"]),
        actor=str(content["actor"]),
        audio_sha256=str(content["audio_sha256"]),
        provenance=str(content["provenance"]),
        crops=crops,
        rectangle=rectangle,
        reference_atlas=atlas if atlas.is_file() else None,
        words=read_words(folder),
        head_rotation=_head_rotation(path, content, frames),
    )


def _load(path: Path) -> dict[str, np.ndarray]:
    # allow_pickle=False: an animation from elsewhere must not be able to run code.
    try:
        with np.load(path, allow_pickle=False) as archive:
            content = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise AnimationError(f"{path} is damaged or no animation ({error}); animate the sound again.") from error
    missing = [name for name in _SCALARS + _ARRAYS if name not in content]
    if missing:
        raise AnimationError(f"{path} lacks {', '.join(missing)}; animate the sound again.")
    return content


def _check_shapes(path: Path, content: dict[str, np.ndarray]) -> int:
    """Raise AnimationError where an array has the wrong kind or shape; return the number of frames."""
    for name in _SCALARS:
        if content[name].ndim != 0:
            raise AnimationError(f"{path}: {name} has shape {content[name].shape}, expected a single value.")
    version = content["format"]
    if version.dtype.kind not in "iu" or int(version) != FORMAT:
        raise AnimationError(
            f"{path} has format {version}, this add-on reads format {FORMAT}; update the add-on or animate again."
        )
    for name in ("fps", "reference", "offsets", "uv", "weights"):
        if content[name].dtype.kind not in "fiu":
            raise AnimationError(f"{path}: {name} holds {content[name].dtype}, expected numbers.")
    if content["triangles"].dtype.kind not in "iu":
        raise AnimationError(f"{path}: triangles hold {content['triangles'].dtype}, expected whole numbers.")
    frames = content["offsets"].shape[0] if content["offsets"].ndim else 0
    if frames < 1:
        raise AnimationError(f"{path} holds no frames; animate a longer sound.")
    expected = {
        "reference": (VERTEX_COUNT, 3),
        "offsets": (frames, VERTEX_COUNT, 3),
        "weights": (frames, WEIGHT_COUNT),
        "weight_names": (WEIGHT_COUNT,),
    }
    for name, shape in expected.items():
        if content[name].shape != shape:
            raise AnimationError(f"{path}: {name} has shape {content[name].shape}, expected {shape}.")
    triangles = content["triangles"]
    if triangles.ndim != 2 or triangles.shape[1] != 3 or len(triangles) == 0:
        raise AnimationError(f"{path}: triangles have shape {triangles.shape}, expected (F, 3).")
    return frames


def _check_values(path: Path, content: dict[str, np.ndarray]) -> None:
    for name in ("fps", "reference", "offsets", "uv", "weights"):
        if not np.isfinite(content[name]).all():
            raise AnimationError(f"{path}: {name} holds numbers that are not finite; animate the sound again.")
    fps = float(content["fps"])
    if not FPS_RANGE[0] <= fps <= FPS_RANGE[1]:
        raise AnimationError(f"{path}: fps is {fps:g}, expected {FPS_RANGE[0]:g} to {FPS_RANGE[1]:g}.")
    triangles = content["triangles"]
    if triangles.min() < 0 or triangles.max() >= VERTEX_COUNT:
        raise AnimationError(f"{path}: triangles name a vertex outside 0..{VERTEX_COUNT - 1}.")
    weights = content["weights"]
    if weights.min() < -1e-6 or weights.max() > 1 + 1e-6:
        raise AnimationError(
            f"{path}: weights span {weights.min():.3g} to {weights.max():.3g}, expected values in 0..1."
        )


def _head_rotation(path: Path, content: dict[str, np.ndarray], frames: int) -> np.ndarray | None:
    rotation = content.get("head_rotation")
    if rotation is None:
        return None
    if rotation.shape != (frames, 3) or rotation.dtype.kind != "f" or not np.isfinite(rotation).all():
        raise AnimationError(
            f"{path}: head_rotation has shape {rotation.shape} or numbers that are not finite, expected angles "
            f"of shape {(frames, 3)}; animate the sound again."
        )
    return rotation.astype(np.float32)


def _fixed_layout(path: Path, uv: np.ndarray, frames: int) -> np.ndarray:
    """(468, 2) from (1, 468, 2); Blender has no key frames for texture coordinates."""
    if uv.shape == (1, VERTEX_COUNT, 2):
        return uv[0]
    if uv.shape == (frames, VERTEX_COUNT, 2):
        raise AnimationError(
            f"{path} has an atlas layout that moves with the frames (uv {uv.shape}), and Blender cannot key texture "
            "coordinates; use an actor trained with the fixed layout."
        )
    raise AnimationError(f"{path}: uv has shape {uv.shape}, expected (1, {VERTEX_COUNT}, 2).")


def _check_picture(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(24)
    width_and_height = head[16:24]  # of the IHDR chunk, which is always the first
    if not head.startswith(b"\x89PNG\r\n\x1a\n") or len(head) < 24 or 0 in struct.unpack(">II", width_and_height):
        raise AnimationError(f"{path} is damaged or no PNG picture; animate the sound again.")


def _find_crops(folder: Path, frames: int) -> tuple[Path | None, Rectangle | None]:
    crops = folder / "atlas"
    if not crops.is_dir():
        return None, None
    missing = [frame for frame in range(frames) if not (crops / crop_name(frame)).is_file()]
    if missing:
        raise AnimationError(
            f"{crops} lacks {crop_name(missing[0])} ({len(missing)} of {frames} lip crops are missing); animate again."
        )
    return crops, _read_rectangle(folder / "atlas.json")


def _read_rectangle(path: Path) -> Rectangle:
    fields = ("x", "y", "width", "height", "atlas_size")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rectangle = Rectangle(*(int(content[name]) for name in fields))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnimationError(
            f"{path} is missing or damaged ({error}); expected JSON with the numbers {', '.join(fields)}."
        ) from error
    inside = (
        rectangle.x >= 0
        and rectangle.y >= 0
        and rectangle.width > 0
        and rectangle.height > 0
        and rectangle.x + rectangle.width <= rectangle.atlas_size
        and rectangle.y + rectangle.height <= rectangle.atlas_size
    )
    if not inside:
        raise AnimationError(f"{path}: the rectangle {content} does not lie in the atlas; animate the sound again.")
    return rectangle

"""An actor on disk: the trained network of one speaker, their reference face, and where both come from.

A folder with `actor.json`, `model.safetensors`, `reference.npz`, `atlas.png` and `MODEL_CARD.md`; no pickles, so that
a downloaded actor cannot run code.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from backend.errors import ActorError, UsageError
from backend.file_names import check_file_name
from backend.normalisation.turning import Turning
from backend.trust.provenance import file_sha256

if TYPE_CHECKING:
    from models.motion_network import MotionNetwork
    from models.presets import ModelConfig
    from models.talking_face import TalkingFace

FORMAT = 1
"""Raised when the files change their meaning."""
DESCRIPTION, MODEL, REFERENCE, ATLAS, CARD = (
    "actor.json",
    "model.safetensors",
    "reference.npz",
    "atlas.png",
    "MODEL_CARD.md",
)
DIGESTED = (MODEL, REFERENCE, ATLAS)
"""Files whose SHA-256 stands in `actor.json`."""
ACTOR_FILES = re.compile("|".join(map(re.escape, (DESCRIPTION, MODEL, REFERENCE, ATLAS, CARD))))
"""What an actor's folder holds."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class ReferenceFace:
    """The face that offsets are added to.

    vertices: (468, 3) float32, head space, interocular units. uv: (468, 2) float32, v up, fixed layout.
    rectangle: place of the lip crop in the atlas (x, y, width, height, atlas_size), pixels.
    mask: (128, 128) float32, where in the crop the texture is predicted, falling to 0 at the border.
    seen: (468,) float32, 0..1, how well the camera saw each vertex in training.
    turning: what the tracker added to the face as the head turned, which was taken off.
    """

    vertices: np.ndarray
    uv: np.ndarray
    rectangle: dict[str, int]
    mask: np.ndarray
    seen: np.ndarray = field(default_factory=lambda: np.ones(468, np.float32))
    turning: Turning = field(default_factory=Turning)


@dataclass(frozen=True)
class Actor:
    """A loaded actor. atlas: (256, 256, 3) uint8; digest: of everything that shapes its output.

    `motion` moves the face and needs no PyTorch; `model` is the whole network and loads PyTorch when first asked for.
    """

    name: str
    folder: Path
    reference: ReferenceFace
    atlas: np.ndarray
    motion: "MotionNetwork"
    description: dict[str, Any] = field(repr=False)

    @cached_property
    def model(self) -> "TalkingFace":
        """The network in PyTorch, for textures.

        Raises ActorError where its weights do not fit the description, or are no longer those that `motion` is of.
        """
        model = _load_model(self.folder, self.description)
        if file_sha256(self.folder / MODEL) != self.description["digests"][MODEL]:
            raise ActorError(f"The actor {self.name} has changed since it was opened; try again.")
        return model

    @property
    def is_general(self) -> bool:
        """Whether it is the voice model, which learnt from many speakers and has nobody's face."""
        return bool(self.description.get("general"))

    @property
    def has_texture(self) -> bool:
        """Whether the network predicts the lip texture."""
        return bool(self.description["model"].get("texture_widths", True))

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of the actor's files."""
        return description_digest(self.description)

    @property
    def reference_crop(self) -> np.ndarray:
        """(128, 128, 3) uint8, the part of the atlas that the network changes."""
        box = self.reference.rectangle
        return self.atlas[box["y"] : box["y"] + box["height"], box["x"] : box["x"] + box["width"]]


def check_name(name: str) -> str:
    """Return the name of an actor, or raise UsageError: it becomes a folder and must not lead out of its place."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a name for an actor; use up to 64 letters, digits, '-' and '_', a letter or digit first."
        )
    check_file_name(name)
    return name


def save_actor(
    folder: Path,
    name: str,
    model: "TalkingFace",
    config: "ModelConfig",
    reference: ReferenceFace,
    atlas: np.ndarray,
    facts: dict[str, Any],
    card: str,
) -> None:
    """Write an actor into an empty folder.

    facts: what else `actor.json` keeps (training config, fps, metrics, consent, licence), as JSON can hold it.
    """
    from PIL import Image
    from safetensors.torch import save

    # Not save_file, whose files nobody but their owner may read: studios share actors.
    (folder / MODEL).write_bytes(save({key: value.contiguous() for key, value in model.state_dict().items()}))
    np.savez(
        folder / REFERENCE,
        vertices=reference.vertices.astype(np.float32),
        uv=reference.uv.astype(np.float32),
        rectangle=np.array([json.dumps(reference.rectangle)]),
        mask=reference.mask.astype(np.float32),
        seen=reference.seen.astype(np.float32),
        **reference.turning.arrays(),
    )
    Image.fromarray(atlas).save(folder / ATLAS)
    (folder / CARD).write_text(card, encoding="utf-8", errors="replace")  # names of videos may be no text
    description = {"format": FORMAT, "name": name, "model": asdict(config), **facts}
    description["digests"] = {file: file_sha256(folder / file) for file in DIGESTED}
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n")


def read_description(folder: Path) -> dict[str, Any]:
    """Read and check `actor.json` and the digests it holds. Raises ActorError."""
    path = Path(folder) / DESCRIPTION
    try:
        description = json.loads(path.read_text())
    except FileNotFoundError:
        raise ActorError(f"{folder} is not an actor: it has no {DESCRIPTION}.") from None
    except (OSError, ValueError) as error:
        raise ActorError(f"{path} cannot be read ({error}); get the actor again.") from None
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise ActorError(f"{path} is not of format {FORMAT}; train the actor again or update Mouthpiece.")
    digests = description.get("digests")
    if not isinstance(digests, dict) or set(digests) != set(DIGESTED):
        raise ActorError(f"{path} does not list the digests of {', '.join(DIGESTED)}; get the actor again.")
    for file, digest in digests.items():
        if not (Path(folder) / file).is_file():
            raise ActorError(f"The actor {folder} lacks {file}; get it again.")
        if file_sha256(Path(folder) / file) != digest:
            raise ActorError(f"{Path(folder) / file} is damaged: its digest is not the one in {DESCRIPTION}.")
    return description


def description_digest(description: dict[str, Any]) -> str:
    """SHA-256 over the digests of the actor's files, as `actor.json` lists them."""
    return hashlib.sha256(json.dumps(description["digests"], sort_keys=True).encode()).hexdigest()


def load_actor(folder: Path) -> Actor:
    """Read an actor. Raises ActorError where anything is missing, damaged or does not fit together.

    The weights of the texture are read when they are needed; `load_whole_actor` reads all.
    """
    folder = Path(folder)
    description = read_description(folder)
    return Actor(
        str(description.get("name", folder.name)),
        folder,
        _load_reference(folder / REFERENCE),
        _load_atlas(folder / ATLAS),
        _load_motion(folder, description),
        description,
    )


def load_whole_actor(folder: Path) -> Actor:
    """Read an actor with all its weights. Raises ActorError as `load_actor` does."""
    actor = load_actor(folder)
    _ = actor.model
    return actor


def _load_atlas(path: Path) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError) as error:
        raise ActorError(f"{path} is not a picture ({error}); get the actor again.") from None


def _load_reference(path: Path) -> ReferenceFace:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        return ReferenceFace(
            arrays["vertices"].reshape(468, 3),
            arrays["uv"].reshape(468, 2),
            json.loads(str(arrays["rectangle"][0])),
            arrays["mask"].reshape(128, 128),
            arrays["seen"].reshape(468) if "seen" in arrays else np.ones(468, np.float32),
            Turning.of(arrays) if "turning_slopes" in arrays else Turning(),
        )
    except (OSError, EOFError, ValueError, KeyError, IndexError, BadZipFile) as error:
        raise ActorError(f"{path} is not a reference face ({error}); get the actor again.") from None


def _load_motion(folder: Path, description: dict[str, Any]) -> "MotionNetwork":
    from safetensors import SafetensorError

    from models.motion_network import load_motion_network

    try:
        network = load_motion_network(folder / MODEL)
        if network.code_length != description["model"]["code_length"]:
            raise ValueError(f"codes of {network.code_length} numbers")
    except (SafetensorError, TypeError, ValueError, KeyError) as error:
        raise ActorError(f"{folder / MODEL} does not fit the network in {DESCRIPTION} ({error}).") from None
    return network


def _load_model(folder: Path, description: dict[str, Any]) -> "TalkingFace":
    from safetensors import SafetensorError

    from models.loading import load_model

    try:
        return load_model(folder / MODEL, description["model"])
    except (SafetensorError, RuntimeError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise ActorError(f"{folder / MODEL} does not fit the network in {DESCRIPTION} ({error}).") from None

"""The table of visemes: what the face looks like at each phoneme, and how strongly it insists on it."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from shape_keys import arkit

TABLE = Path(__file__).parent / "data" / "visemes.json"
FORMAT = 1
ALL_SHAPES = "*"


@dataclass(frozen=True)
class Channel:
    """Shapes that one articulator moves. ahead, after: seconds over which a phoneme pulls before and after itself."""

    shapes: tuple[int, ...]
    ahead: float
    after: float


@dataclass(frozen=True)
class Viseme:
    """What a phoneme wants. weights: (52,) float32; dominance: one number for each channel of the table."""

    weights: np.ndarray
    dominance: tuple[float, ...]


@dataclass(frozen=True)
class Closure:
    """A contact that is reached whatever stands beside it.

    weights: (52,) float32 held during it; held: (52,) bool, the shapes it holds, the others are left as they are;
    attack, release: seconds of the way in and out; hold: share of the phoneme's interval at which the contact begins
    and ends.
    """

    weights: np.ndarray
    held: np.ndarray
    attack: float
    release: float
    hold: tuple[float, float]


@dataclass(frozen=True)
class VisemeTable:
    """The table, checked: phoneme to viseme, to the halves of a glide, and to its closure."""

    channels: tuple[Channel, ...]
    visemes: dict[str, Viseme]
    glides: dict[str, tuple[str, str]]
    closures: dict[str, Closure]
    jaw_per_decibel: float
    jaw_limits: tuple[float, float]


@lru_cache(maxsize=4)
def load_visemes(path: Path = TABLE) -> VisemeTable:
    """Read a table of visemes; `data/README.md` describes its form.

    Raises ValueError where it names no ARKit shape, leaves a shape without a channel, or a weight is not in 0..1.
    """
    raw = json.loads(path.read_text(encoding="utf-8"))
    if raw.get("format") != FORMAT:
        raise ValueError(f"{path.name} has format {raw.get('format')!r}: expected {FORMAT}")
    names = tuple(raw["channels"])
    channels = tuple(Channel(shape_indices(c["shapes"]), c["ahead"], c["after"]) for c in raw["channels"].values())
    moved = {index for channel in channels for index in channel.shapes}
    visemes: dict[str, Viseme] = {}
    for title, entry in raw["visemes"].items():
        weights = weight_vector(entry["weights"], title)
        if not set(np.flatnonzero(weights)) <= moved:
            raise ValueError(f"viseme {title!r} uses a shape that no channel has: expected one of the channels' shapes")
        dominance = entry.get("dominance", {})
        if not set(dominance) <= set(names):
            raise ValueError(f"viseme {title!r} names the channels {sorted(dominance)}: expected some of {names}")
        viseme = Viseme(weights, tuple(float(dominance.get(name, 1.0)) for name in names))
        visemes |= dict.fromkeys(entry["phones"], viseme)
    closures: dict[str, Closure] = {}
    for title, entry in raw["closures"].items():
        closures |= dict.fromkeys(entry["phones"], _closure(entry, title))
    loudness = raw["loudness"]
    return VisemeTable(
        channels,
        visemes,
        {phone: (first, second) for phone, (first, second) in raw["glides"].items()},
        closures,
        float(loudness["jaw_per_decibel"]),
        (float(loudness["least"]), float(loudness["most"])),
    )


def _closure(entry: dict[str, Any], title: str) -> Closure:
    weights = weight_vector(entry["weights"], title)
    held = np.ones(len(arkit.NAMES), bool)
    leaves = entry["leaves"]
    if ALL_SHAPES in leaves:
        held[:] = weights > 0
    else:
        held[list(shape_indices(leaves))] = False
        held[[i for i, name in enumerate(arkit.NAMES) if not name.startswith(("mouth", "jaw", "tongue"))]] = False
    start, end = entry["hold"]
    return Closure(weights, held, float(entry["attack"]), float(entry["release"]), (float(start), float(end)))


def shape_indices(names: list[str]) -> tuple[int, ...]:
    """Places in `arkit.NAMES`; a name without its side stands for both. Raises ValueError for an unknown one."""
    found: list[int] = []
    for name in names:
        both = [arkit.INDEX[n] for n in (name, f"{name}Left", f"{name}Right") if n in arkit.INDEX]
        if not both:
            raise ValueError(f"{name!r} is no ARKit shape: expected a name of shape_keys.arkit, with or without side")
        found += both
    return tuple(found)


def weight_vector(weights: dict[str, float], title: str = "pose") -> np.ndarray:
    """A pose such as {"jawOpen": 0.4, "mouthSmile": 0.1} as (52,) float32; a name without its side means both.

    Raises ValueError for an unknown name or a weight outside 0..1.
    """
    vector = np.zeros(len(arkit.NAMES), np.float32)
    for name, value in weights.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{title}: {name} is {value}: expected a weight between 0 and 1")
        vector[list(shape_indices([name]))] = value
    return vector

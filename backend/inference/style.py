"""How a face performs what the network heard: controls that need no training."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from backend.errors import UsageError

LIMITS = {
    "intensity": (0.0, 3.0),
    "smooth": (0.0, 1.0),
    "style": (0.0, 2.0),
    "jaw": (0.0, 2.0),
    "lips": (0.0, 2.0),
    "silence_gate": (0.0, 1.0),
    "breath": (0.0, 2.0),
    "blinks": (0.0, 1.0),
    "brows": (0.0, 1.0),
    "head": (0.0, 1.0),
}
"""Least and most of each number."""
MOST_GAIN = 4.0
MOST_SEED = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a face performs what the network heard; all of it acts on vertices and weights alike."""

    intensity: float = 1.0
    """1 leaves the motion as predicted, 0 keeps the face at rest."""
    smooth: float = 0.0
    """Standard deviation in seconds of a Gaussian over time."""
    style: float = 1.0
    """How far the articulation departs from its mean: below 1 mumbled, above 1 emphatic."""
    jaw: float = 1.0
    """Share of the jaw's motion."""
    lips: float = 1.0
    """Share of the lips' own motion: rounding, spreading, raising."""
    silence_gate: float = 1.0
    """How far the face comes to rest where nobody speaks; 0 switches it off."""
    breath: float = 1.0
    """How far the mouth opens for the breath before speech that follows a pause; 0 for not at all."""
    gains: Mapping[str, float] = field(default_factory=dict)
    """Factors for single shapes, as jawOpen=0.8,mouthSmile=1.2; a name without its side stands for both."""
    blinks: float = 0.0
    """Share of a usual rate of blinking."""
    brows: float = 0.0
    """How far the brows rise on stressed syllables."""
    head: float = 0.0
    """How far the head moves with the speech."""
    seed: int = 0
    """Of blinks, brows and head: the same seed gives the same."""

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            if not least <= getattr(self, name) <= most:
                flag, unit = name.replace("_", "-"), " seconds" if name == "smooth" else ""
                raise UsageError(f"--{flag} must be between {least:g} and {most:g}{unit}, got {getattr(self, name):g}.")
        if not 0 <= self.seed <= MOST_SEED:
            raise UsageError(f"--seed must be between 0 and {MOST_SEED}, got {self.seed}.")
        for name, factor in self.gains.items():
            if not 0 <= factor <= MOST_GAIN:
                raise UsageError(f"--gains {name} must be between 0 and {MOST_GAIN:g}, got {factor:g}.")
        gain_shapes(self.gains)

    @property
    def reshapes(self) -> bool:
        """Whether anything of it changes the balance between shapes."""
        return (self.style, self.jaw, self.lips) != (1, 1, 1) or any(factor != 1 for factor in self.gains.values())


def gain_shapes(gains: Mapping[str, float]) -> dict[int, float]:
    """Factors by the shapes' places in `arkit.NAMES`. Raises UsageError for a name that is no ARKit shape."""
    if not gains:
        return {}
    from shape_keys.viseme_table import shape_indices

    try:
        return {index: float(factor) for name, factor in gains.items() for index in shape_indices([name])}
    except ValueError:
        unknown = [name for name in gains if not _is_shape(name)]
        raise UsageError(
            f"--gains: {unknown[0]!r} is no ARKit shape; expected names such as jawOpen, mouthSmile or mouthSmileLeft."
        ) from None


def _is_shape(name: str) -> bool:
    from shape_keys.arkit import INDEX

    return any(side in INDEX for side in (name, f"{name}Left", f"{name}Right"))


def parse_gains(text: str) -> dict[str, float]:
    """`jawOpen=0.8,mouthSmile=1.2` as a dictionary. Raises UsageError."""
    gains: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, sign, factor = part.partition("=")
        try:
            gains[name.strip()] = float(factor)
        except ValueError:
            sign = ""
        if not sign:
            raise UsageError(f"--gains {part!r} is not understood; write NAME=FACTOR,NAME=FACTOR, as jawOpen=0.8.")
    return gains

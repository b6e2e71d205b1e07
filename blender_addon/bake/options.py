"""What a bake makes: the choices of the Result panel; needs no Blender."""

from dataclasses import dataclass

KEYS = "KEYS"
SPARSE = "SPARSE"
CACHE = "CACHE"


@dataclass(frozen=True)
class ResultOptions:
    """How an animation becomes Blender data."""

    kind: str = KEYS
    """KEYS: a key in every frame, exact. SPARSE: few Bezier keys to edit. CACHE: a file of vertices, no keys."""
    tolerance: float = 0.03
    """Of a shape's full weight: how far a sparse curve may be off."""
    texture: bool = True
    """Whether a talking head shows the lip texture of each frame."""
    lit: bool = False
    """Whether lights of the scene shade a talking head; without, its pixels are those of the textures."""
    pack: bool = False
    """Whether the still texture is stored in the .blend; the sequence cannot be."""
    action_name: str = ""
    """Name of the line's action; empty for the line's own."""
    push_to_nla: bool = False
    """Whether the action becomes a strip of the non-linear animation."""
    markers: bool = True
    """Whether the words of the line become markers of the timeline."""


EXACT = ResultOptions()

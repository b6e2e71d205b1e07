"""The options of an animation as clients send them, checked as the command line checks its own."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from backend.errors import UsageError
from backend.inference.request import BLENDER_ENDINGS, LEAST_FPS, LONGEST_TRANSCRIPT, MOST_FPS, AnimateRequest
from backend.inference.style import LIMITS, MOST_GAIN, MOST_SEED, gain_shapes

VOICE = r"^[A-Za-z]{2,3}[A-Za-z0-9+_-]{0,40}$"
"""A language or voice of espeak-ng."""
Output = Literal["blend", "glb", "usdc", "abc", "fbx", "csv", "mp4"]
assert {f".{name}" for name in ("blend", "glb", "usdc", "abc", "fbx")} == set(BLENDER_ENDINGS)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""JSON has one kind of number: 6.0 is as whole as 6."""


class Sent(BaseModel):
    """Base of what clients send: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _within(name: str) -> Any:
    least, most = LIMITS[name]
    return Field(ge=least, le=most)


def _check_shapes(gains: dict[str, float]) -> dict[str, float]:
    try:
        gain_shapes(gains)
    except UsageError as error:
        raise ValueError(str(error).removeprefix("--")) from None
    return gains


Gains = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[float, Field(ge=0, le=MOST_GAIN)]],
    Field(max_length=60, examples=[{}, {"jawOpen": 0.8, "mouthSmile": 1.2}]),
    AfterValidator(_check_shapes),
]
"""Factors of ARKit shapes; a name without its side stands for both."""


class AnimateOptions(Sent):
    """How to animate; as the options of `mouthpiece animate`."""

    fps: Annotated[float, Field(ge=LEAST_FPS, le=MOST_FPS)] = AnimateRequest.fps
    intensity: Annotated[float, _within("intensity")] = AnimateRequest.intensity
    smooth: Annotated[float, _within("smooth")] = AnimateRequest.smooth
    style: Annotated[float, _within("style")] = AnimateRequest.style
    jaw: Annotated[float, _within("jaw")] = AnimateRequest.jaw
    lips: Annotated[float, _within("lips")] = AnimateRequest.lips
    silence_gate: Annotated[float, _within("silence_gate")] = AnimateRequest.silence_gate
    breath: Annotated[float, _within("breath")] = AnimateRequest.breath
    gains: Gains = {}
    blinks: Annotated[float, _within("blinks")] = AnimateRequest.blinks
    brows: Annotated[float, _within("brows")] = AnimateRequest.brows
    head: Annotated[float, _within("head")] = AnimateRequest.head
    seed: Annotated[int, Field(ge=0, le=MOST_SEED), WHOLE] = AnimateRequest.seed
    transcript: Annotated[str, Field(max_length=LONGEST_TRANSCRIPT, examples=["", "Nice to meet you."])] = ""
    """What is said, word for word; the words' times are then in markers.json. A text to be spoken needs none."""
    language: Annotated[str, Field(pattern=VOICE, examples=["en-us"])] = AnimateRequest.language
    """Of the transcript, as espeak-ng names it."""
    texture: bool = AnimateRequest.texture
    size: Annotated[int, Field(ge=64, le=4096, multiple_of=2), WHOLE] = AnimateRequest.size
    outputs: Annotated[list[Output], Field(max_length=7)] = []
    """Besides the animation itself."""

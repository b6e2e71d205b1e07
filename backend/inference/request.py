"""What `mouthpiece animate` was asked for, checked before anything is loaded."""

from dataclasses import dataclass
from pathlib import Path

from backend.errors import UsageError
from backend.inference.style import Style
from backend.speech.timeline import Timeline

BLENDER_ENDINGS = (".blend", ".glb", ".usdc", ".abc", ".fbx")
"""Outputs that Blender writes."""
CHARACTERS = (".blend", ".glb")
"""Files that a character is read from, and written to."""
WITH_FILES = (".blend", ".usdc")
"""Of these, outputs that keep pictures and sound in a folder STEM_files beside them."""
ENDINGS = (*BLENDER_ENDINGS, ".mp4", ".csv")
"""All outputs that are files; a path without an ending is a folder."""


LONGEST_TRANSCRIPT = 20_000
"""Letters of a transcript: half an hour of speech."""


@dataclass(frozen=True)
class AnimateRequest(Style):
    """What `mouthpiece animate` was asked for."""

    audio: Path
    """Sound file, or a video for its sound."""
    actor: str
    """Name of an actor, or its folder."""
    outputs: tuple[Path, ...]
    """Where to write; the ending chooses what."""
    fps: float = 25.0
    """Frames a second of the animation."""
    texture: bool = True
    """Predict the lip texture; without it vertices and weights alone."""
    overwrite: bool = False
    """Replace outputs that exist."""
    size: int = 512
    """Height and width of a rendered video in pixels."""
    character: Path | None = None
    """Character (.blend, .glb) whose shape keys are driven instead of making a new talking head."""
    map: str = "auto"
    """How its shape keys are named: auto, arkit, oculus, or a .json file (shape_keys/rig_maps/README.md)."""
    transcript: str = ""
    """What is said, word for word: closures and tucks of the lips are then put exactly where they are spoken."""
    language: str = "en-us"
    """Language of the transcript, as espeak-ng names it (en-us, de, fr, cmn)."""
    timeline: Timeline | None = None
    """When what is said, where that is known exactly; takes the place of the transcript."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.fps <= 240:
            raise UsageError(f"--fps must be between 1 and 240, got {self.fps:g}.")
        if not 64 <= self.size <= 4096 or self.size % 2:
            raise UsageError(f"--size must be an even number between 64 and 4096, got {self.size}.")
        if len(self.transcript) > LONGEST_TRANSCRIPT:
            raise UsageError(
                f"The transcript has {len(self.transcript)} letters; at most {LONGEST_TRANSCRIPT} are taken."
            )
        if not self.outputs:
            raise UsageError("Say where to write with --out.")
        for path in self.outputs:
            if path.suffix.lower() not in ("", *ENDINGS):
                raise UsageError(f"{path}: {path.suffix} is not known; write a folder or {', '.join(ENDINGS)}.")

        if self.character is not None:
            self._check_character(self.character)

    def _check_character(self, character: Path) -> None:
        if character.suffix.lower() not in CHARACTERS:
            raise UsageError(f"--character {character}: expected a {' or '.join(CHARACTERS)} file.")
        from shape_keys.rig_map import map_names

        if self.map not in ("auto", *map_names()) and not Path(self.map).is_file():
            raise UsageError(f"--map {self.map} is not known; choose auto, {', '.join(map_names())} or a .json file.")
        for path in self.outputs:
            if path.suffix.lower() not in ("", ".csv", *CHARACTERS):
                raise UsageError(f"{path}: with --character, write a folder, .csv or {' or '.join(CHARACTERS)}.")

    @property
    def with_texture(self) -> bool:
        """Whether textures are predicted: not where only a character with textures of its own is written."""
        return self.texture and (self.character is None or any(not path.suffix for path in self.outputs))

    @property
    def places(self) -> tuple[Path, ...]:
        """Everything that will be written: the outputs and the folders of files beside some of them."""
        beside = (path.with_name(f"{path.stem}_files") for path in self.outputs if path.suffix.lower() in WITH_FILES)
        return (*self.outputs, *beside)

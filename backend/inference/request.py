"""What `mouthpiece animate` was asked for, checked before anything is loaded."""

import re
from dataclasses import dataclass
from pathlib import Path

from backend.errors import UsageError
from backend.file_names import as_text
from backend.inference.style import Style
from backend.speech.timeline import MARKERS, Timeline

BLENDER_ENDINGS = (".blend", ".glb", ".usdc", ".abc", ".fbx")
"""Outputs that Blender writes."""
CHARACTERS = (".blend", ".glb")
"""Files that a character is read from, and written to."""
WITH_FILES = (".blend", ".usdc")
"""Of these, outputs that keep pictures and sound in a folder STEM_files beside them."""
WITH_SOUND = (*WITH_FILES, ".mp4")
"""Outputs that have the sound with them."""
LEAST_FPS, MOST_FPS = 1, 240
SPEECH = "speech.wav"
"""Name of the sound that is made of a text."""
ENDINGS = (*BLENDER_ENDINGS, ".mp4", ".csv")
"""All outputs that are files; a path without an ending is a folder."""


LONGEST_TRANSCRIPT = 20_000
"""Letters of a transcript: twenty minutes of quick speech, forty of slow."""


@dataclass(frozen=True)
class AnimateRequest(Style):
    """What `mouthpiece animate` was asked for."""

    audio: Path
    """Sound file, or a video for its sound."""
    actor: str
    """Name of an actor, or its folder."""
    outputs: tuple[Path, ...]
    """Where to write; the ending chooses what, and without one it is a folder."""
    folders: tuple[Path, ...] = ()
    """Further folders to write, whatever their names end in."""
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
    keep_sound: bool = False
    """Also write the sound into folders, and beside files that hold none; for sound that is found nowhere else."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not LEAST_FPS <= self.fps <= MOST_FPS:
            raise UsageError(f"--fps must be between {LEAST_FPS} and {MOST_FPS}, got {self.fps:g}.")
        if not 64 <= self.size <= 4096 or self.size % 2:
            raise UsageError(f"--size must be an even number between 64 and 4096, got {self.size}.")
        if len(self.transcript) > LONGEST_TRANSCRIPT:
            raise UsageError(
                f"The transcript has {len(self.transcript)} letters; at most {LONGEST_TRANSCRIPT} are taken."
            )
        if not self.outputs and not self.folders:
            raise UsageError("Say where to write with --out.")
        for path in self.outputs:
            if path.suffix.lower() not in ("", *ENDINGS):
                raise UsageError(f"{path}: {path.suffix} is not known; write a folder or {', '.join(ENDINGS)}.")
            inside = next((folder for folder in self.animation_folders if folder in path.parents), None)
            if inside is not None:
                raise UsageError(
                    f"{path} would lie in {inside}, the folder of the animation, which holds nothing else; write it to "
                    "another place."
                )
        if self.character is not None:
            self._check_character(self.character)
        elif self.map != "auto":
            raise UsageError("--map tells how the shape keys of a character are named; give it with --character.")

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
    def animation_folders(self) -> tuple[Path, ...]:
        """The outputs that are folders."""
        return (*(path for path in self.outputs if not path.suffix), *self.folders)

    @property
    def files(self) -> tuple[Path, ...]:
        """The outputs that are files."""
        return tuple(path for path in self.outputs if path.suffix)

    @property
    def with_texture(self) -> bool:
        """Whether textures are predicted: not where no output shows them, as a character with textures of its own."""
        shown = self.character is None and any(path.suffix.lower() != ".csv" for path in self.files)
        return self.texture and (shown or bool(self.animation_folders))

    @property
    def markers(self) -> Path | None:
        """File for the words and their times; None where nobody says what they are, or a folder holds them."""
        if self.animation_folders or (self.timeline is None and not self.transcript.strip()):
            return None
        return _beside(self.files[0], MARKERS)

    @property
    def sounds(self) -> tuple[Path, ...]:
        """Files for the sound beside outputs that hold none, each once."""
        silent = [path for path in self.files if path.suffix.lower() not in WITH_SOUND]
        return tuple(dict.fromkeys(_beside(path, SPEECH) for path in silent if self.keep_sound))

    def beside(self, path: Path) -> tuple[Path, ...]:
        """Of `sounds` and `markers`, those that one of the files has beside it."""
        kept = (*self.sounds, self.markers)
        return tuple(side for side in (_beside(path, SPEECH), _beside(path, MARKERS)) if side in kept)

    @property
    def places(self) -> dict[Path, re.Pattern[str] | None]:
        """Everything that will be written; for a folder with the paths below it that such a folder holds."""
        from backend.animation_file import ANIMATION_FILES, SHOT_FILES

        files = [*self.files, *self.sounds, *([] if self.markers is None else [self.markers])]
        shots = [_shot_files(path) for path in self.files if path.suffix.lower() in WITH_FILES]
        return (
            dict.fromkeys(self.animation_folders, ANIMATION_FILES)
            | dict.fromkeys(files, None)
            | dict.fromkeys(shots, SHOT_FILES)
        )

    def check_outputs(self, read: frozenset[Path], folders_to_come: bool = False) -> None:
        """Raise UsageError where an output cannot be written, or would take from another file what it shows.

        read: as `places_read` says; folders_to_come: whether those that are not there yet will be made.
        """
        from backend.animation_file import check_output

        given = [path for path in self.files if path.suffix.lower() in BLENDER_ENDINGS]
        for path in (*given, *([] if self.character is None else [self.character])):
            if as_text(str(path.absolute())) != str(path.absolute()):
                raise UsageError(f"{path.absolute()} has letters that are none in Unicode; Blender needs another name.")
        for path, own in self.places.items():
            if path.parent.exists() or not folders_to_come:
                check_output(path, self.overwrite, own, read)
        written = {str(path).casefold() for path in self.files}
        for path in (path for path in self.files if path.suffix.lower() in WITH_FILES):
            for other in (path.with_suffix(ending) for ending in WITH_FILES):
                if str(other).casefold() not in written and other.exists() and _shot_files(other).exists():
                    raise UsageError(
                        f"{_shot_files(other)} holds the pictures and the sound of {other.name} too; write that one "
                        f"anew as well (--out {other}), or choose another name."
                    )

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Every file that is read."""
        rig_map = [Path(self.map)] if Path(self.map).is_file() else []
        return (self.audio, *([] if self.character is None else [self.character]), *rig_map)


def _shot_files(path: Path) -> Path:
    """The folder shot_files for shot.blend."""
    return path.with_name(f"{path.stem}_files")


def _beside(path: Path, name: str) -> Path:
    """shot.markers.json for shot.csv and markers.json."""
    return path.with_name(f"{path.stem}.{name}")

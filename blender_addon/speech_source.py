"""What is spoken: a sound file, or the selected sound strip with its place and trim."""

import string
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from .bake.scene import scene_rate
from .errors import AnimationError
from .recordings import SOUND, TEXT, Recording

SPOKEN = "speech.wav"
"""What the backend calls the sound that it makes of a text."""
WORDS_IN_NAME = 4


@dataclass(frozen=True)
class SpeechSource:
    """A sound file and where it plays."""

    path: Path
    name: str
    start: float
    """Scene frame at which the file begins, trimmed or not."""
    within: tuple[float, float] | None
    """First and last scene frame that play; None for all."""
    in_scene: bool
    """Whether a strip plays it already."""
    transcript: str = ""
    """What is said in it, where that is known."""
    language: str = ""
    """Of the transcript or the text, as the backend names it; empty for its default."""
    text: str = ""
    """Words that the backend speaks; the file is then made by it."""

    def recording(self) -> Recording:
        """What tells it from others of its name."""
        return Recording(TEXT, self.text) if self.text else Recording(SOUND, str(self.path))


def file_source(text: str, start: float) -> SpeechSource:
    """A sound file that is to begin at a scene frame. Raises AnimationError where there is none."""
    if not text:
        raise AnimationError("No sound is chosen; choose a file, or select a sound strip in the Sequencer.")
    path = Path(bpy.path.abspath(text))
    if not path.is_file():
        raise AnimationError(f"There is no sound at {path}; choose an existing file.")
    return SpeechSource(path, path.stem, start, None, False)


def sound_strips(scene: bpy.types.Scene) -> list:
    """The scene's sound strips."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences  # renamed in 4.5
    return [strip for strip in strips if strip.type == "SOUND"]


def selected_strip(scene: bpy.types.Scene):
    """The selected sound strip, the active one before others; None where none is selected."""
    found = [strip for strip in sound_strips(scene) if strip.select]
    active = getattr(scene.sequence_editor, "active_strip", None)
    return active if active in found else next(iter(found), None)


def strip_source(scene: bpy.types.Scene) -> SpeechSource:
    """The selected sound strip. Raises AnimationError where there is none, or it cannot be followed."""
    strip = selected_strip(scene)
    if strip is None:
        raise AnimationError("No sound strip is selected; select one in the Sequencer.")
    return source_of_strip(strip)


def source_of_strip(strip) -> SpeechSource:
    """A sound strip with its place, trim and Sound Offset. Raises AnimationError where it cannot be followed."""
    if strip.sound is None or strip.sound.packed_file is not None:
        raise AnimationError(f"The sound of {strip.name} is packed; unpack it (File > External Data) and try again.")
    path = Path(bpy.path.abspath(strip.sound.filepath))
    if not path.is_file():
        raise AnimationError(f"The sound of {strip.name} is not at {path}; find it (File > External Data).")
    if len(getattr(strip, "retiming_keys", ())) > 0:
        raise AnimationError(f"{strip.name} is retimed; take its speed keys away, or render its sound to a file.")
    begins = strip.frame_start + getattr(strip, "sound_offset", 0.0) * scene_rate(strip.id_data)  # none in Blender 4.2
    within = float(strip.frame_final_start), float(strip.frame_final_end - 1)
    return SpeechSource(path, strip.name, float(begins), within, True)


def text_source(words: str, voice: str, start: float) -> SpeechSource:
    """Words that the backend is to speak. Raises AnimationError where there are none."""
    if not any(letter.isalnum() for letter in words):
        raise AnimationError("No words are given; write what is to be said.")
    name = " ".join(word.strip(string.punctuation) for word in words.split()[:WORDS_IN_NAME])
    return SpeechSource(Path(SPOKEN), name, start, None, False, language=voice.strip(), text=words)


def chosen_source(scene: bpy.types.Scene) -> SpeechSource:
    """What the panel's settings say is spoken. Raises AnimationError where there is nothing."""
    settings = scene.mouthpiece
    if settings.speech == "TEXT":
        return text_source(settings.words, settings.voice, settings.start)
    source = strip_source(scene) if settings.speech == "STRIP" else file_source(settings.sound, settings.start)
    return with_transcript(source, settings)


def with_transcript(source: SpeechSource, settings: bpy.types.PropertyGroup) -> SpeechSource:
    """The same with the words of the settings' text block, where one is chosen."""
    if settings.transcript is None:
        return source
    words = settings.transcript.as_string().strip()
    return replace(source, transcript=words, language=settings.language.strip())

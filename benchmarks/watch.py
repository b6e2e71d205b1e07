"""Three utterances on a character that nobody here made: a contact sheet of frames at contacts and vowels.

    python -m benchmarks.watch --data FOLDER --out docs/pictures/closures.jpg [--actor voice]

FOLDER holds `face3d/ict_facekit`, `grid_other` and `speech/ljspeech`. Each utterance is shown twice: as predicted from
the sound alone, and with its transcript. The phonemes are found by forced alignment; of a vowel the frame in its middle
is shown, of a contact the one in which the lips come nearest.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.actor_file import load_actor
from backend.actor_library import find_actor
from backend.animation_file import load_animation
from backend.audio.decode import decode_audio
from backend.evaluation.metrics import lip_gap
from backend.inference.animate import animate
from backend.inference.request import AnimateRequest
from backend.speech.espeak import save_speech
from backend.speech.phones import BILABIALS, LABIODENTALS, SILENCE, VOWELS, Phone
from backend.speech.transcript import align_transcript
from backend.training.voice.grid import sentence
from backend.training.voice.ljspeech import HELD_OUT, transcripts

SIDE = 150
"""Pixels of a picture."""
LABEL = 18
"""Pixels of the line under it."""
SHOWN = 8
"""Pictures of each utterance."""
SPAN = 10.0
"""Centimetres of the face that are seen."""
SPOKEN = "The wolf may have found food for the family."
FPS = 24.0
"""Of Blender's own scenes, so that every frame of the animation is one of the scene."""


@dataclass(frozen=True)
class Utterance:
    """A recording, what is said in it, and the phonemes that are looked at."""

    sound: Path
    text: str
    shown: tuple[Phone, ...]


def utterances(data: Path, folder: Path) -> list[Utterance]:
    """A stranger of GRID, a stranger reading, and a synthetic woman."""
    clip = sorted((data / "grid_other").glob("*.mp4"))[0]
    reading, text = next((path, text) for path, text in transcripts(data).items() if path.stem in HELD_OUT)
    spoken = folder / "spoken.wav"
    timeline = save_speech(SPOKEN, "en-us+f2", spoken)
    found = []
    for sound, said in ((clip, sentence(clip.stem)), (reading, text)):
        phones = align_transcript(decode_audio(sound), said).phones
        found.append(Utterance(sound, said, choose(phones)))
    return [*found, Utterance(spoken, SPOKEN, choose(timeline.phones))]


def choose(phones: Sequence[Phone]) -> tuple[Phone, ...]:
    """Contacts and vowels in turn, the longest ones, in order of time; and the silence at the end."""
    contacts = [p for p in phones if p.symbol in (*BILABIALS, *LABIODENTALS)]
    vowels = sorted((p for p in phones if p.symbol in VOWELS), key=lambda p: p.start - p.end)
    longest = sorted(contacts, key=lambda p: p.start - p.end)[: (SHOWN - 1) // 2 + 1]
    different = list({p.symbol: p for p in reversed(vowels)}.values())[::-1]
    chosen = [*longest, *different[: SHOWN - 1 - len(longest)]]
    quiet = [p for p in phones if p.symbol == SILENCE]
    return tuple(sorted([*chosen, *quiet[-1:]], key=lambda p: p.start))


def frame_of(phone: Phone, gap: np.ndarray) -> int:
    """The scene's frame in which a phoneme is looked at. gap: (T,) between the lips."""
    first, last = int(np.ceil(phone.start * FPS)), max(int(phone.end * FPS), int(np.ceil(phone.start * FPS)))
    if phone.symbol in (*BILABIALS, *LABIODENTALS):
        return first + int(gap[first : last + 1].argmin()) + 1
    return round((phone.start + phone.end) / 2 * FPS) + 1


def render(scene: Path, landmarks: list[int], frames: Sequence[int], folder: Path) -> list[Path]:
    """Pictures of the mouth at some frames of a saved shot."""
    import bpy

    from tests.blender.ict_character import LIPS

    bpy.ops.wm.open_mainfile(filepath=str(scene))
    head = bpy.data.objects["Head"]
    places = {source: index for index, source in enumerate(head["source_vertices"])}
    lips = [head.matrix_world @ head.data.vertices[places[landmarks[index]]].co for index in LIPS]
    middle = sum(lips[1:], lips[0].copy()) / len(lips)
    _light(middle)
    view = bpy.context.scene
    view.render.resolution_x = view.render.resolution_y = SIDE
    view.render.image_settings.file_format = "PNG"
    paths = []
    for number, frame in enumerate(frames):
        view.frame_set(frame)
        paths.append(folder / f"{scene.stem}_{number}.png")
        view.render.filepath = str(paths[-1])
        bpy.ops.render.render(write_still=True)
    return paths


def _light(middle) -> None:
    """A camera before the mouth, a lamp above it, and colours that Cycles sees."""
    import bpy

    view = bpy.context.scene
    camera = bpy.data.objects.new("Watch", bpy.data.cameras.new("Watch"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", SPAN
    camera.location, camera.rotation_euler = (middle.x, middle.y - 60, middle.z - 0.5), (np.pi / 2, 0, 0)
    lamp = bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "SUN"))
    lamp.rotation_euler, lamp.data.energy, lamp.data.angle = (0.9, 0.1, 0.2), 2.2, 1.0
    for item in (camera, lamp):
        view.collection.objects.link(item)
    view.camera = camera
    view.world = view.world or bpy.data.worlds.new("World")
    view.world.color = (0.9, 0.9, 0.9)
    for material in bpy.data.materials:
        material.use_nodes = True
        shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
        shader.inputs["Base Color"].default_value = material.diffuse_color
        shader.inputs["Roughness"].default_value = 0.6
    view.render.engine, view.cycles.samples, view.cycles.device = "CYCLES", 12, "CPU"
    view.render.use_sequencer = view.render.use_compositing = False


def draw_sheet(rows: list[tuple[str, list[Path], list[str]]], out: Path) -> None:
    """Write rows of pictures, each with a title and a line under every picture, as a JPEG."""
    from PIL import Image, ImageDraw

    sheet = Image.new("RGB", (SHOWN * SIDE, len(rows) * (SIDE + 2 * LABEL)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (title, pictures, labels) in enumerate(rows):
        top = row * (SIDE + 2 * LABEL)
        draw.text((4, top + 3), title, "black")
        for column, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
            with Image.open(picture) as image:
                sheet.paste(image.convert("RGB"), (column * SIDE, top + LABEL))
            draw.text((column * SIDE + 4, top + LABEL + SIDE + 2), label, "black")
    sheet.save(out, quality=82)


def make_sheet() -> None:
    """Make the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--actor", default="voice")
    options = parser.parse_args()
    ict = options.data / "face3d/ict_facekit"
    landmarks = json.loads((ict / "vertex_indices.json").read_text())["idx_to_landmark_verts"]
    actor, rows = load_actor(find_actor(options.actor)), []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        from tests.blender.ict_character import main as make_character

        make_character(str(ict), str(folder / "character.blend"))
        for number, utterance in enumerate(utterances(options.data, folder)):
            for kind, transcript in (("sound alone", ""), ("with transcript", utterance.text)):
                shot = folder / f"shot{number}{len(transcript) > 0:d}.blend"
                numbers = shot.with_suffix("")
                request = AnimateRequest(
                    utterance.sound, options.actor, (numbers, shot), fps=FPS, texture=False, transcript=transcript,
                    character=folder / "character.blend", map="arkit",
                )  # fmt: skip
                animate(request, actor=actor)
                frames = [frame_of(phone, lip_gap(load_animation(numbers).vertices)) for phone in utterance.shown]
                title = f"{utterance.text}   ({kind})"
                rows.append((title, render(shot, landmarks, frames, folder), [p.symbol for p in utterance.shown]))
        draw_sheet(rows, options.out)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    make_sheet()

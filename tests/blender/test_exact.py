"""Exactness that adds up: sound and mouth over ten minutes at five rates, and each frame's own texture."""

import wave
from pathlib import Path

import numpy as np
import pytest

from blender_addon.animation import read_animation
from shape_keys.arkit import INDEX, NAMES
from tests.blender.rigs import add_mesh, curves_of
from tests.blender.scene_checks import empty_scene
from tests.blender_addon.example import crop_colour, make_animation

pytestmark = pytest.mark.blender

FPS = 25
SECONDS = 600
RATE = 8000  # samples per second
BEEPS = (0.48, 599.2)  # seconds, whole frames of the animation
LISTEN = 2  # seconds that are mixed around each beep; all of it would take minutes
RATES = ((24, 1.0), (25, 1.0), (30, 1.001), (30, 1.0), (60, 1.0))


def write_beeps(path: Path) -> Path:
    """Ten minutes of silence with beeps of a fiftieth of a second."""
    samples = np.zeros(SECONDS * RATE, "<i2")
    for time in BEEPS:
        first = round(time * RATE)
        samples[first : first + RATE // 50] = 16000 * np.sin(np.arange(RATE // 50))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return path


def hear_and_see(folder: str, sound: str, mixed: str) -> dict:
    """At each rate the times, in seconds of playback, at which the beeps sound and the jaw is widest open."""
    import bpy

    from blender_addon.bake.character import bake_character
    from blender_addon.bake.scene import include_frames
    from blender_addon.bake.sound import add_sound

    if not bpy.app.build_options.audaspace:
        return {}
    found, animation = {}, read_animation(Path(folder))
    for fps, base in RATES:
        scene = empty_scene()
        scene.render.fps, scene.render.fps_base = fps, base
        rate = fps / base
        item = add_mesh("face", ["jawOpen"])
        baked = bake_character(scene, [item], animation, "line", 1.0, "arkit")
        include_frames(scene, baked.first, baked.last)
        add_sound(scene, "line", Path(sound), 1.0)
        keys = np.array(curves_of(item)['key_blocks["jawOpen"].value'])
        opened = (keys[keys[:, 1] > 0.9, 0] - 1) / rate
        scene.render.ffmpeg.audio_mixrate = RATE
        length = scene.frame_end
        found[str(rate)] = {"seen": opened.tolist(), "length": (length - scene.frame_start + 1) / rate, "heard": []}
        for beep in BEEPS:
            scene.frame_start = max(1, int((beep - LISTEN / 2) * rate))
            scene.frame_end = scene.frame_start + int(LISTEN * rate)
            found[str(rate)]["heard"].append((scene.frame_start - 1) / rate + first_sound(mixed))
    return found


def first_sound(mixed: str) -> float:
    """Mix the scene's range; seconds from its start to the first loud sample."""
    import bpy

    bpy.ops.sound.mixdown(filepath=mixed, check_existing=False, container="WAV", codec="PCM", format="S16")
    with wave.open(mixed) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return float(np.flatnonzero(np.abs(samples[:, 0].astype(int)) > 1000)[0]) / file.getframerate()


def test_sound_and_mouth_stay_together_for_ten_minutes(blender, tmp_path: Path) -> None:
    weights = np.zeros((SECONDS * FPS, 52), np.float32)
    weights[[round(time * FPS) for time in BEEPS], INDEX["jawOpen"]] = 1
    offsets = np.zeros((SECONDS * FPS, 468, 3), np.float32)
    changes = {"weights": weights, "weight_names": np.array(NAMES), "offsets": offsets}
    folder = make_animation(tmp_path / "talk", SECONDS * FPS, texture=False, **changes)
    sound = write_beeps(tmp_path / "beeps.wav")
    found = blender(hear_and_see, folder=folder, sound=sound, mixed=tmp_path / "mixed.wav")
    if not found:
        pytest.skip("this Blender was built without sound")
    assert len(found) == len(RATES)
    for rate, times in found.items():
        half = 0.5 / float(rate)
        assert times["length"] == pytest.approx(SECONDS, abs=4 * half)
        np.testing.assert_allclose(times["seen"], BEEPS, atol=half / 10, err_msg=rate)
        np.testing.assert_allclose(times["heard"], times["seen"], atol=half, err_msg=rate)


def render_lips(folder: str, out: str, places: list[list[float]]) -> list[list[float]]:
    """Mean colour of the middle of the lip crop at some scene frames, of a head at 30 frames a second from 2.5."""
    import bpy

    from blender_addon.bake.scene import add_camera, set_colours
    from blender_addon.bake.talking_head import bake_talking_head
    from blender_addon.render import quick_render, set_render

    scene = empty_scene()
    scene.render.fps = 30
    set_colours(scene)
    head = bake_talking_head(scene, read_animation(Path(folder)), "face", None, 2.5).head
    add_camera(scene, head)
    set_render(scene, 64)
    colours = []
    for frame, _ in places:
        scene.frame_set(int(frame))
        scene.render.filepath = str(Path(out) / f"{int(frame)}.png")
        with quick_render(scene):
            bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(scene.render.filepath)
        pixels = np.empty(64 * 64 * 4, np.float32)
        image.pixels.foreach_get(pixels)
        colours.append((255 * pixels.reshape(64, 64, 4)[18:22, 30:34, :3].mean(axis=(0, 1))).tolist())
    return colours


def test_each_scene_frame_shows_the_crop_nearest_in_time(blender, tmp_path: Path) -> None:
    folder = make_animation(tmp_path / "talk", 20, offsets=np.zeros((20, 468, 3), np.float32))
    frames = [1, 3, 8, 15, 26, 40]
    expected = [int(np.clip(np.floor((frame - 2.5) * 25 / 30 + 0.5), 0, 19)) for frame in frames]
    found = blender(render_lips, folder=folder, out=tmp_path, places=list(zip(frames, expected, strict=True)))
    np.testing.assert_allclose(found, [crop_colour(crop) for crop in expected], atol=2)

"""Sound strips: where a strip's sound plays, and what of a line's strip stays when the line is animated again."""

import wave
from pathlib import Path

import numpy as np
import pytest

from tests.blender.scene_checks import empty_scene, strips
from tests.blender.sound import RATE

pytestmark = pytest.mark.blender

CLICKS = (0.3, 1.0, 1.7, 2.4)  # seconds in a sound of 3
HALF = 0.5**0.5  # what each of two loudspeakers gets of a sound in the middle


def write_clicks(path: Path) -> Path:
    """A sound of three seconds with clicks of ten milliseconds, the later the louder."""
    samples = np.zeros(3 * RATE)
    for number, second in enumerate(CLICKS):
        samples[round(second * RATE) :][: RATE // 100] = 0.2 * (number + 1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def heard(path: Path) -> dict[str, float]:
    """Number of a click to the second at which it is heard in a 16-bit WAV file."""
    with wave.open(str(path)) as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, channels)[:, 0] / 32767
    found, last = {}, -rate
    for frame in np.flatnonzero(np.abs(samples) > 0.07):
        if frame > last + 0.1 * rate:
            found[str(round(np.abs(samples[frame : frame + rate // 100]).mean() / (0.2 * HALF)) - 1)] = frame / rate
            last = frame
    return found


def offset_sounds(sound: str, mixed: str, cases: list[list[float]]) -> list[dict]:
    """For strips (start, trim before, trim after, offset): what Blender plays, and where the add-on takes it to be."""
    import bpy

    from blender_addon.speech_source import source_of_strip

    found = []
    if not bpy.app.build_options.audaspace:
        return found
    for start, before, after, offset in cases:
        scene = empty_scene()
        scene.render.fps, scene.frame_end = 24, 200
        editor = scene.sequence_editor_create()
        made = editor.strips if hasattr(editor, "strips") else editor.sequences
        strip = made.new_sound("vo", sound, 1, int(start))
        if not hasattr(strip, "sound_offset"):
            return []
        strip.frame_final_start, strip.frame_final_end = int(start + before), int(start + 72 - after)
        strip.sound_offset = offset
        bpy.ops.sound.mixdown(filepath=mixed, container="WAV", codec="PCM", format="S16")
        source = source_of_strip(strip)
        found.append({"heard": heard(Path(mixed)), "start": source.start, "within": source.within})
    return found


def test_a_sound_offset_is_followed(blender, tmp_path: Path) -> None:
    cases = [[25, 0, 0, 0.0], [25, 0, 0, 0.5], [25, 0, 0, -0.51], [25, 12, 24, 0.5], [40, 12, 24, -0.5]]
    found = blender(
        offset_sounds, sound=write_clicks(tmp_path / "clicks.wav"), mixed=tmp_path / "mixed.wav", cases=cases
    )
    if not found:
        pytest.skip("this Blender has no Sound Offset, or no sound")
    for case in found:
        first, last = ((frame - 1) / 24 for frame in (case["within"][0], case["within"][1] + 1))
        times = {str(number): (case["start"] - 1) / 24 + second for number, second in enumerate(CLICKS)}
        expected = {number: time for number, time in times.items() if first <= time < last}
        assert case["heard"] == pytest.approx(expected, abs=0.002)
        assert expected


def mix_again(sound: str) -> dict:
    """Set everything about a line's strip, and add its sound again elsewhere; then where its channel is taken."""
    from blender_addon.bake.curves import existing_curves
    from blender_addon.bake.sound import add_sound

    scene = empty_scene()
    scene.render.fps = 24
    for line, start in (("one", 1), ("two", 1), ("three", 1)):
        if add_sound(scene, line, Path(sound), start) is None:
            return {}
    found = {"fresh": [[strip.name, strip.channel] for strip in strips(scene)]}
    strip = next(strip for strip in strips(scene) if strip.name == "one")
    strip.channel, strip.name = 5, "Anna's"
    strip.pan, strip.mute, strip.color_tag, strip.sound.use_mono = 0.5, True, "COLOR_02", True
    for frame, volume in ((1, 0.0), (20, 0.25)):
        strip.volume = volume
        strip.keyframe_insert("volume", frame=frame)
    add_sound(scene, "one", Path(sound), 40)

    def state() -> list:
        (strip,) = (strip for strip in strips(scene) if strip["mouthpiece_line"] == "one")
        scene.frame_set(20)
        rest = [strip.pan, strip.mute, strip.color_tag, strip.sound.use_mono]
        return [strip.name, strip.channel, strip.frame_final_start, round(strip.volume, 3), *rest]

    found["again"] = state()
    data = scene.animation_data
    found["curves"] = len(existing_curves(data.action, getattr(data, "action_slot", None)))
    found["strips"] = len(strips(scene))
    add_sound(scene, "one", Path(sound), 100)
    next(strip for strip in strips(scene) if strip.name == "two").channel = 5  # ends before frame 100
    found["free"] = state()[1:3]
    add_sound(scene, "one", Path(sound), 10)
    found["taken"] = state()[1:3]
    return found


def test_what_was_set_on_a_lines_strip_stays(blender, tmp_path: Path) -> None:
    found = blender(mix_again, sound=write_clicks(tmp_path / "clicks.wav"))
    if not found:
        pytest.skip("this Blender has no sound")
    assert found["fresh"] == [["one", 1], ["two", 2], ["three", 3]]
    assert found["again"] == ["Anna's", 5, 40, 0.25, 0.5, True, "COLOR_02", True]
    assert (found["curves"], found["strips"]) == (1, 3)
    assert found["free"] == [5, 100]
    assert found["taken"] == [6, 10]

"""Animate from the panel's settings through the real service, headless; faults end in one sentence."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.backend.service.running import make_sound
from tests.blender.rigs import add_mesh, curves_of, select
from tests.blender.scene_checks import count_data, empty_scene, strips

pytestmark = [pytest.mark.blender, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
BEFORE_WORK = ("starting", "starting the backend", "sending the sound", "waiting")


@pytest.fixture
def sound(tmp_path: Path, monkeypatch) -> Path:
    """A recording of two seconds, and a user without a backend."""
    if not (ROOT / ".venv").is_dir():
        pytest.skip("this checkout has no environment of its own to start a backend with")
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path = tmp_path / "line.wav"
    path.write_bytes(make_sound(7, 2.0))
    return path


def animate_all(sound: str) -> dict:
    """A character and a new head from a file, the character from a trimmed strip; then everything that fails."""
    import bpy

    import blender_addon
    from blender_addon.activity import shown
    from blender_addon.preferences import BACKEND

    scene = empty_scene()
    scene.render.fps = 24
    blender_addon.register()
    settings = scene.mouthpiece
    settings.sound, settings.start = sound, 10.0
    head, teeth = add_mesh("head", ["jawOpen", "mouthClose"]), add_mesh("teeth", ["JawOpen"])
    select(head, teeth)
    settings.face = "CHARACTER"
    found = {"character": list(bpy.ops.mouthpiece.animate()), "said": shown("line").message}
    jaw = curves_of(head)['key_blocks["jawOpen"].value']
    found["keys"] = [len(jaw), jaw[0][0], jaw[-1][0]]
    found["teeth"] = curves_of(teeth)['key_blocks["JawOpen"].value'] == jaw
    found["strips"] = len(strips(scene))
    if found["strips"]:
        settings.speech = "STRIP"
        strip = strips(scene)[0]
        strip.frame_final_start, strip.frame_final_end = 20, 31
        strip.select = True
        found["strip"] = list(bpy.ops.mouthpiece.animate())
        trimmed = curves_of(head)['key_blocks["jawOpen"].value']
        found["trimmed"] = [trimmed == [key for key in jaw if 20 <= key[0] <= 30], len(trimmed)]
        settings.speech = "FILE"
    settings.face = "HEAD"
    found["head"] = list(bpy.ops.mouthpiece.animate())
    found["faces"] = [len(item.data.vertices) for item in scene.objects if item.name == "line"]
    found["rate"] = scene.render.fps / scene.render.fps_base
    found["check"] = BACKEND.check(blender_addon.preferences.backend_choice(bpy.context))
    blender_addon.unregister()
    found["stopped"] = not BACKEND.started
    return found


def test_a_line_is_animated_from_the_panels_settings(blender, sound: Path) -> None:
    found = blender(animate_all, sound=sound)
    assert found["character"] == ["FINISHED"]
    assert "Baked 3 shape keys of head, teeth into the action line, frames 10 to 57" in found["said"]
    assert found["keys"] == [48, 10, 57]
    assert found["teeth"]
    if found["strips"]:
        assert found["strip"] == ["FINISHED"]
        assert found["trimmed"] == [True, 11]
    assert found["head"] == ["FINISHED"]
    assert found["faces"] == [468]
    assert found["rate"] == 24
    assert found["check"][0]
    assert found["stopped"]


def fail_each_way(sound: str, long_sound: str, another_sound: str) -> dict:
    """No sound, a text for a sound, no actor, a mesh removed, cancelled, the backend killed."""
    import bpy

    import blender_addon
    from blender_addon import jobs, session
    from blender_addon.speech_source import file_source

    scene = empty_scene()
    blender_addon.register()
    jobs.PATIENCE = 1.5
    settings, head = scene.mouthpiece, add_mesh("head", ["jawOpen"])
    select(head)
    settings.face = "CHARACTER"
    before = count_data()
    said = []

    def attempt(**changes) -> None:
        for name, value in changes.items():
            setattr(settings, name, value)
        try:
            bpy.ops.mouthpiece.animate()
            said.append("finished")
        except RuntimeError as error:
            said.append(str(error))

    text = Path(sound).with_name("text.wav")
    text.write_text("no sound")
    attempt(sound="")
    attempt(sound=str(text.with_name("nothing.wav")))
    attempt(sound=str(text))
    attempt(sound=sound, actor="nobody")
    target = blender_addon.animate_operators.chosen_target(bpy.context)
    for spoil in ("object", "cancel"):
        started = session.start_session(bpy.context.scene, file_source(sound, 1.0), target, "default")
        if spoil == "object":
            head.name = "renamed"
        else:
            started.cancel()
        started.run()
        said.append(started.message)
        head.name = "head"
    after = count_data()
    new_head = session.Target(bpy.context.scene.name)  # with textures: seconds of work
    for mends_itself in (True, False):
        started = session.start_session(bpy.context.scene, file_source(long_sound, 1.0), new_head, "default")
        while started.progress.stage in BEFORE_WORK and not started.ended:
            started.pump()
            time.sleep(0.01)
        if not mends_itself:
            session.BACKEND.connect = refuse_to_start
        os.kill(service_process(), signal.SIGKILL)
        started.run()
        said.append(started.message)
        long_sound = another_sound
    threads = [thread.name for thread in threading.enumerate() if thread.name == "mouthpiece"]
    heads = sum(item.get("mouthpiece_line") is not None for item in scene.objects)
    blender_addon.unregister()
    return {"said": said, "unchanged": before == after, "threads": threads, "heads": heads}


def refuse_to_start(choice):
    """In place of starting a backend."""
    from blender_addon.errors import BackendError

    raise BackendError("The backend in somewhere could not be started: no.")


def service_process() -> int:
    """Process id of the running service."""
    import json

    from blender_addon.client import default_home

    end = time.monotonic() + 60
    while time.monotonic() < end:
        note = default_home() / "service.json"
        if note.exists():
            return json.loads(note.read_text())["pid"]
        time.sleep(0.05)
    raise AssertionError("no service")


def test_faults_end_in_one_sentence_and_bake_nothing(blender, sound: Path) -> None:
    long_sounds = [sound.with_name("long.wav"), sound.with_name("other.wav")]
    for seed, path in enumerate(long_sounds):
        path.write_bytes(make_sound(8 + seed, 60.0))
    found = blender(fail_each_way, sound=sound, long_sound=long_sounds[0], another_sound=long_sounds[1])
    expected = ["No sound is chosen", "no sound at", "text.wav|sound", "nobody", "was removed", "Cancelled"]
    for message, words in zip(found["said"], [*expected, "Baked 1440 frames", "could not be started"], strict=True):
        assert any(word in message for word in words.split("|")), message
        assert "Traceback" not in message
    assert found["unchanged"]
    assert found["heads"] == 1  # of the line whose backend was started again
    assert not found["threads"]


def begin_lines() -> list[float]:
    """Where lines begin in a scene whose range changes before and after a frame is chosen."""
    import bpy

    import blender_addon

    scene = empty_scene()
    blender_addon.register()
    found = []
    for frame, chosen in ((1, None), (1001, None), (1001, 1020.5), (40, None)):
        scene.frame_start = frame
        if chosen is not None:
            scene.mouthpiece.start = chosen
        found.append(scene.mouthpiece.start)
    other = bpy.data.scenes.new("other")
    other.frame_start = 86
    return [*found, other.mouthpiece.start]


def test_lines_begin_with_the_scene_until_a_frame_is_chosen(blender) -> None:
    assert blender(begin_lines) == [1, 1001, 1020.5, 1020.5, 86]

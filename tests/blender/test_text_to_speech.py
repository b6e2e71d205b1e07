"""Words are spoken and animated by the backend, and the sound lies beside the animation."""

import ctypes.util
from pathlib import Path

import pytest

from tests.blender.backend_user import new_user
from tests.blender.scene_checks import empty_scene, strips

pytestmark = [pytest.mark.blender, pytest.mark.slow]


def speak(home: str) -> dict:
    """Speak a sentence as a new head; then nothing, an unknown voice, and one that is cancelled."""
    import bpy

    import blender_addon
    from blender_addon.activity import shown
    from blender_addon.animate_operators import MOUTHPIECE_OT_animate

    scene = empty_scene()
    blender_addon.register()
    settings = scene.mouthpiece
    settings.speech, settings.words = "TEXT", "Nice to meet you, my friend."
    scene.mouthpiece_style.jaw, scene.mouthpiece_style.gains = 0.8, "mouthSmile=1.2"
    scene.mouthpiece_result.texture = False
    found = {"result": list(bpy.ops.mouthpiece.animate()), "said": shown("line").message}
    found["heads"] = [item.name for item in scene.objects if item.type == "MESH"]
    found["strips"] = [strip.name for strip in strips(scene)]
    found["files"] = sorted(path.name for path in Path(home, "blender").glob("*/Nice to meet you/*"))
    found["marked"] = len(scene.timeline_markers)
    for changes in ({"words": " ... "}, {"words": "Hello", "voice": "nobody"}):
        for name, value in changes.items():
            setattr(settings, name, value)
        try:
            bpy.ops.mouthpiece.animate()
        except RuntimeError as error:
            found.setdefault("refused", []).append(str(error))
    settings.words, settings.voice = "Something else", "en-us"
    activity = MOUTHPIECE_OT_animate.begin(None, bpy.context)
    while activity.progress.stage in ("starting", "starting the backend"):
        activity.pump()
    activity.cancel()
    found["cancelled"] = activity.run().message
    found["left"] = sorted(path.name for path in Path(home, "blender").glob("*/*"))
    blender_addon.unregister()
    return found


def test_words_are_spoken_and_animated(blender, tmp_path: Path, monkeypatch) -> None:
    if ctypes.util.find_library("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    new_user(tmp_path, monkeypatch)
    found = blender(speak, home=str(tmp_path / "home"))
    assert found["result"] == ["FINISHED"]
    assert found["said"].startswith("Baked ")
    assert found["heads"] == ["Nice to meet you"]
    assert {"animation.npz", "speech.wav", "markers.json"} <= set(found["files"])
    assert found["strips"] in ([], ["Nice to meet you"])
    assert found["marked"] == 6
    assert "No words are given" in found["refused"][0]
    assert "nobody" in found["refused"][1]
    assert found["cancelled"] == "Cancelled; nothing was baked"
    assert found["left"] == ["Nice to meet you"]

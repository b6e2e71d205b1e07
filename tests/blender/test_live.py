"""A character follows a sound in its own time through the service's WebSocket, and what was seen is recorded."""

from pathlib import Path

import pytest

from tests.blender.backend_user import new_user, write_sound
from tests.blender.rigs import add_mesh, curves_of, select
from tests.blender.scene_checks import count_data, empty_scene

pytestmark = [pytest.mark.blender, pytest.mark.slow]


def follow_sound(sound: str) -> dict:
    """Record a whole sound; stop one early without a recording; cancel one; lose the character; no microphone."""
    import bpy

    import blender_addon
    from blender_addon.activity import under_way
    from blender_addon.live_operators import MOUTHPIECE_OT_live_start

    scene = empty_scene()
    scene.render.fps = 24
    blender_addon.register()
    head = add_mesh("head", ["jawOpen", "unknown"])
    select(head)
    live = scene.mouthpiece_live
    live.source, live.sound, live.take = "FILE", sound, "take one"
    scene.frame_set(10)
    found = {"result": list(bpy.ops.mouthpiece.live_start())}
    keys = curves_of(head)['key_blocks["jawOpen"].value']
    found["keys"] = [len(keys), keys[0][0], keys[-1][0], len({round(key[1], 3) for key in keys}) > 3]
    for live.replace_take in (False, True):
        scene.frame_set(100)
        bpy.ops.mouthpiece.live_start()
        found.setdefault("takes", []).append([action.name for action in bpy.data.actions])

    def begin():
        run = MOUTHPIECE_OT_live_start.begin(None, bpy.context)
        while run.face.before == {} and not run.ended:
            run.pump()
        return run

    head.data.shape_keys.animation_data_clear()
    block = head.data.shape_keys.key_blocks["jawOpen"]
    block.value = 0.25
    before = count_data()
    live.record = False
    run = begin()
    run.stop()
    found["stopped"] = [run.run().message, round(block.value, 3)]
    live.record = True
    run = begin()
    run.cancel()
    found["cancelled"] = [run.run().message, round(block.value, 3)]
    run = begin()
    head.name = "renamed"
    run.stop()
    found["lost"] = [run.run().message, run.failed]
    head.name = "head"
    found["unchanged"] = before == count_data()
    live.source, live.device = "MICROPHONE", "no such microphone"
    try:
        bpy.ops.mouthpiece.live_start()
    except RuntimeError as error:
        found["microphone"] = str(error)
    found["free"] = under_way("live") is None
    blender_addon.unregister()
    return found


def test_a_character_follows_a_sound_and_is_recorded(blender, tmp_path: Path, monkeypatch) -> None:
    new_user(tmp_path, monkeypatch)
    found = blender(follow_sound, sound=write_sound(tmp_path / "line.wav", 5, 2.0))
    assert found["result"] == ["FINISHED"]
    assert found["keys"] == [48, 10, 57, True]
    assert found["takes"] == [["At rest", "take one", "take one 2"]] * 2
    assert found["stopped"] == ["Live has ended; it was not to be recorded", 0.25]
    assert found["cancelled"] == ["Cancelled; nothing was recorded", 0.25]
    assert "was removed" in found["lost"][0]
    assert found["lost"][1]
    assert found["unchanged"]
    assert "The microphone cannot be used" in found["microphone"]
    assert found["free"]

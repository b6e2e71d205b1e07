"""What people do to Blender while a line is under way: nothing is baked where it does not belong."""

from pathlib import Path

import pytest

from tests.blender.rigs import add_mesh, select
from tests.blender.scene_checks import count_data, empty_scene
from tests.blender.sound import write_tone
from tests.blender_addon.test_jobs import DONE, RUNNING, FakeService, pack

pytestmark = pytest.mark.blender


def interrupt(sound: str, archive: str) -> dict:
    """Open another file, remove the scene, switch the add-on off; each while a line is under way."""
    import bpy

    import blender_addon
    from blender_addon.activity import shown, under_way
    from blender_addon.animate_operators import MOUTHPIECE_OT_animate
    from blender_addon.long_operator import show

    def begin():
        scene = bpy.context.scene
        scene.mouthpiece.sound = sound
        blender_addon.session.BACKEND.connect = lambda choice: FakeService(Path(archive), [RUNNING, DONE])
        return show("line", MOUTHPIECE_OT_animate.begin(None, bpy.context))

    found = {}
    empty_scene()
    blender_addon.register()
    activity = begin()
    found["busy"] = bpy.ops.mouthpiece.animate.poll()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    before = count_data()
    activity.run()
    found["another file"] = [count_data() == before, under_way("line") is None]

    activity = begin()
    other = bpy.data.scenes.new("other")
    bpy.context.window.scene = other
    bpy.data.scenes.remove(bpy.data.scenes["Scene"])
    activity.run()
    found["scene removed"] = [activity.failed, activity.message]

    activity = begin()
    bpy.context.scene.name = "renamed"
    activity.run()
    found["scene renamed"] = [activity.failed, activity.message]

    head = add_mesh("head", ["jawOpen"])
    select(head)
    bpy.context.scene.mouthpiece.face = "CHARACTER"
    activity = begin()
    bpy.data.objects.remove(head)
    activity.run()
    found["object removed"] = [activity.failed, activity.message]

    bpy.context.scene.mouthpiece.face = "HEAD"
    before = count_data()
    activity = begin()
    blender_addon.unregister()
    activity.run()
    found["switched off"] = [count_data() == before, shown("line") is None]
    return found


def test_nothing_is_baked_where_it_does_not_belong(blender, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path / "home"))
    sound = write_tone(tmp_path / "line.wav", 0.2)
    found = blender(interrupt, sound=str(sound), archive=str(pack(tmp_path)))
    assert not found["busy"]
    assert found["another file"] == [True, True]
    for case in ("scene removed", "scene renamed", "object removed"):
        failed, message = found[case]
        assert failed
        assert "was removed" in message
    assert found["switched off"] == [True, True]

"""Many lines in one go through the real service; one that fails stops no other."""

from pathlib import Path

import pytest

from tests.blender.backend_user import new_user, write_sound
from tests.blender.rigs import add_mesh, curves_of, select
from tests.blender.scene_checks import count_data, empty_scene, strips

pytestmark = [pytest.mark.blender, pytest.mark.slow]


def animate_lines(sounds: list[str], missing: str) -> dict:
    """Two characters, a strip, a new head, a sound that is gone; then only the ticked; then a cancelled batch."""
    import bpy

    import blender_addon
    from blender_addon.activity import shown
    from blender_addon.bake.sound import add_sound
    from blender_addon.batch import BatchRun
    from blender_addon.batch_lines import add_line

    scene = empty_scene()
    blender_addon.register()
    ann, bob = add_mesh("ann", ["jawOpen"]), add_mesh("bob", ["jawOpen"])
    add_sound(scene, "spoken", Path(sounds[1]), 30)
    can_play = bool(strips(scene))
    add_line(scene, sound=sounds[0], character=ann)
    add_line(scene, sound=missing, character=ann)
    add_line(scene, speech="STRIP" if can_play else "FILE", strip="spoken", sound=sounds[1], start=30, character=bob)
    add_line(scene, sound=sounds[0], start=100, use=False)
    found = {"can_play": can_play, "result": list(bpy.ops.mouthpiece.animate_lines(ticked=True))}
    found["said"] = shown("line").message
    found["states"] = [line.state for line in scene.mouthpiece_batch.lines]
    found["why"] = scene.mouthpiece_batch.lines[1].message
    found["ann"] = curves_of(ann)['key_blocks["jawOpen"].value'][0][0]
    found["bob"] = curves_of(bob)['key_blocks["jawOpen"].value'][0][0]
    before = count_data()
    batch = BatchRun(scene.name, [line.key for line in scene.mouthpiece_batch.lines]).start()
    batch.pump()
    batch.cancel()
    batch.run()
    found["cancelled"] = [batch.message, [line.state for line in scene.mouthpiece_batch.lines]]
    found["unchanged"] = before == count_data()
    scene.mouthpiece_batch.active = 3
    bpy.ops.mouthpiece.line_move(step=-1)
    bpy.ops.mouthpiece.line_remove()
    found["left"] = [line.sound for line in scene.mouthpiece_batch.lines]
    bpy.ops.mouthpiece.line_remove(every=True)
    found["empty"] = [len(scene.mouthpiece_batch.lines), bpy.ops.mouthpiece.animate_lines.poll()]
    if can_play:
        for strip in strips(scene):
            strip.select = strip.name == "spoken"
        scene.mouthpiece.face = "CHARACTER"
        select(bob)
        bpy.ops.mouthpiece.line_add_strips()
        found["from strips"] = [[line.strip, line.character.name] for line in scene.mouthpiece_batch.lines]
    bpy.ops.mouthpiece.line_add(directory=str(Path(sounds[0]).parent), files=[{"name": Path(sounds[0]).name}])
    found["from files"] = scene.mouthpiece_batch.lines[-1].sound
    blender_addon.unregister()
    return found


def test_lines_are_animated_one_after_the_other(blender, tmp_path: Path, monkeypatch) -> None:
    new_user(tmp_path, monkeypatch)
    sounds = [write_sound(tmp_path / f"{number}.wav", number, 1.0) for number in (3, 4)]
    missing = str(tmp_path / "gone.wav")
    found = blender(animate_lines, sounds=sounds, missing=missing)
    assert found["result"] == ["FINISHED"]
    assert found["said"] == "2 of 3 lines were animated; 1 failed, the list says why"
    assert found["states"] == ["DONE", "FAILED", "DONE", "WAITING"]
    assert "no sound at" in found["why"]
    assert (found["ann"], found["bob"]) == (1, 30)
    assert "cancelled" in found["cancelled"][0]
    assert found["cancelled"][1] == ["CANCELLED", "WAITING", "WAITING", "WAITING"]
    assert found["unchanged"]
    assert found["left"] == [sounds[0], missing, sounds[0]] or found["left"] == [sounds[0], missing, sounds[1]]
    assert found["empty"] == [0, False]
    if found["can_play"]:
        assert found["from strips"] == [["spoken", "bob"]]
    assert found["from files"] == sounds[0]

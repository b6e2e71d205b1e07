"""What nobody foresaw: a line that fails so stops no other; a head that is edited meanwhile is left alone."""

from pathlib import Path

import pytest

from tests.blender.rigs import add_mesh, curves_of
from tests.blender.scene_checks import bake, count_data, empty_scene
from tests.blender.sound import write_tone
from tests.blender_addon.example import make_animation
from tests.blender_addon.test_jobs import DONE, RUNNING, FakeService, pack

pytestmark = pytest.mark.blender


def fail_in_a_batch(sounds: list[str], archive: str) -> dict:
    """A batch of three: the bake of the first fails oddly, the second cannot even begin."""
    import bpy

    import blender_addon
    from blender_addon import batch, importing
    from blender_addon.activity import shown, under_way
    from blender_addon.batch_lines import add_line

    scene = empty_scene()
    blender_addon.register()
    blender_addon.session.BACKEND.connect = lambda choice: FakeService(Path(archive), [RUNNING, DONE])
    for sound in sounds:
        add_line(scene, sound=sound, character=add_mesh(Path(sound).stem, ["jawOpen"]))
    bake_character, line_source = importing.bake_character, batch.line_source

    def bake(scene, meshes, *words):
        if meshes[0].name == "one":
            raise AttributeError("an action is read-only")
        return bake_character(scene, meshes, *words)

    def source(scene, line):
        if line.sound == sounds[1]:
            raise KeyError("strip")
        return line_source(scene, line)

    importing.bake_character, batch.line_source = bake, source
    try:
        found = {"result": list(bpy.ops.mouthpiece.animate_lines())}
    except RuntimeError as error:
        found = {"result": str(error)}
    found["lines"] = [[line.state, line.message] for line in scene.mouthpiece_batch.lines]
    found["said"], found["free"] = shown("line").message, under_way("line") is None
    found["keys"] = len(curves_of(bpy.data.objects["three"]))
    blender_addon.unregister()
    return found


def test_a_line_that_fails_unexpectedly_stops_no_other(blender, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path / "home"))
    sounds = [str(write_tone(tmp_path / f"{name}.wav", 0.2)) for name in ("one", "two", "three")]
    found = blender(fail_in_a_batch, sounds=sounds, archive=str(pack(tmp_path, named=True)))
    assert found["result"] == ["FINISHED"]
    assert [state for state, _ in found["lines"]] == ["FAILED", "FAILED", "DONE"]
    assert found["lines"][0][1] == "It failed unexpectedly: AttributeError: an action is read-only"
    assert found["lines"][1][1] == "It failed unexpectedly: KeyError: 'strip'"
    assert found["said"] == "1 of 3 lines were animated; 2 failed, the list says why"
    assert found["free"]
    assert found["keys"] == 1


def fail_in_a_timer() -> dict:
    """Work whose look after it fails, as Blender's timer calls it."""
    from blender_addon import activity
    from blender_addon.background import Background

    empty_scene()
    work = activity.show("live", activity.Activity(Background(lambda background: None), str))
    work.pump = lambda: {}["nothing"]
    again = activity._tick(work)
    return {"again": again, "free": activity.under_way("live") is None, "said": work.message, "failed": work.failed}


def test_work_that_fails_in_the_timer_ends(blender) -> None:
    found = blender(fail_in_a_timer)
    assert found["again"] is None
    assert found["free"]
    assert found["failed"]
    assert found["said"] == "It failed unexpectedly: KeyError: 'nothing'"


def edit_meanwhile(folder: str) -> dict:
    """Bake a head again while its mesh is edited, as keys and as a cache; then in object mode."""
    import bpy

    from blender_addon.errors import AnimationError

    scene = empty_scene()
    head = bake(folder)[1].head
    bpy.context.view_layer.objects.active = head
    before, said = [count_data(), sorted(scene.keys())], []
    bpy.ops.object.mode_set(mode="EDIT")
    for kind in ("KEYS", "CACHE"):
        try:
            bake(folder, kind=kind)
        except AnimationError as error:
            said.append(str(error))
    unchanged = before == [count_data(), sorted(scene.keys())]
    bpy.ops.object.mode_set(mode="OBJECT")
    bake(folder)
    return {"said": said, "unchanged": unchanged, "after": before[0] == count_data()}


def test_a_head_that_is_being_edited_is_left_alone(blender, tmp_path: Path) -> None:
    found = blender(edit_meanwhile, folder=make_animation(tmp_path / "hello"))
    assert len(found["said"]) == 2
    assert all("hello is being edited" in said and str(tmp_path / "hello") in said for said in found["said"])
    assert found["unchanged"]
    assert found["after"]

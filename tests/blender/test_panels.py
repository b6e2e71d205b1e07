"""Every panel can be drawn in every state, and shows what that state needs."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.blender.layout import RecordingLayout
from tests.blender.rigs import add_mesh, select
from tests.blender.scene_checks import empty_scene

pytestmark = pytest.mark.blender


def draw_all() -> dict[str, list[str]]:
    """Draw each panel; class name to what it drew."""
    import bpy

    found = {}
    for name in dir(bpy.types):
        item = getattr(bpy.types, name)
        if not name.startswith("MOUTHPIECE_PT_"):
            continue
        layout = RecordingLayout()
        panel = SimpleNamespace(layout=layout)
        if hasattr(item, "draw_header_preset"):
            item.draw_header_preset(panel, bpy.context)
        item.draw(panel, bpy.context)
        found[name] = layout.drawn
    return found


def draw_in_every_state(home: str) -> dict:
    """Draw in an empty scene, with a character, with lines, with work under way and ended, without a backend."""
    import bpy

    import blender_addon
    from blender_addon import preferences
    from blender_addon.activity import Activity, show
    from blender_addon.background import Background, Progress
    from blender_addon.batch_lines import add_line
    from blender_addon.set_up import SetUpRequest

    scene = empty_scene()
    blender_addon.register()
    found = {"empty": draw_all()}
    settings = scene.mouthpiece
    head = add_mesh("head", ["jawOpen", "odd"])
    select(head)
    head.mouthpiece_corrections.add()
    for speech in ("FILE", "STRIP", "TEXT"):
        for face in ("HEAD", "CHARACTER"):
            settings.speech, settings.face = speech, face
            found[f"{speech} {face}"] = draw_all()
    settings.transcript = bpy.data.texts.new("words")
    settings.speech = "FILE"
    add_line(scene, sound="a.wav", character=head, message="No sound there.", transcript=settings.transcript)
    found["lines"] = draw_all()
    line = scene.mouthpiece_batch.lines[0]
    layout = RecordingLayout()
    bpy.types.MOUTHPIECE_UL_lines.draw_item(None, bpy.context, layout, None, line, 0, None, "")
    found["item"] = layout.drawn
    activity = Activity(Background(lambda background: None), str)
    activity.progress = Progress("listen", 0.5, 3.0)
    for place in ("line", "video", "live", "backend"):
        show(place, activity)
    found["working"] = draw_all()
    activity.ended, activity.message = True, "It went wrong in a sentence that is too long for one line of the sidebar."
    found["ended"] = draw_all()
    for source in ("OWN", "FOLDER", "ADDRESS"):
        chosen = SimpleNamespace(layout=RecordingLayout(), source=source, bl_rna=None)
        found[f"preferences {source}"] = draw_preferences(chosen)
    preferences.BUNDLE = Path(home)  # as where the extension was installed from its zip
    preferences.default_checkout = lambda: None
    found["no backend"] = draw_all()["MOUTHPIECE_PT_animate"]
    assert preferences.set_up_request(bpy.context) == SetUpRequest(Path(home) / "blender_backend")
    blender_addon.unregister()
    return found


def draw_corrected() -> dict:
    """The list of a character whose head opens by a key of another name, and does not smile."""
    import bpy

    import blender_addon

    empty_scene()
    blender_addon.register()
    root = bpy.data.objects.new("root", None)
    bpy.context.scene.collection.objects.link(root)
    head = add_mesh("head", ["jawOpen", "Mouth", "smile", "mouthSmile_L", "mouthSmile_R", "mouthClose"], root)
    add_mesh("teeth", ["jawOpen"], root)
    select(head)
    for target, key in (("jawOpen", "Mouth"), ("mouthSmile", "")):
        row = head.mouthpiece_corrections.add()
        row.target, row.key = target, key
    layout = RecordingLayout()
    bpy.types.MOUTHPIECE_PT_face.draw(SimpleNamespace(layout=layout), bpy.context)
    blender_addon.unregister()
    return {"drawn": layout.drawn}


def test_the_list_shows_what_corrections_do(blender) -> None:
    drawn = blender(draw_corrected)["drawn"]
    first = drawn.index("mouthClose")
    assert drawn[first : first + 7] == [
        *("mouthClose", "Mouth ← jawOpen", "jawOpen"),
        *("jawOpen (head)", "smile", "mouthSmile_L", "mouthSmile_R"),
    ]


def draw_preferences(chosen: SimpleNamespace) -> list[str]:
    """What the preferences show."""
    import bpy

    kind = bpy.types.MouthpiecePreferences if hasattr(bpy.types, "MouthpiecePreferences") else None
    from blender_addon.preferences import MouthpiecePreferences

    chosen.bl_rna = (kind or MouthpiecePreferences).bl_rna
    MouthpiecePreferences.draw(chosen, bpy.context)
    return chosen.layout.drawn


def test_panels_show_what_their_state_needs(blender, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path / "home"))
    found = blender(draw_in_every_state, home=str(tmp_path / "home"))
    animate = "MOUTHPIECE_PT_animate"
    for case in ("empty", "FILE HEAD", "TEXT CHARACTER", "lines", "working", "ended"):
        assert "mouthpiece.animate" in found[case][animate]
        assert found[case][animate] == found[case][f"{animate}_sequencer"]
    assert "MouthpieceSettings.words" in found["TEXT HEAD"][animate]
    assert "MouthpieceSettings.sound" in found["FILE HEAD"][animate]
    assert "Select a sound strip" in found["STRIP HEAD"][animate]
    assert "MouthpieceSettings.language" in found["lines"][animate]
    assert "MouthpieceLine.transcript" in found["lines"]["MOUTHPIECE_PT_batch"]
    assert "MouthpieceLine.use" in found["item"]
    assert "mouthpiece.cancel" in found["working"][animate]
    assert "mouthpiece.cancel" not in found["ended"][animate]
    assert "mouthpiece.live_stop" in found["working"]["MOUTHPIECE_PT_live"]
    assert "mouthpiece.live_start" in found["ended"]["MOUTHPIECE_PT_live"]
    assert len([words for words in found["ended"][animate] if words in "It went wrong in a sentence"]) <= 1
    assert "Select a character with shape keys" in found["empty"]["MOUTHPIECE_PT_face"]
    style = {f"MouthpieceStyle.{name}" for name in ("intensity", "jaw", "blinks", "seed", "gains")}
    assert style <= set(found["empty"]["MOUTHPIECE_PT_style"])
    assert "mouthpiece.set_up_backend" in found["no backend"]
    assert "mouthpiece.animate" not in found["no backend"]
    assert "mouthpiece.set_up_backend" in found["preferences OWN"]
    assert "MouthpiecePreferences.checkout" in found["preferences FOLDER"]
    assert "MouthpiecePreferences.token" in found["preferences ADDRESS"]

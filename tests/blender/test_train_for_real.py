"""A video is inspected and an actor trained from the panel's settings, through the real service, and speaks."""

from pathlib import Path

import pytest

from tests.backend.service.running import make_sound

pytestmark = [pytest.mark.blender, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
CLIPS = 10
"""Of three seconds each."""


@pytest.fixture
def clips(tmp_path: Path, shared: Path, monkeypatch) -> Path:
    """A folder of clips of one speaker, and a user without a backend."""
    if not (ROOT / ".venv").is_dir():
        pytest.skip("this checkout has no environment of its own to start a backend with")
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    folder = tmp_path / "clips"
    folder.mkdir()
    for clip in sorted((shared / "grid_s1").glob("*.mp4"))[:CLIPS]:
        (folder / clip.name).symlink_to(clip)
    (tmp_path / "line.wav").write_bytes(make_sound(3, 1.0))
    return folder


def train_and_speak(clips: str, sound: str) -> dict:
    """Inspect, train, and animate with the new actor."""
    import bpy

    import blender_addon
    from tests.blender.rigs import add_mesh, curves_of, select
    from tests.blender.scene_checks import empty_scene

    scene = empty_scene()
    blender_addon.register()
    training = scene.mouthpiece_training
    training.video, training.actor, training.preset, training.accept_quality = clips, "speaker_1", "instant", True
    training.speaker = training.given_by = "GRID speaker 1"
    training.statement, training.date = "The corpus was recorded for research and may be used.", "2006-01-01"
    training.licence = "CC BY 4.0"
    found: dict = {"inspected": list(bpy.ops.mouthpiece.inspect_video())}
    found["trained"] = list(bpy.ops.mouthpiece.train_actor())
    found["chosen"] = scene.mouthpiece.actor
    head = add_mesh("head", ["jawOpen", "mouthClose"])
    select(head)
    scene.mouthpiece.face, scene.mouthpiece.sound = "CHARACTER", sound
    found["animated"] = list(bpy.ops.mouthpiece.animate())
    found["keys"] = len(curves_of(head)['key_blocks["jawOpen"].value'])
    blender_addon.unregister()
    return found


def test_a_video_becomes_an_actor_that_speaks(blender, clips: Path, tmp_path: Path) -> None:
    found = blender(train_and_speak, clips=clips, sound=tmp_path / "line.wav")
    assert found["inspected"] == found["trained"] == found["animated"] == ["FINISHED"]
    assert found["chosen"] == "speaker_1"
    assert found["keys"] == 24
    assert (tmp_path / "home" / "actors" / "speaker_1" / "actor.json").is_file()
    assert list((tmp_path / "home" / "blender" / "inspections").rglob("*.html"))

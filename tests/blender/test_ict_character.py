"""A character of another maker, of four meshes, animated with the panel's button: ICT-FaceKit's head speaks."""

import json
from pathlib import Path

import numpy as np
import pytest

from backend.evaluation.speech_figures import closed_below
from tests.blender.ict_character import build_character, lip_gap
from tests.blender.rigs import select
from tests.blender.scene_checks import empty_scene

pytestmark = [pytest.mark.blender, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "backend/samples/speech.flac"


def speak(ict: str, sound: str, saved: str) -> dict:
    """Build the character, select its head, animate from the panel's settings; the lip gap at each scene frame."""
    import bpy

    import blender_addon
    from blender_addon.activity import shown

    scene = empty_scene()
    scene.render.fps = 25
    bpy.ops.wm.save_as_mainfile(filepath=saved)
    items = build_character(Path(ict))
    blender_addon.register()
    select(items["Head"])
    settings = scene.mouthpiece
    settings.sound, settings.face = sound, "CHARACTER"
    result = list(bpy.ops.mouthpiece.animate())
    landmarks = json.loads((Path(ict) / "vertex_indices.json").read_text())["idx_to_landmark_verts"]
    gaps = []
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
        gaps.append(lip_gap(items["Head"], landmarks))
    for key in items["Head"].data.shape_keys.key_blocks:
        key.mute = True
    bpy.context.view_layer.update()
    driven = [name for name, item in items.items() if item.data.shape_keys and item.data.shape_keys.animation_data]
    answer = {"result": result, "said": shown("line").message, "gaps": gaps, "driven": driven}
    answer["rest"] = lip_gap(items["Head"], landmarks)
    blender_addon.unregister()
    return answer


def test_the_characters_lips_follow_the_prediction(blender, shared, tmp_path: Path, monkeypatch) -> None:
    if not (ROOT / ".venv").is_dir():
        pytest.skip("this checkout has no environment of its own to start a backend with")
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    ict = shared / "face3d" / "ict_facekit"
    found = blender(speak, ict=ict, sound=SAMPLE, saved=tmp_path / "shot.blend")
    assert found["result"] == ["FINISHED"]
    assert found["driven"] == ["Head", "Teeth", "Lashes"]
    assert "into the action speech, frames 1 to 129" in found["said"]
    with np.load(tmp_path / "mouthpiece" / "shot" / "speech" / "animation.npz") as content:
        vertices = content["reference"] + content["offsets"]
    predicted = np.linalg.norm(vertices[:, 13] - vertices[:, 14], axis=1)
    gaps = np.array(found["gaps"][: len(predicted)])
    assert np.corrcoef(gaps, predicted)[0, 1] >= 0.9
    opened = gaps - found["rest"]  # at rest its lips touch
    firmly = predicted < closed_below(predicted) / 2
    assert firmly.any()
    assert (opened[firmly] < closed_below(opened)).all()

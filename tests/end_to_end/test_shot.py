"""The .blend and .glb of the main job hold exactly what the network predicted."""

import json
import subprocess
import sys

import numpy as np
import pytest

from backend.animation_file import load_animation
from tests.end_to_end.conftest import ROOT

FRAMES = [0, 31, 64, 97, 128]

pytestmark = pytest.mark.blender


def test_the_blend_holds_the_animation(filmed, tmp_path):
    animation = load_animation(filmed / "animation")
    arguments = {"blend": str(filmed / "shot.blend"), "animation": str(filmed / "animation"), "frames": FRAMES}
    result = tmp_path / "result.json"
    command = [sys.executable, "-m", "tests.blender.process", "tests.end_to_end.blend_checks", "measure_shot"]
    done = subprocess.run([*command, json.dumps(arguments), str(result)], cwd=ROOT, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    shot = json.loads(result.read_text())
    assert shot["vertices"] == 468
    assert shot["error"] < 1e-3  # interocular units
    assert shot["range"] == [1, len(animation.offsets)]
    assert shot["fps"] == animation.fps
    assert shot["actions"] == 1
    assert shot["camera"]
    assert len(shot["sounds"]) == len(shot["sequences"]) == 1
    assert all(path.startswith("//") for path in [*shot["sounds"], *shot["images"]])


def test_an_independent_reader_loads_the_glb(filmed):
    pygltflib = pytest.importorskip("pygltflib")
    gltf = pygltflib.GLTF2().load(str(filmed / "shot.glb"))
    [mesh] = gltf.meshes
    [animation] = gltf.animations
    [channel] = [channel for channel in animation.channels if channel.target.path == "weights"]
    sampler = animation.samplers[channel.sampler]
    frames = len(load_animation(filmed / "animation").offsets)
    assert gltf.accessors[sampler.input].count == frames
    assert gltf.accessors[sampler.output].count == frames * len(mesh.primitives[0].targets)
    assert gltf.accessors[sampler.input].max[0] == pytest.approx((frames - 1) / 25, abs=1e-4)
    assert np.isfinite(gltf.accessors[mesh.primitives[0].attributes.POSITION].max).all()

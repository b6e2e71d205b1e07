"""Starting stays quick because nothing slow is loaded that is not needed."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[3]
SLOW = {"torch", "scipy", "cv2", "mediapipe", "bpy", "matplotlib"}


def test_vertices_and_weights_load_neither_torch_nor_scipy(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.random.default_rng(0).standard_normal(16_000) * 0.1, 16_000)
    arguments = ["animate", str(tmp_path / "a.wav"), "--actor", "default", "--no-texture", "--out", str(tmp_path / "a")]
    code = (
        "import json, sys\nfrom backend.__main__ import main\n"
        f"assert main({arguments!r}) == 0\nprint(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert not loaded & SLOW
    assert (tmp_path / "a" / "animation.npz").is_file()

"""Animations survive the disk; outputs appear whole or not at all."""

import numpy as np
import pytest

from backend.animation_file import Animation, load_animation, new_file, new_folder, save_animation
from backend.errors import InputError, UsageError
from shape_keys.arkit import NAMES
from shape_keys.topology import CANONICAL_FACE, TRIANGLES


def make_animation(frames: int = 5) -> Animation:
    rng = np.random.default_rng(0)
    return Animation(
        fps=29.97,
        reference=CANONICAL_FACE.astype(np.float32),
        offsets=rng.standard_normal((frames, 468, 3)).astype(np.float32),
        uv=rng.random((1, 468, 2), np.float32),
        triangles=TRIANGLES,
        weights=rng.random((frames, 52), np.float32),
        weight_names=NAMES,
        actor="anna",
        audio_sha256="ab",
        provenance='{"synthetic": true}',
    )


def test_round_trip(tmp_path):
    animation = make_animation()
    save_animation(animation, tmp_path)
    again = load_animation(tmp_path)
    assert np.array_equal(again.vertices, animation.vertices)
    assert (again.fps, again.weight_names, again.actor) == (29.97, NAMES, "anna")
    with np.load(tmp_path / "animation.npz", allow_pickle=False) as file:  # the contract that others read
        assert {name: file[name].dtype.kind for name in file.files} == {
            "format": "i",
            "fps": "f",
            "reference": "f",
            "offsets": "f",
            "uv": "f",
            "triangles": "i",
            "weights": "f",
            "weight_names": "U",
            "actor": "U",
            "audio_sha256": "U",
            "provenance": "U",
        }


def test_unfitting_arrays_are_refused():
    with pytest.raises(InputError, match="weights has shape"):
        Animation(**{**vars(make_animation()), "weights": np.zeros((2, 52), np.float32)})
    with pytest.raises(InputError, match="uv has 3 frames"):
        Animation(**{**vars(make_animation()), "uv": np.zeros((3, 468, 2), np.float32)})


def test_damaged_and_foreign_files(tmp_path):
    (tmp_path / "animation.npz").write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(InputError, match="not a readable animation"):
        load_animation(tmp_path)
    np.savez(tmp_path / "animation.npz", format=99)
    with pytest.raises(InputError, match="another format"):
        load_animation(tmp_path)
    np.savez(tmp_path / "animation.npz", format=1, fps=25.0)
    with pytest.raises(InputError, match="lacks actor"):
        load_animation(tmp_path)


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), new_folder(tmp_path / "out") as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    with new_folder(tmp_path / "out") as folder:
        (folder / "animation.npz").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["animation.npz"]
    with pytest.raises(UsageError, match="exists already"), new_folder(tmp_path / "out"):
        pass
    with new_folder(tmp_path / "out", overwrite=True) as folder:
        (folder / "new").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), new_file(tmp_path / "out.mp4") as path:
        path.write_text("half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    with new_file(tmp_path / "out.mp4") as path:
        assert path.suffix == ".mp4"
        path.write_text("all")
    assert (tmp_path / "out.mp4").read_text() == "all"
    with pytest.raises(UsageError, match="no folder"), new_file(tmp_path / "none" / "out.mp4"):
        pass


def test_overwriting_spares_folders_with_other_peoples_files(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "holiday.jpg").touch()
    with pytest.raises(UsageError, match="other files"), new_folder(tmp_path / "pictures", overwrite=True):
        pass
    assert (tmp_path / "pictures" / "holiday.jpg").exists()

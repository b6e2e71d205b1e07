"""Animations survive the disk; outputs appear whole or not at all."""

from pathlib import Path

import numpy as np
import pytest

from backend.actor_file import ACTOR_FILES
from backend.animation_file import (
    ANIMATION_FILES,
    SHOT_FILES,
    Animation,
    check_output,
    load_animation,
    new_file,
    new_folder,
    places_read,
    save_animation,
)
from backend.errors import InputError, UsageError
from backend.inspection.report import REPORT_FILES
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
    with pytest.raises(RuntimeError), new_folder(tmp_path / "out", ANIMATION_FILES) as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    with new_folder(tmp_path / "out", ANIMATION_FILES) as folder:
        (folder / "animation.npz").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["animation.npz"]
    with pytest.raises(UsageError, match="exists already"), new_folder(tmp_path / "out", ANIMATION_FILES):
        pass
    with new_folder(tmp_path / "out", ANIMATION_FILES, overwrite=True) as folder:
        (folder / "new").touch()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]


def test_a_folder_comes_back_where_its_replacement_is_broken_off(tmp_path, monkeypatch):
    write_folder(tmp_path / "out", ["animation.npz"])
    move = Path.replace

    def replace(path, target):
        if target.name == "out" and "older" not in path.name:
            raise KeyboardInterrupt
        return move(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "out", ANIMATION_FILES, overwrite=True):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["animation.npz", "out"]


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


FOLDERS = {
    "animation": (ANIMATION_FILES, ["animation.npz", "reference_atlas.png", "atlas/0001.png", "markers.json"]),
    "shot": (SHOT_FILES, ["animation.npz", "atlas/0001.png", "line.wav"]),
    "actor": (ACTOR_FILES, ["actor.json", "model.safetensors", "reference.npz", "atlas.png", "MODEL_CARD.md"]),
    "report": (REPORT_FILES, ["report.html", "report.json", "reference_atlas.png", "mesh_1.jpg", "gain_2.png"]),
}


def write_folder(folder, names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("name", FOLDERS)
def test_overwriting_replaces_a_folder_of_the_same_kind_alone(tmp_path, name):
    folder = write_folder(tmp_path / "out", [*FOLDERS[name][1], ".DS_Store"])
    for kind, (own, _) in FOLDERS.items():
        if kind != name:
            with pytest.raises(UsageError, match="other files"), new_folder(folder, own, overwrite=True):
                pass
    assert (folder / FOLDERS[name][1][-1]).exists()
    with new_folder(folder, FOLDERS[name][0], overwrite=True):
        pass
    assert not list(folder.iterdir())


@pytest.mark.parametrize("file", ["notes.txt", "shot.blend", "sub/notes.txt", "atlas/notes.txt", "mine/0001.png"])
@pytest.mark.parametrize("name", FOLDERS)
def test_overwriting_spares_other_peoples_files(tmp_path, name, file):
    own, ours = FOLDERS[name]
    folder = write_folder(tmp_path / "out", [*ours, file])
    with pytest.raises(UsageError, match="other files"), new_folder(folder, own, overwrite=True):
        pass
    assert (folder / file).exists()


def test_a_link_that_leads_nowhere_is_there(tmp_path):
    link = tmp_path / "out"
    link.symlink_to(tmp_path / "nowhere" / "out")
    for own, overwrite in ((None, False), (ANIMATION_FILES, False), (ANIMATION_FILES, True)):
        with pytest.raises(UsageError, match="is a file" if overwrite else "exists already"):
            check_output(link, overwrite, own)
    with new_file(link, overwrite=True) as path:
        path.write_text("new")
    assert not link.is_symlink()


def test_overwriting_spares_what_is_put_there_meanwhile(tmp_path):
    folder = write_folder(tmp_path / "out", ["animation.npz"])
    with pytest.raises(UsageError, match=r"notes\.txt"), new_folder(folder, ANIMATION_FILES, overwrite=True):
        (folder / "notes.txt").touch()
    assert sorted(path.name for path in folder.iterdir()) == ["animation.npz", "notes.txt"]


def test_a_second_sound_is_somebodys_own(tmp_path):
    folder = write_folder(tmp_path / "out", ["line.wav", "take2.wav"])
    with pytest.raises(UsageError, match=r"take2\.wav"):
        check_output(folder, True, SHOT_FILES)


def test_files_and_folders_do_not_replace_each_other(tmp_path):
    (tmp_path / "notes").touch()
    write_folder(tmp_path / "out.csv", ["animation.npz"])
    with pytest.raises(UsageError, match="is a file"):
        check_output(tmp_path / "notes", True, ANIMATION_FILES)
    with pytest.raises(UsageError, match="is a folder"):
        check_output(tmp_path / "out.csv", True)


def test_what_is_read_is_not_replaced(tmp_path):
    source = write_folder(tmp_path / "out", ["speech.wav"]) / "speech.wav"
    for path, own in ((source, None), (source.parent, ANIMATION_FILES)):
        with pytest.raises(UsageError, match="would replace"):
            check_output(path, True, own, places_read([source]))
    check_output(tmp_path / "other", True, ANIMATION_FILES, places_read([source]))

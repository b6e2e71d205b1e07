"""Results appear whole or not at all."""

from pathlib import Path

import pytest

from blender_addon.errors import OutputError
from blender_addon.staging import Staging


def entries(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_results_appear_at_the_end(tmp_path: Path) -> None:
    with Staging() as staging:
        staging.file(tmp_path / "shot.glb").write_text("new")
        (staging.folder(tmp_path / "frames", r"\d+\.png") / "0001.png").write_text("picture")
        assert "shot.glb" not in entries(tmp_path)
    assert entries(tmp_path) == {"shot.glb", "frames", "frames/0001.png"}


def test_the_temporary_name_keeps_folder_and_ending(tmp_path: Path) -> None:
    temporary = Staging().file(tmp_path / "shot.glb")
    assert temporary.parent == tmp_path
    assert temporary.suffix == ".glb"


def test_older_results_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "0099.png").write_text("old")
    (tmp_path / "shot.glb").write_text("old")
    with Staging() as staging:
        staging.file(tmp_path / "shot.glb").write_text("new")
        (staging.folder(tmp_path / "frames", r"\d+\.png") / "0001.png").write_text("picture")
    assert entries(tmp_path) == {"shot.glb", "frames", "frames/0001.png"}
    assert (tmp_path / "shot.glb").read_text() == "new"


def test_a_failure_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "shot_files").mkdir()
    (tmp_path / "shot_files" / "old.png").write_text("old")
    (tmp_path / "shot.glb").write_text("old")
    with pytest.raises(RuntimeError), Staging() as staging:
        staging.file(tmp_path / "shot.glb").write_text("new")
        (staging.folder(tmp_path / "shot_files", r".*\.png") / "new.png").write_text("new")
        staging.place_folder(tmp_path / "shot_files")
        assert entries(tmp_path / "shot_files") == {"new.png"}
        raise RuntimeError("later step")
    assert entries(tmp_path) == {"shot.glb", "shot_files", "shot_files/old.png"}
    assert (tmp_path / "shot.glb").read_text() == "old"


def test_a_failure_takes_back_a_new_folder(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Staging() as staging:
        staging.folder(tmp_path / "shot_files", r".*\.png")
        staging.place_folder(tmp_path / "shot_files")
        raise RuntimeError("later step")
    assert entries(tmp_path) == set()


@pytest.mark.parametrize("broken", ["frames", "shot.glb", "shot_files"])
def test_a_result_that_cannot_be_moved_takes_the_others_back(tmp_path: Path, monkeypatch, broken: str) -> None:
    for name in ("frames", "shot_files"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "old.png").write_text("old")
    (tmp_path / "shot.glb").write_text("old")
    before, move = entries(tmp_path), Path.replace

    def replace(path: Path, target: Path) -> Path:
        if target.name == broken and ".partial" in path.name:
            raise PermissionError("in use")
        return move(path, target)

    def write() -> None:
        with Staging() as staging:
            (staging.folder(tmp_path / "shot_files", r".*\.png") / "new.png").write_text("new")
            staging.place_folder(tmp_path / "shot_files")
            staging.file(tmp_path / "new.mp4").write_text("new")
            (staging.folder(tmp_path / "frames", r".*\.png") / "new.png").write_text("new")
            staging.file(tmp_path / "shot.glb").write_text("new")

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(PermissionError):
        write()
    assert entries(tmp_path) == before
    assert (tmp_path / "shot.glb").read_text() == "old"


def test_a_folder_with_other_files_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "novel.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"novel\.txt"), Staging() as staging:
        staging.folder(tmp_path / "home", r"\d+\.png")
    assert entries(tmp_path) == {"home", "home/novel.txt"}


def test_a_file_does_not_replace_a_folder_nor_a_folder_a_file(tmp_path: Path) -> None:
    (tmp_path / "shot.glb").mkdir()
    (tmp_path / "frames").write_text("mine")
    with Staging() as staging:
        with pytest.raises(OutputError, match="is a folder"):
            staging.file(tmp_path / "shot.glb")
        with pytest.raises(OutputError, match="is a file"):
            staging.folder(tmp_path / "frames", ".*")
    assert entries(tmp_path) == {"shot.glb", "frames"}

"""Results appear whole or not at all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blender_addon.errors import OutputError
from blender_addon.staging import JOURNAL, Staging

ROOT = Path(__file__).resolve().parents[2]


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


OLD = {"shot_files/line.txt": "old", "shot.blend": "old", "shot.glb": "old"}
NEW = {"shot_files/line.txt": "new", "shot.blend": "new", "shot.glb": "new", "first.fbx": "new"}


def write_old(folder: Path) -> None:
    (folder / "shot_files").mkdir(parents=True)
    for name, text in OLD.items():
        (folder / name).write_text(text)


def write_new(folder: Path) -> None:
    """Replace a folder and two files, and write a third; Blender leaves something beside one of them."""
    with Staging() as staging:
        staging.file(folder / "first.fbx").write_text("new")
        staging.file(folder / "shot.glb").write_text("new")
        (staging.folder(folder / "shot_files", r".*\.txt") / "line.txt").write_text("new")
        staging.place_folder(folder / "shot_files")
        temporary = staging.file(folder / "shot.blend")
        temporary.with_name(f"{temporary.name}@").write_text("half")
        temporary.write_text("new")


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


STEPS = 30
"""More than there are moves and removals in `write_new`."""


def stop_at(step: int, late: bool, stop) -> None:
    """Let the step-th move or removal of a file call `stop`, before it or after."""
    left = step

    def counted(operation):
        def run(*arguments, **settings):
            nonlocal left
            left -= 1
            if left == 0 and not late:
                stop()
            result = operation(*arguments, **settings)
            if left == 0 and late:
                stop()
            return result

        return run

    Path.replace, Path.unlink, shutil.rmtree = map(counted, (Path.replace, Path.unlink, shutil.rmtree))


@pytest.mark.parametrize("late", [False, True])
def test_interrupted_anywhere_all_is_old_or_all_is_new(tmp_path: Path, monkeypatch, late: bool) -> None:
    seen = []
    for step in range(1, STEPS):
        write_old(tmp_path / str(step))
        with monkeypatch.context() as patched:
            for owner, name in ((Path, "replace"), (Path, "unlink"), (shutil, "rmtree")):
                patched.setattr(owner, name, getattr(owner, name))  # what `stop_at` sets goes back at the end
            stop_at(step, late, lambda: (_ for _ in ()).throw(KeyboardInterrupt))
            try:
                write_new(tmp_path / str(step))
            except KeyboardInterrupt:
                seen.append(step)
        assert contents(tmp_path / str(step)) in (OLD, NEW), step
    assert 10 < len(seen) < STEPS - 1


def test_killed_anywhere_the_journal_settles_it(tmp_path: Path) -> None:
    code = "import os, sys; from pathlib import Path; from tests.blender_addon.test_staging import stop_at, write_new; "
    code += "stop_at(int(sys.argv[2]), sys.argv[3] == 'True', lambda: os._exit(9)); write_new(Path(sys.argv[1]))"
    ended = []
    for step in range(1, STEPS, 2):
        folder, journal = tmp_path / str(step), tmp_path / f"{step}.journal"
        write_old(folder)
        done = subprocess.run(
            [sys.executable, "-c", code, folder, str(step), str(step % 4 == 1)],
            cwd=ROOT, env=os.environ | {JOURNAL: str(journal)}, check=False,
        )  # fmt: skip
        ended.append(done.returncode)
        if journal.exists():
            subprocess.run([sys.executable, "-m", "blender_addon.staging", journal], cwd=ROOT, check=True)
        assert contents(folder) in (OLD, NEW), step
    assert set(ended) == {0, 9}

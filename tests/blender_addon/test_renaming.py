"""What another program holds for a moment is renamed and removed once it lets go."""

import ast
import os
import shutil
from pathlib import Path

import pytest

from backend import renaming as backends_renaming
from backend.animation_file import new_file, new_folder
from backend.errors import UsageError
from backend.inspection.report import REPORT_FILES
from backend.service import client
from blender_addon import renaming
from blender_addon.staging import Staging

ROOT = Path(__file__).resolve().parents[2]


class Scanner:
    """Holds files as a virus scanner of Windows does: the first tries to rename or remove are refused."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, refusals: int) -> None:
        self.left = refusals
        for owner, name in ((Path, "replace"), (Path, "rename"), (shutil, "rmtree")):
            monkeypatch.setattr(owner, name, self.refusing(getattr(owner, name)))
        for module in (renaming, backends_renaming):
            monkeypatch.setattr(module, "WAITS", (0.0, 0.0, 0.0))
        monkeypatch.setattr(client, "HELD", (0.0, 0.0, 0.0))

    def refusing(self, action):
        def act(*arguments, **options):
            if self.left > 0:
                self.left -= 1
                raise PermissionError(13, "The process cannot access the file")
            return action(*arguments, **options)

        return act


def test_the_two_modules_are_one():
    assert (ROOT / "blender_addon/renaming.py").read_bytes() == (ROOT / "backend/renaming.py").read_bytes()


def test_a_rename_is_tried_again_and_then_gives_up(tmp_path, monkeypatch):
    (tmp_path / "new").write_text("new")
    Scanner(monkeypatch, 2)
    renaming.move(tmp_path / "new", tmp_path / "final")
    assert (tmp_path / "final").read_text() == "new"
    scanner = Scanner(monkeypatch, 9)
    with pytest.raises(PermissionError):
        renaming.move(tmp_path / "final", tmp_path / "other")
    assert scanner.left == 5
    scanner.left = 0
    assert (tmp_path / "final").exists()


@pytest.mark.skipif(os.name == "nt", reason="files are held there")
def test_elsewhere_nothing_is_waited_for(monkeypatch):
    monkeypatch.setattr(renaming.time, "sleep", lambda seconds: pytest.fail("waited"))
    tries = []

    def refuse() -> None:
        tries.append(1)
        raise PermissionError

    with pytest.raises(PermissionError):
        renaming.patiently(refuse)
    assert len(tries) == 1


@pytest.mark.parametrize("module", [renaming, backends_renaming])
def test_a_held_folder_is_removed_once_it_is_free(tmp_path, monkeypatch, module):
    (tmp_path / "rest" / "inner").mkdir(parents=True)
    Scanner(monkeypatch, 2)
    module.remove_tree(tmp_path / "rest")
    module.remove_tree(tmp_path / "was never there")
    assert not (tmp_path / "rest").exists()


def test_outputs_appear_though_they_are_scanned(tmp_path, monkeypatch):
    scanner = Scanner(monkeypatch, 0)
    for turn in ("first", "second"):
        with new_file(tmp_path / "shot.mp4", overwrite=True) as temporary:
            temporary.write_text(turn)
            scanner.left = 2
        with new_folder(tmp_path / "report", REPORT_FILES, overwrite=True) as folder:
            (folder / "report.html").write_text(turn)
            scanner.left = 2
        with Staging() as staging:
            staging.file(tmp_path / "shot.glb").write_text(turn)
            (staging.folder(tmp_path / "frames", r"\d+\.png") / "0001.png").write_text(turn)
            scanner.left = 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["frames", "report", "shot.glb", "shot.mp4"]
    assert {path.read_text() for path in tmp_path.rglob("*.*")} == {"second"}


def test_an_output_that_stays_open_elsewhere_is_named_and_stays(tmp_path, monkeypatch):
    (tmp_path / "shot.mp4").write_text("old")
    scanner = Scanner(monkeypatch, 0)
    with (
        pytest.raises(UsageError, match=r"shot\.mp4 cannot be replaced .* close it where it is open"),
        new_file(tmp_path / "shot.mp4", overwrite=True) as temporary,
    ):
        temporary.write_text("new")
        scanner.left = 99
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_fetched_result_takes_its_name_though_it_is_scanned(tmp_path, monkeypatch):
    (tmp_path / "partial").write_text("zip")
    Scanner(monkeypatch, 2)
    assert client._move(tmp_path / "partial", tmp_path / "line.zip").read_text() == "zip"


def test_everything_is_renamed_patiently():
    hasty = [
        f"{path.relative_to(ROOT)}: {node.lineno}"
        for package in ("backend", "blender_addon")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name not in ("renaming.py", "client.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("replace", "rename") and len(node.args) == 1 and not node.keywords  # a path's
    ]
    assert not hasty


def test_what_stays_held_in_a_scratch_folder_is_no_error():
    strict = [
        f"{path.relative_to(ROOT)}: {node.lineno}"
        for path in sorted((ROOT / "backend").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("TemporaryDirectory")
        if "ignore_cleanup_errors=True" not in ast.unparse(node)
    ]
    assert not strict

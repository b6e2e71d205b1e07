"""The list of actors."""

from pathlib import Path

import pytest

from backend import actor_library
from backend.__main__ import main


@pytest.fixture
def library(tmp_path, monkeypatch) -> Path:
    """The folder of the user's actors, with nothing in it and no shipped actors."""
    monkeypatch.setenv(actor_library.HOME_VARIABLE, str(tmp_path))
    monkeypatch.setattr(actor_library, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr(actor_library, "VOICE", tmp_path / "voice")
    (tmp_path / "actors").mkdir()
    return tmp_path / "actors"


def test_no_actors(library, capsys):
    assert main(["actors"]) == 0
    assert str(library) in capsys.readouterr().out


def test_a_damaged_actor_is_named_with_its_fault(library, capsys):
    (library / "anna").mkdir()
    (library / "anna" / "actor.json").write_text("not JSON")
    assert main(["actors"]) == 0
    assert main(["actors", "--check"]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("anna")]
    assert len(lines) == 2
    assert "damaged" in lines[0]
    assert "actor.json" in lines[0]


def test_the_columns_stand_below_each_other(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(actor_library.HOME_VARIABLE, str(tmp_path))
    main(["actors"])
    head, *rows = capsys.readouterr().out.splitlines()[:-1]
    assert [row.index(str(actor_library.SHIPPED.parent)) for row in rows] == [head.index("FOLDER")] * 2

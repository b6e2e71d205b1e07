"""What the command line asks a training for, and what the card repeats of it."""

import json
from types import SimpleNamespace

import pytest

from backend.__main__ import main
from backend.errors import InputError
from backend.training import train as training


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Return a function that runs `mouthpiece train` on a folder of three clips; gives the command of the card."""
    record = {"speaker": "A", "statement": "yes", "given_by": "A", "date": "2026-01-01", "licence": "CC0-1.0"}
    (tmp_path / "consent.json").write_text(json.dumps(record))
    (tmp_path / "my clips").mkdir()
    for name in "abc":
        (tmp_path / "my clips" / f"{name}.mp4").write_bytes(name.encode())
    asked = []

    def train(request, progress):
        asked.append(request)
        raise InputError("enough")

    monkeypatch.setattr(training, "train", train)

    def run(*more: str) -> str:
        folder, consent = str(tmp_path / "my clips"), str(tmp_path / "consent.json")
        assert main(["train", folder, "--actor", "anna", "--consent", consent, *more]) == 1
        assert [path.name for path in asked[-1].videos] == ["a.mp4", "b.mp4", "c.mp4"]
        dataset = SimpleNamespace(description={"clips": [{"name": "a.mp4"}]})
        return training._facts(asked[-1], dataset, record, {}, [], 0)["command"]

    return run


def test_the_card_names_a_folder_and_not_its_clips(ask):
    command = ask("--preset", "fast", "--epochs", "3")
    assert command.startswith(
        "mouthpiece train 'my clips' --actor anna --consent consent.json --preset fast --epochs 3"
    )
    assert ".mp4" not in command


def test_what_is_solved_has_no_epochs_in_its_command(ask):
    assert "--epochs" not in ask("--preset", "instant")

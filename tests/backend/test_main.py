"""The command: from errors to exit codes and sentences."""

import os
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from backend import __main__ as command
from backend.cli import actors
from backend.errors import ActorError, Cancelled, ConsentError, EnvironmentProblem, InputError, UsageError


def fail_with(monkeypatch, error: BaseException) -> None:
    def run(_options):
        raise error

    monkeypatch.setattr(actors, "run", run)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("No."), 2),
        (ConsentError("No."), 2),
        (InputError("No."), 1),
        (ActorError("No."), 1),
        (EnvironmentProblem("No."), 1),
    ],
)
def test_errors_become_one_line_and_their_exit_code(error, code, monkeypatch, capsys):
    fail_with(monkeypatch, error)
    assert command.main(["actors"]) == code
    assert capsys.readouterr() == ("", "mouthpiece: error: No.\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Cancelled("stopped in epoch 3; --resume goes on")])
def test_an_interrupt_is_130(error, monkeypatch, capsys):
    fail_with(monkeypatch, error)
    assert command.main(["actors"]) == 130
    assert capsys.readouterr().err.startswith("mouthpiece: error: stopped")


def test_an_interrupt_is_130_while_the_verbs_are_still_loaded(monkeypatch, capsys):
    def load(_name):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "import_module", load)
    assert command.main(["actors"]) == 130
    assert capsys.readouterr().err.startswith("mouthpiece: error: stopped")


def test_line_breaks_in_a_message_are_removed(monkeypatch, capsys):
    fail_with(monkeypatch, InputError("One\n  sentence."))
    command.main(["actors"])
    assert capsys.readouterr().err == "mouthpiece: error: One sentence.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_an_array_that_does_not_fit_on_the_disk(monkeypatch, capsys):
    def run(_options):
        with Path("/dev/full").open("wb") as file:
            np.save(file, np.zeros(1_000_000))

    monkeypatch.setattr(actors, "run", run)
    assert command.main(["actors"]) == 1
    assert "the space on the disk" in capsys.readouterr().err


def test_a_value_that_looks_like_an_option_is_explained(capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(["animate", "--text", "-hello", "--actor", "voice", "--out", "x.csv"])
    assert stop.value.code == 2
    assert "--text=-VALUE" in capsys.readouterr().err


def test_an_unexpected_error_leaves_its_details_in_a_file(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv(command.DEBUG_VARIABLE, raising=False)
    fail_with(monkeypatch, ZeroDivisionError("by zero"))
    assert command.main(["actors"]) == 1
    (details,) = tmp_path.glob("mouthpiece-error-*.txt")
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert str(details) in error
    assert "ZeroDivisionError: by zero" in details.read_text()


def test_debugging_shows_the_traceback(monkeypatch):
    monkeypatch.setenv(command.DEBUG_VARIABLE, "1")
    fail_with(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        command.main(["actors"])


@pytest.mark.parametrize("verb", [(), *((verb,) for verb in command.VERBS)])
def test_every_verb_has_help(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main([*verb, "--help"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("usage: mouthpiece")


@pytest.mark.skipif(find_spec("resource") is None, reason="this system does not count a process's time")
def test_help_is_quick():
    import resource

    root = Path(__file__).resolve().parents[2]
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "backend", "--help"], cwd=root, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.3  # of processor time, which other tests beside this one do not change


@pytest.mark.skipif(os.name != "posix", reason="closes the streams as a shell does")
def test_a_verb_runs_where_nobody_has_opened_its_output():
    command = f"exec {shlex.quote(sys.executable)} -m backend actors >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], cwd=Path(__file__).parents[2]).returncode == 0

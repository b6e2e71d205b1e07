"""Bars where somebody watches, times in any case."""

import io

import pytest

from backend.cli import progress_report
from backend.cli.progress_report import ProgressReport


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    now = [100.0]
    monkeypatch.setattr(progress_report.time, "monotonic", lambda: now[0])
    return now


def test_stages_are_timed_in_order(clock):
    with ProgressReport(io.StringIO()) as report:
        clock[0] += 2.0
        report("texture", 0, 10)
        clock[0] += 3.0
        report("texture", 10, 10)
        clock[0] += 1.0
        report("render", 1, 5)
        clock[0] += 0.5
    assert report.seconds == {"load": 2.0, "texture": 4.0, "render": 0.5}
    assert report.summary() == "load 2.0 s, texture 4.0 s, render 0.5 s"


def test_a_stage_that_comes_back_is_added_up(clock):
    with ProgressReport(io.StringIO()) as report:
        for stage in ("a", "b", "a"):
            report(stage, 0, 1)
            clock[0] += 1.0
    assert report.seconds == {"load": 0.0, "a": 2.0, "b": 1.0}


def test_a_log_file_gets_no_bar():
    stream = io.StringIO()
    with ProgressReport(stream) as report:
        report("texture", 1, 2)
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_bar():
    stream = Terminal()
    with ProgressReport(stream) as report:
        report("texture", 1, 2)
    assert "texture" in stream.getvalue()


def test_the_time_left_of_work_that_goes_on_comes_from_what_is_done_since():
    with ProgressReport(Terminal()) as report:
        report("train", 20, 40)
        assert (report._bar.n, report._bar.initial) == (20, 20)
        report("train", 21, 40)
        bar = report._bar.format_dict
    assert bar["n"] - bar["initial"] == 1


def test_messages_are_shown_at_once():
    stream = io.StringIO()
    ProgressReport(stream)("The sound lags.", 0, 0)
    assert stream.getvalue() == "mouthpiece: The sound lags.\n"


def test_into_a_file_it_writes_a_line_a_minute(monkeypatch):
    stream = io.StringIO()
    clock = iter(range(0, 10_000, 25))
    monkeypatch.setattr("backend.cli.progress_report.time.monotonic", lambda: float(next(clock)))
    with ProgressReport(stream) as progress:
        for epoch in range(6):
            progress("train", epoch, 6)
    lines = stream.getvalue().splitlines()
    assert lines
    assert len(lines) < 6
    assert all(line.startswith("mouthpiece: train ") and line.endswith("/6") for line in lines)

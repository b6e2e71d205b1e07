"""What is written on one system has names that the others know."""

import os
import sys
from pathlib import Path

import pytest

from backend.animation_file import check_output
from backend.errors import UsageError
from backend.file_names import as_text, check_file_name, is_device, mend_name
from backend.service.requests import _own_names
from backend.service.schema import AnimateJob
from backend.training.report_page import ReportPage
from tests.backend.cli.test_animate import requests

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
DEVICES = ["con", "NUL", "prn", "Aux", "com1", "LPT9", "com¹", "nul.wav", "NUL.tar.gz", "con .wav", "aux."]
FILES = ["console", "null", "com", "com10", "lpt", "my con", "auxiliary.wav", "a.nul", "..", "line 1", "日本"]


def test_devices_are_known_whatever_their_ending():
    assert [name for name in DEVICES if not is_device(name)] == []
    assert [name for name in FILES if is_device(name)] == []


def test_mended_names_are_files_and_stay_as_they_are():
    for name in (*DEVICES, *FILES, "line.", "line ", "...", " . "):
        mended = mend_name(name)
        check_file_name(mended)
        assert mend_name(mended) == mended
    assert [mend_name(name) for name in ("line 1", "line. ", "nul")] == ["line 1", "line", "_nul"]


NO_TEXT = os.fsdecode(b"caf\xe9")
"""A name of bytes that are no UTF-8."""
BYTES_ARE_NAMES = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")


@BYTES_ARE_NAMES
def test_names_that_are_no_text_are_mended():
    assert (mend_name(NO_TEXT), as_text(NO_TEXT), as_text("Köpfe")) == ("caf_", "caf?", "Köpfe")


def test_reports_show_names_that_are_no_text(tmp_path):
    page = ReportPage(tmp_path, NO_TEXT, 2, measured=False)
    page.write([{"geometry": 1.0}])
    assert "caf?" in page.path.read_text("utf-8")


@pytest.mark.parametrize(
    "name, says",
    [("aux.blend", "'aux.blend' is a device on Windows"), ("shot ", "ends in ' '"), ("shot.", r"ends in '\.'")],
)
def test_an_output_that_windows_cannot_write_is_refused_everywhere(tmp_path, name, says):
    with pytest.raises(UsageError, match=says):
        check_output(tmp_path / name, overwrite=False)


def test_folders_of_recordings_are_mended_and_do_not_meet():
    made = requests("lines/aux.wav", "lines/hello .wav", "--actor", "anna", "--out", "out")
    assert [request.folders for request in made] == [(Path("out/_aux"),), (Path("out/hello"),)]
    with pytest.raises(UsageError, match="Several recordings are called 'hello'"):
        requests("hello.wav", "hello .wav", "--actor", "anna", "--out", "out")


def test_lines_of_the_service_get_folders_that_every_system_has():
    assert _own_names(["aux", "hello.", "Hello", "_AUX"]) == ["_aux", "hello", "Hello (2)", "_AUX (2)"]
    with pytest.raises(ValueError, match="device on Windows"):
        AnimateJob.model_validate({"kind": "animate", "audio": {"text": "hello"}, "actor": "nul"})

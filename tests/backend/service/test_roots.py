"""Paths that a job may name: those in the allowed folder, and none of the many ways out of it."""

import os
from pathlib import Path

import pytest

from backend.service.client import ServiceError
from backend.service.problems import Problem
from backend.service.roots import open_inside

ESCAPES = [
    "{root}/../secret.txt",
    "{root}/sub/../../secret.txt",
    "{root}/./../secret.txt",
    "{root}//../secret.txt",
    "{root}/..",
    "{root}/../",
    "{root}",
    "{root}/",
    "{root}/.",
    "{root}/sub/..",
    "{outside}/secret.txt",
    "{root}2/secret.txt",
    "{root}/link/secret.txt",
    "{root}/link_to_file",
    "{root}/link_to_link",
    "{root}/relative_link",
    "{root}/link_to_parent/secret.txt",
    "{root}/sub/link_up/../secret.txt",
    "/etc/passwd",
    "//etc/passwd",
    "///etc/passwd",
    "/etc//passwd",
    "/proc/self/environ",
    "/proc/self/cwd/build.py",
    "/proc/self/root/etc/passwd",
    "/dev/stdin",
    "/dev/zero",
    "/",
    "",
    ".",
    "..",
    "secret.txt",
    "./sub/sound.wav",
    "sub/sound.wav",
    "../secret.txt",
    "~/secret.txt",
    "~root/secret.txt",
    "{root}/%2e%2e/secret.txt",
    "{root}/..%2fsecret.txt",
    "{root}/%2e%2e%2fsecret.txt",
    "{root}/..%5csecret.txt",
    "{root}/..\\secret.txt",
    "{root}\\..\\secret.txt",
    "C:\\Windows\\win.ini",
    "C:/Windows/win.ini",
    "C:secret.txt",
    "\\\\server\\share\\secret.txt",
    "//server/share/secret.txt",
    "\\\\?\\C:\\Windows\\win.ini",
    "\\\\.\\PhysicalDrive0",
    "{root}/CON",
    "{root}/nul.",
    "{root}/sub/COM1",
    "file:///etc/passwd",
    "file://{root}/sub/sound.wav",
    "{root}/sub/sound.wav\x00.txt",
    "{root}/sub\n/sound.wav",
    "{root}/sub/sound.wav\r",
    "{root}/\u2025/secret.txt",
    "{root}/\uff0e\uff0e/secret.txt",
    "{root}/..;/secret.txt",
    "{root}/.../secret.txt",
]
"""Ways out of the allowed folder, or into it by a form that is not plain; {outside} lies beside it."""


@pytest.fixture(scope="module")
def place(allowed) -> Path:
    """The allowed folder with a file, and links that lead out of it."""
    outside = allowed.parent / "outside"
    sub = allowed / "sub"
    for folder in (outside, sub, allowed.parent / f"{allowed.name}2"):
        folder.mkdir(exist_ok=True)
    for path in (outside, allowed.parent, allowed.parent / f"{allowed.name}2"):
        (path / "secret.txt").write_text("secret")
    (sub / "sound.wav").write_bytes(b"RIFF")
    (allowed / "link").symlink_to(outside)
    (allowed / "link_to_file").symlink_to(outside / "secret.txt")
    (allowed / "link_to_link").symlink_to(allowed / "link_to_file")
    (allowed / "relative_link").symlink_to("../outside/secret.txt")
    (allowed / "link_to_parent").symlink_to("..")
    (sub / "link_up").symlink_to("../..")
    (allowed / "good_link").symlink_to(sub / "sound.wav")
    return allowed


@pytest.fixture
def fill(place):
    return lambda form: form.format(root=place, outside=place.parent / "outside")


@pytest.mark.parametrize("form", ESCAPES, ids=repr)
def test_no_way_out(form, fill, place):
    with pytest.raises(Problem) as refused, open_inside(fill(form), [place]) as file:
        pytest.fail(f"opened {file.name}")
    assert refused.value.status in (403, 404, 422)
    assert "secret" not in str(refused.value) or refused.value.status == 404


@pytest.mark.parametrize("form", ESCAPES, ids=repr)
def test_no_way_out_over_http(form, fill, service, place):
    client = service.client
    for ask in (
        lambda: client._json("POST", "/v1/uploads/local", _json({"path": fill(form)}), JSON),
        lambda: client.submit({"kind": "animate", "audio": {"path": fill(form)}}),
    ):
        with pytest.raises(ServiceError) as refused:
            ask()
        assert refused.value.status in (403, 404, 422)


@pytest.mark.parametrize("form", ["{root}/sub/sound.wav", "{root}/good_link", "{root}/sub/./sound.wav"])
def test_ways_in(form, fill, place):
    with open_inside(fill(form), [place]) as file:
        assert file.read() == b"RIFF"


def test_nothing_is_allowed_by_default(place):
    with pytest.raises(Problem) as refused:
        open_inside(str(place / "sub" / "sound.wav"), [])
    assert refused.value.status == 403


def test_outside_what_exists_and_what_does_not_look_alike(place):
    sentences = set()
    for path in ("/etc/passwd", "/etc/no_such_file", "/no/such/folder"):
        with pytest.raises(Problem) as refused:
            open_inside(path, [place])
        sentences.add(str(refused.value))
    assert len(sentences) == 1


def test_a_folder_that_becomes_a_link_after_it_was_checked_is_no_way_out(tmp_path, monkeypatch):
    root, outside, opened = tmp_path / "root", tmp_path / "outside", os.open
    for folder in (root / "sub", outside):
        folder.mkdir(parents=True)
        (folder / "sound.wav").write_bytes(b"RIFF")

    def swap_and_open(*values) -> int:
        (root / "sub").rename(root / "moved")
        (root / "sub").symlink_to(outside)
        return opened(*values)

    with monkeypatch.context() as patch, pytest.raises(Problem) as refused:
        patch.setattr(os, "open", swap_and_open)
        open_inside(str(root / "sub" / "sound.wav"), [root])
    assert refused.value.status == 403


def test_a_pipe_is_no_file(place):
    pipe = place / "pipe"
    os.mkfifo(pipe)
    try:
        with pytest.raises(Problem, match="no plain file"):
            open_inside(str(pipe), [place])
    finally:
        pipe.unlink()


def test_a_file_that_is_allowed_is_taken(service, place, new_sound):
    (place / "line.wav").write_bytes(new_sound())
    job = service.client.wait(service.client.animate(str(place / "line.wav"), texture=False))
    assert job.state == "done"


JSON = {"Content-Type": "application/json"}


def _json(value: object) -> bytes:
    import json

    return json.dumps(value).encode()

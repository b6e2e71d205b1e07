"""Writes, by name, the files that the tests of bad input hand to the command."""

import hashlib
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import soundfile

RATE = 16_000
CONSENT = {
    "speaker": "Nobody",
    "statement": "I agree that an actor is made from this video.",
    "given_by": "the test",
    "date": "2024-02-29",
    "licence": "CC0-1.0",
}


def tone(seconds: float) -> np.ndarray:
    """(N,) float32 at 16 kHz, a hum with the pitch of a voice."""
    return (0.3 * np.sin(2 * np.pi * 120 * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def write_spoilt_tone(path: Path, value: float) -> None:
    samples = tone(1.0)
    samples[4_000:4_010] = value
    soundfile.write(path, samples, RATE, subtype="FLOAT")


def write_long_wav(path: Path, hours: float) -> None:
    """A wav of 8-bit silence whose data is a hole in the file: it takes no room on disk."""
    size = int(hours * 3600 * RATE)
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE, 1, 8, b"data", size
    )
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)


def write_video(path: Path, sound: bool) -> None:
    """Two seconds of moving grey stripes without a face, with or without a hum."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width = video.height = 160
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono") if sound else None
        for number in range(50):
            stripes = np.roll(np.arange(160, dtype=np.uint8), 3 * number)
            picture = np.repeat(np.tile(stripes, (160, 1))[..., None], 3, axis=2)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode())
        if audio is not None:
            frame = av.AudioFrame.from_ndarray(tone(2.0)[None], format="fltp", layout="mono")
            frame.sample_rate = RATE
            container.mux(audio.encode(frame))
            container.mux(audio.encode())


def write_folder(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("three years of work")


FILES: dict[str, Callable[[Path], object]] = {
    "good.wav": lambda path: soundfile.write(path, tone(0.5), RATE),
    "again/good.wav": lambda path: soundfile.write(path, tone(0.5), RATE),
    "text.wav": lambda path: path.write_text("This is not sound.\n" * 50),
    "empty.wav": lambda path: path.touch(),
    "short.wav": lambda path: soundfile.write(path, tone(0.05), RATE),
    "long.wav": lambda path: write_long_wav(path, 10.0),
    "nan.wav": lambda path: write_spoilt_tone(path, np.nan),
    "inf.wav": lambda path: write_spoilt_tone(path, np.inf),
    "zero.wav": lambda path: soundfile.write(path, np.zeros(RATE), RATE),
    "surround.wav": lambda path: soundfile.write(path, np.tile(tone(6.0)[:, None], 6), 96_000, subtype="PCM_24"),
    "mute.mp4": lambda path: write_video(path, sound=False),
    "faceless.mp4": lambda path: write_video(path, sound=True),
    "text.mp4": lambda path: path.write_text("This is not a video.\n" * 50),
    "old.glb": lambda path: path.write_bytes(b"made before"),
    "folder": write_folder,
    "folder.glb": write_folder,
    "consent.json": lambda path: path.write_text(json.dumps(CONSENT)),
    "broken.json": lambda path: path.write_text('{"speaker": '),
    "silent.json": lambda path: path.write_text(json.dumps(CONSENT | {"statement": ""})),
    "undated.json": lambda path: path.write_text(json.dumps(CONSENT | {"date": "last week"})),
}


def write_files(folder: Path, names: set[str]) -> None:
    """Write those of the named files that are known."""
    for name in names & set(FILES):
        (folder / name).parent.mkdir(exist_ok=True)
        FILES[name](folder / name)


def _truncate(actor: Path, digest: bool) -> None:
    model = actor / "model.safetensors"
    model.write_bytes(model.read_bytes()[:1000])
    if digest:
        _describe(actor, lambda d: d["digests"].update({model.name: hashlib.sha256(model.read_bytes()).hexdigest()}))


def _describe(actor: Path, change: Callable[[dict], object]) -> None:
    description = json.loads((actor / "actor.json").read_text())
    change(description)
    (actor / "actor.json").write_text(json.dumps(description))


SPOIL: dict[str, Callable[[Path], object]] = {
    "tiny": lambda actor: None,
    "truncated": lambda actor: _truncate(actor, digest=False),
    "resealed": lambda actor: _truncate(actor, digest=True),
    "nojson": lambda actor: (actor / "actor.json").write_text("not JSON"),
    "swapped": lambda actor: (actor / "atlas.png").write_bytes(b"another picture"),
    "future": lambda actor: _describe(actor, lambda d: d.update(format=99)),
    "incomplete": lambda actor: (actor / "reference.npz").unlink(),
    "misshapen": lambda actor: _describe(actor, lambda d: d["model"].update(code_length=9)),
    "modelless": lambda actor: _describe(actor, lambda d: d.pop("model")),
}


def write_actors(source: Path, folder: Path, names: set[str]) -> None:
    """Copy the good actor under each known name and spoil it as the name says."""
    for name in names & set(SPOIL):
        shutil.copytree(source, folder / name)
        SPOIL[name](folder / name)

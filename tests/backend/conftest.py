"""Real footage, tracked once for all tests, and video files made on the spot."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from backend.audio.decode import decode_audio
from backend.tracking.landmarks import Track, track
from backend.tracking.trackers import open_tracker
from backend.video.decode import iterate_frames
from tests.backend.open_files import OpenFiles

CLOCK = 90_000
"""Ticks a second of the time stamps that are written."""

GRID_CLIPS = 11
"""Of 3 s each: 33 s, over the 30 from which a lag of the sound is estimated."""

EXCERPT_SECONDS = 8.0


@dataclass(frozen=True)
class TrackedFile:
    """A video file with its track and its sound."""

    path: Path
    track: Track
    samples: np.ndarray


@pytest.fixture(scope="session")
def grid_tracks(shared) -> list[TrackedFile]:
    """Clips of the GRID speaker s1, evenly taken from the folder."""
    paths = sorted((shared / "grid_s1").glob("*.mp4"))
    tracker = open_tracker()
    try:
        return [
            TrackedFile(path, track(iterate_frames(path), tracker), decode_audio(path))
            for path in paths[3 :: len(paths) // GRID_CLIPS][:GRID_CLIPS]
        ]
    finally:
        tracker.close()


@pytest.fixture(scope="session")
def actor_excerpt(shared, tmp_path_factory) -> Path:
    """The first 8 s of the synthetic speaker, its packets copied unchanged."""
    path = tmp_path_factory.mktemp("excerpt") / "excerpt.mp4"
    with av.open(str(shared / "actor" / "actor.mp4")) as source, av.open(str(path), "w") as out:
        streams = {stream.index: out.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None and packet.pts * packet.time_base < EXCERPT_SECONDS:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return path


@pytest.fixture
def write_video(tmp_path):
    """Return a function that writes pictures (H, W, 3) uint8 at given seconds, with or without a sound at 16 kHz."""

    def write(
        name: str,
        pictures: Iterable[np.ndarray],
        times: Iterable[float],
        sound: np.ndarray | None = None,
        sound_start: float = 0.0,
        rotation: float = 0.0,
        codec: str = "libx264",
    ) -> Path:
        path = tmp_path / name
        pictures = list(pictures)
        with av.open(str(path), "w") as container:
            # Frame threads would hold more pictures back than a short test has.
            video = container.add_stream(codec, rate=25, options={"crf": "12", "preset": "ultrafast"})
            video.height, video.width = pictures[0].shape[:2]
            # Chroma is shared by 2x2 pixels in 4:2:0, which a picture of odd size cannot have.
            video.pix_fmt = "yuv444p" if video.height % 2 or video.width % 2 else "yuv420p"
            video.codec_context.time_base = Fraction(1, CLOCK)
            audio = container.add_stream("aac", rate=16_000, layout="mono") if sound is not None else None
            if rotation:
                video.set_display_rotation(rotation)
            for picture, time in zip(pictures, times, strict=True):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = round(time * CLOCK), Fraction(1, CLOCK)
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
            if audio is not None and sound is not None:
                for start in range(0, len(sound), 1024):
                    piece = np.ascontiguousarray(sound[None, start : start + 1024], np.float32)
                    frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
                    frame.sample_rate, frame.time_base = 16_000, Fraction(1, 16_000)
                    frame.pts = start + round(sound_start * 16_000)
                    container.mux(audio.encode(frame))
                container.mux(audio.encode(None))
        return path

    return write


@pytest.fixture(scope="session")
def _open_files() -> OpenFiles:
    return OpenFiles()


@pytest.fixture
def removed_while_open(_open_files) -> Iterator[list[str]]:
    """What the test removes or renames while it has it open."""
    if not Path("/proc/self/maps").exists():
        pytest.skip("open files are read from /proc")
    _open_files.refused = []
    yield _open_files.refused
    _open_files.refused = None

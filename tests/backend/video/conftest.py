"""Video files made on the spot."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

CLOCK = 90_000


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


def blocks(width: int, height: int) -> np.ndarray:
    """A picture whose quarters tell every turn apart: (height, width, 3) uint8, white only at the top left."""
    picture = np.full((height, width, 3), 30, np.uint8)
    picture[: height // 2, : width // 2] = 255
    return picture

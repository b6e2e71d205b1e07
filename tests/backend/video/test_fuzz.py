"""Broken bytes: whatever is hit, a video and its sound can be read or there is a sentence."""

import numpy as np
import pytest

from backend.audio.decode import decode_audio
from backend.errors import InputError
from backend.video.decode import iterate_frames, open_video
from tests.backend.audio.conftest import sine
from tests.backend.video.conftest import blocks

ENDINGS = ("mp4", "mkv", "ts")


def spoil(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut the file short, or overwrite some of its bytes, every other time in its first or last kilobyte."""
    if rng.random() < 0.3:
        return data[: rng.integers(0, len(data))]
    spoilt = np.frombuffer(data, np.uint8).copy()
    edge = min(1000, len(data))
    where = rng.integers(0, len(data), rng.integers(1, 40))
    if rng.random() < 0.5:
        where = where % edge if rng.random() < 0.5 else len(data) - 1 - where % edge
    spoilt[where] = rng.integers(0, 256, len(where))
    return spoilt.tobytes()


@pytest.mark.parametrize("ending", ENDINGS)
def test_spoilt_files_are_read_or_told(write_video, tmp_path, ending):
    path = write_video(f"whole.{ending}", [blocks(64, 48)] * 12, np.arange(12) / 25, sine(220, 0.5, 16_000))
    data, spoilt, rng = path.read_bytes(), tmp_path / f"spoilt.{ending}", np.random.default_rng(7)
    told = 0
    for _ in range(40):
        spoilt.write_bytes(spoil(data, rng))
        for read in (open_video, lambda p: list(iterate_frames(p)), decode_audio):
            try:
                read(spoilt)
            except InputError as error:
                told += 1
                assert str(error).endswith(".")
    assert told > 0

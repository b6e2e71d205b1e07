"""Sound files made on the spot."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile


@pytest.fixture
def write_sound(tmp_path):
    """Return a function that writes float samples (channels, n) to a file with a codec, by its ending."""
    codecs = {
        ".wav": ("pcm_f32le", "flt"),
        ".flac": ("flac", "s16"),
        ".mp3": ("libmp3lame", "fltp"),
        ".m4a": ("aac", "fltp"),
    }

    def write(name: str, samples: np.ndarray, rate: int, layout: str = "mono") -> Path:
        path = tmp_path / name
        if path.suffix == ".ogg":
            soundfile.write(path, samples.T, rate, format="OGG", subtype="VORBIS")
            return path
        codec, sample_format = codecs[path.suffix]
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate, layout=layout)
            stream.format = sample_format
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples, np.float32), format="fltp", layout=layout)
            frame.sample_rate = rate
            resampler = av.AudioResampler(format=sample_format, layout=layout, rate=rate, frame_size=1024)
            for number, piece in enumerate([*resampler.resample(frame), *resampler.resample(None)]):
                piece.pts = number * 1024  # without it the encoder does not record its delay
                container.mux(stream.encode(piece))
            container.mux(stream.encode(None))
        return path

    return write


def sine(frequency: float, seconds: float, rate: int) -> np.ndarray:
    """(n,) float64 of amplitude 0.5."""
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)

"""The sound of a file as a plain wav, in its own rate and channels, for Blender's strip and for videos."""

import wave
from pathlib import Path

from backend.media import media_name

BYTES = 2
"""Of a sample, signed 16 bit."""


def write_sound_track(source: Path, out: Path) -> None:
    """Write the first sound track of a file as 16-bit wav; time zero is the container's, as in `decode_audio`.

    Blender then needs no codec, and the strip starts where the mouth does.
    """
    import av
    from av.audio.resampler import AudioResampler

    from backend.audio.decode import decoded_frames, first_time

    with av.open(media_name(source)) as container, wave.open(str(out), "wb") as wav:
        track = container.streams.audio[0]
        channels = track.layout.nb_channels
        wav.setparams((channels, BYTES, track.rate, 0, "NONE", ""))
        resampler = AudioResampler(format="s16", layout=track.layout, rate=track.rate)
        skip: int | None = None
        for frame in decoded_frames(container):
            if skip is None:
                start = round(first_time(container, frame) * track.rate)
                wav.writeframes(bytes(max(0, start) * channels * BYTES))
                skip = max(0, -start) * channels * BYTES
            frame.pts = None
            for piece in resampler.resample(frame):
                data = piece.to_ndarray().tobytes()
                wav.writeframes(data[skip:])
                skip = max(0, skip - len(data))

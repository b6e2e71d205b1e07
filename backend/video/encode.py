"""Rendered frames and a sound to an H.264 video with AAC sound."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from backend.media import media_name
from backend.progress import Progress, no_progress

CLOCK = 90_000
"""Ticks a second of the time stamps in an mp4."""
SOUND_RATE = 48_000
PACKET = 1024
"""Samples in one packet of AAC."""


def encode_video(
    frames: Iterable[np.ndarray],
    count: int,
    fps: float,
    sound: Path | None,
    out: Path,
    metadata: dict[str, str],
    progress: Progress = no_progress,
    start: float = 0.0,
) -> None:
    """Write an mp4 whose picture and sound last equally long.

    frames: `count` pictures (H, W, 3) uint8 sRGB, sides even, written and tagged as BT.709 of limited range; sound: a
    file whose first track, from `start` seconds on, is cut or padded with silence to count / fps seconds; metadata:
    written into the container (title, comment).
    """
    import av

    rate = Fraction(fps).limit_denominator(1001)
    with av.open(media_name(out), "w", format="mp4", options={"movflags": "use_metadata_tags+faststart"}) as container:
        container.metadata.update(metadata)
        video = None
        audio = container.add_stream("aac", rate=SOUND_RATE) if sound else None
        for number, picture in enumerate(frames):
            if video is None:
                video = container.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "veryfast"})
                video.height, video.width = picture.shape[:2]
                video.pix_fmt = "yuv420p"
                video.time_base = Fraction(1, CLOCK)
                _tag_colours(video.codec_context)
            frame = _coded_colours(av.VideoFrame.from_ndarray(picture, format="rgb24"))
            frame.pts, frame.time_base = round(number / fps * CLOCK), Fraction(1, CLOCK)
            container.mux(video.encode(frame))
            progress("encode", number + 1, count)
        if video is not None:
            container.mux(video.encode(None))
        if audio is not None and sound is not None:
            _encode_sound(container, audio, sound, start, count / fps)


def _tag_colours(codec) -> None:
    """Say how the pictures are coded: players guess by their size where a file does not."""
    from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

    codec.colorspace, codec.color_range = Colorspace.ITU709, ColorRange.MPEG
    codec.color_primaries, codec.color_trc = ColorPrimaries.BT709, ColorTrc.BT709


def _coded_colours(frame):
    """An RGB frame as BT.709 of limited range."""
    from av.video.reformatter import ColorRange, Colorspace

    return frame.reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
    )


def _encode_sound(container, stream, sound: Path, start: float, seconds: float) -> None:
    # AAC packets hold 1024 samples: ending within half a packet of the picture is as near as the format allows.
    wanted = round(seconds * SOUND_RATE / PACKET)
    for number, piece in zip(range(wanted), _packets(sound, start, stream.layout.name), strict=False):
        piece.pts, piece.time_base = number * PACKET, Fraction(1, SOUND_RATE)
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))


def _packets(sound: Path, start: float, layout: str) -> Iterator:
    """The sound from `start` seconds on in frames of 1024 samples, followed by silence without end."""
    import av
    from av.audio.fifo import AudioFifo
    from av.audio.resampler import AudioResampler

    resampler = AudioResampler(format="fltp", layout=layout, rate=SOUND_RATE)
    fifo = AudioFifo()
    before = round(start * SOUND_RATE)

    def write(frames: list) -> None:
        for frame in frames:
            frame.pts = None
            fifo.write(frame)

    with av.open(media_name(sound)) as source:
        for frame in source.decode(audio=0):
            frame.pts = None
            write(resampler.resample(frame))
            if skipped := min(before, fifo.samples):
                fifo.read(skipped)
                before -= skipped
            while fifo.samples >= PACKET:
                yield fifo.read(PACKET)
    write(resampler.resample(None))
    silence = av.AudioFrame(format="fltp", layout=layout, samples=PACKET)
    silence.sample_rate = SOUND_RATE
    for plane in silence.planes:
        plane.update(bytes(plane.buffer_size))
    while True:
        write([silence])
        yield fifo.read(PACKET)

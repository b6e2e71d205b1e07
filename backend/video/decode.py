"""Video files to upright RGB frames with their real time stamps."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.errors import InputError, UsageError
from backend.media import media_name


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says about itself; sizes are those of the upright picture."""

    path: Path
    duration: float
    """Seconds; 0.0 where the file does not say."""
    fps: float
    """Average frames a second; 0.0 where the file does not say."""
    width: int
    height: int
    rotation: int
    """Degrees that the stored picture is turned anti-clockwise to stand upright: 0, 90, 180 or 270."""
    frames: int
    """The number of frames that the file states, or duration * fps; 0 where neither is known."""
    has_audio: bool


def open_video(path: Path | str) -> VideoInfo:
    """Describe the first video stream of a file.

    Raises `UsageError` for a path that is no file and `InputError` for a file that holds no moving picture.
    """
    path = Path(path)
    with _open(path) as container:
        stream = _video_stream(container, path)
        first = next(_decoded(container, stream, []), None)
        if first is None:
            raise InputError(f"{path} holds a video stream without a single decodable frame; export the video again.")
        rotation = _quarter_turn(first.rotation)
        width, height = (first.width, first.height) if rotation % 180 == 0 else (first.height, first.width)
        fps = float(stream.average_rate or 0.0)
        duration = _duration(container, stream)
        frames = stream.frames or round(duration * fps)
        return VideoInfo(path, duration, fps, width, height, rotation, frames, bool(container.streams.audio))


def iterate_frames(path: Path | str) -> "FrameReader":
    """The frames of a video as an iterable of (seconds, (height, width, 3) uint8 RGB, upright)."""
    return FrameReader(Path(path))


class FrameReader:
    """Iterates over a video's frames, any number of times; holds one frame at a time.

    Yields (seconds, (height, width, 3) uint8 RGB, row 0 at the top). Second 0 is the container's, as in
    `backend.audio.decode`: a transport stream starts its own count late, and a picture that begins after the sound
    keeps its distance from it. Raises as `open_video`, at the first step.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warning: str | None = None
        """After an iteration: what was wrong with the rest of the file, if it could not be read to its end."""

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        self.warning = None
        problems: list[str] = []
        count, last = 0, -math.inf
        with _open(self.path) as container:
            stream = _video_stream(container, self.path)
            rate = float(stream.average_rate or 25)
            zero = max(0, container.start_time or 0) / 1_000_000
            for frame in _decoded(container, stream, problems):
                seconds = frame.time - zero if frame.time is not None else count / rate
                if seconds <= last:  # a repeated or reordered stamp would put two pictures at one time
                    continue
                image = frame.to_ndarray(format="rgb24")
                yield seconds, np.ascontiguousarray(np.rot90(image, _quarter_turn(frame.rotation) // 90))
                count, last = count + 1, seconds
            stated = stream.frames
        if count == 0:
            raise InputError(
                f"{self.path} holds a video stream without a single decodable frame; export the video again."
            )
        if problems or count < 0.98 * stated:
            cause = f" ({problems[0]})" if problems else ""
            self.warning = f"{self.path} ends early: {count} of {stated or 'unknown'} frames could be read{cause}."


def _open(path: Path):
    import av
    import av.error

    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise UsageError(f"The video {path} {what}; give the path of a video file (mp4, mov, mkv, webm, avi).")
    try:
        return av.open(media_name(path), metadata_errors="ignore")
    except PermissionError as error:
        raise UsageError(f"The video {path} may not be read by this user; change its permissions.") from error
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise InputError(
            f"{path} is not a video that can be read ({_reason(error)}); expected mp4, mov, mkv, webm or avi, unbroken."
        ) from error


def _video_stream(container, path: Path):
    # A cover picture in a music file is a video stream of one frame that is no moving picture.
    from av.stream import Disposition

    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise InputError(f"{path} has no video stream; a video of a speaking face is expected.")
    stream = streams[0]
    stream.thread_type = "AUTO"
    return stream


def _decoded(container, stream, problems: list[str]):
    """Frames until the end or the first packet that cannot be decoded; the reason goes to `problems`."""
    import av.error

    try:
        yield from container.decode(stream)
    except (av.error.FFmpegError, ValueError, OSError) as error:
        problems.append(_reason(error))


def _duration(container, stream) -> float:
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    return float(container.duration) / 1e6 if container.duration else 0.0


def _quarter_turn(degrees: float) -> int:
    """The nearest of 0, 90, 180, 270; PyAV's sign (anti-clockwise positive) is numpy's `rot90` sign."""
    return round(degrees / 90) % 4 * 90


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()

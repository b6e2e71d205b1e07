"""Any sound file, or the sound of a video, to mono samples at 16 kHz."""

from pathlib import Path

import numpy as np

from backend.errors import InputError, UsageError

SAMPLE_RATE = 16_000
"""Samples a second everywhere inside the backend."""
SAMPLE_BYTES = 4
"""Of a float32."""
MIN_SECONDS = 0.1
"""Shorter than this there is no speech sound to show (about one phone)."""
MAX_SECONDS = 2 * 3600.0
"""Longer recordings are to be cut into scenes first; it keeps memory bounded."""


def decode_audio(path: Path) -> np.ndarray:
    """Decode the first sound track of a file (wav, flac, ogg, mp3, m4a, mp4 and whatever else FFmpeg reads).

    Channels are mixed to one. Time zero is the container's: sound that starts later than its video is padded,
    sound that starts earlier is cut.

    Returns: (samples,) float32, about -1..1, 16 kHz.
    Raises: UsageError where there is no such file; InputError where it holds no usable sound.
    """
    path = Path(path)
    check_is_file(path, "a sound or video file")
    samples = _read(path)
    seconds = len(samples) / SAMPLE_RATE
    if seconds < MIN_SECONDS:
        raise InputError(f"{path} holds {seconds:.2f} s of sound; at least {MIN_SECONDS} s are needed.")
    good = np.isfinite(samples)
    if not good.all():
        raise InputError(
            f"{path} has {np.count_nonzero(~good)} samples that are not numbers (NaN or infinite), the first at "
            f"{np.argmin(good) / SAMPLE_RATE:.3f} s; export the sound again from its source."
        )
    return samples


def check_is_file(path: Path, expected: str) -> None:
    """Raise UsageError unless `path` is a readable, non-empty file; `expected` names what it should be."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; expected {expected}.")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}; expected {expected}.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    if empty:
        raise InputError(f"{path} is empty; expected {expected}.")


def _read(path: Path) -> np.ndarray:
    import av
    import av.error

    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise InputError(f"{path} has no sound track; give a file with sound.")
            _check_duration(path, (container.duration or 0) / av.time_base)
            return _resample(path, container)
    except av.error.FFmpegError as error:
        raise InputError(
            f"{path} cannot be decoded as sound ({error.strerror}); use a wav, flac, ogg, mp3, m4a or video file."
        ) from None


def _resample(path: Path, container) -> np.ndarray:
    from av.audio.resampler import AudioResampler

    resampler = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
    samples = (
        bytearray()
    )  # grows in place: two hours are 460 MB, and a list of pieces to be joined would need them twice
    start = None
    for frame in decoded_frames(container):
        if start is None:
            start = first_time(container, frame)
            _check_duration(path, start)
            samples.extend(bytes(max(0, round(start * SAMPLE_RATE)) * SAMPLE_BYTES))
        frame.pts = None  # the resampler would otherwise fill small gaps in the time stamps with its own guesses
        for piece in resampler.resample(frame):
            samples.extend(piece.to_ndarray()[0].data)
        _check_duration(path, len(samples) / SAMPLE_BYTES / SAMPLE_RATE)
    if start is not None:
        for piece in resampler.resample(None):
            samples.extend(piece.to_ndarray()[0].data)
    return np.frombuffer(samples, np.float32)[max(0, -round((start or 0.0) * SAMPLE_RATE)) :]


def first_time(container, frame) -> float:
    """Seconds from the container's time zero to its first sound frame.

    Before zero lies an encoder's priming (AAC in mp4), to be cut; an mp3 or a transport stream starts its own count
    later than 0.
    """
    return (frame.time or 0.0) - max(0, container.start_time or 0) / 1_000_000


def decoded_frames(container):
    """Yield the frames of the first sound track; a damaged tail ends the sound instead of losing all of it."""
    import av.error

    decoded = False
    try:
        for frame in container.decode(audio=0):
            decoded = True
            yield frame
    except av.error.FFmpegError:
        if not decoded:
            raise


def _check_duration(path: Path, seconds: float) -> None:
    if seconds > MAX_SECONDS:
        raise InputError(
            f"{path} is {seconds / 3600:.1f} h long; the limit is {MAX_SECONDS / 3600:.0f} h. Cut it into scenes first."
        )

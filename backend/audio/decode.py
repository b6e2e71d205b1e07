"""Any sound file, or the sound of a video, to mono samples at 16 kHz."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backend.errors import InputError, UsageError
from backend.media import media_name
from backend.progress import Progress, no_progress

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer

SAMPLE_RATE = 16_000
"""Samples a second everywhere inside the backend."""
SAMPLE_BYTES = 4
"""Of a float32."""
MIN_SECONDS = 0.1
"""Shorter than this there is no speech sound to show (about one phone)."""
MAX_SECONDS = 2 * 3600.0
"""Longer recordings are to be cut into scenes first; it keeps memory bounded."""
LOUDEST = 2.0**32
"""No sample of a recording is beyond: some programs write floats on the scale of integers, of 32 bits at most."""
QUIET_MIX = 0.1
"""Power of the mix of two channels as a share of the louder one's, below which they cancel each other out (one is
inverted); channels that have nothing in common give half, one that is silent a quarter."""
LEAST_GAP = 0.05
"""Seconds by which time stamps jump ahead where something is missing; what is less is rounding."""
LEAST_LOST = 0.1
"""Seconds that a damaged recording is shorter than its container says, from which it is worth a word."""
LOST_SHARE = 0.02
"""The same as a share of a recording in which no damage was met: some containers only estimate their length."""
UNTOLD_BYTES = 0x7F000000
"""Size in a wav's header from which it means that the size was not known when it was written."""


def decode_audio(path: Path, progress: Progress = no_progress) -> np.ndarray:
    """Decode the first sound track of a file (wav, flac, ogg, mp3, m4a, mp4 and whatever else FFmpeg reads).

    Channels are mixed to one; of two that cancel each other out the louder one is taken. An offset is taken off. Time
    zero is the container's: sound that starts later than its video is padded, sound that starts earlier is cut. What
    cannot be decoded is reported in a sentence.

    Returns: (samples,) float32, about -1..1, 16 kHz.
    Raises: UsageError where there is no such file; InputError where it holds no usable sound.
    """
    from backend.audio.zero_line import remove_offset

    path = Path(path)
    check_is_file(path, "a sound or video file")
    samples = _read(path, progress)
    seconds = len(samples) / SAMPLE_RATE
    if seconds < MIN_SECONDS:
        raise InputError(f"{path} holds {seconds:.2f} s of sound; at least {MIN_SECONDS} s are needed.")
    good = np.isfinite(samples)
    if not good.all():
        raise InputError(
            f"{path} has {np.count_nonzero(~good)} samples that are not numbers (NaN or infinite), the first at "
            f"{np.argmin(good) / SAMPLE_RATE:.3f} s; export the sound again from its source."
        )
    if max(samples.max(), -samples.min()) > LOUDEST:  # no array of as many numbers is made for good sound
        wild = (samples > LOUDEST) | (samples < -LOUDEST)
        raise InputError(
            f"{path} has {np.count_nonzero(wild)} samples that are no sound (beyond {LOUDEST:.0e}, where 1 is full), "
            f"the first at {np.argmax(wild) / SAMPLE_RATE:.3f} s; export the sound again from its source."
        )
    remove_offset(samples)
    return samples


def check_is_file(path: Path, expected: str, may_be_empty: bool = False) -> None:
    """Raise UsageError unless `path` is a readable file, InputError where it is empty.

    expected: names what it should be.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; expected {expected}.")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}; expected {expected}.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    if empty and not may_be_empty:
        raise InputError(f"{path} is empty; expected {expected}.")


def _read(path: Path, progress: Progress) -> np.ndarray:
    power = np.zeros(3)
    samples = _read_channel(path, None, power, progress)
    if power[0] >= QUIET_MIX * power[1:].max():
        return samples
    return _read_channel(path, int(power[1:].argmax()), power, no_progress)


def _read_channel(path: Path, channel: int | None, power: np.ndarray, progress: Progress) -> np.ndarray:
    """One of two channels, or with None the mix of all; `power` is counted up, see `_channel_power`."""
    import av
    import av.error

    try:
        with av.open(media_name(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise InputError(f"{path} has no sound track; give a file with sound.")
            _check_duration(path, (container.duration or 0) / av.time_base)
            return _resample(path, container, channel, power, progress)
    except av.error.FFmpegError as error:
        raise InputError(
            f"{path} cannot be decoded as sound ({error.strerror}); use a wav, flac, ogg, mp3, m4a or video file."
        ) from None


def _resample(
    path: Path, container: "InputContainer", channel: int | None, power: np.ndarray, progress: Progress
) -> np.ndarray:
    from av.audio.resampler import AudioResampler

    resampler = AudioResampler(format="fltp", layout="mono" if channel is None else "stereo", rate=SAMPLE_RATE)
    samples = (
        bytearray()
    )  # grows in place: two hours are 460 MB, and a list of pieces to be joined would need them twice
    start = None
    for frame in decoded_frames(container, progress):
        if start is None:
            start = first_time(container, frame)
            _check_duration(path, start)
            samples.extend(bytes(max(0, round(start * SAMPLE_RATE)) * SAMPLE_BYTES))
        power += _channel_power(frame)
        frame.pts = None  # the resampler would otherwise fill small gaps in the time stamps with its own guesses
        for piece in resampler.resample(frame):
            samples.extend(piece.to_ndarray()[channel or 0].data)
        _check_duration(path, len(samples) / SAMPLE_BYTES / SAMPLE_RATE)
    if start is not None:
        for piece in resampler.resample(None):
            samples.extend(piece.to_ndarray()[channel or 0].data)
    return np.frombuffer(samples, np.float32)[max(0, -round((start or 0.0) * SAMPLE_RATE)) :]


def _channel_power(frame: "AudioFrame") -> np.ndarray:
    """Power of the mix of a stereo frame, and of its two channels, each times the samples: (3,); zeros for others."""
    if frame.layout.nb_channels != 2:
        return np.zeros(3)
    channels = frame.to_ndarray().astype(np.float64)
    channels = channels if frame.format.is_planar else channels.reshape(-1, 2).T
    return frame.samples * np.array([channels.mean(axis=0).var(), *channels.var(axis=1)])


def first_time(container: "InputContainer", frame: "AudioFrame") -> float:
    """Seconds from the container's time zero to its first sound frame.

    Before zero lies an encoder's priming (AAC in mp4), to be cut; an mp3 or a transport stream starts its own count
    later than 0.
    """
    return (frame.time or 0.0) - max(0, container.start_time or 0) / 1_000_000


def decoded_frames(container: "InputContainer", progress: Progress = no_progress) -> Iterator["AudioFrame"]:
    """Yield the frames of the first sound track, with silence for what is missing where time stamps tell how long.

    Packets that cannot be decoded are left out; how much was decoded is reported where the container promised more.
    """
    promised = promised_seconds(container)
    ends = _track_start(container) + promised + LEAST_GAP
    decoded, due, damaged = 0.0, None, False
    for frame in _good_frames(container):
        if frame is None:
            damaged = True
            continue
        time = due if frame.time is None else frame.time  # after damage some frames have no time stamp
        if time is not None and due is not None and due + LEAST_GAP < time < ends:
            damaged = True
            yield from _silence(frame, time - due)
        seconds = frame.samples / frame.sample_rate
        due = None if time is None else time + seconds
        decoded += seconds
        yield frame
    lost = promised - decoded
    if (lost > LEAST_LOST and (damaged or lost > LOST_SHARE * promised)) or (damaged and not promised):
        share = f"{decoded:.1f} of {promised:.1f} s" if promised else f"{decoded:.1f} s"
        name = Path(container.name).name
        progress(f"Only {share} of {name} could be decoded: the file is damaged or cut short.", 0, 0)


def _good_frames(container: "InputContainer") -> Iterator["AudioFrame | None"]:
    """The frames that can be decoded and are like the first, None for each packet that cannot.

    Raises the last FFmpegError where there are no frames.
    """
    import av.error

    first = failure = None
    packets = container.demux(audio=0)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError as error:
            packet, failure = None, error
        if packet is None:
            break
        try:
            frames = packet.decode()
        except av.error.FFmpegError as error:
            failure = error
            yield None
            continue
        for frame in frames:
            kind = frame.format.name, frame.layout.name, frame.sample_rate
            first = first or kind
            if kind == first:
                yield frame
    if failure is not None and first is None:
        raise failure


def _silence(like: "AudioFrame", seconds: float) -> Iterator["AudioFrame"]:
    """Frames of silence of a frame's kind, a second each at most."""
    from av.audio.frame import AudioFrame

    zero = 0x80 if like.format.name.startswith("u8") else 0
    left = round(seconds * like.sample_rate)
    while left > 0:
        frame = AudioFrame(like.format.name, like.layout.name, min(left, like.sample_rate))
        frame.sample_rate = like.sample_rate
        for plane in frame.planes:
            plane.update(bytes([zero]) * plane.buffer_size)
        left -= frame.samples
        yield frame


def promised_seconds(container: "InputContainer") -> float:
    """Length of the first sound track in seconds by its container, 0 where that says nothing of it."""
    track = container.streams.audio[0]
    if container.format.name == "aac":  # bare packets: a guess from the first ones
        return 0.0
    if container.format.name == "wav":
        return _wav_seconds(Path(container.name))
    if track.duration and track.time_base:
        return float(track.duration * track.time_base)
    return 0.0 if container.streams.video else (container.duration or 0) / 1_000_000


def _wav_seconds(path: Path) -> float:
    """Seconds by a wav's header, which FFmpeg corrects by the size of the file; 0 where it says nothing."""
    bytes_a_second = 0
    with path.open("rb") as file:
        file.seek(12)  # RIFF, size, WAVE
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            start = file.tell()
            if name == b"data":
                return size / bytes_a_second if bytes_a_second and size < UNTOLD_BYTES else 0.0
            if name == b"fmt " and len(form := file.read(12)) == 12:
                bytes_a_second = struct.unpack("<8xI", form)[0]
            file.seek(start + size + size % 2)
    return 0.0


def _track_start(container: "InputContainer") -> float:
    """Time stamp of the first sound track's beginning, seconds."""
    track = container.streams.audio[0]
    return float((track.start_time or 0) * (track.time_base or 0))


def _check_duration(path: Path, seconds: float) -> None:
    if seconds > MAX_SECONDS:
        raise InputError(
            f"{path} is {seconds / 3600:.1f} h long; the limit is {MAX_SECONDS / 3600:.0f} h. Cut it into scenes first."
        )

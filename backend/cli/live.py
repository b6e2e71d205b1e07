"""Move a face with the voice at the microphone, as it speaks."""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from backend.inference.stream import LiveFrame, StreamingSession

EPILOG = """Each frame is printed as a line of JSON: number, time in seconds from the start, the 52 weights by name.

examples:
  mouthpiece live --actor default | my_renderer
  mouthpiece live --actor default --audio line.wav --look-ahead 0.12 --seconds 10
"""
BLOCK = 320
"""Samples in which a file is played to the face: 20 ms."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    parser.epilog = EPILOG
    parser.add_argument("--actor", required=True, metavar="NAME", help="Name of an actor, or its folder.")
    parser.add_argument("--fps", type=float, default=25.0, help="Frames a second. (25)")
    parser.add_argument(
        "--look-ahead",
        type=float,
        default=0.04,
        metavar="SECONDS",
        help="Sound after a frame that is waited for: 0 is the fastest, 0.04 and 0.12 are more accurate. (0.04)",
    )
    parser.add_argument("--device", metavar="NAME", help="Microphone, by name or number; the system's own otherwise.")
    parser.add_argument("--audio", type=Path, metavar="FILE", help="Play a file to the face instead of a microphone.")
    parser.add_argument("--seconds", type=float, default=math.inf, help="Stop after so long. (Ctrl-C stops it too)")


def run(options: argparse.Namespace) -> None:
    """Print frames until the sound ends."""
    from backend.actor_file import load_actor
    from backend.actor_library import find_actor
    from backend.inference.stream import StreamingSession

    if not options.seconds > 0:  # nor where it is no number
        raise UsageError(f"--seconds must be more than 0, got {options.seconds:g}.")
    if options.audio is not None and options.device is not None:
        raise UsageError("--audio is played to the face instead of a microphone; leave --device away.")
    actor = load_actor(find_actor(options.actor))
    session = StreamingSession(actor.motion, actor.reference.vertices, options.fps, options.look_ahead)
    if options.audio is not None:
        from backend.audio.decode import decode_audio

        _show(session, play(decode_audio(options.audio), options.seconds), lambda: 0)
        return
    from backend.audio.microphone import listen, open_microphone

    with open_microphone(options.device) as buffer:
        _show(session, listen(buffer, options.seconds), lambda: buffer.overruns)


def live_frames(session: "StreamingSession", chunks: "Iterable[np.ndarray]") -> "Iterator[LiveFrame]":
    """Yield the frames that fall due while chunks of samples (n,) come in, and those left at their end."""
    for chunk in chunks:
        yield from session.feed(chunk)
    yield from session.flush()


def play(samples: "np.ndarray", seconds: float) -> "Iterator[np.ndarray]":
    """Yield a recording (n,) at 16 kHz in blocks, each when a microphone would have heard it."""
    from backend.audio.decode import SAMPLE_RATE

    begun = time.monotonic()
    end = int(min(len(samples), seconds * SAMPLE_RATE))
    for start in range(0, end, BLOCK):
        block = samples[start : min(start + BLOCK, end)]
        time.sleep(max(0.0, begun + (start + len(block)) / SAMPLE_RATE - time.monotonic()))
        yield block


def _show(session: "StreamingSession", chunks: "Iterable[np.ndarray]", overruns: Callable[[], int]) -> None:
    """Print the frames of chunks as they fall due, and at the end how well that went."""
    from backend.audio.decode import SAMPLE_RATE
    from backend.inference.pacing import FramePacer

    pacer = FramePacer()
    try:
        _print_frames(pacer.pace(live_frames(session, chunks)))
    finally:
        heard = session.heard / SAMPLE_RATE
        told = f"mouthpiece: heard {heard:.1f} s, {pacer.late} frames late, {overruns()} overruns"
        print(told, file=sys.stderr)


def _print_frames(frames: "Iterable[LiveFrame]") -> None:
    from shape_keys.arkit import NAMES

    for frame in frames:
        weights = {name: round(float(weight), 4) for name, weight in zip(NAMES, frame.weights, strict=True)}
        print(json.dumps({"frame": frame.index, "time": round(frame.time, 4), "weights": weights}), flush=True)

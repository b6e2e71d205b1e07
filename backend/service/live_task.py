"""Live sound to frames, in a worker: one session for each connection."""

import base64
import struct
from pathlib import Path
from typing import Any

import numpy as np

from backend.errors import MouthpieceError
from backend.inference.stream import LiveFrame, StreamingSession
from backend.service.protocol import Channel

HEAD = struct.Struct("<If")
"""Of a frame: its number, its time in seconds; then 52 weights, then 468 x 3 offsets where they were asked for."""
FRAMES_A_LINE = 256
"""Sent to the service at once: 2 MB with offsets, half of the longest line that it reads (`process.LONGEST_LINE`)."""


def live_task(task: dict[str, Any], channel: Channel) -> dict[str, Any]:
    """Answer every piece of sound with the frames that fall due, until the stream ends or is cancelled.

    task: actor_folder, fps, look_ahead, offsets. Returns the number of frames. Raises ActorError, UsageError.
    """
    from backend.actor_file import load_actor

    actor = load_actor(Path(task["actor_folder"]))
    session = StreamingSession(actor.motion, actor.reference.vertices, task["fps"], task["look_ahead"])
    channel.send({"open": True})
    count = 0
    for piece in channel.pieces():
        if not piece:
            break
        try:
            frames = session.flush() if piece.get("end") else session.feed(_samples(piece["sound"]))
        except MouthpieceError as error:
            raise MouthpieceError(f"{error} The stream was ended.") from None
        count += len(frames)
        packed = [base64.b64encode(pack_frame(frame, task["offsets"])).decode() for frame in frames]
        for start in range(0, len(packed), FRAMES_A_LINE):
            channel.send({"frames": packed[start : start + FRAMES_A_LINE]})
        channel.send({"heard": True})
        if piece.get("end"):
            break
    return {"frames": count}


def pack_frame(frame: LiveFrame, offsets: bool) -> bytes:
    """A frame as it is sent: little-endian; weights (52,) float32, then offsets (468, 3) float32 if asked for."""
    parts = [HEAD.pack(frame.index, frame.time), frame.weights.astype("<f4").tobytes()]
    if offsets:
        parts.append(frame.offsets.astype("<f4").tobytes())
    return b"".join(parts)


def _samples(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")

"""Ten minutes of live sound, as fast as it can be taken: what each frame costs, and whether anything drifts."""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from backend.actor_file import load_actor
from backend.actor_library import find_actor
from backend.audio.decode import SAMPLE_RATE
from backend.audio.spectrogram import frame_times
from backend.inference.stream import StreamingSession
from benchmarks.machine import describe_machine
from benchmarks.speech import speech

BLOCK = 160
"""Samples fed at once: 10 ms, as a sound card gives them."""


def measure(actor_name: str, minutes: float, fps: float, look_ahead: float) -> dict[str, float]:
    """Feed the session block by block; the cost of a frame is all that was computed since the frame before."""
    actor = load_actor(find_actor(actor_name))
    session = StreamingSession(actor.motion, actor.reference.vertices, fps, look_ahead)
    sound = speech(60.0)
    costs, delays, spent = [], [], 0.0
    total = int(minutes * 60 * SAMPLE_RATE)
    for start in range(0, total, BLOCK):
        place = start % len(sound)
        begun = time.perf_counter()
        frames = session.feed(sound[place : place + BLOCK])
        spent += time.perf_counter() - begun
        for frame in frames:
            costs.append(spent / len(frames))
            delays.append(session.heard / SAMPLE_RATE - frame.time)
        spent = 0.0 if frames else spent
    count = len(costs) + len(session.flush())
    milliseconds, minute = 1000 * np.array(costs), int(60 * fps)
    return {
        "frames": count,
        "frames_expected": len(frame_times(total / SAMPLE_RATE, fps)),
        "mean_ms": float(milliseconds.mean()),
        "p50_ms": float(np.percentile(milliseconds, 50)),
        "p99_ms": float(np.percentile(milliseconds, 99)),
        "largest_ms": float(milliseconds.max()),
        "first_minute_ms": float(np.median(milliseconds[:minute])),
        "last_minute_ms": float(np.median(milliseconds[-minute:])),
        "delay_first_minute_s": float(np.mean(delays[:minute])),
        "delay_last_minute_s": float(np.mean(delays[-minute:])),
        "samples_kept": len(session._samples),
        "columns_kept": len(session._centres),
    }


def main() -> None:
    """Print the table; --json FILE also writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actor", default="default")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--fps", type=float, default=25.0)
    parser.add_argument("--look-ahead", type=float, default=0.04)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = measure(options.actor, options.minutes, options.fps, options.look_ahead)
    print(
        f"{describe_machine()}\n{options.minutes:g} minutes at {options.fps:g} frames a second, actor {options.actor}"
    )
    goals = {"mean_ms": "goal 4", "p99_ms": "goal 10"}
    for name, value in figures.items():
        print(f"{name:24} {value:10.4g} {goals.get(name, '')}")
    if options.json:
        options.json.write_text(json.dumps({"machine": describe_machine(), **figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()

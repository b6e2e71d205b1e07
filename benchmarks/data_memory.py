"""Peak memory of building a dataset from 1080p video of two lengths, and what it comes to for 30 minutes.

The video is the synthetic speaker enlarged to 1920x1080; a few seconds are encoded once and their packets repeated.
Run: `.venv/bin/python -m benchmarks.data_memory [--seconds 10 60] [--json FILE]`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.machine import describe_machine

ACTOR = Path(__file__).resolve().parents[2] / "shared" / "data" / "actor" / "actor.mp4"
PIECE_SECONDS = 4
"""Encoded once; a key frame begins each repetition."""
LIMIT_MB, GOAL_SECONDS = 2000.0, 1800.0
BUILD = """
import resource, sys, time
from pathlib import Path
from backend.training.dataset import build_dataset
start = time.monotonic()
dataset = build_dataset([Path(sys.argv[1])], Path(sys.argv[2]))
factor = 1 if sys.platform == "darwin" else 1024
print(len(dataset), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * factor, time.monotonic() - start)
"""


def write_piece(path: Path) -> None:
    """Encode the first seconds of the synthetic speaker at 1920x1080."""
    import av
    import cv2

    with av.open(str(ACTOR)) as source, av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0"})
        video.width, video.height, video.pix_fmt = 1920, 1080, "yuv420p"
        audio = out.add_stream_from_template(source.streams.audio[0])
        for number, frame in enumerate(source.decode(video=0)):
            if number == PIECE_SECONDS * 25:
                break
            picture = np.full((1080, 1920, 3), 100, np.uint8)
            picture[:, 420:1500] = cv2.resize(frame.to_ndarray(format="rgb24"), (1080, 1080))
            for packet in video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                out.mux(packet)
        for packet in video.encode(None):
            out.mux(packet)
        source.seek(0)
        for packet in source.demux(audio=0):
            if packet.dts is not None and packet.pts * packet.time_base < PIECE_SECONDS - 0.1:
                packet.stream = audio
                out.mux(packet)


def repeat(piece: Path, path: Path, seconds: float) -> None:
    """Copy the piece's packets again and again until the video is `seconds` long."""
    import av

    with av.open(str(path), "w") as out:
        streams = None
        for turn in range(round(seconds / PIECE_SECONDS)):
            with av.open(str(piece)) as source:
                if streams is None:
                    streams = {s.index: out.add_stream_from_template(s) for s in source.streams}
                for packet in source.demux():
                    if packet.dts is None:
                        continue
                    shift = round(turn * PIECE_SECONDS / Fraction(packet.time_base))
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)


def measure(video: Path, folder: Path) -> dict[str, float]:
    """Build a dataset in a process of its own: frames, peak resident memory in MB, seconds."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(video), str(folder)], capture_output=True, text=True, check=True
    )
    frames, peak, seconds = (float(value) for value in done.stdout.split())
    return {"frames": frames, "peak_mb": peak / 1e6, "seconds": seconds}


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs=2, default=(10.0, 60.0))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    if not ACTOR.is_file():
        print("Nothing measured: the development data (../shared/data) is not on this machine.")
        return
    print(describe_machine())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_piece(folder / "piece.mp4")
        rows = []
        for number, seconds in enumerate(options.seconds):
            repeat(folder / "piece.mp4", folder / f"{number}.mp4", seconds)
            rows.append(measure(folder / f"{number}.mp4", folder / f"dataset{number}"))
    short, long = rows
    slope = (long["peak_mb"] - short["peak_mb"]) / (long["frames"] - short["frames"])
    goal = long["peak_mb"] + slope * (GOAL_SECONDS * 25 - long["frames"])
    print("| frames, 1080p | peak memory | time |\n|---|---|---|")
    for row in rows:
        print(f"| {row['frames']:.0f} | {row['peak_mb']:.0f} MB | {row['seconds']:.0f} s |")
    print(f"{slope * 1000:.1f} kB a frame; 30 minutes at 25 frames/s: {goal:.0f} MB (limit {LIMIT_MB:.0f} MB)")
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "kb_per_frame": slope * 1000, "half_hour_mb": goal}))


if __name__ == "__main__":
    main()

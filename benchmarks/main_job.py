"""The main job on the shipped sample: how long each stage takes, and what a face tracker sees in the video."""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from backend.animation_file import load_animation
from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.cli.progress_report import ProgressReport
from backend.evaluation.metrics import correlation, lip_gap
from backend.inference.animate import animate
from backend.inference.request import AnimateRequest
from backend.tracking.landmarks import track
from backend.video.decode import iterate_frames
from benchmarks.machine import describe_machine

SAMPLE = Path(__file__).resolve().parents[1] / "backend" / "samples" / "speech.flac"


def run_job(folder: Path, actor: str) -> ProgressReport:
    """Write everything the demo writes into an empty folder; returns the stages' seconds."""
    outputs = tuple(folder / name for name in ("animation", "shot.blend", "shot.glb", "shot.mp4"))
    with ProgressReport() as progress:
        animate(AnimateRequest(SAMPLE, actor, outputs), progress)
    return progress


def compare_with_tracker(folder: Path) -> dict[str, float]:
    """What MediaPipe finds in the rendered video, against the animation it was rendered from."""
    seen = track(iterate_frames(folder / "shot.mp4"))
    predicted = lip_gap(load_animation(folder / "animation").vertices)
    lips, eyes = (np.linalg.norm(seen.landmarks[:, a] - seen.landmarks[:, b], axis=1) for a, b in ((13, 14), (33, 263)))
    return {
        "faces_found": float(seen.found.mean()),
        "lip_gap_r_tracked_with_predicted": correlation((lips / eyes)[seen.found], predicted[seen.found]),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actor", default="default")
    actor = parser.parse_args().actor
    seconds = len(decode_audio(SAMPLE)) / SAMPLE_RATE
    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        progress = run_job(Path(scratch), actor)
        total = time.perf_counter() - started
        figures = compare_with_tracker(Path(scratch))
    print(f"{describe_machine()}\n{seconds:.2f} s of speech, actor {actor}")
    for stage, spent in progress.seconds.items():
        print(f"{stage:34} {spent:8.2f} s   {spent / seconds:6.2f} of real time")
    print(f"{'all, with .blend, .glb and .mp4':34} {total:8.2f} s   {total / seconds:6.2f} of real time")
    for name, value in figures.items():
        print(f"{name:34} {value:8.3f}")


if __name__ == "__main__":
    main()

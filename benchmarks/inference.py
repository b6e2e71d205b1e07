"""What animating costs, start to end and stage by stage, against its goals and against the plain pipeline."""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from backend.actor_file import Actor, load_actor
from backend.actor_library import find_actor
from backend.audio.spectrogram import frame_times
from backend.inference.animate import animate
from backend.inference.motion import hear
from backend.inference.precision import calibrate
from backend.inference.request import AnimateRequest
from backend.inference.texture import TextureEngine
from benchmarks.machine import describe_machine
from benchmarks.plain_pipeline import animate_plainly, paper_memory
from benchmarks.processes import fastest_run, run_mouthpiece
from benchmarks.speech import speech, write_lines, write_speech

SECONDS = 60.0
FPS = 25.0
TEXTURE_FRAMES = 500
PLAIN_FRAMES = 50
"""Of which the plain pipeline's time for all frames is worked out."""
LINES = 200


@dataclass(frozen=True)
class Row:
    """One line of the table: what, the measured figure, its unit, and the goal ("" where there is none)."""

    work: str
    figure: float
    unit: str
    goal: str


def fastest(work: Callable[[], object], times: int = 3) -> float:
    """Least seconds of several runs, after one to warm up."""
    work()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def measure_start(folder: Path, actor: str, repeats: int) -> list[Row]:
    """How long a person waits for the least."""
    second = write_speech(folder / "second.wav", 1.0)
    motion = ["animate", second, "--actor", actor, "--overwrite", "--out", folder / "second"]
    return [
        Row("start: mouthpiece --help", fastest_run(repeats, "--help").seconds, "s", "0.3"),
        Row("start: animate, 1 s, no texture", fastest_run(repeats, *motion, "--no-texture").seconds, "s", "3"),
        Row("start: animate, 1 s, with texture", fastest_run(repeats, *motion).seconds, "s", "3"),
    ]


def measure_whole(folder: Path, actor: str, repeats: int) -> tuple[list[Row], float]:
    """60 s of speech as processes of their own; also returns the seconds with texture."""
    minute = write_speech(folder / "minute.wav", SECONDS)
    command = ["animate", minute, "--actor", actor, "--overwrite", "--out", folder / "minute"]
    motion, all_of_it = fastest_run(repeats, *command, "--no-texture"), fastest_run(repeats, *command)
    rows = [
        Row("60 s: vertices and weights, whole process", motion.seconds / SECONDS, "of real time", "0.02"),
        Row("60 s: everything with PNGs, whole process", all_of_it.seconds / SECONDS, "of real time", "0.35"),
        Row("60 s: memory without texture", motion.megabytes, "MB", ""),
        Row("60 s: memory with texture", all_of_it.megabytes, "MB", "1500"),
    ]
    return rows, all_of_it.seconds


def measure_warm(folder: Path, actor: Actor) -> list[Row]:
    """The same within a process that has everything loaded, and the stages by themselves."""
    minute = write_speech(folder / "minute.wav", SECONDS)
    request = AnimateRequest(minute, actor.name, (folder / "warm",), texture=False, overwrite=True)
    warm = fastest(lambda: animate(request, actor=actor))
    times = frame_times(SECONDS, FPS)
    codes = hear(actor.motion, speech(SECONDS), times)[0]
    heard = fastest(lambda: hear(actor.motion, speech(SECONDS), times))
    moved = fastest(lambda: (actor.motion.offsets(codes), actor.motion.blendshapes(codes)))
    rows = [
        Row("60 s: vertices and weights, warm", warm / SECONDS, "of real time", "0.005"),
        Row("sound to codes, warm", 1000 * heard / len(times), "ms a frame", ""),
        Row("codes to vertices and weights, warm", 1000 * moved / len(times), "ms a frame", ""),
    ]
    if not actor.has_texture:
        return rows
    engine = TextureEngine(actor.model, actor.reference_crop, actor.reference.mask)
    decoded = fastest(lambda: sum(len(frames) for frames, _ in engine.decode(codes[:TEXTURE_FRAMES])))
    texture = actor.model.texture
    assert texture is not None
    tried = calibrate(texture, texture.spread.in_features)
    rows.append(Row("texture, float32, warm", 1000 * decoded / TEXTURE_FRAMES, "ms a frame", "16"))
    rows += [
        Row(f"texture decoder alone, {str(kind).split('.')[1]}, one batch", value, "ms a frame", "")
        for kind, value in tried.milliseconds.items()
    ]
    return rows


def measure_plain(folder: Path, actor: Actor, seconds: float, started: float) -> list[Row]:
    """The plain pipeline in the same run; seconds: of the fast one for the minute, started: of loading PyTorch."""
    (folder / "plain").mkdir()
    samples, times = speech(SECONDS), frame_times(PLAIN_FRAMES / FPS, FPS)
    frame, pictures = animate_plainly(actor, samples, times, folder / "plain")
    with_memory, _ = animate_plainly(actor, samples, times, folder / "plain", paper_memory())
    rows = [Row("plain pictures, most off the fast ones", most_off(actor, samples, times, pictures), "of 255", "1")]
    for name, cost, goal in (("with the paper's AR encoder", with_memory, "15"), ("without it", frame, "")):
        whole = (started + cost * SECONDS * FPS) / seconds
        rows += [
            Row(f"plain pipeline, {name}", 1000 * cost, "ms a frame", ""),
            Row("60 s: that over everything with PNGs", whole, "times as long", goal),
        ]
    return rows


def most_off(actor: Actor, samples: np.ndarray, times: np.ndarray, pictures: np.ndarray) -> int:
    """Largest difference between the fast path's pictures and others (T, 128, 128, 3) uint8, levels of 255."""
    engine = TextureEngine(actor.model, actor.reference_crop, actor.reference.mask)
    fast = np.empty_like(pictures)
    for frames, crops in engine.decode(hear(actor.motion, samples, times)[0]):
        fast[frames] = crops
    return int(np.abs(fast.astype(int) - pictures).max())


def measure_lines(folder: Path, actor: str) -> list[Row]:
    """Short lines in one call against a call for each."""
    lines = write_lines(folder, LINES)
    options = ["--actor", actor, "--no-texture", "--overwrite", "--out"]
    (folder / "lines").mkdir()
    together = run_mouthpiece("animate", *lines, *options, folder / "lines").seconds
    alone = [run_mouthpiece("animate", line, *options, folder / "line").seconds for line in lines[:10]]
    return [
        Row(f"{LINES} lines of 2 s in one call", together, "s", ""),
        Row("a call for each over one call", LINES * sum(alone) / len(alone) / together, "times as long", "5"),
    ]


def measure(actor_name: str, repeats: int) -> list[Row]:
    """All rows."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = measure_start(folder, actor_name, repeats)
        whole, seconds = measure_whole(folder, actor_name, repeats)
        actor = load_actor(find_actor(actor_name))
        rows += whole + measure_warm(folder, actor)
        if actor.has_texture:
            rows += measure_plain(folder, actor, seconds, rows[2].figure)
        return rows + measure_lines(folder, actor_name)


def main() -> None:
    """Print the table; --json FILE also writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actor", default="default")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each process, of which the fastest counts")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = measure(options.actor, options.repeats)
    about = f"{describe_machine()}, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
    print(f"{about}\nactor {options.actor}")
    for row in rows:
        print(f"{row.work:52} {row.figure:10.4g} {row.unit:14} {'goal ' + row.goal if row.goal else ''}")
    if options.json:
        table = {"machine": about, "actor": options.actor, "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""What a transcript brings: closures and aperture on clips whose faces are tracked and whose names say what is said.

    python -m benchmarks.transcripts [--clips GRID_FOLDER] [--listed docs/grid_s1_held_out.txt] [--tracked DATASET]
        [--actor voice] [--json FILE]

DATASET holds the tracked clips and is made where it does not exist (a second a clip).
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from backend.actor_file import Actor, load_actor
from backend.actor_library import find_actor
from backend.evaluation.metrics import aperture_offset, correlation, lip_gap
from backend.evaluation.speech_figures import closure_recall
from backend.inference.direct import direct
from backend.inference.motion import LazyOffsets
from backend.inference.request import AnimateRequest
from backend.speech.phones import BILABIALS, OPEN_VOWELS
from backend.speech.timeline import Timeline
from backend.speech.transcript import align_transcript
from backend.training.dataset import Dataset, DatasetConfig, build_dataset, open_dataset
from backend.training.voice.grid import sentence
from benchmarks.machine import describe_machine

CLIPS = Path(__file__).resolve().parents[2] / "shared" / "data" / "grid_s1"
FPS = 25.0
WAYS = ("sound, no gate", "sound", "sound and transcript", "speaker, tracked")


def tracked_clips(clips: list[Path], folder: Path) -> Dataset:
    """The clips' tracked faces, from `folder` or made there."""
    if (folder / "dataset.json").exists():
        return open_dataset(folder)
    return build_dataset(clips, folder, DatasetConfig(lighting=False, specularities=False))


def gaps_of(actor: Actor, samples: np.ndarray, true: np.ndarray, timeline: Timeline) -> dict[str, np.ndarray]:
    """The lip gap of one clip by each way, (T,) each."""
    found = {}
    for way, gate, said in ((WAYS[0], 0.0, None), (WAYS[1], 1.0, None), (WAYS[2], 1.0, timeline)):
        request = AnimateRequest(
            Path("clip"), actor.name, (Path("out"),), fps=FPS, timeline=said, silence_gate=gate, texture=False
        )
        shown = direct(actor, samples, request).performance
        offsets = LazyOffsets(shown.network, shown.codes, shown.shift)[:]
        found[way] = lip_gap(actor.reference.vertices + offsets)[: len(true)]
    return found | {WAYS[3]: true}


def measure(actor: Actor, dataset: Dataset, stems: list[str]) -> dict[str, dict[str, float]]:
    """All figures of each way."""
    rows: dict[str, dict[str, list]] = {way: {"r": [], "offset": [], "closed": [], "false": []} for way in WAYS}
    names = [Path(clip["name"] if isinstance(clip, dict) else clip).stem for clip in dataset.description["clips"]]
    for stem in stems:
        clip = names.index(stem)
        frames = np.flatnonzero(np.asarray(dataset.clip) == clip)
        samples, times = np.asarray(dataset.audio(clip)), np.asarray(dataset.times[frames])
        true = lip_gap(np.asarray(dataset.vertices[frames[0] : frames[-1] + 1]))
        timeline = align_transcript(samples, sentence(stem))
        for way, gap in gaps_of(actor, samples, true, timeline).items():
            count = min(len(gap), len(true))
            row, gap = rows[way], gap[:count]
            row["r"].append(correlation(gap, true[:count]))
            row["offset"].append(aperture_offset(gap, true[:count], times[:count]) * 1000)
            row["closed"] += closure_recall(gap, times[:count], list(timeline.phones), BILABIALS)
            row["false"] += closure_recall(gap, times[:count], list(timeline.phones), OPEN_VOWELS)
    return {
        way: {
            "aperture_r_median": float(np.median(row["r"])),
            "aperture_r_mean": float(np.mean(row["r"])),
            "aperture_offset_ms": float(np.mean(row["offset"])),
            "closure_recall": float(np.mean(row["closed"])),
            "false_closure": float(np.mean(row["false"])),
        }
        for way, row in rows.items()
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=CLIPS)
    parser.add_argument("--listed", type=Path, default=Path("docs/grid_s1_held_out.txt"))
    parser.add_argument("--tracked", type=Path)
    parser.add_argument("--actor", default="voice")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not options.clips.is_dir():
        print(f"There are no clips at {options.clips}: nothing to measure.")
        return
    stems = options.listed.read_text().split()
    with tempfile.TemporaryDirectory() as scratch:
        clips = [options.clips / f"{stem}.mp4" for stem in stems]
        dataset = tracked_clips(clips, options.tracked or Path(scratch) / "tracked")
        figures = measure(load_actor(find_actor(options.actor)), dataset, stems)
    print(f"{len(stems)} clips, actor {options.actor}; {describe_machine()}")
    for way, row in figures.items():
        print(f"{way:22s}", *(f"{name} {value:.3f}" for name, value in row.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

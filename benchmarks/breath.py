"""What the breath before speech brings: r of the lip gap with and without it, and its curves as a picture.

    python -m benchmarks.breath [--clips FOLDER...] [--actor FOLDER] [--out docs/pictures/breath.png]

Each clip is tracked, which takes a few seconds.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from backend.actor_file import Actor, load_actor
from backend.actor_library import SHIPPED
from backend.evaluation.metrics import correlation, lip_gap
from backend.inference.direct import direct
from backend.inference.motion import LazyOffsets
from backend.inference.request import AnimateRequest
from backend.training.dataset import DatasetConfig, build_dataset
from benchmarks.machine import describe_machine
from benchmarks.relit_speaker import ACTOR

Curves = dict[str, np.ndarray]
"""Times of a clip's frames and, of each, the tracked lip gap and those without and with the breath."""
DRAWN = 3
"""Clips in the picture, the first ones."""


def follow(actor: Actor, clip: Path) -> Curves:
    """The lip gap of a clip's speaker and of the actor, (T,) interocular units, in frames that show a face."""
    with tempfile.TemporaryDirectory() as folder:
        settings = DatasetConfig(lighting=False, specularities=False, correct_offset=False)
        dataset = build_dataset([clip], Path(folder) / "dataset", settings)
        times, valid = np.asarray(dataset.times), np.asarray(dataset.valid)
        curves = {"times": times, "tracked": lip_gap(np.asarray(dataset.vertices))}
        samples = np.asarray(dataset.audio(0), np.float32)
    request = AnimateRequest(audio=clip, actor=actor.name, outputs=(Path("line"),))
    for name, breath in (("without", 0.0), ("with breath", 1.0)):
        shown = direct(actor, samples, replace(request, breath=breath), times=times).performance
        offsets = LazyOffsets(actor.motion, shown.codes, shown.shift)[:]
        curves[name] = lip_gap(actor.reference.vertices + offsets)
    return {name: curve[valid] for name, curve in curves.items()}


def draw(clips: dict[str, Curves], path: Path) -> None:
    """The curves of some clips, one below the other."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, rows = plt.subplots(
        len(clips), 1, figsize=(7, 1.9 * len(clips)), dpi=100, sharex=True, layout="constrained"
    )
    looks = {"tracked": ("black", 1.2), "without": ("#2563a8", 1.2), "with breath": ("#c0392b", 1.8)}
    for axes, (name, curves) in zip(np.atleast_1d(rows), clips.items(), strict=True):
        for kind, (colour, width) in looks.items():
            axes.plot(curves["times"], curves[kind], color=colour, linewidth=width, label=kind)
        axes.set_title(name, fontsize=9, loc="left")
        axes.set_ylabel("lip gap")
    np.atleast_1d(rows)[0].legend(fontsize=8, ncols=3, loc="lower right", bbox_to_anchor=(1, 1), frameon=False)
    np.atleast_1d(rows)[-1].set_xlabel("seconds")
    figure.savefig(path)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, nargs="+", default=[ACTOR.parents[1] / "grid_other"])
    parser.add_argument("--actor", type=Path, default=SHIPPED.parent / "voice")
    parser.add_argument("--out", type=Path, help="Picture of the first clips.")
    options = parser.parse_args()
    clips = sorted(clip for folder in options.clips for clip in folder.glob("*.mp4"))
    if not clips:
        print("Nothing measured: the development data (../shared/data) is not on this machine.")
        return
    actor = load_actor(options.actor)
    followed = {clip.stem: follow(actor, clip) for clip in clips}
    print(describe_machine())
    for kind in ("without", "with breath"):
        scores = [correlation(curves[kind], curves["tracked"]) for curves in followed.values()]
        print(f"{kind:12} r median {np.median(scores):.3f} mean {np.mean(scores):.3f} of {len(scores)} clips")
    if options.out:
        draw(dict(list(followed.items())[:DRAWN]), options.out)


if __name__ == "__main__":
    main()

"""What speed costs in quality: the fast paths, and live sound with each look-ahead, on frames never trained on.

The video is the one an actor was trained on, whose last part was held out; tracking it takes minutes, so that a
dataset that training has left behind may be given instead.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch

from backend.actor_file import Actor, load_actor
from backend.actor_library import find_actor
from backend.audio.spectrogram import level_gain
from backend.evaluation.metrics import geometry_figures, weighted_ssim
from backend.inference.motion import hear
from backend.inference.precision import calibrate
from backend.inference.predict import decode_motion, decode_textures, encode_sound
from backend.inference.stream import StreamingSession, full_look_ahead
from backend.inference.texture import TextureEngine
from backend.training.batches import Span, split_spans
from backend.training.dataset import Dataset, build_dataset, open_dataset
from benchmarks.machine import describe_machine

VIDEO = Path(__file__).resolve().parents[2] / "shared" / "data" / "actor" / "actor.mp4"
SHOWN = ("aperture_r", "lip_error_mm", "vertex_error_mm", "aperture_offset_ms", "ssim_atlas")
LOOK_AHEADS = (0.0, 0.04, 0.12)
"""Seconds of live sound; what each costs in accuracy stands in docs/experiments.md."""

Figures = dict[str, float]


class HeldOut:
    """The longest stretch of frames that training never saw, and what it compares predictions with."""

    def __init__(self, dataset: Dataset, share: float) -> None:
        _, spans = split_spans(dataset, share)
        self.span: Span = max(spans, key=lambda span: span.stop - span.start)
        part = slice(self.span.start, self.span.stop)
        self.dataset = dataset
        self.times = np.asarray(dataset.times[part])
        self.fps = 1 / float(np.median(np.diff(self.times)))
        self.samples = dataset.audio(int(dataset.clip[self.span.start]))
        self.valid = np.asarray(dataset.valid[part])
        self.vertices = np.asarray(dataset.vertices[part])
        self.crops = np.asarray(dataset.crops[part])
        skin = np.where(dataset.interior, 0, dataset.mask)
        self.pixels = skin + dataset.interior * np.asarray(dataset.visible[part])[:, None, None]

    def compare(self, offsets: np.ndarray, crops: np.ndarray | None = None) -> Figures:
        """Figures of predicted offsets (T, 468, 3) and crops (T, 128, 128, 3)."""
        predicted = self.dataset.reference_vertices + offsets
        figures = geometry_figures(predicted[self.valid], self.vertices[self.valid], self.fps)
        if crops is not None:
            figures["ssim_atlas"] = weighted_ssim(crops[self.valid], self.crops[self.valid], self.pixels[self.valid])
        return figures


def plain(actor: Actor, held: HeldOut) -> Figures:
    """PyTorch in float32, frame after frame."""
    codes = encode_sound(actor.model, held.samples, held.times)
    crops = None
    if actor.has_texture:
        crops = np.stack(list(decode_textures(actor.model, codes, actor.reference_crop, actor.reference.mask)))
    return held.compare(decode_motion(actor.model, codes)[0], crops)


def fast(actor: Actor, held: HeldOut, calibrated: bool) -> Figures:
    """NumPy, and textures in stretches side by side."""
    codes = hear(actor.motion, held.samples, held.times)[0]
    crops = None
    if actor.has_texture:
        crops = np.zeros((len(codes), 128, 128, 3), np.uint8)
        engine = TextureEngine(actor.model, actor.reference_crop, actor.reference.mask, calibrated)
        for frames, pictures in engine.decode(codes):
            crops[frames] = pictures
    return held.compare(actor.motion.offsets(codes), crops)


def live(actor: Actor, held: HeldOut, look_ahead: float, known_level: bool = True) -> Figures:
    """A stream over the whole recording; without a known level it follows the level as it hears it."""
    gain = level_gain(held.samples) if known_level else None
    if known_level:
        codes = hear(actor.motion, held.samples, held.times, look_ahead=look_ahead)[0]
        return held.compare(actor.motion.offsets(codes))
    session = StreamingSession(actor.motion, actor.reference.vertices, held.fps, look_ahead, gain)
    frames = session.feed(held.samples) + session.flush()
    times = np.array([frame.time for frame in frames])
    chosen = np.abs(times[:, None] - held.times).argmin(axis=0)
    return held.compare(np.stack([frames[number].offsets for number in chosen]))


def measure(actor: Actor, held: HeldOut) -> dict[str, Figures]:
    """Figures of every path."""
    table = {"plain, PyTorch float32": plain(actor, held), "fast, float32": fast(actor, held, calibrated=False)}
    texture = actor.model.texture
    if texture is not None and calibrate(texture, texture.spread.in_features).precision != torch.float32:
        table["fast, in the precision chosen here"] = fast(actor, held, calibrated=True)
    for look_ahead in LOOK_AHEADS:
        table[f"live, look-ahead {1000 * look_ahead:.0f} ms"] = live(actor, held, look_ahead)
    most = full_look_ahead(actor.motion)
    table[f"live, all it can use ({1000 * most:.0f} ms), level as heard"] = live(actor, held, most, known_level=False)
    return table


def main() -> None:
    """Print the table; --json FILE also writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actor", default="default")
    parser.add_argument("--video", type=Path, default=VIDEO)
    parser.add_argument("--dataset", type=Path, help="that training left behind, instead of the video")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not options.dataset and not options.video.is_file():
        print("Nothing measured: name a video with --video FILE, or a dataset with --dataset FOLDER.")
        return
    actor = load_actor(find_actor(options.actor))
    with tempfile.TemporaryDirectory() as scratch:
        if options.dataset:
            dataset = open_dataset(options.dataset)
        else:
            dataset = build_dataset([options.video], Path(scratch) / "dataset")
        held = HeldOut(dataset, float(actor.description.get("held_out", 0.15)))
        table = measure(actor, held)
    print(f"{describe_machine()}\nactor {actor.name}, {len(held.times)} held-out frames")
    print(" " * 52 + "".join(f"{name:>20}" for name in SHOWN))
    for path, figures in table.items():
        print(f"{path:52}" + "".join(f"{figures[name]:20.4f}" if name in figures else " " * 20 for name in SHOWN))
    if options.json:
        options.json.write_text(json.dumps({"machine": describe_machine(), "paths": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()

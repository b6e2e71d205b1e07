"""Frames a second of every stage from a 720p frame to an evenly lit crop, beside the literal implementation.

The literal implementation (benchmarks/literal_normalisation.py) warps one triangle after the other and sums over one
patch after the other. Tracking and pose have no literal counterpart: the model is the same.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from backend.normalisation.atlas import unwrap
from backend.normalisation.lighting import estimate_lighting, symmetrise
from backend.normalisation.reference import measure_quality
from backend.normalisation.space import SpeakerSpace, build_space
from backend.tracking.gaps import SceneSigns
from backend.tracking.trackers import open_tracker
from backend.video.decode import iterate_frames
from benchmarks.literal_normalisation import normalise_by_patches, unwrap_by_triangles
from benchmarks.machine import describe_machine
from benchmarks.relit_speaker import ACTOR, relight_frame

HEIGHT, WIDTH = 720, 1280
REPEATS = 3
"""The least time of several rounds counts."""
LITERAL_FRAMES = 5
"""Frames on which the literal warps are timed; its patches on one, which takes half a minute."""
GOAL_FPS, GOAL_RATIO = 25.0, 20.0


@dataclass(frozen=True)
class Material:
    """Frames with everything that the later stages need from the earlier ones."""

    images: list[np.ndarray]
    landmarks: np.ndarray
    space: SpeakerSpace
    atlases: list[np.ndarray]
    reference: np.ndarray

    def crop(self, index: int) -> np.ndarray:
        """The evenly lit lip crop from a frame's atlas."""
        lighting = estimate_lighting(self.reference, self.atlases[index], self.space.skin).cut(self.space.crop)
        return lighting.normalise(self.space.crop.cut(self.atlases[index]))


def read_frames(count: int) -> list[np.ndarray]:
    """The synthetic speaker under a wandering light, enlarged to 1280x720."""
    import cv2

    images = []
    for seconds, small in islice(iterate_frames(ACTOR), count):
        image = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
        image[:, (WIDTH - HEIGHT) // 2 : (WIDTH + HEIGHT) // 2] = cv2.resize(small, (HEIGHT, HEIGHT))
        images.append(relight_frame(image, seconds))
    return images


def prepare(images: list[np.ndarray]) -> Material:
    """Track the frames and make the speaker's space."""
    tracker = open_tracker()
    landmarks = np.stack([tracker.faces(image, index / 25)[0] for index, image in enumerate(images)])
    tracker.close()
    count = len(images)
    space = build_space(landmarks, np.zeros(count), 0, np.arange(count) / 25, np.zeros(count, int))
    atlases = [_atlas(image, points, space) for image, points in zip(images, landmarks, strict=True)]
    return Material(images, landmarks, space, atlases, symmetrise(atlases[0], space.skin))


def _atlas(image: np.ndarray, landmarks: np.ndarray, space: SpeakerSpace) -> np.ndarray:
    return unwrap(image, landmarks, space.atlas_map).astype(np.float32) / 255


@dataclass(frozen=True)
class Timing:
    """Milliseconds a frame."""

    wall: float
    """On the clock."""
    processor: float
    """Of all threads together: the same on a machine that is busy with other things."""


def time_frames(work: Callable[[int], object], count: int, frames_at_once: int = 1) -> Timing:
    """Least mean time of several rounds over `count` calls, after one to warm up."""
    work(0)
    walls, processors = [], []
    for _ in range(REPEATS):
        wall, processor = time.perf_counter(), time.process_time()
        for index in range(count):
            work(index)
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    scale = 1000 / (count * frames_at_once)
    return Timing(min(walls) * scale, min(processors) * scale)


def measure_stages(material: Material) -> dict[str, Timing]:
    """Every stage; tracking runs in threads of its own."""
    images, landmarks, space = material.images, material.landmarks, material.space
    tracker, signs = open_tracker(), SceneSigns()

    def condition(index: int) -> None:
        signs.observe(images[index])
        measure_quality(images[index], landmarks[index])

    stages = {
        "tracking": lambda index: tracker.faces(images[index], index / 25),
        "gaps and picture quality": condition,
        "atlas": lambda index: _atlas(images[index], landmarks[index], space),
        "lighting": material.crop,
    }
    timings = {name: time_frames(work, len(images)) for name, work in stages.items()}
    tracker.close()
    pose = time_frames(lambda _: space.to_head(landmarks, space.poses(landmarks)), 1, len(images))
    return timings | {"pose": pose}


def measure_literal(material: Material) -> dict[str, Timing]:
    """The literal implementation of the stages that have one."""
    images, landmarks, space = material.images, material.landmarks, material.space
    warps = time_frames(lambda k: unwrap_by_triangles(images[k], landmarks[k], space.uv), LITERAL_FRAMES)
    wall, processor = time.perf_counter(), time.process_time()
    normalise_by_patches(material.reference, material.atlases[0], space.skin)
    patches = Timing((time.perf_counter() - wall) * 1000, (time.process_time() - processor) * 1000)
    return {"atlas": warps, "lighting": patches}


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    if not ACTOR.is_file():
        print("Nothing measured: the development data (../shared/data) is not on this machine.")
        return
    material = prepare(read_frames(options.frames))
    ours, literal = measure_stages(material), measure_literal(material)
    print(f"{describe_machine()}; {len(material.images)} frames of {WIDTH}x{HEIGHT}")
    print_table(ours, literal)
    if options.json:
        kinds = {"ours": ours, "literal": literal}
        figures = {kind: {name: asdict(timing) for name, timing in stages.items()} for kind, stages in kinds.items()}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def print_table(ours: dict[str, Timing], literal: dict[str, Timing]) -> None:
    """Stage by stage, then all of them, and what the literal implementation takes for the same."""
    print("| stage | ms a frame | frames a second | processor ms | literal, processor ms | times faster |")
    print("|---|---|---|---|---|---|")
    for name, timing in ours.items():
        plain = literal.get(name)
        rest = f"{plain.processor:.0f} | {plain.processor / timing.processor:.0f}" if plain else "the same | 1"
        print(f"| {name} | {timing.wall:.2f} | {1000 / timing.wall:.0f} | {timing.processor:.2f} | {rest} |")
    wall, processor = (sum(getattr(timing, kind) for timing in ours.values()) for kind in ("wall", "processor"))
    print(f"| all, one after the other | {wall:.1f} | {1000 / wall:.0f} | {processor:.1f} | | |")
    both = sum(ours[name].processor for name in literal)
    ratio = sum(timing.processor for timing in literal.values()) / both
    print(
        f"all stages: {1000 / wall:.0f} frames a second (goal {GOAL_FPS:.0f}); {1000 / processor:.0f} if one core has"
    )
    print(f"nothing else to do. Atlas and lighting: {ratio:.0f} times faster than literal (goal {GOAL_RATIO:.0f})")


if __name__ == "__main__":
    main()

"""Make a small animation folder from the canonical face: known motion, painted textures."""

import json
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from shape_keys.topology import CANONICAL_FACE, LIPS, TRIANGLES

ATLAS = 256
RECTANGLE = {"x": 64, "y": 112, "width": 128, "height": 128, "atlas_size": ATLAS}
SKIN = (205, 150, 125)
LIP = (170, 80, 80)


def make_animation(folder: Path, frames: int = 12, fps: float = 25.0, texture: bool = True, **changes) -> Path:
    """Write an animation folder; `changes` replaces arrays of animation.npz, and None leaves one out."""
    folder.mkdir(parents=True, exist_ok=True)
    uv = layout()
    content = {
        "format": np.int64(1),
        "fps": np.asarray(fps, np.float64),
        "reference": CANONICAL_FACE.astype(np.float32),
        "offsets": motion(frames),
        "uv": uv[None].astype(np.float32),
        "triangles": TRIANGLES.astype(np.int32),
        "weights": np.zeros((frames, 52), np.float32),
        "weight_names": np.array([f"name{index}" for index in range(52)]),
        "actor": np.array("example"),
        "audio_sha256": np.array("0" * 64),
        "provenance": np.array(json.dumps({"tool": "example", "actor": "example"})),
    }
    content.update(changes)
    np.savez(folder / "animation.npz", **{name: value for name, value in content.items() if value is not None})
    if texture:
        _paint_atlas(folder, uv, frames)
    return folder


def write_words(folder: Path) -> None:
    """Write markers.json into an animation folder: "hello" at 0 s and "there" at 0.2 s."""
    words = [{"text": "hello", "start": 0.0, "end": 0.2}, {"text": "there", "start": 0.2, "end": 0.4}]
    (folder / "markers.json").write_text(json.dumps({"format": 1, "words": words, "phones": []}), encoding="utf-8")


def motion(frames: int) -> np.ndarray:
    """(T, 468, 3) float32, interocular units: the jaw opens and the mouth narrows, out of step; frame 0 is still."""
    face = CANONICAL_FACE.astype(np.float64)
    mouth = face[LIPS].mean(axis=0)
    below = np.clip((mouth[1] - face[:, 1]) / 0.3, 0, 1)
    near = np.exp(-((face - mouth) ** 2).sum(axis=1) / 0.2**2)
    phase = 2 * math.pi * np.arange(frames) / 10
    opening = (1 - np.cos(phase)) / 2
    narrowing = np.sin(phase)
    offsets = np.zeros((frames, *face.shape))
    offsets[:, :, 1] = -0.25 * opening[:, None] * below
    offsets[:, :, 0] = -0.15 * narrowing[:, None] * near * (face[:, 0] - mouth[0])
    return offsets.astype(np.float32)


def layout() -> np.ndarray:
    """(468, 2) uv of the canonical face, 0..1, v up: a flat projection with a margin."""
    flat = CANONICAL_FACE[:, :2].astype(np.float64)
    low, high = flat.min(axis=0), flat.max(axis=0)
    return (0.5 + 0.9 * (flat - (low + high) / 2) / (high - low).max()).astype(np.float32)


def crop_colour(frame: int) -> tuple[int, int, int]:
    """The flat colour of a frame's lip crop: no two of the first 40 frames share it."""
    return 60 + 5 * (frame % 40), 40, 90


def _paint_atlas(folder: Path, uv: np.ndarray, frames: int) -> None:
    atlas = Image.new("RGB", (ATLAS, ATLAS), SKIN)
    draw = ImageDraw.Draw(atlas)
    pixels = np.stack([uv[:, 0] * ATLAS, (1 - uv[:, 1]) * ATLAS], axis=1)
    for x, y in pixels[LIPS]:
        draw.ellipse([x - 2, y - 2, x + 2, y + 2], fill=LIP)
    atlas.save(folder / "reference_atlas.png")
    (folder / "atlas.json").write_text(json.dumps(RECTANGLE), encoding="utf-8")
    (folder / "atlas").mkdir(exist_ok=True)
    for frame in range(frames):
        Image.new("RGB", (128, 128), crop_colour(frame)).save(folder / "atlas" / f"{frame + 1:04d}.png")

"""Play vertices from a PC2 file through the Mesh Cache modifier: exact, and nothing to edit."""

import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..errors import AnimationError, OutputError
from ..staging import Staging
from .paths import stored_path
from .tags import LINE

MODIFIER = "Mouthpiece cache"
CACHED_LINE = f"{LINE}_cache"
HEADER = "<12siiffi"  # PC2: signature, version, points, first frame, frames a sample, samples
BLOCK = 64  # frames whose vertices are in memory at once


@dataclass(frozen=True)
class CacheFile:
    """A PC2 file to write."""

    path: Path
    points: int
    samples: int
    blocks: Iterable[np.ndarray]
    """(frames, points, 3) of the samples, one after the other."""


def cache_path(folder: Path, mesh: str) -> Path:
    """Where a mesh's vertices are kept beside an animation."""
    return folder / (re.sub(r"[^\w.-]", "_", mesh) + ".pc2")


def write_caches(files: Sequence[CacheFile]) -> None:
    """Write files of vertices: all appear whole, or none. Raises AnimationError where one cannot be written."""
    try:
        with Staging() as staging:
            for file in files:
                _write(file, staging.file(file.path))
    except (OSError, OutputError) as error:
        raise AnimationError(
            f"The mesh cache in {files[0].path.parent} cannot be written ({error}); "
            "free some space, or choose another result."
        ) from error


def _write(file: CacheFile, path: Path) -> None:
    with path.open("wb") as output:
        output.write(struct.pack(HEADER, b"POINTCACHE2\0", 1, file.points, 0.0, 1.0, file.samples))
        for block in file.blocks:
            output.write(np.ascontiguousarray(block, "<f4").tobytes())


def play_cache(item: bpy.types.Object, line: str, path: Path, start: float, frames_each: float) -> None:
    """Let an object show the vertices of a file, its first sample at scene frame `start`.

    frames_each: scene frames from one sample to the next. The modifier comes first: what deforms the mesh further,
    such as an armature, goes on doing so. An earlier cache is replaced.
    """
    remove_cache(item)
    modifier = item.modifiers.new(MODIFIER, "MESH_CACHE")
    modifier.cache_format = "PC2"
    modifier.filepath = stored_path(path)
    modifier.frame_scale = 1.0 / frames_each
    modifier.frame_start = start / frames_each  # taken off after scaling
    item.modifiers.move(len(item.modifiers) - 1, 0)
    item[CACHED_LINE] = line


def cached_line(item: bpy.types.Object) -> str | None:
    """The line whose cache an object plays, None where it plays none."""
    return item.get(CACHED_LINE) if MODIFIER in item.modifiers else None


def remove_cache(item: bpy.types.Object) -> None:
    """Take the modifier of an earlier bake away; its file stays beside the animation."""
    modifier = item.modifiers.get(MODIFIER)
    if modifier is not None:
        item.modifiers.remove(modifier)
        item.pop(CACHED_LINE, None)


def character_vertices(mesh: bpy.types.Object, keys: list[str], weights: np.ndarray) -> Iterable[np.ndarray]:
    """Blocks of (frames, vertices, 3): what shape keys with weights (T, K) make of a mesh, in its own space.

    Keys that are not named stay at their value. Vertex groups of keys are respected.
    """
    blocks = mesh.data.shape_keys.key_blocks
    still = positions(blocks[0])
    moving = []
    for key in blocks[1:]:
        offset = (positions(key) - positions(key.relative_key)) * _group_weights(mesh, key.vertex_group)
        if key.name in keys:
            moving.append((keys.index(key.name), offset.ravel()))
        elif not key.mute:
            still = still + key.value * offset
    order = [column for column, _ in moving]
    offsets = np.stack([offset for _, offset in moving])
    for first in range(0, len(weights), BLOCK):
        shown = weights[first : first + BLOCK, order] @ offsets
        yield still + shown.reshape(len(shown), *still.shape)


def positions(key: bpy.types.ShapeKey) -> np.ndarray:
    """(vertices, 3) float32 of a shape key."""
    points = key.points if hasattr(key, "points") else key.data
    flat = np.empty(3 * len(points), np.float32)
    points.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def _group_weights(mesh: bpy.types.Object, name: str) -> np.ndarray:
    """(vertices, 1) weights of a vertex group; ones where a key has none."""
    vertices = mesh.data.vertices
    group = mesh.vertex_groups.get(name)
    if group is None:
        return np.ones((len(vertices), 1), np.float32)
    weights = np.zeros((len(vertices), 1), np.float32)
    for vertex in vertices:
        for part in vertex.groups:
            if part.group == group.index:
                weights[vertex.index] = part.weight
    return weights

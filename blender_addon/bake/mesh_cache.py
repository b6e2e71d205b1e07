"""Play vertices from a PC2 file through the Mesh Cache modifier: exact, and nothing to edit."""

import json
import re
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..errors import AnimationError, OutputError
from ..staging import Staging
from .paths import stored_path
from .spans import EVER, overlap
from .tags import LINE

MODIFIER = "Mouthpiece cache"
CACHES = f"{LINE}_cache"
"""Custom property of an object, JSON: for each line the [modifier, first frame, last frame] of its cache."""
EDGE = 1e-3  # of a scene frame: a line's first and last frame belong to it
HEADER = "<12siiffi"  # PC2: signature, version, points, first frame, frames a sample, samples
PLAIN = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)$)[a-z0-9-]{1,50}")
"""A name that is a file's as it stands, on every system: neither a device of Windows nor told apart by its case."""
LONGEST = 50  # letters of other names; with four bytes each they leave room for the endings of temporary files
BLOCK = 64  # frames whose vertices are in memory at once


@dataclass(frozen=True)
class CacheFile:
    """A PC2 file to write."""

    path: Path
    points: int
    samples: int
    blocks: Iterable[np.ndarray]
    """(frames, points, 3) of the samples, one after the other."""


def cache_path(folder: Path, *names: str) -> Path:
    """Where the vertices of what has these names, such as a line and a mesh, are kept beside an animation.

    Names that some system cannot write, or takes for other names, get a checksum, always the same.
    """
    stem = "_".join(names)
    if not all(PLAIN.fullmatch(name) for name in names):
        checksum = zlib.crc32("\0".join(names).encode())
        stem = re.sub(r"[^\w-]", "_", stem)[:LONGEST] + f"_{checksum:08x}"
    return folder / f"{stem}.pc2"


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


def play_cache(
    item: bpy.types.Object,
    line: str,
    path: Path,
    frames_each: float,
    first: float,
    span: tuple[float, float] = EVER,
) -> None:
    """Let an object show the vertices of a file, its first sample at scene frame `first`.

    frames_each: scene frames from one sample to the next; span: where it shows them, as `cache_span` says; elsewhere
    the mesh moves as without the file. The modifier comes first: what deforms the mesh further, such as an armature,
    goes on doing so. Caches in its way are removed.
    """
    remove_caches(item, line, span)
    modifier = item.modifiers.new(f"{MODIFIER} {line}", "MESH_CACHE")
    modifier.cache_format = "PC2"
    modifier.filepath = stored_path(path)
    modifier.frame_scale = 1.0 / frames_each
    modifier.frame_start = first / frames_each  # taken off after scaling
    if span != EVER:
        switch = modifier.driver_add("factor").driver
        # Blender evaluates comparisons of numbers itself, in files that may not run scripts too.
        switch.expression = f"frame >= {span[0] - EDGE:.4f} and frame <= {span[1] + EDGE:.4f}"
    item.modifiers.move(len(item.modifiers) - 1, 0)
    item[CACHES] = json.dumps({**_caches(item), line: (modifier.name, *span)})


def cache_span(item: bpy.types.Object, span: tuple[float, float]) -> tuple[float, float]:
    """Where an object can play the cache of a line of these scene frames: in them, or only at every frame.

    The latter holds for an override of something animated: its drivers are those of the linked file once it is opened
    again.
    """
    linked = None if item.override_library is None else item.override_library.reference
    return span if linked is None or linked.animation_data is None else EVER


def cached_lines(item: bpy.types.Object, span: tuple[float, float] = EVER) -> set[str]:
    """The lines whose caches an object plays between two scene frames."""
    return {line for line, (_, *played) in _caches(item).items() if overlap(played, span)}


def cache_modifier(item: bpy.types.Object, line: str) -> str | None:
    """Name of the modifier that plays a line's cache, None where there is none."""
    found = _caches(item).get(line)
    return None if found is None else found[0]


def remove_caches(item: bpy.types.Object, line: str, span: tuple[float, float] = EVER) -> None:
    """Take away the modifiers of a line's earlier bake, and of lines that play between two scene frames.

    Their files stay beside the animations.
    """
    caches = _caches(item)
    gone = {line, *cached_lines(item, span)} & set(caches)
    for found in gone:
        modifier = item.modifiers[caches.pop(found)[0]]
        modifier.driver_remove("factor")
        item.modifiers.remove(modifier)
    if caches:
        item[CACHES] = json.dumps(caches)
    elif gone:
        del item[CACHES]


def _caches(item: bpy.types.Object) -> dict[str, tuple[str, float, float]]:
    """Of each line whose cache an object plays: the modifier, and the first and the last scene frame."""
    stored = item.get(CACHES, "{}")
    try:
        caches = json.loads(stored)
    except ValueError:
        caches = None
    if not isinstance(caches, dict):  # an object once had one cache, and the property its line
        caches = {stored: (MODIFIER, *EVER)}
    played = {line: (name, first, last) for line, (name, first, last) in caches.items()}
    return {line: row for line, row in played.items() if row[0] in item.modifiers}


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

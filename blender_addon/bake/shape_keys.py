"""Build the 468-vertex mesh with its principal-component shape keys, and rewrite both where they exist already."""

import hashlib
from collections.abc import Sequence

import bpy
import numpy as np

from ..animation import VERTEX_COUNT, Animation
from ..components import Components
from .channels import Channel, dense_channels, sparse_channels
from .mesh_cache import positions
from .options import SPARSE, ResultOptions

SLIDER = 2.0  # baked weights stay within 0..1; the rest is room to exaggerate by hand
PREFIX = "Mouthpiece "
COMPONENTS = f'key_blocks["{PREFIX}'
"""How the data path of a component's curve begins."""
SAME = 1e-5  # interocular units; shapes this close are the same shape
LAYOUT = "UVMap"
TOPOLOGY = "mouthpiece_topology"
"""Custom property of a mesh: a digest of the triangles that it was built with."""
NEUTRAL = ".mouthpiece_neutral"
"""Attribute of a mesh: where its vertices were baked; with the dot Blender neither lists nor exports it."""
LAID_OUT = "mouthpiece_layout"
"""Custom property of a mesh: a digest of the UV map as it was baked."""


def build_mesh(name: str, animation: Animation) -> bpy.types.Mesh:
    """Mesh of the neutral face in head space, with the atlas layout as the UV map "UVMap"."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(animation.reference.tolist(), [], animation.triangles.tolist())
    _lay_out(mesh, animation)
    _remember(mesh, animation)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), dtype=bool))
    mesh.update()
    return mesh


def fits_mesh(mesh: bpy.types.Mesh, animation: Animation) -> bool:
    """Whether a mesh has the animation's vertices and triangles, so that it can be rewritten in place."""
    if len(mesh.vertices) != len(animation.reference) or len(mesh.loops) != animation.triangles.size:
        return False
    return bool((np.sort(_corners(mesh).reshape(-1, 3)) == np.sort(animation.triangles)).all())


def is_altered(mesh: bpy.types.Mesh) -> bool:
    """Whether a mesh has other vertices or faces than it was built with, or elsewhere, as far as that is known."""
    known = mesh.get(TOPOLOGY)  # absent from meshes of earlier versions
    other = len(mesh.vertices) != VERTEX_COUNT if known is None else known != _topology(mesh)
    return other or is_moved(mesh)


def is_moved(mesh: bpy.types.Mesh) -> bool:
    """Whether a mesh's neutral face is elsewhere than it was baked, by hand or Apply Transform, as far as is known."""
    known = mesh.attributes.get(NEUTRAL)
    if known is None or len(known.data) != len(mesh.vertices):
        return False
    baked = np.empty(3 * len(mesh.vertices), np.float32)
    known.data.foreach_get("vector", baked)
    return bool(np.abs(_neutral(mesh) - baked.reshape(-1, 3)).max() > SAME)


def is_edited(head: bpy.types.Object) -> bool:
    """Whether anything of a head's mesh was made by hand, save for where its vertices are."""
    mesh = head.data
    keys = [] if mesh.shape_keys is None else mesh.shape_keys.key_blocks[1:]
    by_hand = [
        *(key for key in keys if not key.name.startswith(PREFIX)),
        *head.vertex_groups,
        *(layer for layer in mesh.uv_layers if layer.name != LAYOUT),
        *mesh.color_attributes,
    ]
    return bool(by_hand) or _is_laid_out_by_hand(mesh) or mesh.get(TOPOLOGY) != _topology(mesh)


def rewrite_mesh(mesh: bpy.types.Mesh, animation: Animation) -> None:
    """Give a mesh that fits another neutral face and layout; shape keys that were made by hand move along.

    A layout that was made by hand stays.
    """
    change = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", change)
    change = animation.reference - change.reshape(-1, 3)
    mesh.vertices.foreach_set("co", animation.reference.ravel())
    if mesh.shape_keys is not None:
        for key in mesh.shape_keys.key_blocks:
            _points(key).foreach_set("co", (positions(key) + change).ravel())
    if not _is_laid_out_by_hand(mesh):
        _lay_out(mesh, animation)
    _remember(mesh, animation)
    mesh.update()


def key_name(component: int) -> str:
    """Name of the shape key of a component: "Mouthpiece 00" for the first, at 1 throughout, 01 for what moves most."""
    return f"{PREFIX}{component:02d}"


def add_shape_keys(head: bpy.types.Object, components: Components) -> bool:
    """Give a mesh object the basis and a key for each component; returns whether keys now mean something else.

    Keys of an earlier bake are rewritten or removed; those that were made by hand stay.
    """
    if head.data.shape_keys is None:
        head.shape_key_add(name="Basis", from_mix=False)
    blocks = head.data.shape_keys.key_blocks
    basis = positions(blocks[0])
    names = [key_name(index) for index in range(len(components.shapes))]
    changed = remove_shape_keys(head, keep=names)
    for name, shape in zip(names, components.shapes, strict=True):
        key = blocks.get(name)
        if key is None:
            key = head.shape_key_add(name=name, from_mix=False)
        else:
            changed |= bool(np.abs(positions(key) - basis - shape).max() > SAME)
        key.slider_min, key.slider_max = -SLIDER, SLIDER
        _points(key).foreach_set("co", (basis + shape).ravel())
    return changed


def remove_shape_keys(head: bpy.types.Object, keep: Sequence[str] = ()) -> bool:
    """Remove the keys of earlier bakes but those to keep, and the basis where nothing else is left; whether any."""
    keys = head.data.shape_keys
    if keys is None:
        return False
    needless = [key.name for key in keys.key_blocks if key.name.startswith(PREFIX) and key.name not in keep]
    for name in needless:
        head.shape_key_remove(keys.key_blocks[name])
    if not keep and len(keys.key_blocks) == 1:
        head.shape_key_remove(keys.key_blocks[0])
    return bool(needless)


def head_channels(components: Components, frames: np.ndarray, options: ResultOptions) -> list[Channel]:
    """The curves of the components' shape keys at scene frames (T,)."""
    paths = [f'key_blocks["{key_name(index)}"].value' for index in range(len(components.shapes))]
    if options.kind != SPARSE:
        return dense_channels(paths, frames, components.weights)
    # A component that moves the face little may be off by more of its own weight.
    reach = np.maximum(np.linalg.norm(components.shapes, axis=2).max(axis=1), 1e-9)
    reach[0] = 1e-9  # it stays where it is
    tolerances = options.tolerance * reach.max() / reach
    return sparse_channels(paths, frames, components.weights, tolerances)


def _lay_out(mesh: bpy.types.Mesh, animation: Animation) -> None:
    corners = _corners(mesh)
    layer = mesh.uv_layers.get(LAYOUT) or mesh.uv_layers.new(name=LAYOUT)
    layer.data.foreach_set("uv", np.ascontiguousarray(animation.uv[corners], dtype=np.float32).ravel())
    mesh[LAID_OUT] = _layout(layer)


def _remember(mesh: bpy.types.Mesh, animation: Animation) -> None:
    """Note on a mesh what was baked, so that what is made of it by hand can be told."""
    mesh[TOPOLOGY] = _topology(mesh)
    known = mesh.attributes.get(NEUTRAL) or mesh.attributes.new(NEUTRAL, "FLOAT_VECTOR", "POINT")
    known.data.foreach_set("vector", animation.reference.ravel())


def _is_laid_out_by_hand(mesh: bpy.types.Mesh) -> bool:
    layer, known = mesh.uv_layers.get(LAYOUT), mesh.get(LAID_OUT)
    return layer is not None and known is not None and known != _layout(layer)


def _layout(layer: bpy.types.MeshUVLoopLayer) -> str:
    """A digest of a UV map."""
    places = np.empty(2 * len(layer.data), np.float32)
    layer.data.foreach_get("uv", places)
    return hashlib.sha256(places.tobytes()).hexdigest()


def _neutral(mesh: bpy.types.Mesh) -> np.ndarray:
    """(vertices, 3) float32: the basis, or the mesh itself where it has no shape keys."""
    if mesh.shape_keys is not None:
        return positions(mesh.shape_keys.key_blocks[0])
    places = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", places)
    return places.reshape(-1, 3)


def _topology(mesh: bpy.types.Mesh) -> str:
    """A digest of which vertices a mesh's faces have."""
    sizes = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_total", sizes)
    return hashlib.sha256(_corners(mesh).tobytes() + sizes.tobytes()).hexdigest() + f" {len(mesh.vertices)}"


def _corners(mesh: bpy.types.Mesh) -> np.ndarray:
    corners = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", corners)
    return corners


def _points(key: bpy.types.ShapeKey):
    return key.points if hasattr(key, "points") else key.data

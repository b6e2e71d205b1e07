"""Pictures for people: the mesh over a frame, gain maps in colour, contact sheets."""

import numpy as np

from backend.inspection.examples import Example
from backend.normalisation.atlas import MOUTH_COUNT, Crop
from backend.training.dataset import Dataset
from shape_keys.topology import LIPS, TRIANGLES

OVERLAY_HEIGHT = 360
"""Pixels of an overlay picture; the face is enlarged to it."""

MARGIN = 0.25
"""Of the face's size, shown around it."""

MESH_COLOUR, LIP_COLOUR = (90, 220, 255), (255, 120, 90)
"""RGB."""

GAIN_RANGE = 2.0
"""A gain of 2 is drawn fully red, of 1/2 fully blue."""

SHEET = (4, 8)
"""Rows and columns of the contact sheet."""


def draw_mesh(example: Example) -> np.ndarray:
    """The face of a frame with its mesh, lips in another colour: (360, W, 3) uint8."""
    import cv2

    points = example.landmarks[:, :2]
    height, width = example.image.shape[:2]
    middle, half = (points.min(axis=0) + points.max(axis=0)) / 2, (0.5 + MARGIN) * np.ptp(points, axis=0).max()
    low = np.clip(np.floor(middle - half).astype(int), 0, [width - 1, height - 1])
    high = np.clip(np.ceil(middle + half).astype(int), low + 1, [width, height])
    scale = OVERLAY_HEIGHT / (high[1] - low[1])
    part = np.ascontiguousarray(example.image[low[1] : high[1], low[0] : high[0]])
    size = (max(1, round((high[0] - low[0]) * scale)), OVERLAY_HEIGHT)
    picture = cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    # Sixteenths of a pixel: whole ones would make the mesh tremble from picture to picture.
    places = np.round((points - low) * scale * 16 - 8).astype(np.int32)
    lines = picture.copy()
    cv2.polylines(lines, list(places[TRIANGLES]), True, MESH_COLOUR, 1, cv2.LINE_AA, 4)
    picture = cv2.addWeighted(lines, 0.45, picture, 0.55, 0)
    lips = TRIANGLES[MOUTH_COUNT:][np.isin(TRIANGLES[MOUTH_COUNT:], LIPS).all(axis=1)]
    cv2.polylines(picture, list(places[lips]), True, LIP_COLOUR, 1, cv2.LINE_AA, 4)
    return picture


def draw_gain(gain: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """A gain map (H, W) in colours (H, W, 3) uint8: white is 1, red brightens, blue darkens, grey is outside."""
    strength = np.clip(np.log(np.maximum(gain, 1e-3)) / np.log(GAIN_RANGE), -1, 1)[..., None]
    red, blue, white = np.array([200, 40, 30]), np.array([30, 70, 200]), np.full(3, 255)
    colours = np.where(strength > 0, white + strength * (red - white), white - strength * (blue - white))
    return np.where(covered[..., None], colours, 90).astype(np.uint8)


def draw_crop(atlas: np.ndarray, crop: Crop) -> np.ndarray:
    """An atlas (256, 256, 3) with the lip crop's rectangle."""
    import cv2

    picture = atlas.copy()
    corners = (crop.x, crop.y), (crop.x + crop.width - 1, crop.y + crop.height - 1)
    cv2.rectangle(picture, *corners, LIP_COLOUR, 1)
    return picture


def contact_sheet(dataset: Dataset) -> np.ndarray:
    """Normalised lip crops from the most closed to the most open mouth, row by row: (512, 1024, 3) uint8."""
    valid = np.flatnonzero(np.asarray(dataset.valid))
    order = valid[np.argsort(np.asarray(dataset.visible)[valid], kind="stable")]
    rows, columns = SHEET
    chosen = order[np.linspace(0, len(order) - 1, rows * columns).astype(int)]
    crops = np.stack([dataset.crops[frame] for frame in chosen])
    size = crops.shape[1]
    tiled = crops.reshape(rows, columns, size, size, 3).transpose(0, 2, 1, 3, 4)
    return tiled.reshape(rows * size, columns * size, 3)

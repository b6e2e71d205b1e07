"""A curve as the bake writes it: which property, at which scene frames, with which values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..keyframes import SparseKeys, reduce_keys, sparse_values


@dataclass(frozen=True)
class Channel:
    """The keys of one number that moves."""

    path: str
    """Data path from its owner."""
    frames: np.ndarray
    """(N,) scene frames, ascending, not necessarily whole."""
    values: np.ndarray
    """(N,)"""
    slopes: np.ndarray | None = None
    """(N,) change a scene frame, for Bezier keys; None for straight lines from key to key."""
    index: int = 0
    """Place in a property of several numbers."""


def dense_channels(paths: Sequence[str], frames: np.ndarray, values: np.ndarray) -> list[Channel]:
    """A key for every row of `values` (T, K), at scene frames (T,); a channel for each of the K paths."""
    return [Channel(path, frames, column) for path, column in zip(paths, values.T, strict=True)]


def sparse_channels(
    paths: Sequence[str], frames: np.ndarray, values: np.ndarray, tolerance: float | np.ndarray
) -> list[Channel]:
    """As few Bezier keys as keep each column of `values` (T, K) within its tolerance: one number, or (K,)."""
    step = frames[1] - frames[0] if len(frames) > 1 else 1.0
    limits = np.broadcast_to(tolerance, len(paths))
    channels = []
    for path, column, limit in zip(paths, values.T, limits, strict=True):
        keys = reduce_keys(column, float(limit))
        channels.append(Channel(path, frames[keys.frames], keys.values, keys.slopes / step))
    return channels


def count_keys(channels: Sequence[Channel]) -> int:
    """Keys over all channels."""
    return sum(len(channel.frames) for channel in channels)


def channel_values(channel: Channel, frames: np.ndarray) -> np.ndarray:
    """(T,) what a channel of Bezier keys shows at evenly spaced scene frames, which hold its keys."""
    step = frames[1] - frames[0] if len(frames) > 1 else 1.0
    slopes = np.zeros(len(channel.frames)) if channel.slopes is None else channel.slopes * step
    places = np.rint((channel.frames - frames[0]) / step).astype(int)
    return sparse_values(SparseKeys(places, channel.values, slopes), len(frames))

"""Frame rates as Blender's pair of numbers."""

import pytest

from blender_addon.timing import split_rate


@pytest.mark.parametrize(
    ("fps", "frames", "base"),
    [(25.0, 25, 1.0), (24, 24, 1.0), (60.0, 60, 1.0), (30000 / 1001, 30, 1.001), (12.5, 13, 1.04)],
)
def test_split_rate(fps: float, frames: int, base: float) -> None:
    assert split_rate(fps) == (frames, pytest.approx(base))


@pytest.mark.parametrize("fps", [1.0, 23.976, 29.97, 59.94, 119.88, 240.0, 1.5])
def test_the_quotient_is_the_rate(fps: float) -> None:
    frames, base = split_rate(fps)
    assert frames / base == pytest.approx(fps, rel=1e-9)

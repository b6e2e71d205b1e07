"""Reading animation folders: what the backend writes is read, and everything else is refused with a sentence."""

import json
from pathlib import Path

import numpy as np
import pytest

from backend import animation_file
from blender_addon.animation import Rectangle, read_animation
from blender_addon.errors import AnimationError
from tests.blender_addon.example import RECTANGLE, layout, make_animation, motion


def test_reads_what_was_written(tmp_path: Path) -> None:
    animation = read_animation(make_animation(tmp_path, frames=5, fps=29.97))
    assert animation.frames == 5
    assert animation.fps == 29.97
    np.testing.assert_array_equal(animation.offsets, motion(5))
    np.testing.assert_array_equal(animation.uv, layout())
    assert animation.rectangle == Rectangle(**RECTANGLE)
    assert animation.actor == "example"
    assert json.loads(animation.provenance)["tool"] == "example"


def test_reads_what_the_backend_writes(tmp_path: Path) -> None:
    source = read_animation(make_animation(tmp_path, frames=3, texture=False))
    written = animation_file.Animation(
        fps=25.0,
        reference=source.reference,
        offsets=source.offsets,
        uv=source.uv[None],
        triangles=source.triangles,
        weights=source.weights,
        weight_names=source.weight_names,
        actor="somebody",
        audio_sha256="ab",
        provenance="{}",
    )
    (tmp_path / "other").mkdir()
    animation_file.save_animation(written, tmp_path / "other")
    animation = read_animation(tmp_path / "other")
    assert animation.actor == "somebody"
    np.testing.assert_array_equal(animation.offsets, source.offsets)


def test_without_texture(tmp_path: Path) -> None:
    animation = read_animation(make_animation(tmp_path, texture=False))
    assert animation.crops is None
    assert animation.rectangle is None
    assert animation.reference_atlas is None


def test_rectangle_in_texture_coordinates() -> None:
    # By hand: 64 of 256 is a quarter; rows 112 to 240 from the top end 16 above the bottom, v = 16 / 256.
    rectangle = Rectangle(**RECTANGLE)
    assert rectangle.uv_origin() == (0.25, 0.0625)
    assert rectangle.uv_size() == (0.5, 0.5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": np.int64(2)}, "format 2"),
        ({"format": np.array("one")}, "format one"),
        ({"fps": np.float64(0)}, "fps is 0"),
        ({"fps": np.float64(np.nan)}, "not finite"),
        ({"fps": np.array([25.0])}, "single value"),
        ({"offsets": None}, "lacks offsets"),
        ({"offsets": np.zeros((0, 468, 3), np.float32)}, "no frames"),
        ({"offsets": np.zeros((12, 478, 3), np.float32)}, "offsets has shape (12, 478, 3)"),
        ({"offsets": np.full((12, 468, 3), np.inf, np.float32)}, "not finite"),
        ({"reference": np.zeros((468, 2), np.float32)}, "reference has shape"),
        ({"uv": np.zeros((12, 468, 2), np.float32)}, "moves with the frames"),
        ({"uv": np.zeros((468, 2), np.float32)}, "uv has shape (468, 2)"),
        ({"triangles": np.array([[0, 1, 468]])}, "outside 0..467"),
        ({"triangles": np.array([[0.0, 1.0, 2.0]])}, "whole numbers"),
        ({"weights": np.full((12, 52), 1.5, np.float32)}, "expected values in 0..1"),
        ({"weights": np.zeros((11, 52), np.float32)}, "weights has shape"),
        ({"weight_names": np.array([{"a": 1}] * 52)}, "damaged"),
    ],
)
def test_refuses_bad_content(tmp_path: Path, changes: dict, words: str) -> None:
    with pytest.raises(AnimationError) as caught:
        read_animation(make_animation(tmp_path, texture=False, **changes))
    assert words in str(caught.value)


def test_refuses_a_pickle_without_running_it(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    with pytest.raises(AnimationError):
        read_animation(make_animation(tmp_path, texture=False, actor=np.array(Trap(), dtype=object)))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_refuses_a_damaged_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "animation.npz").write_bytes(content)
    with pytest.raises(AnimationError, match="damaged"):
        read_animation(tmp_path)


def test_refuses_a_truncated_file(tmp_path: Path) -> None:
    path = make_animation(tmp_path, texture=False) / "animation.npz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(AnimationError, match="damaged"):
        read_animation(tmp_path)


def test_refuses_a_folder_without_animation(tmp_path: Path) -> None:
    with pytest.raises(AnimationError, match=r"no animation\.npz"):
        read_animation(tmp_path)


def test_refuses_missing_crops(tmp_path: Path) -> None:
    make_animation(tmp_path, frames=12)
    (tmp_path / "atlas" / "0007.png").unlink()
    with pytest.raises(AnimationError, match=r"lacks 0007\.png \(1 of 12"):
        read_animation(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"x": 200, "y": 0, "width": 128, "height": 128, "atlas_size": 256}']
)
def test_refuses_a_bad_rectangle(tmp_path: Path, text: str) -> None:
    make_animation(tmp_path)
    (tmp_path / "atlas.json").write_text(text, encoding="utf-8")
    with pytest.raises(AnimationError, match=r"atlas\.json"):
        read_animation(tmp_path)


def test_refuses_crops_without_reference_atlas(tmp_path: Path) -> None:
    make_animation(tmp_path)
    (tmp_path / "reference_atlas.png").unlink()
    with pytest.raises(AnimationError, match="reference_atlas"):
        read_animation(tmp_path)


@pytest.mark.parametrize("name", ["reference_atlas.png", "atlas/0001.png"])
@pytest.mark.parametrize("content", [b"", b"GIF89a and so on, long enough for a head"])
def test_refuses_what_is_no_picture(tmp_path: Path, name: str, content: bytes) -> None:
    (make_animation(tmp_path) / name).write_bytes(content)
    with pytest.raises(AnimationError, match="no PNG"):
        read_animation(tmp_path)

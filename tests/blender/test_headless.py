"""The windowless command: the saved scene holds everything, and its pictures show the atlas."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.animation_file import SHOT_FILES, check_output
from tests.blender.scene_checks import evaluated_vertices, largest_error, strips
from tests.blender.sound import write_tone
from tests.blender_addon.example import SKIN, crop_colour, make_animation, write_words

pytestmark = pytest.mark.blender

FRAMES = 12
FPS = 29.97
SIZE = 128  # pixels


@pytest.fixture(scope="module")
def shot(headless, tmp_path_factory) -> Path:
    """Folder with shot.blend, its files and the rendered frames, moved away from where it was made."""
    made = tmp_path_factory.mktemp("made")
    animation = make_animation(made / "animation", frames=FRAMES, fps=FPS)
    write_words(animation)
    sound = write_tone(made / "tone.wav", FRAMES / FPS)
    out = made / "out"
    out.mkdir()
    status, lines, errors = headless(
        *("--animation", animation, "--audio", sound, "--out", out / "shot.blend"),
        *("--render", out / "frames", "--size", SIZE),
    )
    assert status == 0, errors
    assert lines[-1] == {"wrote": [str(out / "shot.blend"), str(out / "frames")]}
    assert {"stage": "render", "done": FRAMES, "total": FRAMES} in lines
    moved = tmp_path_factory.mktemp("moved") / "out"
    shutil.move(out, moved)
    shutil.rmtree(made)
    return moved


def open_shot(path: str) -> dict:
    """Open a saved scene and measure it."""
    import bpy

    from blender_addon.animation import read_animation

    bpy.ops.wm.open_mainfile(filepath=path)
    scene, factory = bpy.context.scene, bpy.data.scenes.new("factory")
    head = next(item for item in scene.objects if item.type == "MESH")
    animation = read_animation(Path(path).with_name("shot_files"))
    images = [image for image in bpy.data.images if image.source in {"FILE", "SEQUENCE"}]
    return {
        "vertices": len(head.data.vertices),
        "error": largest_error(head, animation, [0, 2, 5, 8, 11]),
        "frames": [scene.frame_start, scene.frame_end],
        "fps": scene.render.fps / scene.render.fps_base,
        "sync": scene.sync_mode,
        "camera": scene.camera is not None,
        "actions": [action.name for action in bpy.data.actions],
        "paths": [image.filepath for image in images] + [sound.filepath for sound in bpy.data.sounds],
        "found": [Path(bpy.path.abspath(image.filepath)).exists() for image in images],
        "strips": [(strip.type, strip.frame_final_start, strip.frame_final_duration) for strip in strips(scene)],
        "sound": bpy.app.build_options.audaspace,
        "provenance": scene["mouthpiece_provenance"],
        "output": scene.render.filepath,
        "markers": [(marker.name, marker.frame) for marker in scene.timeline_markers],
        "compositing": scene.render.use_compositing,
        "samples": [scene.cycles.samples, factory.cycles.samples, scene.cycles.max_bounces, factory.cycles.max_bounces],
        "still": float(np.abs(evaluated_vertices(head, 1) - animation.reference).max()),
    }


def test_the_saved_scene_is_exact(blender, shot: Path) -> None:
    found = blender(open_shot, path=shot / "shot.blend")
    assert found["vertices"] == 468
    assert found["error"] < 1e-4
    assert found["still"] < 1e-4
    assert found["frames"] == [1, FRAMES]
    assert found["fps"] == pytest.approx(FPS, rel=1e-6)
    assert found["sync"] == "AUDIO_SYNC"
    assert found["camera"]
    assert found["actions"] == ["tone"]
    assert found["markers"] == [["hello", 1], ["there", 1 + round(0.2 * FPS)]]
    assert '"tool": "example"' in found["provenance"]


def test_the_saved_scene_renders_as_a_new_one_does(blender, shot: Path) -> None:
    found = blender(open_shot, path=shot / "shot.blend")
    assert found["compositing"]
    samples, factory_samples, bounces, factory_bounces = found["samples"]
    assert (samples, bounces) == (factory_samples, factory_bounces)


def test_the_saved_scene_refers_to_its_own_files(blender, shot: Path) -> None:
    found = blender(open_shot, path=shot / "shot.blend")
    pictures = ["//shot_files/atlas/0001.png", "//shot_files/reference_atlas.png"]
    assert sorted(found["paths"]) == [*pictures, *(["//shot_files/tone.wav"] if found["sound"] else [])]
    assert all(found["found"])
    assert found["output"].startswith("//")


def test_the_saved_scene_holds_the_sound(blender, shot: Path) -> None:
    found = blender(open_shot, path=shot / "shot.blend")
    if not found["sound"]:
        pytest.skip("this bpy was built without sound")
    [(kind, start, duration)] = found["strips"]
    assert (kind, start) == ("SOUND", 1)
    assert abs(duration - FRAMES) <= 1


def test_nothing_else_was_written(shot: Path) -> None:
    assert sorted(path.name for path in shot.iterdir()) == ["frames", "shot.blend", "shot_files"]
    check_output(shot / "shot_files", True, SHOT_FILES)  # the backend knows all of them
    assert sorted(path.name for path in (shot / "frames").iterdir()) == [f"{n + 1:04d}.png" for n in range(FRAMES)]


def picture(path: Path) -> np.ndarray:
    """(rows, columns, 3) int, sRGB."""
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def test_each_frame_shows_its_own_crop_in_the_colours_of_the_files(shot: Path) -> None:
    for frame in range(FRAMES):
        pixels = picture(shot / "frames" / f"{frame + 1:04d}.png")
        assert pixels.shape == (SIZE, SIZE, 3)
        # The middle of the crop, some way below the middle of the face; the crops are flat colours.
        mouth = pixels[int(0.66 * SIZE), SIZE // 2]
        np.testing.assert_allclose(mouth, crop_colour(frame), atol=2)
        forehead = pixels[int(0.25 * SIZE), SIZE // 2]
        np.testing.assert_allclose(forehead, SKIN, atol=2)


def test_the_background_is_a_neutral_grey(shot: Path) -> None:
    corner = picture(shot / "frames" / "0001.png")[2, 2]
    assert corner.max() - corner.min() <= 1
    assert 100 < corner[0] < 200


def test_the_whole_face_is_in_the_picture(shot: Path) -> None:
    pixels = picture(shot / "frames" / "0006.png")
    face = np.abs(pixels - pixels[2, 2]).max(axis=2) > 20
    rows, columns = np.nonzero(face)
    assert 0.6 * SIZE < rows.max() - rows.min() < 0.85 * SIZE
    assert min(rows.min(), columns.min(), SIZE - 1 - rows.max(), SIZE - 1 - columns.max()) > 4


def render_saved(path: str, folder: str) -> None:
    """Render one frame of a saved scene."""
    import bpy

    from blender_addon.render import quick_render

    bpy.ops.wm.open_mainfile(filepath=path)
    scene = bpy.context.scene
    scene.frame_set(7)
    scene.render.filepath = str(Path(folder) / "seven.png")
    with quick_render(scene):
        bpy.ops.render.render(write_still=True)


def test_the_saved_scene_renders_the_same_picture(blender, shot: Path, tmp_path: Path) -> None:
    blender(render_saved, path=shot / "shot.blend", folder=tmp_path)
    np.testing.assert_allclose(picture(tmp_path / "seven.png"), picture(shot / "frames" / "0007.png"), atol=3)


def test_without_texture_the_shape_can_be_read(headless, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    animation = make_animation(tmp_path / "animation", frames=2, texture=False)
    status, lines, errors = headless("--animation", animation, "--render", tmp_path / "frames", "--size", 96)
    assert status == 0, errors
    assert all(line["total"] for line in lines if "stage" in line)  # a total of 0 is a message
    assert list((tmp_path / "scratch").iterdir()) == []  # Blender's own folder is gone too
    pixels = picture(tmp_path / "frames" / "0002.png")
    face = pixels[np.abs(pixels - pixels[2, 2]).max(axis=2) > 10]
    assert face.std(axis=0).min() > 10


def test_writing_again_replaces(headless, tmp_path: Path) -> None:
    for frames in (3, 2):
        animation = make_animation(tmp_path / f"animation{frames}", frames=frames)
        status, _, errors = headless("--animation", animation, "--out", tmp_path / "shot.blend")
        assert status == 0, errors
    assert len(list((tmp_path / "shot_files" / "atlas").iterdir())) == 2
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_late_failure_leaves_nothing(headless, tmp_path: Path) -> None:
    animation = make_animation(tmp_path / "animation", frames=2)
    out = tmp_path / "out"
    (out / "b.blend").mkdir(parents=True)  # in the way of the last step
    arguments = ["--animation", animation, "--out", out / "a.glb", "--out", out / "b.blend", "--render", out / "frames"]
    status, lines, _ = headless(*arguments, "--size", 64)
    assert status == 1
    assert "is a folder" in lines[-1]["error"]
    assert [path.name for path in out.iterdir()] == ["b.blend"]


def test_a_damaged_picture_is_refused(headless, tmp_path: Path) -> None:
    for name in ("reference_atlas.png", "atlas/0001.png"):
        animation = make_animation(tmp_path / "animation", frames=2)
        (animation / name).write_bytes(b"no picture")
        status, lines, _ = headless("--animation", animation, "--out", tmp_path / "shot.blend")
        assert status == 1
        assert Path(name).name in lines[-1]["error"]
        assert not (tmp_path / "shot.blend").exists()

"""Other recordings of one name are lines of their own, and no folder is emptied that something still uses."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from shape_keys.arkit import NAMES
from tests.blender.rigs import add_mesh, curves_of, select
from tests.blender.scene_checks import empty_scene, strips
from tests.blender.sound import write_tone
from tests.blender_addon.example import make_animation
from tests.blender_addon.test_jobs import DONE, RUNNING, FakeService, pack

pytestmark = pytest.mark.blender


@pytest.fixture
def archive(tmp_path: Path, monkeypatch) -> Path:
    """What the backend answers: three frames with textures; the user has no other data."""
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path / "home"))
    return pack(tmp_path, named=True)


def start_addon(archive: str):
    """The add-on in an empty scene, with a backend that answers at once; (scene, its settings)."""
    import blender_addon

    scene = empty_scene()
    blender_addon.register()
    blender_addon.session.BACKEND.connect = lambda choice: FakeService(Path(archive), [RUNNING, DONE])
    return scene, scene.mouthpiece


def heads(scene) -> list[list]:
    """Name, and first key, of each head."""
    found = [item for item in scene.objects if item.get("mouthpiece_line")]
    return sorted([item.name, min(keys[0][0] for keys in curves_of(item).values())] for item in found)


def animate_namesakes(archive: str, anna: str, bob: str) -> dict:
    """Two recordings of one name as heads, then the first again elsewhere; two texts that begin alike."""
    import bpy

    from blender_addon.batch_lines import add_line

    scene, settings = start_addon(archive)
    add_line(scene, sound=anna, start=1)
    add_line(scene, sound=bob, start=100)
    bpy.ops.mouthpiece.animate_lines()
    found = {"batch": heads(scene), "strips": sorted(strip.name for strip in strips(scene))}
    settings.sound, settings.start = anna, 50
    bpy.ops.mouthpiece.animate()
    found["again"] = heads(scene)
    settings.speech = "TEXT"
    for words, start in (("I do not know you.", 200), ("I do not know him.", 300), ("I do not know you.", 400)):
        settings.words, settings.start = words, start
        bpy.ops.mouthpiece.animate()
    found["texts"] = [item for item in heads(scene) if item[0].startswith("I do")]
    found["can_play"] = bool(found["strips"])
    return found


def test_another_recording_makes_a_line_of_its_own(blender, archive: Path, tmp_path: Path) -> None:
    for name in ("anna", "bob"):
        (tmp_path / name).mkdir()
    sounds = {name: write_tone(tmp_path / name / "line01.wav", 0.2) for name in ("anna", "bob")}
    found = blender(animate_namesakes, archive=archive, **sounds)
    assert found["batch"] == [["line01", 1], ["line01 2", 100]]
    assert found["strips"] == (["line01", "line01 2"] if found["can_play"] else [])
    assert found["again"] == [["line01", 50], ["line01 2", 100]]
    assert found["texts"] == [["I do not know", 400], ["I do not know 2", 300]]


def animate_repeats(archive: str, sound: str) -> dict:
    """A batch whose rows say one recording, again with a row moved on, its third row alone, a row of another sound."""
    import bpy

    from blender_addon.batch_lines import add_line

    scene, settings = start_addon(archive)
    ann, bob = add_mesh("ann", ["jawOpen"]), add_mesh("bob", ["jawOpen"])
    for character, start in ((ann, 1), (ann, 100), (bob, 200), (None, 300)):
        add_line(scene, sound=sound, character=character, start=start)
    rows = scene.mouthpiece_batch.lines

    def lines() -> list[list]:
        made = [action for action in bpy.data.actions if "mouthpiece_line" in action]
        actions = {action["mouthpiece_line"]: action for action in made}
        return [[line, round(action.frame_range[0])] for line, action in sorted(actions.items())]

    def run(**options) -> dict:
        bpy.ops.mouthpiece.animate_lines(**options)
        sounds = sorted([strip.name, strip.frame_final_start] for strip in strips(scene))
        return {"lines": lines(), "strips": sounds, "states": [row.state for row in rows]}

    found = {"first": run()}
    rows[1].start = 120
    found["again"] = run()
    for row in rows:
        row.use = row.character == bob
    rows[2].start = 220
    found["one"] = run(ticked=True)
    select(ann)
    settings.sound, settings.start, settings.face = sound, 50, "CHARACTER"
    bpy.ops.mouthpiece.animate()
    found["alone"] = lines()
    return found


def test_rows_of_one_recording_make_lines_of_their_own(blender, archive: Path, tmp_path: Path) -> None:
    found = blender(animate_repeats, archive=archive, sound=write_tone(tmp_path / "line.wav", 0.2))
    names = ["line", "line 2", "line 3", "line 4"]
    for run, starts in (("first", [1, 100, 200, 300]), ("again", [1, 120, 200, 300]), ("one", [1, 120, 220, 300])):
        expected = [list(pair) for pair in zip(names, starts, strict=True)]
        assert found[run]["lines"] == expected
        assert found[run]["strips"] in (expected, [])  # without sound there are none
        assert found[run]["states"] == ["DONE"] * 4
    assert found["alone"] == [["line", 50], ["line 2", 120], ["line 3", 220], ["line 4", 300]]


def import_namesakes(folders: list[str]) -> dict:
    """Two animation folders with the same last part as heads and on a character; then the first again."""
    import bpy

    import blender_addon

    scene = empty_scene()
    blender_addon.register()
    select(add_mesh("character", ["jawOpen"]))
    for start, folder in enumerate([*folders, folders[0]]):
        bpy.ops.mouthpiece.import_animation(folder=folder, start=1 + 100 * start)
    for folder in folders:
        bpy.ops.mouthpiece.bake_character(folder=folder)
    bpy.ops.mouthpiece.bake_character(folder=folders[1], line="line")  # a name on purpose
    actions = sorted({action["mouthpiece_line"] for action in bpy.data.actions if "mouthpiece_line" in action})
    return {"heads": heads(scene), "lines": actions}


def test_animation_folders_of_one_name_are_told_apart(blender, tmp_path: Path) -> None:
    weights = {"weight_names": np.array(NAMES)}
    folders = [make_animation(tmp_path / name / "line", 3, texture=False, **weights) for name in "ab"]
    found = blender(import_namesakes, folders=[str(folder) for folder in folders])
    assert found["heads"] == [["line", 201], ["line 2", 101]]
    assert found["lines"] == ["line", "line 2"]


def move_recording(sound: str, moved: str, other: str) -> list[str]:
    """The names that a recording gets: at its place, elsewhere with the same content, and other sounds."""
    from blender_addon.recordings import SOUND, Recording, free_name, line_name, remember_line

    scene = empty_scene()
    digest = hashlib.sha256(Path(sound).read_bytes()).hexdigest()
    remember_line(scene, "line", Recording(SOUND, sound, digest))
    names = [line_name("line", Recording(SOUND, sound)), line_name("line", Recording(SOUND, other))]
    Path(sound).rename(moved)
    return [
        *names,
        line_name("line", Recording(SOUND, moved)),
        line_name("line", Recording(SOUND, other)),
        free_name("line"),
    ]


def test_a_recording_that_was_moved_is_the_same(blender, tmp_path: Path) -> None:
    sound, other = write_tone(tmp_path / "line.wav", 0.2), write_tone(tmp_path / "other.wav", 0.3)
    names = blender(move_recording, sound=sound, moved=tmp_path / "moved.wav", other=other)
    assert names == ["line", "line 2", "line", "line 2", "line 2"]


def use_folders(archive: str, sound: str, project: str) -> dict:
    """A head and then a character of one recording; the head again; mesh caches of two characters."""
    import bpy

    from blender_addon.batch_lines import add_line

    scene, settings = start_addon(archive)
    bpy.ops.wm.save_as_mainfile(filepath=project)
    anna, bob = add_mesh("anna", ["jawOpen"]), add_mesh("bob", ["jawOpen"])
    settings.sound = sound
    bpy.ops.mouthpiece.animate()

    def pictures() -> list[bool]:
        images = [image for image in bpy.data.images if image.users]
        return [Path(bpy.path.abspath(image.filepath)).is_file() for image in images]

    select(anna)
    settings.face = "CHARACTER"
    bpy.ops.mouthpiece.animate()
    found = {"pictures": pictures()}
    for _ in range(2):
        settings.face = "HEAD"
        bpy.ops.mouthpiece.animate()
    found["again"] = pictures()
    scene.mouthpiece_result.kind = "CACHE"
    for character in (anna, bob, anna):
        add_line(scene, sound=sound, character=character)
    bpy.ops.mouthpiece.animate_lines()
    found["states"] = [line.state for line in scene.mouthpiece_batch.lines]
    found["caches"] = [Path(bpy.path.abspath(item.modifiers[0].filepath)).is_file() for item in (anna, bob)]
    found["at last"] = pictures()
    found["folders"] = len(list((Path(project).parent / "mouthpiece" / "a").iterdir()))
    return found


def test_a_folder_in_use_is_not_emptied(blender, archive: Path, tmp_path: Path) -> None:
    sound = write_tone(tmp_path / "two.wav", 0.2)
    found = blender(use_folders, archive=archive, sound=sound, project=tmp_path / "a.blend")
    assert found["pictures"] == found["again"] == found["at last"] == [True, True]
    assert found["states"] == ["DONE", "DONE", "DONE"]
    assert found["caches"] == [True, True]
    assert found["folders"] <= 4


def paint(archive: str, sound: str, project: str) -> dict:
    """A line, animated again after files of the artist's were put beside its own, and once more."""
    import os

    import bpy

    from blender_addon.activity import shown

    _, settings = start_addon(archive)
    bpy.ops.wm.save_as_mainfile(filepath=project)
    settings.sound = sound
    bpy.ops.mouthpiece.animate()
    line = Path(project).parent / "mouthpiece" / "a" / "two"
    mine = [line / "atlas" / "0002.psd", line / "painted_atlas.png", line / "retouch" / "notes.txt"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
    said = []
    for _ in range(2):
        bpy.ops.mouthpiece.animate()
        said.append(shown("line").message)
    crop = line.with_name("two 2") / "atlas" / "0001.png"
    os.utime(crop, (crop.stat().st_mtime + 600,) * 2)
    bpy.ops.mouthpiece.animate()
    used = {Path(bpy.path.abspath(image.filepath)).relative_to(line.parent).parts[0] for image in bpy.data.images}
    return {"mine": [path.read_text() for path in mine], "said": said, "used": sorted(used), "crop": crop.is_file()}


def test_the_artists_files_stay(blender, archive: Path, tmp_path: Path) -> None:
    sound = write_tone(tmp_path / "two.wav", 0.2)
    found = blender(paint, archive=archive, sound=sound, project=tmp_path / "a.blend")
    assert found["mine"] == ["mine"] * 3
    for said in found["said"]:
        assert said.startswith("Baked ")
        assert said.endswith(
            "; the folder two stays as it is, for atlas/0002.psd in it is yours: this animation is in two 2"
        )
    assert found["crop"]
    assert found["used"] == ["two 3"]


def go_on(project: str) -> str:
    """The folder of a line whose own has a file of the artist's, where another line has the next one."""
    import bpy

    from blender_addon.folders import line_folder
    from blender_addon.recordings import TEXT, Recording, remember_line

    scene = empty_scene()
    bpy.ops.wm.save_as_mainfile(filepath=project)
    for line in ("two", "two 2"):
        remember_line(scene, line, Recording(TEXT, line))
        (Path(project).parent / "mouthpiece" / "a" / line).mkdir(parents=True)
    (Path(project).parent / "mouthpiece" / "a" / "two" / "mine.txt").write_text("mine")
    return line_folder("two", [])[0].name


def test_a_line_goes_on_to_no_other_lines_folder(blender, tmp_path: Path) -> None:
    assert blender(go_on, project=tmp_path / "a.blend") == "two 3"


def start_projects(archive: str, sounds: list[str], home: str) -> dict:
    """Two files that were never saved; then two saved ones in one folder, and a copy of the second."""
    import bpy

    import blender_addon

    found = []
    for sound in sounds:
        scene, settings = start_addon(archive)
        settings.sound = sound
        bpy.ops.mouthpiece.animate()
        blender_addon.unregister()
    unsaved = sorted(path.name for path in Path(home, "blender").glob("*/line01"))
    for name, sound in zip("ab", sounds, strict=True):
        scene, settings = start_addon(archive)
        bpy.ops.wm.save_as_mainfile(filepath=str(Path(home).parent / f"{name}.blend"))
        settings.sound = sound
        bpy.ops.mouthpiece.animate()
        if name == "b":
            bpy.ops.wm.save_as_mainfile(filepath=str(Path(home).parent / "copy.blend"))
            bpy.ops.mouthpiece.animate()
        found.append([item.name for item in scene.objects if item.type == "MESH"])
        blender_addon.unregister()
    folder = Path(home).parent / "mouthpiece"
    saved = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*"))
    return {"unsaved": len(unsaved), "saved": saved, "heads": found}


def test_files_do_not_share_folders(blender, archive: Path, tmp_path: Path) -> None:
    for name in ("anna", "bob"):
        (tmp_path / name).mkdir()
    sounds = [str(write_tone(tmp_path / name / "line01.wav", 0.2)) for name in ("anna", "bob")]
    found = blender(start_projects, archive=archive, sounds=sounds, home=tmp_path / "home")
    assert found["unsaved"] == 2
    assert found["saved"] == ["a/line01", "b/line01", "copy/line01"]
    assert found["heads"] == [["line01"], ["line01"]]

"""Lines as strips of the non-linear animation: each plays its own keys, wherever it is moved."""

from pathlib import Path

import numpy as np
import pytest

from shape_keys.arkit import INDEX, NAMES
from tests.blender.rigs import add_mesh, values_at
from tests.blender.scene_checks import bake, count_data, empty_scene
from tests.blender_addon.example import make_animation

pytestmark = pytest.mark.blender

FRAMES = 60
JAW = 0.5 - 0.5 * np.cos(np.arange(FRAMES) / 5)
TURNS = np.random.default_rng(5).uniform(-0.2, 0.2, (FRAMES, 3)).astype(np.float32)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """An animation whose jaw and head move throughout."""
    weights = np.zeros((FRAMES, 52), np.float32)
    weights[:, INDEX["jawOpen"]] = JAW
    folder = tmp_path / "talk"
    return make_animation(folder, FRAMES, weights=weights, weight_names=np.array(NAMES), head_rotation=TURNS)


def scene_of_lines():
    scene = empty_scene()
    scene.render.fps = 25
    return scene


def bake_onto(folder: str, items: list, line: str, start: float, **options):
    import bpy

    from blender_addon.animation import read_animation
    from blender_addon.bake.character import bake_character
    from blender_addon.bake.options import ResultOptions

    animation = read_animation(Path(folder))
    return bake_character(bpy.context.scene, items, animation, line, start, options=ResultOptions(**options))


def jaw_error(item, start: float) -> float:
    """Largest distance of a character's jaw from the line that begins at a frame."""
    return max(abs(values_at(item, start + frame)["jawOpen"] - JAW[frame]) for frame in range(FRAMES))


def move_lines(folder: str) -> dict:
    """A character of two meshes says three lines; one is moved far on, one far back."""
    scene_of_lines()
    items = [add_mesh("head", ["jawOpen"]), add_mesh("teeth", ["jawOpen"])]
    starts = {"one": 1, "two": 200, "three": 400}
    for line, start in starts.items():
        bake_onto(folder, items, line, start)
    errors = []
    for line, start in (("one", 600), ("two", -300)):
        bake_onto(folder, items, line, start)
        starts[line] = start
        errors.append([jaw_error(item, start) for item in items for start in starts.values()])
    return {"errors": errors}


def test_a_moved_line_plays_as_it_was_and_hides_no_other(blender, talk: Path) -> None:
    assert np.max(blender(move_lines, folder=talk)["errors"]) < 1e-4


def share_a_line(folder: str) -> dict:
    """Two characters say lines of their own and one that both share, all pushed to strips."""
    scene_of_lines()
    anna, bob = add_mesh("anna", ["jawOpen"]), add_mesh("bob", ["jawOpen"])
    said = {"anna": (anna, {"first": 1, "hello": 300}), "bob": (bob, {"second": 700, "hello": 900})}
    for item, starts in said.values():
        for line, start in starts.items():
            bake_onto(folder, [item], line, start, push_to_nla=True)
    return {
        "errors": [jaw_error(item, start) for item, starts in said.values() for start in starts.values()],
        "strips": [
            [[strip.frame_start, strip.frame_end] for track in item.data.shape_keys.animation_data.nla_tracks
             for strip in track.strips if "mouthpiece_rest" not in strip.action] for item, _ in said.values()
        ],
    }  # fmt: skip


def test_a_line_of_two_characters_plays_for_each_where_it_says_it(blender, talk: Path) -> None:
    found = blender(share_a_line, folder=talk)
    assert max(found["errors"]) < 1e-4
    assert found["strips"] == [[[1, 60], [300, 359]], [[700, 759], [900, 959]]]


def move_a_head(folder: str) -> dict:
    """A talking head that nods, as strips, is moved on and back."""
    import bpy

    scene = scene_of_lines()
    errors = []
    for start in (1, 400, -200):
        _, baked = bake(folder, start=start, push_to_nla=True)
        for frame in (0, 17, 40, 59):
            scene.frame_set(start + frame)
            turned = baked.head.evaluated_get(bpy.context.evaluated_depsgraph_get()).rotation_euler
            errors.append(float(np.abs(np.array(turned) - TURNS[frame]).max()))
    return {"errors": errors}


def test_a_moved_head_turns_as_it_did(blender, talk: Path) -> None:
    assert max(blender(move_a_head, folder=talk)["errors"]) < 1e-4


def bake_while_tweaking(folder: str) -> dict:
    """Bakes onto a character and a head whose strip is being edited, in every kind."""
    from blender_addon.errors import AnimationError

    scene_of_lines()
    item = add_mesh("character", ["jawOpen"])
    bake_onto(folder, [item], "one", 1, push_to_nla=True)
    _, baked = bake(folder, push_to_nla=True)
    owners = [item.data.shape_keys, baked.head.data.shape_keys, baked.head]
    counts, said = count_data(), []
    for owner in owners:
        data = owner.animation_data
        data.nla_tracks[0].select = data.nla_tracks[0].strips[0].select = True
        data.use_tweak_mode = True
        assert data.use_tweak_mode
        for kind in ("KEYS", "SPARSE", "CACHE"):
            try:
                if owner == owners[0]:
                    bake_onto(folder, [item], "two", 100, kind=kind)
                else:
                    bake(folder, kind=kind)
                said.append("baked")
            except AnimationError as error:
                said.append(str(error))
        data.use_tweak_mode = False
    return {"said": said, "counts": [counts, count_data()]}


def test_tweak_mode_is_said_before_anything_is_changed(blender, talk: Path) -> None:
    found = blender(bake_while_tweaking, folder=talk)
    names = ["character"] * 3 + ["hello"] * 6
    for sentence, name in zip(found["said"], names, strict=True):
        assert sentence.startswith(f"A strip of {name} is in tweak mode")
    assert found["counts"][0] == found["counts"][1]


def keep_beside_lines(folder: str) -> dict:
    """The jaw and a hand-keyed brow of characters around their lines: two, one pushed down, one beside keys."""
    scene_of_lines()
    found = {}
    for case in ("two", "pushed", "keyed", "cleared"):
        item = add_mesh(case, ["jawOpen", "browInnerUp"])
        for key in item.data.shape_keys.key_blocks[1:]:
            key.value = 0.0
        if case == "keyed":
            for frame, value in ((1, 0.2), (400, 0.6)):
                brow = item.data.shape_keys.key_blocks["browInnerUp"]
                brow.value = value
                brow.keyframe_insert("value", frame=frame)
        bake_onto(folder, [item], f"{case} first", 100, push_to_nla=case == "pushed")
        if case in ("two", "cleared"):
            bake_onto(folder, [item], f"{case} second", 300)
        if case == "cleared":
            for line, start in (("first", 100), ("second", 300)):
                bake_onto(folder, [item], f"cleared {line}", start, kind="CACHE")
        beside = [values_at(item, frame) for frame in (-50, 99, 160, 299, 360, 900)]
        found[case] = {
            "jaw": max(values["jawOpen"] for values in beside),
            "brow": [values_at(item, frame)["browInnerUp"] for frame in (1, 400)],
            "tracks": len(item.data.shape_keys.animation_data.nla_tracks),
            "error": 0 if case == "cleared" else jaw_error(item, 100),
        }
    return found


def test_a_face_rests_where_no_line_plays(blender, talk: Path) -> None:
    found = blender(keep_beside_lines, folder=talk)
    for case in found.values():
        assert case["jaw"] == 0
        assert case["error"] < 1e-4
    np.testing.assert_allclose(found["keyed"]["brow"], [0.2, 0.6], atol=1e-6)
    assert found["cleared"]["tracks"] == 0


def stop_driving(folder: str) -> list[float]:
    """A jaw that a line of keys moved, once the line is a mesh cache or moves no jaw; playhead in it."""
    import bpy

    from blender_addon.animation import read_animation
    from blender_addon.bake.character import bake_character
    from blender_addon.bake.options import ResultOptions

    scene = scene_of_lines()
    animation, found = read_animation(Path(folder)), []
    for kind, corrections in (("CACHE", ()), ("KEYS", (("jawOpen", ""),))):
        item = add_mesh("head", ["jawOpen", "mouthClose"])
        bake_onto(folder, [item], "line", 1)
        scene.frame_set(17)
        options = ResultOptions(kind=kind)
        bake_character(scene, [item], animation, "line", 1, corrections=corrections, options=options)
        found.append(values_at(item, 400)["jawOpen"])
    return [*found, bpy.context.scene.frame_current]


def test_what_a_line_no_longer_drives_is_at_rest(blender, talk: Path) -> None:
    assert blender(stop_driving, folder=talk) == [0, 0, 400]


def share_a_track(folder: str) -> dict:
    """A line whose strip lies on another line's track stays where it is, whatever becomes of the other."""
    scene_of_lines()
    errors, strips = [], []
    for start, kind in ((150, "KEYS"), (1, "CACHE")):
        item = add_mesh("head", ["jawOpen"])
        bake_onto(folder, [item], "one", 1, push_to_nla=True)
        bake_onto(folder, [item], "two", 200, push_to_nla=True)
        tracks = item.data.shape_keys.animation_data.nla_tracks
        above = tracks[-1].strips[0]
        slot = getattr(above, "action_slot", None)
        moved = tracks[-2].strips.new("two", 200, above.action)
        if slot is not None:
            moved.action_slot = slot
        moved.extrapolation = "NOTHING"
        tracks.remove(tracks[-1])
        bake_onto(folder, [item], "one", start, kind=kind)
        errors.append(jaw_error(item, 200 if kind == "CACHE" else start))
        two = [strip for track in tracks for strip in track.strips if strip.action.get("mouthpiece_line") == "two"]
        strips.append([[strip.frame_start, strip.frame_end] for strip in two])
    return {"errors": errors, "strips": strips}


def test_strips_on_the_same_track_stay(blender, talk: Path) -> None:
    found = blender(share_a_track, folder=talk)
    assert max(found["errors"]) < 1e-4
    assert found["strips"] == [[[200, 259]], [[200, 259]]]


def stretch_a_strip(folder: str) -> list[float]:
    """The jaw after the line of a strip that was stretched and repeated is baked again."""
    scene_of_lines()
    item = add_mesh("head", ["jawOpen"])
    bake_onto(folder, [item], "one", 1, push_to_nla=True)
    strip = item.data.shape_keys.animation_data.nla_tracks[-1].strips[0]
    strip.scale, strip.repeat = 2.0, 2.0
    bake_onto(folder, [item], "one", 1)
    return [jaw_error(item, 1), strip.frame_end]


def test_a_stretched_strip_plays_its_line_anew(blender, talk: Path) -> None:
    error, last = blender(stretch_a_strip, folder=talk)
    assert error < 1e-4
    assert last == 60


def bake_over_motion(folder: str) -> dict:
    """A key of one's own, before and after a line is baked above it."""
    scene_of_lines()
    found = {}
    for case in ("cycles", "on", "off", "half"):
        item = add_mesh(case, ["jawOpen", "Breathe"])
        keys = item.data.shape_keys
        for frame, value in ((1, 0), (13, 1), (25, 0.5 if case == "on" else 0)):
            keys.key_blocks["Breathe"].value = value
            keys.key_blocks["Breathe"].keyframe_insert("value", frame=frame)
        data = keys.animation_data
        curve = curves_of_data(data)[0]
        if case == "cycles":
            curve.modifiers.new("CYCLES")
        elif case == "on":
            curve.extrapolation = "LINEAR"
        elif case == "off":
            data.use_nla = False
        else:
            still = data.nla_tracks.new().strips.new("still", 1, data.action)
            if hasattr(still, "action_slot"):
                still.action_slot = data.action_slot
            data.action_influence = 0.5
        frames = (-20, 7, 13, 61, 85, 133, 157, 301)
        before = [values_at(item, frame)["Breathe"] for frame in frames]
        bake_onto(folder, [item], case, 100)
        after = [values_at(item, frame)["Breathe"] for frame in frames]
        found[case] = {"before": before, "after": after, "error": jaw_error(item, 100)}
    return found


def curves_of_data(data):
    from blender_addon.bake.curves import existing_curves

    return existing_curves(data.action, getattr(data, "action_slot", None))


def test_motion_below_a_line_goes_on_as_before(blender, talk: Path) -> None:
    found = blender(bake_over_motion, folder=talk)
    assert len(set(found["cycles"]["before"])) > 1
    for case in found.values():
        np.testing.assert_allclose(case["after"], case["before"], atol=1e-5)
        assert case["error"] < 1e-4

"""Shape keys are recognised by name, and visemes follow ARKit weights."""

import json
import os

import numpy as np
import pytest
from scipy.optimize import nnls

from blender_addon.errors import MappingError
from blender_addon.mapping import map_character, recognise
from blender_addon.rig_map import convert, load_map, mix_poses
from shape_keys.arkit import INDEX, NAMES

NAMES_OF_VISEMES = ["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U"]
ARKIT, OCULUS = load_map("arkit"), load_map("oculus")
VISEMES = [f"viseme_{name}" for name in NAMES_OF_VISEMES]


def styled(style: str) -> list[str]:
    """The 52 names as different programs write them."""
    short = [name.replace("Left", "_L").replace("Right", "_R") for name in NAMES]
    snake = ["".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name) for name in NAMES]
    return {
        "apple": list(NAMES),
        "lower": [name.lower() for name in NAMES],
        "upper": [name.upper() for name in NAMES],
        "pascal": [name[0].upper() + name[1:] for name in NAMES],
        "short": short,
        "dotted": [name.replace("_", ".") for name in short],
        "snake": snake,
        "spaces": [name.replace("_", " ") for name in snake],
        "maya": [f"blendShape1.{name}" for name in NAMES],
        "numbered": [f"Face.M_F00_{name}" for name in NAMES],
        "run together": [f"head{name.lower()}" for name in NAMES],
        "copies": [f"{name}.001" for name in NAMES],
        "side first": [f"L_{name.removesuffix('Left')}" if name.endswith("BlinkLeft") else name for name in NAMES],
    }[style]


@pytest.mark.parametrize(
    "style",
    [
        *("apple", "lower", "upper", "pascal", "short", "dotted", "snake", "spaces"),
        *("maya", "numbered", "run together", "copies", "side first"),
    ],
)
def test_every_style_is_recognised_whole(style):
    keys = styled(style)
    assert recognise(tuple(keys), ARKIT) == dict(zip(keys, NAMES, strict=True))


@pytest.mark.parametrize("name", ["Basis", "mouthOpen", "upperlip", "Fcl_MTH_A", "jawOpenWide", "あ", "", "eyes", "aa"])
def test_other_names_are_left_alone(name):
    assert recognise((name,), ARKIT) == {}
    assert recognise((name,), OCULUS) == {}


@pytest.mark.parametrize("pattern", ["viseme_{}", "Viseme.{}", "VISEME_{}", "vrc.v_{}", "Head.viseme{}"])
def test_visemes(pattern):
    names = NAMES_OF_VISEMES
    assert list(recognise(tuple(pattern.format(name) for name in names), OCULUS).values()) == names
    assert recognise(("vrc.v_ih", "vrc.v_oh", "vrc.v_ou"), OCULUS) == {
        "vrc.v_ih": "I",
        "vrc.v_oh": "O",
        "vrc.v_ou": "U",
    }


def test_split_shapes_drive_both_halves():
    keys = ("browInnerUp_L", "browInnerUp_R", "cheekPuffLeft", "cheekPuffRight", "jawOpen")
    found = map_character({"head": keys}, "arkit")
    targets = found.targets
    weights = np.random.default_rng(0).random((5, 52)).astype(np.float32)
    values = convert(weights, NAMES, found.rig_map, targets)
    for key, source in zip(keys, ["browInnerUp"] * 2 + ["cheekPuff"] * 2 + ["jawOpen"], strict=True):
        column = values[:, targets.index(found.driven["head"][key])]
        np.testing.assert_array_equal(column, weights[:, INDEX[source]])
    assert "browInnerUp" not in found.missing
    assert "tongueOut" in found.missing


def test_a_whole_shape_stands_before_its_halves_and_before_both_sides():
    assert recognise(("browInnerUp", "browInnerUp_L"), ARKIT) == {"browInnerUp": "browInnerUp"}
    assert recognise(("mouthSmile", "mouthSmileLeft"), ARKIT) == {"mouthSmileLeft": "mouthSmileLeft"}
    found = map_character({"head": ["mouthSmile"]}, "arkit")
    weights = np.zeros((1, 52), np.float32)
    weights[0, INDEX["mouthSmileLeft"]] = 1
    np.testing.assert_allclose(convert(weights, NAMES, found.rig_map, found.targets), [[0.5]])


def test_a_doubled_name_drives_once():
    found = map_character({"head": ["jawOpen", "old.jawOpen"]}, "arkit")
    assert found.driven == {"head": {"jawOpen": "jawOpen"}}
    assert found.unmatched == {"head": ("old.jawOpen",)}


def test_the_map_is_chosen_by_what_the_mouth_has():
    assert map_character({"head": [*VISEMES, "eyeBlinkLeft", "mouthSmile"]}).rig_map.name == "oculus"
    assert map_character({"head": [*VISEMES, *NAMES]}).rig_map.name == "arkit"
    both = map_character({"head": [*VISEMES, "eyeBlink_L"]})
    assert both.driven["head"]["eyeBlink_L"] == "eyeBlinkLeft"  # the visemes leave the eyes to ARKit names
    assert "1 not" in map_character({"head": [*VISEMES, "hat"]}).summary()


def test_all_meshes_of_a_character_are_driven():
    found = map_character({"head": list(NAMES), "teeth": ["JawOpen"], "hat": ["tilt"]})
    assert set(found.driven) == {"head", "teeth"}
    assert found.unmatched["hat"] == ("tilt",)
    assert not found.missing


def test_corrections_replace_what_was_recognised():
    meshes = {"head": ["jawOpen", "Mund auf", "mouthClose"], "teeth": ["Mund auf"]}
    found = map_character(meshes, "arkit", [("jawOpen", "Mund auf"), ("mouthClose", "")])
    assert found.driven == {"head": {"Mund auf": "jawOpen"}, "teeth": {"Mund auf": "jawOpen"}}
    for wrong in [("jawOpen", "nothing"), ("jaw", "Mund auf"), ("", "jawOpen")]:
        with pytest.raises(MappingError, match="correct"):
            map_character(meshes, "arkit", [wrong])


def test_a_correction_leaves_meshes_without_its_key_alone():
    meshes = {"head": ["MouthOpen_v2", "jawOpen"], "teeth": ["jawOpen"], "tongue": ["MouthOpen_v2"]}
    found = map_character(meshes, "arkit", [("jawOpen", "MouthOpen_v2")])
    named = {"MouthOpen_v2": "jawOpen"}
    assert found.driven == {"head": named, "teeth": {"jawOpen": "jawOpen"}, "tongue": named}
    assert map_character(meshes, "arkit", [("jawOpen", "MouthOpen_v2"), ("jawOpen", "")]).driven == {
        "head": named,
        "tongue": named,
    }


SPLIT = ["mouthSmile_L", "mouthSmile_R", "browInnerUp_L", "browInnerUp_R", "Laune", "jawOpen"]


@pytest.mark.parametrize(
    ("corrections", "expected"),
    [
        ([("mouthSmile", "")], {2: "browInnerUpLeft", 3: "browInnerUpRight"}),
        ([("browInnerUp", "")], {0: "mouthSmileLeft", 1: "mouthSmileRight"}),
        ([("mouthSmile", ""), ("browInnerUpLeft", "")], {3: "browInnerUpRight"}),
        ([("mouthSmile", "Laune"), ("browInnerUp", "")], {4: "mouthSmile"}),
        ([("browInnerUp", "Laune"), ("mouthSmileRight", "")], {0: "mouthSmileLeft", 4: "browInnerUp"}),
        ([("mouthSmile", ""), ("mouthSmileLeft", "Laune"), ("browInnerUp", "")], {4: "mouthSmileLeft"}),
    ],
)
def test_a_correction_takes_halves_and_sides_along(corrections, expected):
    found = map_character({"head": SPLIT}, "arkit", corrections)
    assert found.driven == {
        "head": {SPLIT[place]: target for place, target in expected.items()} | {"jawOpen": "jawOpen"}
    }
    assert set(found.unmatched["head"]) == set(SPLIT) - set(found.driven["head"])


def test_a_map_that_was_edited_is_read_again(tmp_path):
    path = tmp_path / "robot.json"
    for changed, key in enumerate(["zed", "wow"]):
        path.write_text(json.dumps({"format": 1, "poses": {"AA": {"jawOpen": 1}}, "aliases": {"AA": [key]}}))
        os.utime(path, (0, changed))
        assert map_character({"robot": ["zed", "wow"]}, str(path)).driven == {"robot": {key: "AA"}}


def test_a_map_of_ones_own(tmp_path):
    path = tmp_path / "robot.json"
    path.write_text(json.dumps({"format": 1, "direct": ["jawOpen"], "keys": {"jawOpen": ["flap"]}}))
    meshes = {"robot": ["flap", "jawOpen"], "teeth": ["jawOpen"]}
    assert map_character(meshes, str(path)).driven == {"robot": {"flap": "jawOpen"}}
    assert map_character(meshes, str(path), [("jawOpen", "")]).driven == {}
    for text in ("{", "{}", '{"format": 2}', '{"format": 1, "direct": 3}', '{"format": 1, "keys": {"a": ["b"]}}'):
        path.write_text(text)
        with pytest.raises(MappingError):
            load_map(str(path))
    with pytest.raises(MappingError, match="choose one of"):
        load_map("nothing")


def test_each_viseme_comes_out_of_its_own_pose():
    rig_map = load_map("oculus")
    for pose, parts in rig_map.poses.items():
        weights = np.zeros((1, 52), np.float32)
        for name, value in parts.items():
            weights[0, INDEX[name]] = value
        mixture = mix_poses(weights, NAMES, rig_map)
        assert max(mixture, key=lambda name: mixture[name][0]) == pose
        assert mixture[pose][0] > 0.8
        assert sum(value[0] for value in mixture.values()) == pytest.approx(1, abs=1e-5)


def test_the_mixture_is_the_least_squares_one():
    rig_map = load_map("oculus")
    weights = 0.02 * np.random.default_rng(1).random((20, 52))  # small: the mixtures sum to less than 1
    mixture = mix_poses(weights, NAMES, rig_map)
    moving = [pose for pose, parts in rig_map.poses.items() if parts]
    used = [name for name in NAMES if any(name in rig_map.poses[pose] for pose in moving)]
    shapes = np.array([[rig_map.poses[pose].get(name, 0) for name in used] for pose in moving])
    columns = [INDEX[name] for name in used]
    for frame, row in enumerate(weights):
        expected = nnls(shapes.T, row[columns])[1]
        found = np.linalg.norm(np.array([mixture[pose][frame] for pose in moving]) @ shapes - row[columns])
        assert found < 1.02 * expected


def test_an_animation_without_the_weights_is_refused():
    with pytest.raises(MappingError, match="jawOpen"):
        convert(np.zeros((2, 1)), ("name0",), load_map("arkit"), ("jawOpen",))

"""The shipped rig maps name shapes that exist."""

import json

import pytest

from shape_keys.arkit import NAMES
from shape_keys.rig_map import FOLDER, map_names


def content(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def test_the_arkit_map_drives_all_shapes():
    assert tuple(content("arkit")["direct"]) == NAMES


def test_the_oculus_map_has_the_fifteen_visemes():
    # https://developers.meta.com/horizon/documentation/unity/audio-ovrlipsync-viseme-reference
    expected = ["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U"]
    assert list(content("oculus")["poses"]) == expected


@pytest.mark.parametrize("name", map_names())
def test_maps_name_arkit_shapes(name):
    found = content(name)
    used = {shape for pose in found["poses"].values() for shape in pose} | set(found["direct"]) | set(found["split"])
    assert used <= set(NAMES)
    assert all(0 < weight <= 1 for pose in found["poses"].values() for weight in pose.values())
    assert not {shape for pose in found["poses"].values() for shape in pose} & set(found["direct"])

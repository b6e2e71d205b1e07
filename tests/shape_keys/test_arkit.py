"""The ARKit names against the lists of other programs."""

from collections import Counter

from shape_keys import arkit


def test_fifty_two_unlike_names():
    assert len(arkit.NAMES) == len(set(arkit.NAMES)) == 52
    assert all(arkit.NAMES[index] == name for name, index in arkit.INDEX.items())


def test_order_is_that_of_unreals_enum():
    # EARFaceBlendShape, values from Epic's reference (dev.epicgames.com, ARFaceBlendShape, Unreal 5.1)
    known = {"eyeBlinkLeft": 0, "eyeWideLeft": 6, "eyeBlinkRight": 7, "eyeWideRight": 13, "jawForward": 14}
    known |= {"jawLeft": 15, "jawRight": 16, "jawOpen": 17, "browDownLeft": 41, "browInnerUp": 43, "cheekPuff": 46}
    known |= {"cheekSquintLeft": 47, "tongueOut": 51}
    assert {name: arkit.INDEX[name] for name in known} == known


def test_groups():
    starts = Counter(next(part for part in PARTS if name.startswith(part)) for name in arkit.NAMES)
    assert starts == {"eye": 14, "jaw": 4, "mouth": 23, "brow": 5, "cheek": 3, "nose": 2, "tongue": 1}


PARTS = ("eye", "jaw", "mouth", "brow", "cheek", "nose", "tongue")


def test_mirrored():
    assert arkit.mirrored("jawLeft") == "jawRight"
    assert arkit.mirrored("eyeLookInRight") == "eyeLookInLeft"
    assert arkit.mirrored("jawOpen") == "jawOpen"
    assert {arkit.mirrored(name) for name in arkit.NAMES} == set(arkit.NAMES)

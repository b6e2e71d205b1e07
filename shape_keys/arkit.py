"""The 52 names of ARKit's face blendshapes, in Apple's order.

The order is the one in which Apple's page of `ARFaceAnchor.BlendShapeLocation` lists them (left eye, right eye, mouth
and jaw, eyebrows, cheeks and nose, tongue; developer.apple.com/documentation/arkit/arfaceanchor/blendshapelocation),
also that of Unreal's `EARFaceBlendShape`. The columns of a Live Link Face CSV differ from it in two places: they put
jawRight before jawLeft and mouthRight before mouthLeft; write such files by name, not by position.
Left and right are the subject's own.
"""

NAMES: tuple[str, ...] = (
    "eyeBlinkLeft",
    "eyeLookDownLeft",
    "eyeLookInLeft",
    "eyeLookOutLeft",
    "eyeLookUpLeft",
    "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight",
    "eyeLookDownRight",
    "eyeLookInRight",
    "eyeLookOutRight",
    "eyeLookUpRight",
    "eyeSquintRight",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawRight",
    "jawOpen",
    "mouthClose",
    "mouthFunnel",
    "mouthPucker",
    "mouthLeft",
    "mouthRight",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)

INDEX: dict[str, int] = {name: index for index, name in enumerate(NAMES)}
"""Position of every name in `NAMES`."""


def mirrored(name: str) -> str:
    """The name of the shape that does the same on the other side of the face; itself for a symmetric shape."""
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(side):
            return name.removesuffix(side) + other
    return name

"""Examples for the OpenAPI document."""

from typing import Any

from fastapi.openapi.models import Example

UPLOAD = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
CONSENT = {
    "speaker": "Anna Example",
    "statement": "I agree that my face and voice are trained and used for this film.",
    "given_by": "Anna Example",
    "date": "2026-05-04",
    "licence": "CC-BY-4.0",
}


def _example(summary: str, value: dict[str, Any]) -> Example:
    return Example(summary=summary, value=value)


JOB_EXAMPLES = {
    "animate": _example(
        "A recording to an animation and a Blender file",
        {
            "kind": "animate",
            "name": "line 12",
            "audio": {"upload": UPLOAD},
            "actor": "default",
            "options": {"fps": 24, "outputs": ["blend"]},
        },
    ),
    "local": _example(
        "A file of this computer, in a folder given with --allow; vertices and weights only",
        {"kind": "animate", "audio": {"path": "/film/line12.wav"}, "options": {"texture": False}},
    ),
    "text": _example(
        "Words that are spoken first, performed with blinks and brows",
        {
            "kind": "animate",
            "audio": {"text": "Nice to meet you.", "voice": "en-us+f2"},
            "options": {"blinks": 1, "brows": 0.6, "head": 0.5, "seed": 7},
        },
    ),
    "transcript": _example(
        "A recording with what is said in it, the jaw calmer and the smile broader",
        {
            "kind": "animate",
            "audio": {"upload": UPLOAD},
            "options": {"transcript": "Nice to meet you.", "jaw": 0.8, "gains": {"mouthSmile": 1.3}},
        },
    ),
    "batch": _example(
        "Many lines, behind everything else",
        {
            "kind": "batch",
            "name": "scene 3",
            "priority": 1,
            "lines": [{"name": "line 1", "audio": {"upload": UPLOAD}}, {"name": "line 2", "audio": {"upload": UPLOAD}}],
        },
    ),
    "inspect": _example("What training would see", {"kind": "inspect", "videos": [{"upload": UPLOAD}]}),
    "train": _example(
        "A video to an actor",
        {"kind": "train", "videos": [{"upload": UPLOAD}], "actor": "anna", "consent": CONSENT},
    ),
}

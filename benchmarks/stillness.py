"""How still an actor's network keeps its face where nobody speaks, without the gate that `animate` puts behind it.

    python -m benchmarks.stillness [--actor NAME-OR-FOLDER]

Silence, a room's hiss, and the shipped recording; then 200 frames of silence after lip pictures drawn at random.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from backend.actor_file import Actor, load_actor
from backend.actor_library import SHIPPED
from backend.audio.decode import SAMPLE_RATE
from backend.inference.predict import decode_motion, decode_textures, encode_sound
from benchmarks.machine import describe_machine
from benchmarks.speech import speech
from shape_keys.topology import LIPS

FPS, SECONDS = 25, 10
SETTLED_FRAMES = 200
STATES = 5
ROOM_TONE_RMS = 0.001
"""60 dB below full scale."""


def stillness(actor: Actor) -> dict[str, float]:
    """Shares of speech's lip motion, mean changes of the texture from frame to frame, and how far states end apart."""
    rng = np.random.default_rng(0)
    times = np.arange(SECONDS * FPS) / FPS
    sounds = {
        "speech": speech(SECONDS),
        "silence": np.zeros(SECONDS * SAMPLE_RATE, np.float32),
        "room tone": (ROOM_TONE_RMS * rng.standard_normal(SECONDS * SAMPLE_RATE)).astype(np.float32),
    }
    rows: dict[str, float] = {}
    motion = {}
    crop, share = actor.reference_crop, actor.reference.mask
    with torch.inference_mode():
        for name, sound in sounds.items():
            codes = encode_sound(actor.model, sound, times)
            lips = decode_motion(actor.model, codes)[0][:, list(LIPS)]
            motion[name] = float(np.linalg.norm(np.diff(lips, axis=0), axis=-1).mean())
            pictures = np.stack(list(decode_textures(actor.model, codes, crop, share))).astype(float) / 255
            rows[f"texture change in {name}, %"] = 100 * float(np.abs(np.diff(pictures[1:], axis=0)).mean())
        for name in ("silence", "room tone"):
            rows[f"lip motion in {name}, % of speech's"] = 100 * motion[name] / motion["speech"]
        codes = encode_sound(actor.model, sounds["silence"], times)[:SETTLED_FRAMES]
        ends = [
            list(decode_textures(actor.model, codes, crop, share, rng.integers(0, 256, crop.shape, np.uint8)))
            for _ in range(STATES)
        ]
        still = list(decode_textures(actor.model, codes, crop, share))
    apart = [np.abs(np.float64(one[-1]) - still[-1]).max() for one in ends]
    steps = [np.abs(np.float64(one[-1]) - one[-2]).max() for one in ends]
    rows["after random states: largest difference of a pixel, of 255"] = float(max(apart))
    rows["after random states: last step of a pixel, of 255"] = float(max(steps))
    return rows


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actor", type=Path, default=SHIPPED / "default")
    print(describe_machine())
    for name, value in stillness(load_actor(parser.parse_args().actor)).items():
        print(f"{name:62} {value:.3f}")


if __name__ == "__main__":
    main()

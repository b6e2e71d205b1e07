"""How long the network takes for a recording: the shared path against one window and one frame at a time.

The plain path is the paper's: every window goes through all layers of the encoder by itself.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from backend.actor_file import load_actor
from backend.actor_library import find_actor
from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.audio.spectrogram import frame_times, normalise_level, spectrogram_windows
from backend.inference.predict import decode_motion, decode_textures, encode_sound
from benchmarks.machine import describe_machine

SAMPLE = Path(__file__).resolve().parents[1] / "backend" / "samples" / "speech.flac"
FPS = 25.0
REPEATS = 5
TEXTURE_FRAMES = 100


def fastest(work: Callable[[], object]) -> float:
    """Least seconds of several runs, after one to warm up."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


@torch.inference_mode()
def encode_each_window(model: torch.nn.Module, samples: np.ndarray, times: np.ndarray) -> None:
    """The plain path: a spectrogram and a pass through the encoder for every frame."""
    level = normalise_level(samples)
    for moment in times:
        windows = spectrogram_windows(level, np.array([moment]))
        model.encoder(torch.from_numpy(windows.columns), torch.from_numpy(windows.index))


def measure(actor_name: str, seconds: float) -> dict[str, float | str]:
    """Milliseconds a frame of each stage, and how the shared path compares with the plain one."""
    actor = load_actor(find_actor(actor_name))
    speech = decode_audio(SAMPLE)
    samples = np.resize(speech, int(seconds * SAMPLE_RATE))
    times = frame_times(seconds, FPS)
    codes = encode_sound(actor.model, samples, times)

    def textures() -> None:
        for _ in decode_textures(actor.model, codes[:TEXTURE_FRAMES], actor.reference_crop, actor.reference.mask):
            pass

    shared = fastest(lambda: encode_sound(actor.model, samples, times))
    plain = fastest(lambda: encode_each_window(actor.model, samples, times))
    motion = fastest(lambda: decode_motion(actor.model, codes))
    return {
        "machine": describe_machine(),
        "actor": actor.name,
        "seconds_of_speech": seconds,
        "encoder_ms_per_frame": shared / len(times) * 1000,
        "encoder_window_by_window_ms_per_frame": plain / len(times) * 1000,
        "encoder_speed_up": plain / shared,
        "vertices_and_weights_ms_per_frame": motion / len(times) * 1000,
        "texture_ms_per_frame": fastest(textures) / min(TEXTURE_FRAMES, len(codes)) * 1000,
        "vertices_and_weights_share_of_real_time": (shared + motion) / seconds,
    }


def main() -> None:
    """Print the table; --json FILE also writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actor", default="default")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = measure(options.actor, options.seconds)
    for name, value in figures.items():
        print(f"{name:42} {value if isinstance(value, str) else format(value, '.4g')}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

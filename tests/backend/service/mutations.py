"""Good recordings and actors, and damaged copies of them, for tests and benchmarks."""

import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from backend.actor_file import ATLAS, DESCRIPTION, DIGESTED, MODEL, REFERENCE
from backend.actor_library import SHIPPED

RATE = 16_000
CODECS = {"wav": "pcm_s16le", "flac": "flac", "opus": "libopus", "mp3": "libmp3lame", "m4a": "aac", "mkv": "pcm_s16le"}
INTERESTING = (0, 1, 2, 4, 7, 8, 16, 63, 64, 127, 128, 255)


def good_sounds(folder: Path, seconds: float = 0.4) -> list[bytes]:
    """A short recording in each of the formats that people send."""
    import av

    times = np.arange(int(RATE * seconds)) / RATE
    samples = (8000 * np.sin(2 * np.pi * 180 * times)).astype(np.int16)
    sounds = []
    for ending, codec in CODECS.items():
        path = folder / f"good.{ending}"
        rate = 48_000 if codec == "libopus" else RATE
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate, layout="mono")
            frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            frame.sample_rate = RATE
            resampler = av.AudioResampler(stream.format, "mono", rate, frame_size=stream.frame_size or None)
            for piece in [*resampler.resample(frame), *resampler.resample(None)]:
                container.mux(stream.encode(piece))
            container.mux(stream.encode(None))
        sounds.append(path.read_bytes())
    return sounds


def good_video(folder: Path, seconds: float = 0.4) -> bytes:
    """A short video of grey pictures with a tone; nobody's face."""
    import av

    path = folder / "good.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        for number in range(int(seconds * 25)):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 8 * number, np.uint8), format="rgb24")
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        tone = (8000 * np.sin(np.arange(int(seconds * RATE)) * 0.07)).astype(np.float32) / 32768
        for start in range(0, len(tone), 1024):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path.read_bytes()


def mutate(content: bytes, chance: random.Random) -> bytes:
    """A damaged copy: bits, bytes, numbers, cuts, repetitions, holes; most often near the start, where headers lie."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        length = max(1, len(data))
        at = int(length * chance.random() ** chance.choice((1, 3, 6)))
        kind = chance.randrange(8)
        if not data:
            return bytes(chance.randbytes(16))
        at = min(at, len(data) - 1)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at] = chance.choice(INTERESTING)
        elif kind == 2:
            number = chance.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, chance.getrandbits(32)))
            data[at : at + 4] = number.to_bytes(4, chance.choice(("little", "big")))
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            del data[at : at + chance.randrange(1, 64)]
        elif kind == 5:
            data[at:at] = data[at : at + chance.randrange(1, 4096)] * chance.randrange(1, 5)
        elif kind == 6:
            size = chance.randrange(1, 256)
            data[at : at + size] = bytes(size)
        else:
            data[at:at] = chance.randbytes(chance.randrange(1, 64))
    return bytes(data)


def good_actor() -> dict[str, bytes]:
    """The files of the shipped actor."""
    return {path.name: path.read_bytes() for path in (SHIPPED / "default").iterdir()}


def small_actor(folder: Path) -> dict[str, bytes]:
    """The files of an actor with the smallest network, named "small"."""
    import torch

    from backend.actor_file import ReferenceFace, save_actor
    from models.presets import ModelConfig, build_model
    from shape_keys.topology import CANONICAL_FACE

    config = ModelConfig(
        frequency_widths=(4,) * 6,
        time_widths=(4,) * 6,
        texture_widths=(8, 4, 4, 4, 4),
        previous_widths=(4, 4, 4),
        previous_kernel=3,
        previous_side=32,
    )
    torch.manual_seed(0)
    noise = np.random.default_rng(0)
    box = {"x": 64, "y": 100, "width": 128, "height": 128, "atlas_size": 256}
    uv, mask = noise.random((468, 2), np.float32), np.ones((128, 128), np.float32)
    reference = ReferenceFace(CANONICAL_FACE.astype(np.float32), uv, box, mask)
    atlas = noise.integers(0, 256, (256, 256, 3), np.uint8)
    save_actor(folder, "small", build_model(config), config, reference, atlas, {"licence": "CC0-1.0"}, "# card\n")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def pack(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Files as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_digests(files: dict[str, bytes], change: Callable[[dict], object] = lambda _: None) -> dict[str, bytes]:
    """The files with digests that fit them, as somebody who means harm would make them."""
    import hashlib

    description = json.loads(files[DESCRIPTION])
    description["digests"] = {name: hashlib.sha256(files[name]).hexdigest() for name in DIGESTED}
    change(description)
    return files | {DESCRIPTION: json.dumps(description).encode()}


def mutate_actor(files: dict[str, bytes], chance: random.Random) -> bytes:
    """A damaged actor: its archive, one of its files, or one of its files with a digest that fits the damage."""
    files = dict(files)
    kind = chance.randrange(4)
    if kind == 0:
        return mutate(pack(files), chance)
    name = chance.choice((MODEL, MODEL, REFERENCE, ATLAS, DESCRIPTION))
    if name == MODEL:  # of its megabytes only the header has a meaning that can be wrong
        size = 8 + int.from_bytes(files[MODEL][:8], "little")
        files[MODEL] = mutate(files[MODEL][:size], chance) + files[MODEL][size:]
    else:
        files[name] = mutate(files[name], chance)
    if kind > 1 and name != DESCRIPTION:
        files = with_digests(files)
    return pack(files)

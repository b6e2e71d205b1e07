"""An animation in the forms people asked for: a folder, Blender's formats, a table, a video."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backend.animation_file import (
    ATLAS_FOLDER,
    REFERENCE_ATLAS,
    Animation,
    new_file,
    new_folder,
    save_animation,
    save_atlas_rectangle,
)
from backend.inference.request import BLENDER_ENDINGS, AnimateRequest
from backend.progress import Progress

if TYPE_CHECKING:
    from torch import Tensor

    from backend.actor_file import Actor


def write_animation_folder(
    folder: Path, animation: Animation, actor: "Actor", codes: "Tensor | None", progress: Progress
) -> None:
    """Write `animation.npz`, and with codes (T, Ns) the atlas sequence they decode to, into an empty folder."""
    from PIL import Image

    save_animation(animation, folder)
    Image.fromarray(actor.atlas).save(folder / REFERENCE_ATLAS)
    if codes is None or actor.model.texture is None:
        return
    from backend.inference.predict import decode_textures

    save_atlas_rectangle(actor.reference.rectangle, folder)
    atlas = folder / ATLAS_FOLDER
    atlas.mkdir()
    crops = decode_textures(actor.model, codes, actor.reference_crop, actor.reference.mask)
    for number, crop in enumerate(crops, 1):
        # Level 1 takes 1.8 ms a crop and 16.7 kB, the default 5.9 ms and 14.0 kB.
        Image.fromarray(crop).save(atlas / f"{number:04d}.png", compress_level=1)
        progress("texture", number, len(codes))


def copy_folders(source: Path, targets: Sequence[Path], overwrite: bool) -> None:
    """Copy a finished animation folder to further places."""
    for target in targets:
        with new_folder(target, overwrite) as folder:
            shutil.copytree(source, folder, dirs_exist_ok=True)


def write_files(request: AnimateRequest, animation: Animation, folder: Path, scratch: Path, progress: Progress) -> None:
    """Write every output of the request that is a file, from the animation in `folder`."""
    from backend.inference.live_link import write_live_link

    for path in request.outputs:
        if path.suffix.lower() == ".csv":
            with new_file(path, request.overwrite) as temporary:
                write_live_link(temporary, animation.weights, animation.weight_names, animation.fps)
    scenes = [path for path in request.outputs if path.suffix.lower() in BLENDER_ENDINGS]
    videos = [path for path in request.outputs if path.suffix.lower() == ".mp4"]
    if not scenes and not videos:
        return
    from backend.audio.track import write_sound_track
    from backend.blender import run_blender

    sound = scratch / f"{request.audio.stem}.wav"  # the line's name in Blender
    write_sound_track(request.audio, sound)
    frames = scratch / "frames" if videos else None
    run_blender(folder, sound, scenes, frames, request.size, progress)
    for path in videos:
        assert frames is not None
        _write_video(path, request, animation, frames, sound, progress)


def _write_video(
    path: Path, request: AnimateRequest, animation: Animation, frames: Path, sound: Path, progress: Progress
) -> None:
    from backend.video.encode import encode_video

    count = len(animation.offsets)
    metadata = {"title": f"{request.audio.name} ({animation.actor})", "comment": animation.provenance}
    with new_file(path, request.overwrite) as temporary:
        encode_video(_read_frames(frames, count), count, animation.fps, sound, temporary, metadata, progress)


def _read_frames(folder: Path, count: int) -> Iterator[np.ndarray]:
    from PIL import Image

    for number in range(1, count + 1):
        with Image.open(folder / f"{number:04d}.png") as image:
            yield np.asarray(image.convert("RGB"))

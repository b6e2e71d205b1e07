"""An animation in the forms people asked for: a folder, Blender's formats, a table, a video."""

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backend.animation_file import (
    ANIMATION_FILES,
    ATLAS_FOLDER,
    REFERENCE_ATLAS,
    Animation,
    new_file,
    new_folder,
    save_animation,
    save_atlas_rectangle,
)
from backend.file_names import as_text, mend_name
from backend.inference.png import write_png
from backend.inference.request import BLENDER_ENDINGS, AnimateRequest
from backend.progress import Progress
from backend.speech.timeline import MARKERS

if TYPE_CHECKING:
    from backend.actor_file import Actor
    from backend.inference.texture import Batch

WRITERS = os.cpu_count() or 1
"""Threads that compress pictures while the next ones are decoded."""
WAITING = 8
"""Batches of pictures that may wait to be written: bounds memory."""
Wrote = Callable[[Path], object]
"""Is told of each output as soon as it is there."""


def write_animation_folder(
    folder: Path, animation: Animation, actor: "Actor", codes: np.ndarray | None, progress: Progress
) -> None:
    """Write `animation.npz`, and with codes (T, Ns or more) the atlas sequence they decode to, into an empty folder."""
    save_animation(animation, folder, progress)
    write_png(folder / REFERENCE_ATLAS, actor.atlas)
    if codes is None or not actor.has_texture:
        return
    from backend.inference.texture import CALIBRATE_FROM, TextureEngine

    save_atlas_rectangle(actor.reference.rectangle, folder)
    atlas = folder / ATLAS_FOLDER
    atlas.mkdir()
    engine = TextureEngine(actor.model, actor.reference_crop, actor.reference.mask, len(codes) >= CALIBRATE_FROM)
    with closing(engine.decode(codes)) as batches:
        write_crops(atlas, batches, len(codes), progress)


def write_crops(folder: Path, batches: "Iterable[Batch]", total: int, progress: Progress) -> None:
    """Write crops as 0001.png and so on while the next ones are decoded; a frame that comes again is overwritten."""

    def write(frames: np.ndarray, crops: np.ndarray) -> None:
        for frame, crop in zip(frames, crops, strict=True):
            write_png(folder / f"{frame + 1:04d}.png", crop)

    waiting: deque[Future[None]] = deque()
    done = 0
    with ThreadPoolExecutor(WRITERS) as pool:
        for frames, crops in batches:
            waiting.append(pool.submit(write, frames, crops))
            if len(waiting) > WAITING:
                waiting.popleft().result()
            done = min(total, done + len(frames))
            progress("texture", done, total)
        for future in waiting:
            future.result()


def copy_folders(source: Path, targets: Sequence[Path], overwrite: bool, wrote: Wrote) -> None:
    """Copy a finished animation folder to further places."""
    for target in targets:
        with new_folder(target, ANIMATION_FILES, overwrite) as folder:
            shutil.copytree(source, folder, dirs_exist_ok=True)
        wrote(target)


def write_files(
    request: AnimateRequest, animation: Animation, folder: Path, scratch: Path, progress: Progress, wrote: Wrote
) -> None:
    """Write every output of the request that is a file, from the animation in `folder`, and then what is beside it."""
    from backend.inference.live_link import write_live_link

    finished: set[Path] = set()

    def finish(path: Path) -> None:
        wrote(path)
        for side in request.beside(path):
            if side in finished:
                continue
            with new_file(side, request.overwrite) as temporary:
                shutil.copyfile(folder / MARKERS if side == request.markers else request.audio, temporary)
            finished.add(side)
            wrote(side)

    for path in request.files:
        if path.suffix.lower() == ".csv":
            with new_file(path, request.overwrite) as temporary:
                write_live_link(
                    temporary, animation.weights, animation.weight_names, animation.fps, animation.head_rotation
                )
            finish(path)
    _write_scenes(request, animation, folder, scratch, progress, finish)


def _write_scenes(
    request: AnimateRequest, animation: Animation, folder: Path, scratch: Path, progress: Progress, wrote: Wrote
) -> None:
    """Write what Blender makes, all in one start of it, and the videos of its pictures."""
    scenes = [path for path in request.files if path.suffix.lower() in BLENDER_ENDINGS]
    videos = [path for path in request.files if path.suffix.lower() == ".mp4"]
    if not scenes and not videos:
        return
    from backend.audio.track import write_sound_track
    from backend.blender import run_blender

    sound = scratch / f"{mend_name(request.audio.stem)}.wav"  # the line's name in Blender
    write_sound_track(request.audio, sound)
    frames = scratch / "frames" if videos else None
    run_blender(folder, sound, scenes, frames, request.size, progress, _character(request))
    for path in scenes:
        wrote(path)
    for path in videos:
        assert frames is not None
        _write_video(path, request, animation, frames, sound, progress)
        wrote(path)


def _character(request: AnimateRequest) -> tuple[str, ...]:
    """The arguments that name the character to Blender, which works in another folder."""
    if request.character is None:
        return ()
    rig_map = Path(request.map)
    return (
        *("--character", str(request.character.resolve())),
        *("--map", str(rig_map.resolve()) if rig_map.is_file() else request.map),
    )


def _write_video(
    path: Path, request: AnimateRequest, animation: Animation, frames: Path, sound: Path, progress: Progress
) -> None:
    from backend.video.encode import encode_video

    count = len(animation.offsets)
    metadata = {"title": f"{as_text(request.audio.name)} ({animation.actor})", "comment": animation.provenance}
    with new_file(path, request.overwrite) as temporary:
        encode_video(_read_frames(frames, count), count, animation.fps, sound, temporary, metadata, progress)


def _read_frames(folder: Path, count: int) -> Iterator[np.ndarray]:
    from PIL import Image

    for number in range(1, count + 1):
        with Image.open(folder / f"{number:04d}.png") as image:
            yield np.asarray(image.convert("RGB"))

"""Save a baked scene as a .blend with everything it refers to in a folder beside it."""

import os
import shutil
from pathlib import Path

import bpy

from .animation import Animation, crop_name
from .bake.talking_head import TalkingHead
from .bake.textures import material_images
from .errors import OutputError
from .staging import Staging

# What a files folder may hold and still be replaced: our own files and sounds.
OWN_FILES = (
    r"animation\.npz|reference_atlas\.png|atlas\.json|atlas|.*\.(wav|flac|ogg|mp3|m4a|aac|opus|mp4|mov|mkv|webm|avi)"
)


def files_folder(path: Path) -> Path:
    """The folder beside a result that holds its textures and sound: shot_files for shot.blend."""
    return path.with_name(f"{path.stem}_files")


def copy_files(staging: Staging, folder: Path, animation: Animation, sound: Path | None) -> None:
    """Fill `folder` with the animation, its textures and the sound, and move it into place."""
    temporary = staging.folder(folder, OWN_FILES)
    shutil.copyfile(animation.folder / "animation.npz", temporary / "animation.npz")
    if animation.reference_atlas is not None:
        shutil.copyfile(animation.reference_atlas, temporary / "reference_atlas.png")
    if animation.crops is not None:
        shutil.copyfile(animation.folder / "atlas.json", temporary / "atlas.json")
        (temporary / "atlas").mkdir()
        for frame in range(animation.frames):
            shutil.copyfile(animation.crops / crop_name(frame), temporary / "atlas" / crop_name(frame))
    if sound is not None:
        shutil.copyfile(sound, temporary / sound.name)
    staging.place_folder(folder)


def refer_to(folder: Path, baked: TalkingHead) -> None:
    """Let the images and the sound of a baked head refer to the files in `folder`, by absolute path."""
    for image in material_images(baked.head.data.materials[0]):
        name = Path(image.filepath).name
        image.filepath = str(folder / "atlas" / name if image.source == "SEQUENCE" else folder / name)
    if baked.sound is not None:
        baked.sound.filepath = str(folder / Path(baked.sound.filepath).name)


def copy_sound(staging: Staging, folder: Path, sound: Path) -> None:
    """Fill `folder` with the sound alone, and move it into place."""
    shutil.copyfile(sound, staging.folder(folder, OWN_FILES) / sound.name)
    staging.place_folder(folder)


def save_character(playing: bpy.types.Sound | None, path: Path, final: Path) -> None:
    """Save the open file to `path`, a temporary name in the folder of `final`; its own files stay where they are."""
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False, relative_remap=True, compress=True)
        if playing is not None:
            # Only now do relative paths begin at the new file.
            playing.filepath = f"//{files_folder(final).name}/{Path(bpy.path.abspath(playing.filepath)).name}"
            bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False, relative_remap=False, compress=True)
    except RuntimeError as error:
        raise OutputError(f"Blender could not save {final}: {error}") from error


def save_blend(scene: bpy.types.Scene, baked: TalkingHead, path: Path, final: Path) -> None:
    """Save to `path`, a temporary name in the folder of `final`, with paths relative to it."""
    scene.render.filepath = f"//{final.stem}_frames/####"
    owners = material_images(baked.head.data.materials[0])
    owners += [] if baked.sound is None else [baked.sound]
    for owner in owners:
        relative = os.path.relpath(owner.filepath, path.parent).replace(os.sep, "/")
        owner.filepath = f"//{relative}"
    try:
        bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False, relative_remap=False, compress=True)
    except RuntimeError as error:
        raise OutputError(f"Blender could not save {final}: {error}") from error

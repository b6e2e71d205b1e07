"""The windowless bake onto a character from a file: open it, drive it, write it in every format asked for."""

from collections.abc import Callable, Sequence
from pathlib import Path

import bpy

from .animation import Animation
from .bake.character import BakedCharacter, bake_character
from .bake.characters import character_meshes
from .bake.markers import mark_words
from .bake.scene import follow_sound, include_frames, set_timing
from .bake.sound import add_sound
from .bake.tags import ACTOR, AUDIO_DIGEST, PROVENANCE
from .blend_file import copy_sound, files_folder, save_character
from .errors import MappingError
from .export import export_gltf_scene
from .staging import Staging


def build_character_scene(
    character: Path, animation: Animation, line: str, sound: Path | None, map_name: str
) -> tuple[bpy.types.Scene, BakedCharacter, bpy.types.Sound | None]:
    """Open a character's file and drive every mesh in its scene that has known shape keys, from frame 1.

    A .blend keeps its own frame rate and its range, which grows to hold the line; a .glb gets the animation's. The
    words become markers. Raises MappingError with a sentence.
    """
    _open(character)
    scene = bpy.context.scene
    if character.suffix.lower() == ".glb":
        set_timing(scene, animation.fps, 1, animation.frames)
    baked = bake_character(scene, character_meshes(scene.objects, scene), animation, line, 1.0, map_name)
    if character.suffix.lower() == ".blend":
        include_frames(scene, baked.first, baked.last)
        follow_sound(scene)
    for owner in (scene, *baked.meshes):
        owner[PROVENANCE] = animation.provenance
        owner[ACTOR] = animation.actor
        owner[AUDIO_DIGEST] = animation.audio_sha256
    mark_words(scene, line, animation.words, 1)
    playing = None if sound is None else add_sound(scene, line, sound, 1)
    return scene, baked, playing


def write_character(
    scene: bpy.types.Scene,
    line: str,
    playing: bpy.types.Sound | None,
    sound: Path | None,
    outputs: Sequence[Path],
    progress: Callable[[str, int, int], None],
) -> list[Path]:
    """Write the outputs; returns their paths. On an error none of them is left behind."""
    # The .blend comes last: saving it changes the paths in memory.
    ordered = sorted(outputs, key=lambda path: path.suffix.lower() == ".blend")
    with Staging() as staging:
        for done, path in enumerate(ordered):
            progress("write", done, len(outputs))
            if path.suffix.lower() == ".glb":
                export_gltf_scene(scene, line, staging.file(path))
                continue
            if playing is not None and sound is not None:
                copy_sound(staging, files_folder(path), sound)
            save_character(playing, staging.file(path), path)
        progress("write", len(outputs), len(outputs))
    return list(outputs)


def _open(character: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    try:
        if character.suffix.lower() == ".blend":
            # A file from elsewhere must not be able to run code.
            bpy.ops.wm.open_mainfile(filepath=str(character), load_ui=False, use_scripts=False)
        else:
            bpy.ops.import_scene.gltf(filepath=str(character))
    except Exception as error:  # the glTF importer lets errors of every kind through
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise MappingError(f"Blender cannot open {character}: {words[-1]}. Choose a whole .blend or .glb.") from error

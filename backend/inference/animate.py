"""The main job: a recording and an actor to every output that was asked for."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backend.animation_file import ANIMATION_FILES, Animation, new_folder, places_read
from backend.inference.request import SPEECH, AnimateRequest
from backend.progress import Progress, no_progress
from backend.speech.timeline import Timeline, save_markers

if TYPE_CHECKING:
    from backend.actor_file import Actor
    from backend.inference.outputs import Wrote

HEAD_STAYS = (
    "The character's head is not turned: --head turns new talking heads, and is written to folders (head_rotation) and "
    ".csv."
)


def animate(
    request: AnimateRequest,
    progress: Progress = no_progress,
    actor: "Actor | None" = None,
    wrote: "Wrote" = lambda path: None,
) -> None:
    """Animate one recording. Each output is written whole or not at all, in the order animation, files, video.

    actor: the request's actor where the caller has it loaded already. wrote: is told of each path as it is there.
    Raises UsageError, InputError, ActorError, EnvironmentProblem, Cancelled.
    """
    from backend.actor_file import load_actor
    from backend.actor_library import find_actor
    from backend.audio.decode import decode_audio
    from backend.inference.outputs import copy_folders, write_animation_folder, write_files

    request.check_outputs(places_read(request.inputs))
    actor = actor or load_actor(find_actor(request.actor))
    samples = decode_audio(request.audio, progress)
    if request.character is not None and request.head:
        progress(HEAD_STAYS, 0, 0)
    made = predict_animation(actor, samples, request, progress)
    animation, codes = made.animation, made.codes

    folders = request.animation_folders
    with tempfile.TemporaryDirectory(prefix="mouthpiece-", ignore_cleanup_errors=True) as scratch:
        kept = folders[0] if folders else Path(scratch) / "animation"
        with new_folder(kept, ANIMATION_FILES, request.overwrite) as folder:
            write_animation_folder(folder, animation, actor, codes if request.with_texture else None, progress)
            if made.timeline is not None:
                save_markers(made.timeline, folder)
            if request.keep_sound:
                shutil.copyfile(request.audio, folder / SPEECH)
        if folders:
            wrote(kept)
        copy_folders(kept, folders[1:], request.overwrite, wrote)
        write_files(request, animation, kept, Path(scratch), progress, wrote)


@dataclass(frozen=True)
class Prediction:
    """An animation, its offsets still to be computed piece by piece, and what it was made of.

    codes: (T, Ns or more) float32 that its textures are decoded from; timeline: when what is said, where that is known.
    """

    animation: Animation
    codes: np.ndarray
    timeline: Timeline | None


def predict_animation(
    actor: "Actor", samples: np.ndarray, request: AnimateRequest, progress: Progress = no_progress
) -> Prediction:
    """Run the network up to, and without, the textures. samples: (n,) float32 at 16 kHz."""
    from backend.inference.direct import direct
    from backend.inference.motion import LazyOffsets
    from backend.trust.provenance import file_sha256, provenance
    from shape_keys.arkit import NAMES
    from shape_keys.topology import TRIANGLES

    directed = direct(actor, samples, request, progress)
    shown = directed.performance
    digest = file_sha256(request.audio)
    animation = Animation(
        fps=request.fps,
        reference=actor.reference.vertices,
        offsets=LazyOffsets(actor.motion, shown.codes, shown.shift),
        uv=actor.reference.uv[None],
        triangles=TRIANGLES,
        weights=shown.weights,
        weight_names=NAMES,
        actor=actor.name,
        audio_sha256=digest,
        provenance=provenance(actor.name, actor.digest, digest),
        head_rotation=directed.head_rotation,
    )
    return Prediction(animation, shown.codes, directed.timeline)

"""The main job: a recording and an actor to every output that was asked for."""

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backend.animation_file import Animation, check_output, new_folder
from backend.inference.request import AnimateRequest
from backend.progress import Progress, no_progress

if TYPE_CHECKING:
    from backend.actor_file import Actor


def animate(request: AnimateRequest, progress: Progress = no_progress, actor: "Actor | None" = None) -> list[Path]:
    """Animate one recording. Each output is written whole or not at all, in the order animation, files, video.

    actor: the request's actor where the caller has it loaded already.
    Returns the paths written. Raises UsageError, InputError, ActorError, EnvironmentProblem, Cancelled.
    """
    from backend.actor_file import load_actor
    from backend.actor_library import find_actor
    from backend.audio.decode import decode_audio
    from backend.inference.outputs import copy_folders, write_animation_folder, write_files

    for path in request.places:
        check_output(path, request.overwrite)
    actor = actor or load_actor(find_actor(request.actor))
    samples = decode_audio(request.audio)
    animation, codes = predict_animation(actor, samples, request, progress)

    folders = [path for path in request.outputs if not path.suffix]
    with tempfile.TemporaryDirectory(prefix="mouthpiece-") as scratch:
        kept = folders[0] if folders else Path(scratch) / "animation"
        with new_folder(kept, request.overwrite) as folder:
            write_animation_folder(folder, animation, actor, codes if request.with_texture else None, progress)
        copy_folders(kept, folders[1:], request.overwrite)
        write_files(request, animation, kept, Path(scratch), progress)
    return list(request.outputs)


def predict_animation(
    actor: "Actor", samples: np.ndarray, request: AnimateRequest, progress: Progress = no_progress
) -> tuple[Animation, np.ndarray]:
    """Run the network up to, and without, the textures.

    samples: (n,) float32 at 16 kHz. Returns the animation, its offsets still to be computed piece by piece, and the
    codes (T, Ns) that its textures are decoded from.
    """
    from backend.audio.decode import SAMPLE_RATE
    from backend.audio.spectrogram import frame_times
    from backend.inference.motion import LazyOffsets, hear, rest_code, style_codes
    from backend.trust.provenance import provenance
    from shape_keys.arkit import NAMES
    from shape_keys.topology import TRIANGLES

    times = frame_times(len(samples) / SAMPLE_RATE, request.fps)
    codes = hear(actor.motion, samples, times, progress)
    if request.intensity != 1 or request.smooth > 0:
        codes = style_codes(codes, rest_code(actor.motion), request.intensity, request.smooth * request.fps)
    with request.audio.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    animation = Animation(
        fps=request.fps,
        reference=actor.reference.vertices,
        offsets=LazyOffsets(actor.motion, codes),
        uv=actor.reference.uv[None],
        triangles=TRIANGLES,
        weights=actor.motion.blendshapes(codes),
        weight_names=NAMES,
        actor=actor.name,
        audio_sha256=digest,
        provenance=provenance(actor.name, actor.digest, digest),
    )
    return animation, codes

"""From a recording to the performance that is shown: heard, at rest in silence, styled, put to words, layered."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.audio.spectrogram import frame_times
from backend.inference.balance import balance, gain_factors
from backend.inference.contacts import keep_words, part_lips, tuck
from backend.inference.heard_lips import lacking
from backend.inference.meeting import meet, show_spoken
from backend.inference.motion import calm_silence, hear, neutral_code, steady, style_motion
from backend.inference.performance import Performance, perform
from backend.inference.request import AnimateRequest
from backend.progress import Progress, no_progress
from backend.speech.timeline import Timeline
from shape_keys.arkit import NAMES

if TYPE_CHECKING:
    from backend.actor_file import Actor

NO_SPEECH = (
    "There is no speech in {name}: nothing in it stands out from the background as a voice does. The face stays "
    "at rest; --silence-gate 0 shows the sound all the same."
)
BREATH = 1.8
"""How much further the voice model's lips open for the breath before speech than it has them: of several speakers it
knows a mean that phonemes, half of what its code is made of, tell nothing of (docs/decisions/021-breath.md)."""
BEGINNING = 0.05
"""Seconds in which a recording that begins in a breath leaves rest: a character waits for its line with lips closed."""


@dataclass(frozen=True)
class Directed:
    """What is shown. timeline: when what is said, where known; head_rotation: (T, 3) radians, or None."""

    performance: Performance
    timeline: Timeline | None
    head_rotation: np.ndarray | None


def direct(
    actor: "Actor",
    samples: np.ndarray,
    request: AnimateRequest,
    progress: Progress = no_progress,
    times: np.ndarray | None = None,
) -> Directed:
    """Perform samples (n,) float32 at 16 kHz as the request says; a recording without speech is reported.

    times: (T,) seconds of the frames, those of the request's frame rate by default.

    Raises InputError where a transcript does not fit the sound, EnvironmentProblem where what aligns it is missing.
    """
    if times is None:
        times = frame_times(len(samples) / SAMPLE_RATE, request.fps)
    speaking, open_ = _how_open(actor, samples, times, request)
    if not open_.any():
        progress(NO_SPEECH.format(name=request.audio.name), 0, 0)
    shown, tucked = _as_heard(actor, samples, times, open_, request, progress)
    shown = balance(shown, request, speaking)
    if request.intensity > 1 or request.reshapes:
        shown = part_lips(shown, actor.reference.vertices)
    timeline, strength = find_words(samples, request, progress), min(1.0, request.intensity)
    if timeline is None:
        shown = tuck(shown, strength * tucked)
    else:
        shown = keep_words(shown, times, timeline.phones, strength)
        shown = replace(shown, weights=meet(shown.weights, shown.gap(), shown.rest_gap))
    shown, head_rotation = _add_layers(shown, samples, times, speaking, request)
    return Directed(shown, timeline, head_rotation)


def _how_open(
    actor: "Actor", samples: np.ndarray, times: np.ndarray, request: AnimateRequest
) -> tuple[np.ndarray, np.ndarray]:
    """How surely frames are speech, (T,) in 0..1; how much of it is shown: 0 at rest, 1 as heard, more in a breath."""
    from backend.audio.speech_gate import speech_gates

    speaking, breathing = speech_gates(samples, times)
    if request.timeline is not None and not speaking.any():  # what was spoken from a text is speech, however short
        speaking = np.ones_like(speaking)
    breath = request.breath * (BREATH if actor.is_general else 1)
    breathing = breath * breathing * np.clip(times / BEGINNING, 0, 1)
    return speaking, np.maximum(1 - request.silence_gate * (1 - speaking), breathing)


def _as_heard(
    actor: "Actor",
    samples: np.ndarray,
    times: np.ndarray,
    open_: np.ndarray,
    request: AnimateRequest,
    progress: Progress,
) -> tuple[Performance, np.ndarray]:
    """What the network makes of the sound, as large and as smooth as is asked for; how far lips are tucked (T,)."""
    codes, lips = (steady(heard, request.fps) for heard in hear(actor.motion, samples, times, progress))
    if not request.with_texture:  # what is said moves no vertex, and is most of the memory that an hour takes
        codes = np.ascontiguousarray(codes[:, : actor.motion.code_length])
    rest = neutral_code(actor.motion)[:, : codes.shape[1]]
    # Weights from their clipped selves: those of the code at rest may lie below 0, and would hold back the others.
    weights, still = actor.motion.blendshapes(codes), np.zeros((1, len(NAMES)), np.float32)
    rounder = lacking(weights, lips[:, 0])
    codes, weights, rounder = (
        style_motion(calm_silence(motion, start, open_), start, request.intensity, request.smooth * request.fps)
        for motion, start in ((codes, rest), (weights, still), (rounder, still))
    )
    shown = show_spoken(perform(actor.motion, codes, weights, actor.reference.vertices), rounder)
    return shown, np.minimum(open_, 1) * lips[:, 1]


def find_words(samples: np.ndarray, request: AnimateRequest, progress: Progress = no_progress) -> Timeline | None:
    """When what is said, as far as the request tells what is said."""
    if request.timeline is not None or not request.transcript.strip():
        return request.timeline
    from backend.speech.transcript import align_transcript

    progress("align", 0, 1)
    timeline = align_transcript(samples, request.transcript, request.language, progress)
    progress("align", 1, 1)
    return timeline


def _add_layers(
    shown: Performance, samples: np.ndarray, times: np.ndarray, speaking: np.ndarray, request: AnimateRequest
) -> tuple[Performance, np.ndarray | None]:
    """Blinks, brows and head as far as they were asked for, by the gains of their shapes."""
    if not (request.blinks or request.brows or request.head):
        return shown, None
    from backend.audio.accents import find_accents
    from backend.inference.layers import add_blinks, add_brows, head_motion

    gains, duration = gain_factors(request.gains), len(samples) / SAMPLE_RATE
    accents = find_accents(samples) if request.brows or request.head else []
    if request.blinks:
        shown = add_blinks(shown, times, duration, request.blinks, request.seed, gains)
    if request.brows:
        shown = add_brows(shown, times, accents, request.brows, request.seed, gains)
    if not request.head:
        return shown, None
    return shown, head_motion(times, duration, accents, speaking, request.head, request.seed)

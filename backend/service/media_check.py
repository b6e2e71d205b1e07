"""Looks at an uploaded recording or video with the real decoders before it is taken; runs in a limited worker."""

from pathlib import Path
from typing import Any

from backend.errors import InputError
from backend.progress import Progress


def check_sound(task: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Decode a recording to its end; returns its seconds. One of a text is made first.

    Raises InputError; UsageError, EnvironmentProblem where the text cannot be spoken.
    """
    from backend.audio.decode import SAMPLE_RATE, decode_audio

    if "text" in task:
        from backend.speech.espeak import save_speech

        save_speech(task["text"], task["voice"], Path(task["path"]))
    seconds = len(decode_audio(Path(task["path"]))) / SAMPLE_RATE
    _check_length(seconds, task["most_seconds"])
    return {"seconds": round(seconds, 6)}


def check_video(task: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Decode a video's first picture and its sound; returns its seconds. Raises InputError."""
    from backend.audio.decode import SAMPLE_RATE, decode_audio
    from backend.video.decode import open_video

    path = Path(task["path"])
    info = open_video(path)
    if not info.has_audio:
        raise InputError(f"{path} has no sound track; speech must be heard in the video.")
    seconds = max(info.duration, len(decode_audio(path)) / SAMPLE_RATE)
    _check_length(seconds, task["most_seconds"])
    return {"seconds": round(seconds, 6)}


def _check_length(seconds: float, most: float) -> None:
    if seconds > most:
        raise InputError(
            f"It is {seconds / 60:.1f} minutes long; this service takes up to {most / 60:.0f}. Cut it, or start the "
            "service with a higher --max-minutes."
        )

"""Inspect videos, and train an actor from them, with the backend; in a thread, no bpy."""

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from .background import Background
from .client import Client, Upload
from .errors import BackendError
from .jobs import Connect, fetch_folder, follow

REPORT = "report.html"
LONGEST, LONGEST_STATEMENT = 200, 2000
"""Characters of the parts of a consent that the backend keeps."""
VIDEOS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpegts", ".mpg", ".mts", ".ts", ".webm")


@dataclass(frozen=True)
class Consent:
    """The speaker's consent, without which nobody's likeness is trained."""

    speaker: str
    statement: str
    given_by: str
    date: str
    licence: str

    def check(self) -> None:
        """Raises BackendError that names what is wrong, as the backend would once the videos have been sent."""
        for name, words in vars(self).items():
            part, most = name.replace("_", " "), LONGEST_STATEMENT if name == "statement" else LONGEST
            if not words.strip():
                raise BackendError(f"The consent lacks {part}; without it nobody's face is trained.")
            if len(words) > most:
                raise BackendError(f"The consent's {part} has {len(words)} characters; say it in up to {most}.")
        try:
            given = date.fromisoformat(self.date)
        except ValueError:
            given = None
        if given is None or given.isoformat() != self.date:  # Python reads 20260131 and weeks, as in 2026-W05-6, too
            raise BackendError(f"The consent's date is {self.date!r}; write it as 2026-01-31.")
        if given > date.today():
            raise BackendError(f"The consent's date, {self.date}, lies in the future.")


@dataclass(frozen=True)
class TrainRequest:
    """An actor to train."""

    videos: tuple[Path, ...]
    actor: str
    consent: Consent
    folder: Path
    """Becomes the folder of the training's report."""
    options: dict[str, Any] = field(default_factory=dict)


def inspect_videos(background: Background, connect: Connect, videos: tuple[Path, ...], folder: Path) -> Path:
    """What training would see in some videos; returns the report's page."""
    client, uploads = _upload(background, connect, videos)
    job = client.inspect(list(uploads), name="inspection")
    client = follow(background, connect, client, job)
    fetch_folder(background, client, job, folder)
    return folder / REPORT


def train_actor(background: Background, connect: Connect, request: TrainRequest) -> str:
    """Train an actor; returns a sentence. The backend keeps the actor among the user's own."""
    request.consent.check()
    client, uploads = _upload(background, connect, request.videos)
    job = client.train(list(uploads), request.actor, dict(vars(request.consent)), **request.options)
    client = follow(background, connect, client, job)
    fetch_folder(background, client, job, request.folder)
    return f"The actor {request.actor} is trained{_measured(request)}; its report is in {request.folder}"


def _upload(background: Background, connect: Connect, videos: tuple[Path, ...]) -> tuple[Client, tuple[Upload, ...]]:
    missing = [path for path in videos if not path.is_file()]
    if missing or not videos:
        raise BackendError(f"There is no video at {missing[0]}; choose one." if missing else "No video is chosen.")
    background.say("starting the backend")
    client = connect()
    uploads = []
    for number, path in enumerate(videos):
        background.say(f"sending {path.name}", number / len(videos))
        uploads.append(client.upload(path, kind="video"))
    background.say("waiting")
    return client, tuple(uploads)


def _measured(request: TrainRequest) -> str:
    try:
        about = json.loads((request.folder / request.actor / "actor.json").read_text("utf-8"))
        epochs, minutes = int(about["epochs_run"]), float(about["minutes"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f" ({epochs} epochs, {minutes:.0f} minutes)" if epochs else " (solved, without epochs)"


def find_videos(path: Path) -> tuple[Path, ...]:
    """A video, or the videos of a folder."""
    if path.is_dir():
        return tuple(sorted(item for item in path.iterdir() if item.suffix.lower() in VIDEOS))
    return (path,)

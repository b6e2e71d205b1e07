"""Work under way, looked after on the main thread: what the panel shows of it, and what is made of its result."""

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import bpy

from .background import Background, Finished, Progress
from .errors import AddonError

TICK_SECONDS = 0.1
SHOWN_IN = ("VIEW_3D", "SEQUENCE_EDITOR", "PREFERENCES")


class Work(Protocol):
    """What is shown, watched and waited for: one `Activity`, or many."""

    progress: Progress
    message: str
    """What was made, or what went wrong."""
    failed: bool
    ended: bool
    undo: str
    """Name of the step that undoes it; empty where there is nothing to undo."""
    tick: float
    """Seconds between two looks at it, where Blender has a window."""

    def pump(self) -> None:
        """Take in what has come; call on the main thread."""

    def run(self) -> object:
        """Wait for the end, for Blender without a window."""

    def cancel(self) -> None:
        """Ask the work to end."""

    def abandon(self) -> None:
        """Let the work end without anything made of it: the add-on is being switched off."""


@dataclass
class Activity:
    """One piece of work on its way; only `pump` and `run` touch Blender's data."""

    background: Background
    finish: Callable[[Any], str]
    """Makes something of the result; returns what was made as a sentence, or raises AddonError."""
    cancelled: str = "Cancelled; nothing was baked"
    undo: str = ""
    tick: float = TICK_SECONDS
    progress: Progress = field(default_factory=lambda: Progress("starting"))
    message: str = ""
    failed: bool = False
    ended: bool = False

    def start(self) -> "Activity":
        """Begin."""
        self.background.start()
        return self

    def cancel(self) -> None:
        """Ask the work to end."""
        self.background.cancel()

    def pump(self) -> None:
        """Take in what the work says; make something of its result. Call on the main thread."""
        for message in self.background.poll():
            if isinstance(message, Progress):
                self.progress = message
            else:
                self._end(message)

    def run(self) -> "Activity":
        """Wait for the end, for Blender without a window."""
        while not self.ended:
            self.pump()
            time.sleep(0.02)
        return self

    def abandon(self) -> None:
        """Let the work end without anything made of it."""
        self.cancel()
        self.ended = True

    def _end(self, message: Finished) -> None:
        self.ended = True
        self.failed = message.result is None
        self.message = message.error or self.cancelled
        if message.result is None:
            return
        try:
            self.message = self.finish(message.result)
        except AddonError as error:
            self.failed, self.message = True, str(error)
        except Exception as error:
            self.failed, self.message = True, unexpected(error)


def unexpected(error: Exception) -> str:
    """A sentence about an error that nobody foresaw; its traceback goes to the console."""
    traceback.print_exception(error)
    return f"It failed unexpectedly: {type(error).__name__}: {error}"


_shown: dict[str, Work] = {}


def show(place: str, activity: Work) -> Work:
    """Make an activity the one that a place of the panel ("line", "backend", ...) shows."""
    _shown[place] = activity
    return activity


def shown(place: str) -> Work | None:
    """The activity of a place: under way, or the last one."""
    return _shown.get(place)


def under_way(place: str) -> Work | None:
    """The activity of a place unless it has ended."""
    activity = _shown.get(place)
    return None if activity is None or activity.ended else activity


def watch(activity: Work) -> Work:
    """Look after an activity from Blender's timer until it has ended."""
    bpy.app.timers.register(lambda: _tick(activity), first_interval=activity.tick, persistent=True)
    return activity


def _tick(activity: Work) -> float | None:
    if activity.ended:
        return None
    try:
        activity.pump()
    except Exception as error:  # Blender never calls a timer again that raises: the work would have no end
        activity.abandon()
        activity.failed, activity.message = True, unexpected(error)
    redraw()
    if activity.ended and not activity.failed and activity.undo:
        bpy.ops.ed.undo_push(message=activity.undo)
    return None if activity.ended else activity.tick


def redraw() -> None:
    """Draw the panels again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in SHOWN_IN:
                area.tag_redraw()


@bpy.app.handlers.persistent
def _cancel_with_file(*_unused) -> None:
    """Nothing that was asked for in one file may be baked into another."""
    for place, activity in _shown.items():
        if place != "backend":
            activity.abandon()


def register() -> None:
    """Watch for files being opened."""
    bpy.app.handlers.load_pre.append(_cancel_with_file)


def unregister() -> None:
    """Work under way ends without a result."""
    bpy.app.handlers.load_pre.remove(_cancel_with_file)
    for activity in _shown.values():
        activity.abandon()
    _shown.clear()

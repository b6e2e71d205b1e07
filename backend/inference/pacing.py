"""Frames that fall due in bursts, let out at a steady pace: a jitter buffer."""

import time
from collections.abc import Callable, Iterable, Iterator

from backend.inference.stream import LiveFrame

RECOVERY = 0.02
"""Share of the time a frame waits by which the delay shrinks: half a second of delay is gone in half a minute."""
LATE_SECONDS = 0.002
"""Behind its moment, from which a frame counts as late."""


class FramePacer:
    """Holds frames back to the pace of their own times, and no longer than the bursts make necessary.

    The sound card hands over sound in blocks and the system adds its own delays, so that frames come early and late.
    Each is let out at its time plus a delay; the delay grows at once to the latest frame's lateness and shrinks
    slowly afterwards, which also follows a sound card whose clock drifts from the computer's.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._delay: float | None = None
        self.late = 0
        """Frames that came after their moment."""

    def pace(self, frames: Iterable[LiveFrame]) -> Iterator[LiveFrame]:
        """Yield each frame at its moment."""
        for frame in frames:
            lateness = self._clock() - frame.time
            if self._delay is None:
                self._delay = lateness
            elif lateness > self._delay:
                self.late += lateness > self._delay + LATE_SECONDS
                self._delay = lateness
            else:
                self._sleep(self._delay - lateness)
                self._delay -= RECOVERY * (self._delay - lateness)
            yield frame

"""Progress bars on a terminal, and how long each stage took."""

import sys
import time
from typing import TextIO

LOG_SECONDS = 60.0
"""Between two lines where the output goes to a file."""


class ProgressReport:
    """A `backend.progress.Progress` callback: a bar for each stage where somebody watches, else a line a minute.

    Use it as a context manager: leaving it clears the bar. `seconds` maps stages to their wall time in order; what
    passes before the first call counts as "load". A call with total 0 is a message, shown at once.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.seconds: dict[str, float] = {}
        self._watched = self.stream.isatty()
        self._stage = "load"
        self._since = self._logged = time.monotonic()
        self._bar = None

    def __enter__(self) -> "ProgressReport":
        return self

    def __exit__(self, *_: object) -> None:
        self._enter_stage("")

    def __call__(self, stage: str, done: int, total: int) -> None:
        if total == 0:
            self._show_message(stage)
            return
        if stage != self._stage:
            self._enter_stage(stage)
        self._draw(done, total)

    def write(self, line: str) -> None:
        """Print a line of results on standard output."""
        if self._bar is not None:
            self._bar.clear()
        print(line, flush=True)

    def summary(self) -> str:
        """Return the stages with their times, such as "load 1.2 s, texture 3.4 s"."""
        return ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in self.seconds.items())

    def _enter_stage(self, stage: str) -> None:
        now = time.monotonic()
        if self._stage:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _draw(self, done: int, total: int) -> None:
        if not self._watched:
            self._log(done, total)
            return
        if self._bar is None:
            from tqdm import tqdm

            # What was done before does not count for the time left: work that is taken up again begins in its middle.
            self._bar = tqdm(
                total=total, initial=done, desc=self._stage, file=self.stream, leave=False, dynamic_ncols=True
            )
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def _log(self, done: int, total: int) -> None:
        """Write a line a minute into what is no terminal; short work writes none."""
        now = time.monotonic()
        if now - self._logged >= LOG_SECONDS:
            self._logged = now
            print(f"mouthpiece: {self._stage} {done}/{total}", file=self.stream, flush=True)

    def _show_message(self, text: str) -> None:
        if self._bar is not None:
            self._bar.clear()
        print(f"mouthpiece: {text}", file=self.stream, flush=True)

"""How long a job still takes: from its own pace in this stage, and from how long earlier jobs took in the next."""

import time
from dataclasses import dataclass, field

SMOOTHING = 0.3
"""Weight of the newest job in the averages."""


@dataclass
class Pace:
    """Where a running job is. size: what the time grows with, seconds of sound."""

    kind: str
    size: float
    stage: str = "start"
    done: int = 0
    total: int = 0
    since: float = field(default_factory=time.monotonic)
    spent: dict[str, float] = field(default_factory=dict)
    """Seconds in each stage that is over, in order."""

    def enter(self, stage: str, done: int, total: int) -> None:
        """Take in a progress message."""
        now = time.monotonic()
        if stage != self.stage:
            self.spent[self.stage] = self.spent.get(self.stage, 0.0) + now - self.since
            self.stage, self.since = stage, now
        self.done, self.total = done, total


class Estimator:
    """Remembers how long each stage of each kind of job takes for a second of sound."""

    def __init__(self) -> None:
        self._stages: dict[str, dict[str, float]] = {}

    def learn(self, pace: Pace) -> None:
        """Take in a job that is done."""
        pace.enter("", 0, 0)
        known = self._stages.setdefault(pace.kind, {})
        for stage, seconds in pace.spent.items():
            rate = seconds / max(pace.size, 0.1)
            known[stage] = rate if stage not in known else known[stage] + SMOOTHING * (rate - known[stage])

    def seconds_left(self, pace: Pace) -> float | None:
        """Seconds until the job is done; None while nothing is known."""
        known = self._stages.get(pace.kind, {})
        elapsed = time.monotonic() - pace.since
        if 0 < pace.done <= pace.total:
            here = elapsed * (pace.total - pace.done) / pace.done
        elif pace.stage in known:
            here = max(0.0, known[pace.stage] * pace.size - elapsed)
        else:
            return None
        stages = list(known)
        later = stages[stages.index(pace.stage) + 1 :] if pace.stage in known else []
        ahead = sum(known[stage] * pace.size for stage in later if stage not in pace.spent)
        return round(here + ahead, 1)

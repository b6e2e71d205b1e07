"""Counters for Prometheus, in its text format."""

import time
from collections import Counter
from collections.abc import Iterable

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper ends of the histogram of response times in seconds."""
TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What happened since the start."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._buckets: Counter[float] = Counter()
        self._seconds, self._requests = 0.0, 0

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter; the labels come from a small fixed set, never from a client."""
        self._counts[name, tuple(sorted(labels.items()))] += amount  # type: ignore[assignment]

    def time_request(self, seconds: float) -> None:
        """Add a request to the histogram."""
        self._requests += 1
        self._seconds += seconds
        for bound in BUCKETS:
            if seconds <= bound:
                self._buckets[bound] += 1

    def render(self, gauges: Iterable[tuple[str, dict[str, str], float]]) -> str:
        """Everything as text; gauges: (name, labels, value) of the moment."""
        lines = ["# TYPE mouthpiece_request_seconds histogram"]
        lines += [f'mouthpiece_request_seconds_bucket{{le="{bound}"}} {self._buckets[bound]}' for bound in BUCKETS]
        lines += [f'mouthpiece_request_seconds_bucket{{le="+Inf"}} {self._requests}']
        lines += [f"mouthpiece_request_seconds_sum {self._seconds:.6f}"]
        lines += [f"mouthpiece_request_seconds_count {self._requests}"]
        rows = [(name, labels, value, "counter") for (name, labels), value in sorted(self._counts.items())]
        rows += [(name, tuple(labels.items()), value, "gauge") for name, labels, value in gauges]
        seen = set()
        for name, labels, value, kind in rows:
            if name not in seen:
                seen.add(name)
                lines.append(f"# TYPE mouthpiece_{name} {kind}")
            marks = ",".join(f'{key}="{text}"' for key, text in labels)
            lines.append(f"mouthpiece_{name}{{{marks}}} {value:g}" if marks else f"mouthpiece_{name} {value:g}")
        return "\n".join(lines) + "\n"

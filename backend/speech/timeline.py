"""What is said when: the words and phonemes of a recording, as they are written beside an animation."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.speech.phones import SILENCE, Phone, Word

MARKERS = "markers.json"
FORMAT = 1


@dataclass(frozen=True)
class Timeline:
    """Words and phonemes in order of time, silences among the phonemes included."""

    phones: tuple[Phone, ...]
    words: tuple[Word, ...]


def save_markers(timeline: Timeline, folder: Path) -> Path:
    """Write `markers.json`: words {text, start, end} and phones {symbol, start, end} in seconds, without silences."""
    path = folder / MARKERS
    phones = [_rounded(asdict(phone)) for phone in timeline.phones if phone.symbol != SILENCE]
    words = [_rounded(asdict(word)) for word in timeline.words]
    path.write_text(json.dumps({"format": FORMAT, "words": words, "phones": phones}, indent=1), encoding="utf-8")
    return path


def _rounded(entry: dict) -> dict:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in entry.items()}

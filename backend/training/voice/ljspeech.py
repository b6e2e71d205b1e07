"""The LJSpeech recordings (one woman, English, public domain) and what is said in them."""

from pathlib import Path

HELD_OUT = tuple(f"LJ001-{number:04}" for number in (2, 4, 6, 8, 10, 12))
"""Recordings that no training hears (docs/voices.md)."""

_TEXTS = Path(__file__).parent / "texts/ljspeech.txt"
"""Of the recordings that come without a transcript: the book's own words, checked by aligning them."""


def transcripts(data: Path) -> dict[Path, str]:
    """Texts by recording, in order. data: folder with `speech/ljspeech`, its `metadata.csv` and recordings."""
    folder = data / "speech/ljspeech"
    lines = [*(folder / "metadata.csv").read_text("utf-8").splitlines(), *_TEXTS.read_text("utf-8").splitlines()]
    rows = (line.split("|") for line in lines)
    return {folder / f"{row[0]}.flac": row[-1] for row in rows}

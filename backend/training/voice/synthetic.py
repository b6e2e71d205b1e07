"""Synthetic speech with exact phoneme times, from several engines, many voices and languages."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.progress import Progress, no_progress
from backend.speech import espeak, festival, flite
from backend.speech.phones import Phone
from backend.training.voice.texts import other_languages, random_text

ENGINES = {"flite": flite, "festival": festival}
ENGLISH = ("en-us", "en-gb-x-rp", "en-029", "en-gb-scotland")
VARIANTS = (
    "", "+m1", "+m2", "+m4", "+m5", "+m6", "+m8", "+f1", "+f3", "+f4", "+f5", "+Andy", "+Annie", "+Alicia", "+Gene",
    "+Lee", "+Mario", "+Michael", "+adam", "+anika", "+aunty", "+belinda", "+caleb", "+david", "+ed", "+edward",
    "+grandma", "+john", "+klatt2", "+klatt4", "+linda", "+michel", "+pablo", "+paul", "+rob", "+sandro", "+shelby",
    "+steph", "+travis", "+victor", "+zac", "+whisper",
)  # fmt: skip
"""espeak-ng's variants of the voice; those of the shipped synthetic speaker (m3, m7, f2) are left out."""
SHARES = {"flite": 0.3, "festival": 0.15, "english": 0.3, "other": 0.25}
"""How much of the speech comes from flite, from festival, from espeak-ng in English, and in other languages."""


@dataclass(frozen=True)
class Utterance:
    """One spoken text in a corpus: samples start..stop of its sound."""

    start: int
    stop: int
    voice: str
    phones: list[Phone]


def make_synthetic(folder: Path, minutes: float, seed: int = 0, progress: Progress = no_progress) -> None:
    """Write `sound.npy`, (n,) int16 at 16 kHz, and `utterances.json` of about so many minutes of speech."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces, utterances, total = [], [], 0
    for voice, spoken in _speech(np.random.default_rng(seed)):
        samples = np.clip(np.rint(spoken.samples * 32767), -32768, 32767).astype(np.int16)
        utterances.append(Utterance(total, total + len(samples), voice, spoken.phones))
        pieces.append(samples)
        total += len(samples)
        progress("speak", int(total / SAMPLE_RATE), int(minutes * 60))
        if total >= minutes * 60 * SAMPLE_RATE:
            break
    np.save(folder / "sound.npy", np.concatenate(pieces))
    (folder / "utterances.json").write_text(json.dumps([asdict(u) for u in utterances]))


def _speech(rng: np.random.Generator) -> Iterator[tuple[str, espeak.Spoken]]:
    """Endless utterances with their voices."""
    kinds, shares = list(SHARES), list(SHARES.values())
    while True:
        kind = rng.choice(kinds, p=shares)
        if kind in ENGINES:
            voice = str(rng.choice(ENGINES[kind].VOICES))
            yield f"{kind} {voice}", ENGINES[kind].speak(random_text("en", rng), voice, float(rng.uniform(0.8, 1.3)))
            continue
        language = "en" if kind == "english" else str(rng.choice(other_languages()))
        name = str(rng.choice(ENGLISH)) if language == "en" else language
        voice = name + str(rng.choice(VARIANTS))
        rate, pitch, pitch_range = rng.integers((110, 10, 20), (230, 95, 90))
        yield (
            f"espeak-ng {voice}",
            espeak.speak(random_text(language, rng), voice, int(rate), int(pitch), int(pitch_range)),
        )


def read_utterances(folder: Path) -> list[Utterance]:
    """What `make_synthetic` wrote down."""
    rows = json.loads((folder / "utterances.json").read_text())
    return [Utterance(row["start"], row["stop"], row["voice"], [Phone(**p) for p in row["phones"]]) for row in rows]

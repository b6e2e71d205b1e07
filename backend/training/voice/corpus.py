"""The voice model's corpus: spectrogram columns of many voices, their phonemes, and faces where they were filmed."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from backend.audio.decode import decode_audio
from backend.audio.spectrogram import normalise_level, spectrum
from backend.progress import Progress
from backend.speech.alignment import Aligner
from backend.speech.phones import SYMBOLS, Phone
from backend.training.dataset import Dataset, DatasetConfig, build_dataset
from backend.training.voice.grid import sentence
from backend.training.voice.synthetic import make_synthetic, read_utterances

COLUMN_SECONDS = 0.01


@dataclass(frozen=True)
class Recording:
    """One recording of the corpus; ranges are half-open.

    columns: of `Corpus.columns`; frames: of `Corpus.times` and `offsets`, empty where no face was filmed.
    """

    source: str
    columns: tuple[int, int]
    frames: tuple[int, int]


class Corpus:
    """A corpus folder, opened.

    columns (C, 256) float16 compressed magnitudes, 10 ms apart, level-normalised; labels (C,) int8 phoneme numbers;
    times (F,) float32 seconds within the recording; offsets (F, 468, 3) float16 from the speaker's neutral face;
    weights (F, 52) float16; valid (F,) bool.
    """

    def __init__(self, folder: Path) -> None:
        self.columns = np.load(folder / "columns.npy", mmap_mode="r")
        self.labels = np.load(folder / "labels.npy")
        self.times, self.valid = np.load(folder / "times.npy"), np.load(folder / "valid.npy")
        self.offsets, self.weights = np.load(folder / "offsets.npy"), np.load(folder / "weights.npy")
        rows = json.loads((folder / "recordings.json").read_text())
        self.recordings = [Recording(row["source"], tuple(row["columns"]), tuple(row["frames"])) for row in rows]


@dataclass(frozen=True)
class _Piece:
    source: str
    samples: np.ndarray
    phones: list[Phone]
    dataset: Dataset | None = None
    rows: range = range(0)


def build_corpus(data: Path, folder: Path, minutes: float, grid: dict[str, list[Path]], progress: Progress) -> Corpus:
    """Make the corpus at `folder`, or open the one that is there.

    data: folder with `speech/ljspeech`; grid: clips of each GRID speaker; minutes: of synthetic speech.
    """
    if not (folder / "recordings.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "synthetic/utterances.json").exists():
            make_synthetic(folder / "synthetic", minutes, 0, progress)
        _write(folder, _pieces(data, folder, grid, progress))
    return Corpus(folder)


def _pieces(data: Path, folder: Path, grid: dict[str, list[Path]], progress: Progress) -> Iterator[_Piece]:
    sound = np.load(folder / "synthetic/sound.npy", mmap_mode="r")
    for utterance in read_utterances(folder / "synthetic"):
        samples = np.asarray(sound[utterance.start : utterance.stop], np.float32) / 32768
        yield _Piece(f"synthetic {utterance.voice}", samples, utterance.phones)
    aligner = Aligner()
    for line in (data / "speech/ljspeech/metadata.csv").read_text().splitlines():
        name, _, text = line.split("|")
        samples = decode_audio(data / f"speech/ljspeech/{name}.flac")
        yield _Piece("ljspeech", samples, aligner.align(samples, text)[0])
    for speaker, clips in grid.items():
        settings = DatasetConfig(lighting=False, specularities=False)
        dataset = build_dataset(clips, folder / f"grid_{speaker}", settings, progress)
        for number, clip in enumerate(clips):
            samples = decode_audio(clip)
            frames = np.flatnonzero(np.asarray(dataset.clip) == number)
            rows = range(int(frames[0]), int(frames[-1]) + 1)
            phones = aligner.align(samples, sentence(clip.stem))[0]
            yield _Piece(f"grid {speaker} {clip.stem}", np.asarray(dataset.audio(number)), phones, dataset, rows)


def magnitude_columns(samples: np.ndarray) -> np.ndarray:
    """Compressed magnitudes every 10 ms from the first sample on: (n,) float32 -> (C, 256) float32."""
    centres = np.arange(0, len(samples), int(COLUMN_SECONDS * 16000))
    complex_columns = spectrum(normalise_level(samples), centres)
    return np.hypot(complex_columns[:, 0], complex_columns[:, 1])


def label_columns(phones: list[Phone], count: int) -> np.ndarray:
    """(count,) int8: which phoneme sounds at each column."""
    labels = np.zeros(count, np.int8)
    for phone in phones:
        first, last = (round(time / COLUMN_SECONDS) for time in (phone.start, phone.end))
        labels[first:last] = SYMBOLS.index(phone.symbol)
    return labels


def _write(folder: Path, pieces: Iterable[_Piece]) -> None:
    columns, labels, recordings = [], [], []
    times, offsets, weights, valid = [], [], [], []
    place = frame = 0
    for piece in pieces:
        rows = magnitude_columns(piece.samples).astype(np.float16)
        columns.append(rows)
        labels.append(label_columns(piece.phones, len(rows)))
        count = len(piece.rows)
        if piece.dataset is not None:
            part = slice(piece.rows.start, piece.rows.stop)
            times.append(np.asarray(piece.dataset.times[part], np.float32))
            offsets.append((piece.dataset.vertices[part] - piece.dataset.reference_vertices).astype(np.float16))
            weights.append(piece.dataset.weights[part].astype(np.float16))
            valid.append(np.asarray(piece.dataset.valid[part]))
        recordings.append(Recording(piece.source, (place, place + len(rows)), (frame, frame + count)))
        place, frame = place + len(rows), frame + count
    arrays = {"columns": columns, "labels": labels, "times": times, "offsets": offsets, "weights": weights}
    for name, parts in (arrays | {"valid": valid}).items():
        np.save(folder / f"{name}.npy", np.concatenate(parts))
    temporary = folder / "recordings.tmp"
    temporary.write_text(json.dumps([asdict(recording) for recording in recordings]))
    temporary.replace(folder / "recordings.json")

"""The voice model's corpus: spectrogram columns of many voices, their phonemes, and the faces that go with them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.audio.spectrogram import normalise_level, spectrum
from backend.audio.speech import loudness_columns
from backend.progress import Progress
from backend.renaming import move
from backend.speech.alignment import Aligner
from backend.speech.phones import SYMBOLS, Phone
from backend.training.dataset import Dataset, DatasetConfig, build_dataset
from backend.training.voice.facegood import read_takes
from backend.training.voice.grid import sentence
from backend.training.voice.ljspeech import transcripts
from backend.training.voice.synthetic import make_synthetic, read_utterances
from shape_keys.visemes import coarticulate

COLUMN_SECONDS = 0.01
SHAPE_SECONDS = 0.02
UNKNOWN = -1
"""Phoneme number of a column whose phoneme nobody told."""


@dataclass(frozen=True)
class Recording:
    """One recording of the corpus; ranges are half-open.

    columns: of `Corpus.columns`; frames: of `Corpus.times` and `offsets`, empty where no face was filmed; shapes: of
    `Corpus.shapes`, empty where one was.
    """

    source: str
    columns: tuple[int, int]
    frames: tuple[int, int]
    shapes: tuple[int, int]


class Corpus:
    """A corpus folder, opened.

    columns (C, 256) float16 compressed magnitudes, 10 ms apart, level-normalised; labels (C,) int8 phoneme numbers,
    or UNKNOWN; shapes (S, 52) uint8 blendshape weights times 255, 20 ms apart: recorded, or made from the phonemes;
    times (F,) float32 seconds within the recording; offsets (F, 468, 3) float16 from the speaker's neutral face;
    weights (F, 52) float16; valid (F,) bool.
    """

    def __init__(self, folder: Path) -> None:
        self.columns = np.load(folder / "columns.npy", mmap_mode="r")
        self.labels = np.load(folder / "labels.npy")
        self.shapes = np.load(folder / "shapes.npy", mmap_mode="r")
        self.times, self.valid = np.load(folder / "times.npy"), np.load(folder / "valid.npy")
        self.offsets, self.weights = np.load(folder / "offsets.npy"), np.load(folder / "weights.npy")
        rows = json.loads((folder / "recordings.json").read_text())
        ranges = ("columns", "frames", "shapes")
        self.recordings = [Recording(row["source"], *(tuple(row[name]) for name in ranges)) for row in rows]


@dataclass(frozen=True)
class _Piece:
    source: str
    samples: np.ndarray
    phones: list[Phone] | None
    shapes: np.ndarray
    dataset: Dataset | None = None
    rows: range = range(0)


def build_corpus(data: Path, folder: Path, minutes: float, grid: dict[str, list[Path]], progress: Progress) -> Corpus:
    """Make the corpus at `folder`, or open the one that is there.

    data: folder with `speech/ljspeech` and `paired/facegood`; grid: clips of each GRID speaker; minutes: of synthetic
    speech.
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
        yield _Piece(
            f"synthetic {utterance.voice}", samples, utterance.phones, spoken_shapes(samples, utterance.phones)
        )
    for take in read_takes(data / "paired/facegood"):
        times = np.arange(0, take.times[-1], SHAPE_SECONDS)
        yield _Piece(f"facegood {take.name}", take.samples, None, take.weights_at(times))
    aligner = Aligner()
    for path, text in transcripts(data).items():
        samples = decode_audio(path)
        phones = aligner.align(samples, text)[0]
        yield _Piece(f"ljspeech {path.stem}", samples, phones, spoken_shapes(samples, phones))
    for speaker, clips in grid.items():
        settings = DatasetConfig(lighting=False, specularities=False)
        dataset = build_dataset(clips, folder / f"grid_{speaker}", settings, progress)
        yield from _filmed_pieces(dataset, clips, speaker, aligner)


def _filmed_pieces(dataset: Dataset, clips: list[Path], speaker: str, aligner: Aligner) -> Iterator[_Piece]:
    """The clips of a GRID speaker; phonemes are found in the sound as it agrees with the picture."""
    for number, clip in enumerate(dataset.videos(clips)):
        frames = np.flatnonzero(np.asarray(dataset.clip) == number)
        rows = range(int(frames[0]), int(frames[-1]) + 1)
        samples = np.asarray(dataset.audio(number))
        phones = aligner.align(samples, sentence(clip.stem))[0]
        yield _Piece(f"grid {speaker} {clip.stem}", samples, phones, np.zeros((0, 52)), dataset, rows)


def magnitude_columns(samples: np.ndarray) -> np.ndarray:
    """Compressed magnitudes every 10 ms from the first sample on: (n,) float32 -> (C, 256) float32."""
    centres = np.arange(0, len(samples), int(COLUMN_SECONDS * SAMPLE_RATE))
    complex_columns = spectrum(normalise_level(samples), centres)
    return np.hypot(complex_columns[:, 0], complex_columns[:, 1])


def spoken_shapes(samples: np.ndarray, phones: list[Phone]) -> np.ndarray:
    """Blendshape weights every 20 ms of somebody who says this: (n,) float32 at 16 kHz -> (S, 52) float32."""
    loudness = loudness_columns(samples)
    times = np.arange(0, len(samples) / SAMPLE_RATE, SHAPE_SECONDS)
    return coarticulate(phones, times, np.interp(times, np.arange(len(loudness)) * COLUMN_SECONDS, loudness))


def label_columns(phones: list[Phone] | None, count: int) -> np.ndarray:
    """(count,) int8: which phoneme sounds at each column."""
    labels = np.full(count, UNKNOWN if phones is None else 0, np.int8)
    for phone in phones or []:
        first, last = (round(time / COLUMN_SECONDS) for time in (phone.start, phone.end))
        labels[first:last] = SYMBOLS.index(phone.symbol)
    return labels


def _write(folder: Path, pieces: Iterable[_Piece]) -> None:
    columns, labels, shapes, recordings = [], [], [], []
    times, offsets, weights, valid = [], [], [], []
    place = frame = shape = 0
    for piece in pieces:
        rows = magnitude_columns(piece.samples).astype(np.float16)
        columns.append(rows)
        labels.append(label_columns(piece.phones, len(rows)))
        shapes.append(np.rint(piece.shapes * 255).astype(np.uint8))
        count = len(piece.rows)
        if piece.dataset is not None:
            part = slice(piece.rows.start, piece.rows.stop)
            times.append(np.asarray(piece.dataset.times[part], np.float32))
            offsets.append((piece.dataset.vertices[part] - piece.dataset.reference_vertices).astype(np.float16))
            weights.append(piece.dataset.weights[part].astype(np.float16))
            valid.append(np.asarray(piece.dataset.valid[part]))
        ends = place + len(rows), frame + count, shape + len(piece.shapes)
        recordings.append(Recording(piece.source, (place, ends[0]), (frame, ends[1]), (shape, ends[2])))
        place, frame, shape = ends
    arrays = {
        "columns": columns,
        "labels": labels,
        "shapes": shapes,
        "times": times,
        "offsets": offsets,
        "weights": weights,
    }
    for name, parts in (arrays | {"valid": valid}).items():
        np.save(folder / f"{name}.npy", np.concatenate(parts))
    temporary = folder / "recordings.tmp"
    temporary.write_text(json.dumps([asdict(recording) for recording in recordings]))
    move(temporary, folder / "recordings.json")

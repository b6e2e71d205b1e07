"""How well the voice model fits voices that it was not trained on.

    python -m benchmarks.voices [--data FOLDER] [--actor FOLDER] [--clips FOLDER...] [--json FILE]

FOLDER holds `speech/ljspeech` and `paired/facegood`; `--clips` are folders of GRID clips, whose names say what is
said (`grid_other` of the data by default). What of them training must not have heard is listed in docs/voices.md.
Groups of made voices (benchmarks/voice_groups.py) need espeak-ng.
"""

import argparse
import itertools
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfilt

from backend.actor_file import Actor, load_actor
from backend.actor_library import SHIPPED
from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.evaluation.evaluate import evaluate
from backend.evaluation.metrics import INTEROCULAR_MM, aperture_offset, correlation, lip_gap
from backend.evaluation.speech_figures import closure_recall
from backend.inference.direct import direct
from backend.inference.motion import LazyOffsets
from backend.inference.performance import gap_of_shapes
from backend.inference.request import AnimateRequest
from backend.speech.alignment import Aligner
from backend.speech.phones import BILABIALS, LABIODENTALS, OPEN_VOWELS, Phone
from backend.training.voice.facegood import read_take
from backend.training.voice.grid import sentence
from backend.training.voice.ljspeech import HELD_OUT, transcripts
from benchmarks.machine import describe_machine
from benchmarks.relit_speaker import ACTOR
from benchmarks.voice_groups import spoken_by_groups
from shape_keys import arkit
from shape_keys.basis import load_basis
from shape_keys.topology import CANONICAL_FACE, LEFT_MOUTH_CORNER, LIPS, RIGHT_MOUTH_CORNER

FPS = 25
ROUNDED, SPREAD = ("uw", "ow", "w"), ("iy", "ey")
HELD_OUT_TAKE = "1114_2_03"
SEMITONES = 6
NOISE_DB = 10.0


class Speaker:
    """An actor speaking as `mouthpiece animate` lets it."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def motion(self, samples: np.ndarray, fps: float = FPS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """times (T,), vertices (T, 468, 3), weights (T, 52) of a recording."""
        request = AnimateRequest(audio=Path("line.wav"), actor=self.actor.name, outputs=(Path("line"),), fps=fps)
        shown = direct(self.actor, samples.astype(np.float32), request).performance
        offsets = LazyOffsets(self.actor.motion, shown.codes, shown.shift)[:]
        return np.arange(len(offsets)) / fps, self.actor.reference.vertices + offsets, shown.weights

    def gap(self, samples: np.ndarray) -> np.ndarray:
        """Lip gap (T,) of a recording."""
        return lip_gap(self.motion(samples)[1])


def contacts(speaker: Speaker, spoken: list[tuple[np.ndarray, list[Phone]]]) -> dict[str, float]:
    """Closures, tucks and roundings in recordings (n,) with their phonemes; closures by the weights alone too.

    rounding_mm: how much narrower the mouth is at /uw ow w/ than at /iy ey/, by vertices and by weights.
    """
    closed: list[bool] = []
    closed_by_weights: list[bool] = []
    opened: list[bool] = []
    tucked: list[bool] = []
    narrower: list[bool] = []
    rounding: list[np.ndarray] = []
    for samples, phones in spoken:
        times, vertices, weights = speaker.motion(samples)
        gap, by_weights = lip_gap(vertices), np.maximum(weights @ gap_of_shapes(), 0)
        closed += closure_recall(gap, times, phones, BILABIALS)
        closed_by_weights += closure_recall(by_weights, times, phones, BILABIALS)
        opened += closure_recall(gap, times, phones, OPEN_VOWELS)
        tucked += _lower_than_usual(gap, times, phones)
        width = np.linalg.norm(vertices[:, LEFT_MOUTH_CORNER] - vertices[:, RIGHT_MOUTH_CORNER], axis=1)
        widths = np.stack([width, weights @ width_of_shapes()], axis=1)
        rounded, spread = (_at_middles(widths, times, phones, kind) for kind in (ROUNDED, SPREAD))
        if len(rounded) and len(spread):
            rounding.append(spread.mean(axis=0) - rounded.mean(axis=0))
            narrower.append(bool(rounding[-1][0] > 0))
    vertices_mm, weights_mm = INTEROCULAR_MM * np.mean(rounding or [(np.nan, np.nan)], axis=0)
    return {
        "bilabials": float(len(closed)),
        "closure_recall": _share(closed),
        "closure_recall_weights": _share(closed_by_weights),
        "false_closure": _share(opened),
        "tuck": _share(tucked),
        "rounded_narrower": _share(narrower),
        "utterances_with_both": float(len(narrower)),
        "rounding_mm": vertices_mm,
        "rounding_mm_weights": weights_mm,
    }


def width_of_shapes() -> np.ndarray:
    """How much wider each shape at 1 makes the mouth, (52,), interocular units."""
    basis = load_basis()[..., 0]
    return np.sign(CANONICAL_FACE[RIGHT_MOUTH_CORNER, 0]) * (basis[:, RIGHT_MOUTH_CORNER] - basis[:, LEFT_MOUTH_CORNER])


def _lower_than_usual(gap: np.ndarray, times: np.ndarray, phones: list[Phone]) -> list[bool]:
    """For every /f v/: whether the lip gap falls under half of its mean in speech."""
    spoken = [p for p in phones if p.symbol != "sil"]
    inside = (times >= spoken[0].start) & (times <= spoken[-1].end)
    least = [
        gap[(times >= p.start - 0.5 / FPS) & (times <= p.end + 0.5 / FPS)].min()
        for p in phones
        if p.symbol in LABIODENTALS
    ]
    return [bool(value < gap[inside].mean() / 2) for value in least]


def _at_middles(values: np.ndarray, times: np.ndarray, phones: list[Phone], kind: tuple[str, ...]) -> np.ndarray:
    """Values (T, n) at the middle of every phoneme of a kind: (found, n)."""
    middles = [(p.start + p.end) / 2 for p in phones if p.symbol in kind]
    return np.stack([np.interp(middles, times, column) for column in values.T], axis=1)


def _share(found: list[bool]) -> float:
    return float(np.mean(found)) if found else float("nan")


def performance(speaker: Speaker, take_path: Path) -> dict[str, float]:
    """jawOpen against the recorded control of a Mandarin performance that training did not hear."""
    take = read_take(take_path)
    jaw = speaker.motion(take.samples, 1 / float(np.median(np.diff(take.times))))[2][:, arkit.INDEX["jawOpen"]]
    jaw = jaw[: len(take.jaw)]
    true = take.jaw[: len(jaw)]
    offset = aperture_offset(jaw, true, np.arange(len(jaw)))
    return {"mandarin_jaw_r": correlation(jaw, true), "mandarin_offset_frames": offset}


def conditions(speaker: Speaker, recordings: list[np.ndarray]) -> dict[str, float]:
    """Median r of the lip gap with that of the undisturbed recording, for each disturbance."""
    rng = np.random.default_rng(0)
    babble = np.sum([np.resize(np.roll(_level(r), k * 7919), 16000 * 20) for k, r in enumerate(recordings)], axis=0)
    music = _music(20.0)
    changes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "high_pitched": lambda sound: shift_pitch(sound, SEMITONES),
        "low_pitched": lambda sound: shift_pitch(sound, -SEMITONES),
        "telephone": lambda sound: _band(sound, 6, 300, 3400),
        "babble_10_db": lambda sound: _mixed(sound, babble, rng),
        "music_10_db": lambda sound: _mixed(sound, music, rng),
        "noise_10_db": lambda sound: _mixed(sound, rng.standard_normal(16000 * 20), rng),
        "quiet_40_db": lambda sound: sound * 0.01,
    }
    rows = {}
    for name, change in changes.items():
        pairs = [(speaker.gap(change(sound)), speaker.gap(sound)) for sound in recordings]
        rows[name] = float(np.median([correlation(a[: len(b)], b[: len(a)]) for a, b in pairs]))
    return rows


def _band(sound: np.ndarray, order: int, low: float, high: float) -> np.ndarray:
    return np.asarray(sosfilt(butter(order, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos"), sound))


def _level(sound: np.ndarray) -> np.ndarray:
    return sound / np.sqrt(np.mean(sound**2) + 1e-12)


def _mixed(sound: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    start = int(rng.integers(0, len(noise) - 1))
    part = _level(np.resize(np.roll(noise, -start), len(sound)))
    return sound + part * np.sqrt(np.mean(sound**2)) * 10 ** (-NOISE_DB / 20)


def _music(seconds: float) -> np.ndarray:
    """Four chords with overtones and a beat."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    chords = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))
    sound = np.zeros_like(time)
    for start in np.arange(0, seconds, 0.5):
        inside = (time >= start) & (time < start + 0.5)
        local = time[inside] - start
        for note in chords[int(start) % 4]:
            pitch = 220 * 2 ** (note / 12)
            sound[inside] += sum(np.sin(2 * np.pi * k * pitch * local) / k for k in (1, 2, 3, 4)) * np.exp(-3 * local)
    return sound


def shift_pitch(sound: np.ndarray, semitones: float) -> np.ndarray:
    """Pitch and formants moved, the time as it was: played faster, then stretched (FFmpeg's asetrate and atempo)."""
    from av.audio.frame import AudioFrame
    from av.filter import Graph

    factor = 2 ** (semitones / 12)
    graph = Graph()
    source = graph.add_abuffer(sample_rate=SAMPLE_RATE, format="flt", layout="mono", time_base=Fraction(1, SAMPLE_RATE))
    steps = [("asetrate", str(round(SAMPLE_RATE * factor))), ("aresample", str(SAMPLE_RATE))]
    nodes = [source, *(graph.add(*step) for step in [*steps, ("atempo", f"{1 / factor:.6f}")])]
    nodes.append(graph.add("abuffersink"))
    for first, second in itertools.pairwise(nodes):
        first.link_to(second)
    graph.configure()
    frame = AudioFrame.from_ndarray(sound[None].astype(np.float32), "flt", "mono")
    frame.sample_rate = SAMPLE_RATE
    graph.push(frame)
    graph.push(None)
    pieces = []
    while True:
        try:
            pieces.append(graph.pull().to_ndarray().ravel())
        except (EOFError, BlockingIOError):  # what PyAV raises is of these kinds too
            break
    moved = np.concatenate(pieces)
    return np.pad(moved, (0, max(0, len(sound) - len(moved))))[: len(sound)]


def stillness(speaker: Speaker, recordings: list[np.ndarray]) -> dict[str, float]:
    """Mean speed of the lips in silence and in room tone, as a share of that in speech."""

    def speed(sound: np.ndarray) -> float:
        vertices = speaker.motion(sound)[1][:, list(LIPS)]
        return float(np.linalg.norm(np.diff(vertices, axis=0), axis=-1).mean())

    rng = np.random.default_rng(1)
    hiss = np.cumsum(rng.standard_normal(SAMPLE_RATE * 10))
    room = _band(hiss, 2, 60, 4000)
    spoken = float(np.mean([speed(sound) for sound in recordings]))
    return {
        "silence_motion": speed(np.zeros(SAMPLE_RATE * 10)) / spoken,
        "room_tone_motion": speed(_level(room) * 1e-3) / spoken,
    }


def grid_figures(actor: Actor, clips: list[Path]) -> dict[str, float]:
    """Aperture and closures on tracked clips of strangers."""
    texts = {clip.stem: sentence(clip.stem) for clip in clips}
    found = evaluate(actor, clips, texts)
    names = ("clips", "aperture_r", "aperture_r_mean", "aperture_offset_ms", "closures")
    names += ("closure_recall", "closure_recall_speaker", "false_closure")
    return {f"strangers_{name.removeprefix('strangers_')}": found[name] for name in names}


def measure(actor: Actor, data: Path, folders: list[Path]) -> dict[str, float]:
    """All figures by name."""
    aligner, speaker = Aligner(), Speaker(actor)
    clips = sorted(clip for folder in folders for clip in folder.glob("*.mp4"))
    grid = [(sound, aligner.align(sound, sentence(clip.stem))[0]) for clip in clips for sound in [decode_audio(clip)]]
    rows = grid_figures(actor, clips)
    rows |= {f"strangers_{name}": value for name, value in contacts(speaker, grid).items() if name[0] in "tru"}
    spoken = []
    for path, text in transcripts(data).items():
        if path.stem in HELD_OUT:
            sound = decode_audio(path)
            spoken.append((sound, aligner.align(sound, text)[0]))
    rows |= {f"ljspeech_{name}": value for name, value in contacts(speaker, spoken).items()}
    for group, recordings in spoken_by_groups():
        figures = contacts(speaker, recordings)
        kept = ("bilabials", "closure_recall", "closure_recall_weights", "false_closure", "tuck")
        rows |= {f"{group}_{name}": figures[name] for name in kept}
    rows |= performance(speaker, data / f"paired/facegood/{HELD_OUT_TAKE}.npz")
    recordings = [sound for sound, _ in [*spoken, *grid[:8]]]
    return rows | conditions(speaker, recordings) | stillness(speaker, recordings)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ACTOR.parents[1])
    parser.add_argument("--actor", type=Path, default=SHIPPED.parent / "voice")
    parser.add_argument("--clips", type=Path, nargs="+")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not options.data.is_dir():
        print("Nothing measured: the development data (../shared/data) is not on this machine.")
        return
    rows = measure(load_actor(options.actor), options.data, options.clips or [options.data / "grid_other"])
    print(describe_machine())
    for name, value in rows.items():
        print(f"{name:32} {value:.3f}")
    if options.json:
        options.json.write_text(json.dumps({"machine": describe_machine(), **rows}, indent=1))


if __name__ == "__main__":
    main()

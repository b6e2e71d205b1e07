"""Phonemes to weights: contacts are reached, rounding comes early, silence is still, and the table is checked."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from backend.speech.phones import SYMBOLS
from shape_keys import arkit
from shape_keys.basis import load_basis
from shape_keys.topology import CANONICAL_FACE, LEFT_MOUTH_CORNER, LOWER_INNER_LIP, RIGHT_MOUTH_CORNER, UPPER_INNER_LIP
from shape_keys.viseme_table import TABLE, load_visemes, weight_vector
from shape_keys.visemes import coarticulate

FPS = 25.0


@dataclass(frozen=True)
class Said:
    """A phoneme and when it sounds, in seconds."""

    symbol: str
    start: float
    end: float


def say(text: str, length: float = 0.1, pause: float = 0.5) -> list[Said]:
    """Phonemes of `length` seconds each between two pauses; `name:0.2` lasts 0.2 s."""
    parts = [f"sil:{pause}", *text.split(), f"sil:{pause}"]
    said, now = [], 0.0
    for part in parts:
        symbol, _, own = part.partition(":")
        end = now + float(own or length)
        said.append(Said(symbol, now, end))
        now = end
    return said


def times_of(said: list[Said], fps: float = FPS) -> np.ndarray:
    return np.arange(int(said[-1].end * fps)) / fps


def face(weights: np.ndarray) -> np.ndarray:
    """Vertices of a face whose lips touch at rest, (T, 468, 3)."""
    rest = CANONICAL_FACE.copy()
    rest[LOWER_INNER_LIP] = rest[UPPER_INNER_LIP]
    return rest + np.tensordot(weights, load_basis(), 1)


def gap(weights: np.ndarray) -> np.ndarray:
    vertices = face(weights)
    return np.linalg.norm(vertices[:, UPPER_INNER_LIP] - vertices[:, LOWER_INNER_LIP], axis=-1)


def width(weights: np.ndarray) -> np.ndarray:
    vertices = face(weights)
    return vertices[:, LEFT_MOUTH_CORNER, 0] - vertices[:, RIGHT_MOUTH_CORNER, 0]


def within(said: list[Said], symbol: str, times: np.ndarray) -> np.ndarray:
    """Frames nearest to the middle of each phoneme `symbol`."""
    return np.array([np.abs(times - (p.start + p.end) / 2).argmin() for p in said if p.symbol == symbol])


def at(weights: np.ndarray, name: str) -> np.ndarray:
    return weights[:, arkit.INDEX[name]]


def test_every_phoneme_has_a_viseme():
    table = load_visemes()
    assert set(SYMBOLS) == set(table.visemes) | set(table.glides)


@pytest.mark.parametrize("length", [0.05, 0.08, 0.15])
@pytest.mark.parametrize("word", ["aa b aa m aa p aa", "iy b uw p ao m ey", "m ay b ow p ae s t m"])
def test_lips_close_at_bilabials(word, length):
    said = say(word, length)
    times = times_of(said)
    opening = gap(coarticulate(said, times))
    closed = 0.1 * np.percentile(opening, 95)
    for phone in said:
        if phone.symbol in "pbm":
            inside = (times >= phone.start - 0.5 / FPS) & (times <= phone.end + 0.5 / FPS)
            assert opening[inside].min() < closed, phone


@pytest.mark.parametrize("late", [0.0, 0.02, 0.04, 0.06])
def test_a_closure_between_two_frames_is_seen_in_one_of_them(late):
    said = say("aa b:0.03 aa", 0.15, 0.5 + late)
    opening = gap(coarticulate(said, times_of(said, 12)))
    nearest = within(said, "b", times_of(said, 12))
    assert (opening[nearest] < 0.1 * np.percentile(opening, 95)).all()


def test_lips_are_open_in_open_vowels_even_between_bilabials():
    said = say("b aa p ae m eh b", 0.09)
    times = times_of(said)
    opening = gap(coarticulate(said, times))
    vowels = np.concatenate([within(said, symbol, times) for symbol in ("aa", "ae", "eh")])
    assert (opening[vowels] > 0.3 * opening.max()).all()


def test_the_lower_lip_is_tucked_behind_the_upper_one_at_labiodentals():
    said = say("aa f aa v aa")
    times = times_of(said, 100)
    weights = coarticulate(said, times)
    vertices = face(weights)
    behind = vertices[:, UPPER_INNER_LIP, 2] - vertices[:, LOWER_INNER_LIP, 2]
    for symbol in "fv":
        tucked = within(said, symbol, times)
        assert (at(weights, "mouthRollLower")[tucked] > 0.3).all()
        assert (behind[tucked] > 0.04).all()  # 4 mm
        assert (gap(weights)[tucked] < 0.6 * gap(weights).max()).all()


def test_rounding_comes_before_its_vowel():
    said = say("s t r:0.08 uw:0.2")
    times = times_of(said, 100)
    rounding = at(coarticulate(said, times), "mouthPucker")
    vowel = next(p for p in said if p.symbol == "uw")
    onset = times[np.flatnonzero(rounding > 0.25 * rounding.max())[0]]
    assert vowel.start - 0.25 < onset < vowel.start - 0.05
    spread = say("s t r:0.08 iy:0.2")
    assert at(coarticulate(spread, times), "mouthPucker")[within(said, "t", times)] < rounding[within(said, "t", times)]


def test_close_front_vowels_are_wider_than_rounded_ones():
    for wide in ("iy", "ey"):
        for narrow in ("uw", "ow", "w"):
            said = say(f"t {wide} t {narrow} t")
            times = times_of(said, 100)
            mouth = width(coarticulate(said, times))
            assert mouth[within(said, wide, times)] > mouth[within(said, narrow, times)] + 0.02


def test_the_jaw_follows_openness_and_loudness():
    said = say("t aa:0.2 t eh:0.2 t iy:0.2 t")
    times = times_of(said, 100)
    jaw = at(coarticulate(said, times), "jawOpen")
    opened = [float(jaw[within(said, symbol, times)][0]) for symbol in ("aa", "eh", "iy")]
    assert opened[0] > opened[1] > opened[2]
    said = say("t aa:0.2 t aa:0.2 t aa:0.2 t")
    times = times_of(said, 100)
    loudness = np.where(times > times[within(said, "aa", times)[2]] - 0.15, -10.0, -20.0)
    soft, _, loud = at(coarticulate(said, times, loudness), "jawOpen")[within(said, "aa", times)]
    assert loud > 1.2 * soft
    shifted = coarticulate(said, times, loudness + 30)
    assert np.array_equal(shifted, coarticulate(said, times, loudness))


def test_nothing_moves_in_silence():
    said = say("m aa p", pause=1.0)
    times = times_of(said)
    weights = coarticulate(said, times)
    silent = (times < said[1].start - 0.3) | (times > said[-1].start + 0.35)
    assert silent.sum() > 20
    assert np.abs(weights[silent]).max() < 1e-3
    assert np.array_equal(coarticulate([], times), np.zeros((len(times), 52), np.float32))


def test_a_pause_that_is_not_written_down_is_silence_too():
    said = say("aa sil:1.0 aa")
    unwritten = [phone for phone in said if phone.symbol != "sil"]
    times = times_of(said)
    assert np.allclose(coarticulate(said, times), coarticulate(unwritten, times), atol=1e-6)


@pytest.mark.parametrize("fps", [24, 29.97, 60, 100])
def test_weights_are_weights_and_do_not_jump(fps):
    said = say("p l iy z b ay dh ah b l uw f ow n w ih dh m iy", 0.07)
    times = times_of(said, fps)
    weights = coarticulate(said, times)
    assert weights.shape == (len(times), 52)
    assert weights.dtype == np.float32
    assert 0 <= weights.min() <= weights.max() <= 1
    assert np.abs(np.diff(weights, axis=0)).max() < 26 / fps  # from rest to fully rounded in 40 ms


def test_left_and_right_do_the_same():
    said = say("s ay f r ow")
    weights = coarticulate(said, times_of(said))
    for name, index in arkit.INDEX.items():
        assert np.array_equal(weights[:, index], at(weights, arkit.mirrored(name))) or name.startswith("jaw")


def test_unknown_symbols_and_lengths_are_refused():
    with pytest.raises(ValueError, match="'qq'"):
        coarticulate([Said("qq", 0, 1)], np.arange(3.0))
    with pytest.raises(ValueError, match="loudness"):
        coarticulate(say("aa"), np.arange(3.0), np.zeros(4))


def test_a_name_without_its_side_means_both():
    vector = weight_vector({"mouthSmile": 0.5, "jawOpen": 0.25, "browInnerUp": 1})
    assert sorted(arkit.NAMES[i] for i in np.flatnonzero(vector)) == sorted(
        ["mouthSmileLeft", "mouthSmileRight", "jawOpen", "browInnerUp"]
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t["visemes"]["rest"]["weights"].update(jawOpne=0.1), "jawOpne"),
        (lambda t: t["visemes"]["rest"]["weights"].update(jawOpen=1.1), r"1\.1"),
        (lambda t: t["visemes"]["rest"]["weights"].update(browInnerUp=0.1), "channel"),
        (lambda t: t["visemes"]["rest"]["dominance"].update(lips=0.1), "lips"),
        (lambda t: t.update(format=2), "format"),
    ],
)
def test_a_table_with_a_slip_is_refused(change, says, tmp_path):
    table = json.loads(Path(TABLE).read_text())
    change(table)
    path = tmp_path / "visemes.json"
    path.write_text(json.dumps(table))
    with pytest.raises(ValueError, match=says):
        load_visemes(path)

"""Live frames are the frames of the whole recording, however the sound arrives."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.actor_file import load_actor
from backend.actor_library import find_actor
from backend.audio.decode import SAMPLE_RATE, decode_audio
from backend.audio.spectrogram import frame_times, level_gain, spectrogram_windows
from backend.errors import InputError, UsageError
from backend.inference.direct import direct
from backend.inference.meeting import show_spoken
from backend.inference.motion import LazyOffsets
from backend.inference.performance import perform
from backend.inference.request import AnimateRequest
from backend.inference.stream import StreamingSession, full_look_ahead
from shape_keys.arkit import INDEX
from shape_keys.basis import load_basis
from shape_keys.topology import CANONICAL_FACE

TOLERANCE = 1e-5
"""Of float32 sums in another order; offsets are in interocular units, so it is about a micrometre."""
SAMPLE = Path(__file__).parents[3] / "backend" / "samples" / "speech.flac"


@pytest.fixture(scope="module")
def speech():
    rng = np.random.default_rng(0)
    envelope = np.repeat(rng.random(40), SAMPLE_RATE // 10)
    return (rng.standard_normal(len(envelope)) * envelope * 0.1).astype(np.float32)[:63_001]


def feed_chunks(session, samples, seed=0):
    frames, position, rng = [], 0, np.random.default_rng(seed)
    while position < len(samples):
        size = int(rng.integers(0, 2000))
        frames += session.feed(samples[position : position + size])
        position += size
    return frames + session.flush()


@pytest.mark.parametrize("look_ahead", [0.0, 0.04, 0.12, 0.325])
@pytest.mark.parametrize("fps", [1, 24, 25, 29.97, 60])
def test_equals_the_plain_network_on_the_whole_recording(model, network, speech, fps, look_ahead):
    frames = feed_chunks(StreamingSession(network, CANONICAL_FACE, fps, look_ahead, gain=2.0), speech)
    times = frame_times(len(speech) / SAMPLE_RATE, fps)
    windows = spectrogram_windows(2 * speech, times, look_ahead=look_ahead, count=network.columns)
    with torch.inference_mode():
        codes = model.encoder(torch.from_numpy(windows.columns), torch.from_numpy(windows.index))
        offsets, weights = model.geometry(codes).numpy(), model.blendshapes(codes).clamp(0, 1).numpy()
    shown = show_spoken(perform(network, codes.numpy(), weights, CANONICAL_FACE), np.zeros_like(weights))
    offsets, weights = offsets + np.tensordot(shown.shift, load_basis(), 1), shown.weights
    assert [frame.index for frame in frames] == list(range(len(times)))
    assert np.allclose([frame.time for frame in frames], times)
    assert np.abs(np.array([frame.offsets for frame in frames]) - offsets).max() < TOLERANCE
    assert np.abs(np.array([frame.weights for frame in frames]) - weights).max() < TOLERANCE


@pytest.mark.parametrize("name", ["default", "voice"])
def test_equals_the_animation_of_a_file(name):
    actor, samples = load_actor(find_actor(name)), decode_audio(SAMPLE)
    request = AnimateRequest(SAMPLE, name, (Path("line"),), texture=False, silence_gate=0.0, breath=0.0)
    shown = direct(actor, samples, request).performance
    offsets = LazyOffsets(actor.motion, shown.codes, shown.shift)[:]
    most = full_look_ahead(actor.motion)
    session = StreamingSession(actor.motion, actor.reference.vertices, 25, most, level_gain(samples))
    frames = feed_chunks(session, samples)
    weights = np.array([frame.weights for frame in frames])
    assert not weights[:, [INDEX["eyeBlinkLeft"], INDEX["browInnerUp"]]].any()
    assert np.abs(weights - shown.weights).max() < TOLERANCE
    assert np.abs(np.array([frame.offsets for frame in frames]) - offsets).max() < TOLERANCE


def test_hearing_all_is_hearing_without_a_limit(speech, network):
    times = frame_times(len(speech) / SAMPLE_RATE, 25)
    count = network.columns
    all_heard = spectrogram_windows(speech, times, look_ahead=full_look_ahead(network), count=count)
    assert np.array_equal(all_heard.index, spectrogram_windows(speech, times, count=count).index)


def test_chunks_do_not_matter_while_the_level_is_followed(network, speech):
    one, other = (feed_chunks(StreamingSession(network, CANONICAL_FACE), speech, seed) for seed in (1, 2))
    difference = np.array([frame.offsets for frame in one]) - np.array([frame.offsets for frame in other])
    assert np.abs(difference).max() < TOLERANCE


def test_an_offset_is_no_sound(network, speech):
    clean, lifted = (
        feed_chunks(StreamingSession(network, CANONICAL_FACE, gain=2.0), speech + np.float32(x)) for x in (0.0, 0.1)
    )
    difference = np.array([a.offsets - b.offsets for a, b in zip(clean, lifted, strict=True)])
    size = np.abs(difference).max(axis=(1, 2))
    assert size[25:].max() < 0.2 * size[:10].max()


@pytest.mark.parametrize("look_ahead", [0.0, 0.04, 0.12])
def test_the_future_beyond_the_look_ahead_is_not_heard(network, speech, look_ahead):
    other = speech.copy()
    other[32_000:] = 0
    first, second = (
        StreamingSession(network, CANONICAL_FACE, look_ahead=look_ahead).feed(sound) for sound in (speech, other)
    )
    for a, b in zip(first, second, strict=True):
        if a.time + look_ahead < 2.0:
            assert np.array_equal(a.offsets, b.offsets)
    assert not np.allclose(first[60].offsets, second[60].offsets, atol=1e-3)


def test_frames_fall_due_with_their_look_ahead(network):
    session = StreamingSession(network, CANONICAL_FACE, look_ahead=0.04)
    due = [len(session.feed(np.zeros(160, np.float32))) for _ in range(40)]  # 10 ms each
    assert np.flatnonzero(due).tolist() == [4, 8, 12, 16, 20, 24, 28, 32, 36]


def test_memory_does_not_grow(network):
    session, sizes = StreamingSession(network, CANONICAL_FACE), []
    for _ in range(20):
        session.feed(np.random.default_rng(0).standard_normal(16_000).astype(np.float32))
        sizes.append((len(session._samples), len(session._centres), len(session._level._gains)))
    assert sizes[2:] == [sizes[2]] * 18


def test_wrong_input_is_refused(network):
    with pytest.raises(UsageError, match="look-ahead"):
        StreamingSession(network, CANONICAL_FACE, look_ahead=5.0)
    with pytest.raises(UsageError, match="fps"):
        StreamingSession(network, CANONICAL_FACE, fps=0)
    session = StreamingSession(network, CANONICAL_FACE)
    with pytest.raises(InputError, match="finite"):
        session.feed(np.array([0, np.nan]))
    assert session.flush() == []
    with pytest.raises(ValueError, match="flushed"):
        session.feed(np.zeros(10))

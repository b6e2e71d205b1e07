"""Sound between the card's thread and the program's; the sound card itself is played by a stand-in."""

import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from backend.audio.microphone import Resampler, SampleBuffer, listen, open_microphone
from backend.errors import EnvironmentProblem


def test_samples_come_out_in_order_and_whole():
    buffer, sent = SampleBuffer(), np.arange(100_000, dtype=np.float32)

    def send():
        for chunk in np.array_split(sent, 777):
            buffer.put(chunk)

    thread, received = threading.Thread(target=send), []
    thread.start()
    while sum(map(len, received)) < len(sent):
        received.append(buffer.take(5.0))
        assert len(received[-1])
    thread.join()
    got = np.concatenate(received)
    assert np.array_equal(got[got > 0], sent[1:][-len(got[got > 0]) :])
    assert len(got) == len(sent)


def test_an_overrun_keeps_the_time():
    buffer = SampleBuffer(capacity=1000)
    for number in range(30):
        buffer.put(np.full(100, number + 1, np.float32))
    taken = buffer.take(1.0)
    assert len(taken) == 3000
    assert not taken[:2000].any()
    assert np.array_equal(taken[2000::100], np.arange(21, 31))
    assert buffer.overruns == 20
    buffer.put(np.ones(10, np.float32))
    assert np.array_equal(buffer.take(1.0), np.ones(10))


def test_nothing_comes_from_a_dead_microphone():
    assert len(SampleBuffer().take(0.01)) == 0
    with pytest.raises(EnvironmentProblem, match="no sound for"):
        list(listen(SimpleNamespace(take=lambda _: np.zeros(0)), 1.0))  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_resampled_blocks_have_no_seams(rate):
    time = np.arange(rate) / rate
    tone = np.sin(2 * np.pi * 440 * time).astype(np.float32)
    resample = Resampler(rate)
    heard = np.concatenate([resample(block) for block in np.array_split(tone, 100)])
    assert abs(len(heard) - 16_000) < 100
    spectrum = np.abs(np.fft.rfft(heard[2000:14_000] * np.hanning(12_000)))
    peak = int(spectrum.argmax())
    assert peak * 16_000 / 12_000 == pytest.approx(440, abs=2)
    spectrum[peak - 4 : peak + 5] = 0
    assert spectrum.max() < 1e-3 * np.abs(np.fft.rfft(heard[2000:14_000] * np.hanning(12_000))).max()


@pytest.fixture
def sound_card(monkeypatch):
    """A stand-in for the library that hears the same block three times."""
    opened = {}

    class Stream:
        def __init__(self, **settings):
            opened.update(settings)

        def __enter__(self):
            for _ in range(3):
                opened["callback"](np.full((160, 1), 0.5, np.float32), 160, None, None)

        def __exit__(self, *_):
            opened["closed"] = True

    def query_devices(device, kind):
        if device == "none":
            raise ValueError("No input device matching 'none'")
        return {"default_samplerate": 16_000.0}

    module = SimpleNamespace(InputStream=Stream, query_devices=query_devices, PortAudioError=RuntimeError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return opened


def test_the_microphone_fills_the_buffer(sound_card):
    with open_microphone("2") as buffer:
        assert np.array_equal(buffer.take(1.0), np.full(480, 0.5))
        assert (sound_card["device"], sound_card["channels"], sound_card["blocksize"]) == (2, 1, 160)
    assert sound_card["closed"]


def test_a_missing_microphone_is_named(sound_card):
    with pytest.raises(EnvironmentProblem, match=r"No microphone 'none'.*--device"), open_microphone("none"):
        pass


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(EnvironmentProblem, match=r"requirements/live\.txt"), open_microphone():
        pass

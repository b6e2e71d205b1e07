"""Speech and silence, on tones in noise and on a recording with known sentence times."""

import numpy as np

from backend.audio.speech import FRAME_SECONDS, speech_columns, speech_mask
from backend.runs import find_runs


def test_tone_bursts_are_found_to_within_30_ms():
    rng = np.random.default_rng(0)
    time = np.arange(5 * 16_000) / 16_000
    samples = 1e-3 * rng.normal(size=len(time))
    for start, end in ((1.0, 2.0), (3.0, 4.2)):
        samples += 0.2 * np.sin(2 * np.pi * 300 * time) * ((time >= start) & (time < end))
    runs = find_runs(speech_columns(samples.astype(np.float32)))
    np.testing.assert_allclose(np.array(runs) * FRAME_SECONDS, [(1.0, 2.0), (3.0, 4.2)], atol=0.03)


def test_a_plosives_closure_stays_inside_speech():
    time = np.arange(3 * 16_000) / 16_000
    samples = 1e-4 * np.random.default_rng(0).normal(size=len(time))
    samples += 0.2 * np.sin(2 * np.pi * 300 * time) * ((time > 1) & (time < 2) & ~((time > 1.45) & (time < 1.55)))
    assert len(find_runs(speech_columns(samples.astype(np.float32)))) == 1


def test_digital_silence_holds_no_speech():
    assert not speech_columns(np.zeros(16_000, np.float32)).any()
    assert not speech_mask(np.zeros(16_000, np.float32), np.arange(-1, 3, 0.04)).any()


def test_sentences_of_the_synthetic_speaker(shared):
    from backend.audio.decode import decode_audio

    folder = shared / "actor"
    samples = decode_audio(folder / "audio_16k.wav")
    lines = [line.split("\t") for line in (folder / "transcript.txt").read_text().splitlines()]
    times = np.arange(0, 150, 0.04)
    middle = np.any([(times > float(a) + 0.3) & (times < float(b) - 0.3) for a, b, *_ in lines], axis=0)
    between = ~np.any([(times > float(a)) & (times < float(b)) for a, b, *_ in lines], axis=0)
    spoken = speech_mask(samples, times)
    assert spoken[middle].mean() > 0.93
    assert spoken[between].mean() < 0.05

"""bfloat16 is chosen where it is faster and right, and nowhere else."""

import gc
import weakref
from dataclasses import replace
from itertools import count

import pytest
import torch

from backend.inference.precision import TOLERANCE, calibrate
from models.presets import DEFAULT, build_model

FLOAT_RUNS = 4
"""Readings of the clock while float32 is timed: two runs, two readings each."""


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    small = replace(DEFAULT, voice_width=16, texture_widths=(8, 8, 4, 4, 4))
    face = build_model(small).eval()
    assert face.texture is not None
    return face.texture


def clock(float32: float, bfloat16: float):
    """A clock by which one run takes so many seconds in each format."""
    readings = count()
    now = 0.0

    def read() -> float:
        nonlocal now
        number = next(readings)
        if number % 2:
            now += float32 if number < FLOAT_RUNS else bfloat16
        return now

    return read


def test_the_faster_format_is_chosen(decoder):
    result = calibrate(decoder, 34, clock(float32=1.0, bfloat16=0.5))
    assert result.precision == torch.bfloat16
    assert result.milliseconds == {torch.float32: 250.0, torch.bfloat16: 125.0}
    codes = torch.randn(4, 34) * 0.1
    with torch.inference_mode():
        assert result.half is not None
        made, plain = result.half(codes), decoder(codes)
    assert made.dtype == torch.float32
    assert 0 < (made - plain).abs().max() < 2 * TOLERANCE


@pytest.mark.parametrize("seconds", [0.95, 3.0])
def test_float32_stays_where_little_or_nothing_is_gained(decoder, seconds):
    assert calibrate(decoder, 34, clock(float32=1.0, bfloat16=seconds)).precision == torch.float32


def test_float32_stays_where_the_faster_one_is_wrong(decoder):
    with torch.no_grad():
        decoder.basis.pictures.bias.normal_(std=10)  # bfloat16 keeps 8 bits, so its error grows with the values
    result = calibrate(decoder, 34, clock(float32=1.0, bfloat16=0.1))
    assert result.difference > TOLERANCE
    assert result.precision == torch.float32


def test_it_is_measured_once(decoder):
    assert calibrate(decoder, 34) is calibrate(decoder, 34, clock(1.0, 1.0))


def test_a_processor_without_bfloat16_takes_float32(decoder):
    if torch.backends.cpu.get_cpu_capability() not in ("AVX2", "DEFAULT", "NO AVX"):
        pytest.skip("this processor may have bfloat16 instructions")
    assert calibrate(decoder, 34).precision == torch.float32


def test_a_decoder_that_nobody_needs_is_freed():
    decoder = build_model(replace(DEFAULT, voice_width=16, texture_widths=(8, 8, 4, 4, 4))).texture
    assert decoder is not None
    calibrate(decoder, 34, clock(float32=1.0, bfloat16=3.0))
    gone = weakref.ref(decoder)
    del decoder
    gc.collect()
    assert gone() is None

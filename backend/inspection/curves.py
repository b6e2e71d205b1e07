"""Curves of a report as SVG: which frames are used, and the lip gap over the sound."""

import math
from html import escape

import numpy as np

from backend.audio.decode import SAMPLE_RATE
from backend.normalisation.reference import lip_ratio
from backend.runs import find_runs
from backend.tracking.gaps import REASONS, Gap
from backend.training.dataset import Dataset

WIDTH, HEIGHT = 960, 120
"""Pixels of one row of curves."""

ROW_SECONDS, ROWS = 10.0, 4
"""Largest length, and number, of the rows that show the lip gap; 40 s show whether it follows the sound."""

BAR_HEIGHT, LINE_HEIGHT = 14, 24
"""Pixels of a clip's bar, and from one bar to the next."""

MOST_BARS = 12
"""Of many clips, those with the most frames left out are shown."""

COLOURS = {
    Gap.BLACK: "#222222",
    Gap.NO_FACE: "#d62728",
    Gap.CUT: "#9467bd",
    Gap.SECOND_FACE: "#ff7f0e",
    Gap.OUTSIDE: "#e377c2",
    Gap.TURNED: "#8c564b",
    Gap.NO_SOUND: "#17becf",
}
USED = "#9ccc9c"


def draw_clips(dataset: Dataset) -> str:
    """A bar for each clip, to scale: green where its frames are used, in the reason's colour where not.

    Of more than a dozen clips those with the most frames left out are drawn.
    """
    clips, numbers, times = dataset.description["clips"], np.asarray(dataset.clip), np.asarray(dataset.times)
    longest = max(clip["seconds"] for clip in clips) or 1.0
    gaps, left = np.asarray(dataset.gaps), 200
    scale = (WIDTH - left) / longest
    parts = []
    left_out = np.bincount(numbers[gaps != Gap.NONE], minlength=len(clips))
    shown = sorted(np.argsort(-left_out, kind="stable")[:MOST_BARS].tolist())
    for row, number in enumerate(shown):
        clip, mine = clips[number], numbers == number
        y = row * LINE_HEIGHT
        name = clip["name"] if len(clip["name"]) <= 30 else clip["name"][:14] + "..." + clip["name"][-13:]
        parts.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{escape(name)}</text>')
        parts.append(_box(left, y, clip["seconds"] * scale, USED))
        start = times[mine][0]
        for reason, colour in COLOURS.items():
            for a, b in find_runs(gaps[mine] == reason):
                x, end = times[mine][a] - start, times[mine][min(b, mine.sum() - 1)] - start
                # A single frame of a long video would be thinner than a pixel.
                parts.append(_box(left + x * scale, y, max((end - x) * scale, 1.5), colour))
    return _svg(len(shown) * LINE_HEIGHT, "".join(parts)) + _legend(gaps, len(clips))


def draw_lips(dataset: Dataset) -> list[str]:
    """Rows of up to 10 s: the lip gap as a line over the sound's envelope, from the beginning of the clips."""
    numbers, valid = np.asarray(dataset.clip), np.asarray(dataset.valid)
    gap = np.where(valid, lip_ratio(np.asarray(dataset.vertices)), np.nan)
    top = max(float(np.nanpercentile(gap, 99.5)), 1e-3) * 1.1
    length = min(ROW_SECONDS, max(2, math.ceil(max(clip["seconds"] for clip in dataset.description["clips"]))))
    rows = []
    for number in range(len(dataset.description["clips"])):
        mine = numbers == number
        times, sound = np.asarray(dataset.times)[mine], np.asarray(dataset.audio(number))
        for start in np.arange(0, max(times[-1], 0.1), length):
            if len(rows) == ROWS:
                return rows
            part = sound[round(start * SAMPLE_RATE) : round((start + length) * SAMPLE_RATE)]
            rows.append(_lip_row(times - start, gap[mine] / top, part, f"clip {number + 1}", start, length))
    return rows


def _lip_row(times: np.ndarray, gap: np.ndarray, sound: np.ndarray, name: str, start: float, length: float) -> str:
    scale = WIDTH / length
    envelope = _envelope(sound, round(length * SAMPLE_RATE / WIDTH))
    middle = HEIGHT / 2
    upper = [f"{x},{middle - value * middle:.1f}" for x, value in enumerate(envelope)]
    lower = [f"{x},{middle + value * middle:.1f}" for x, value in enumerate(envelope)]
    wave = f'<polygon points="{" ".join(upper + lower[::-1])}" fill="#c9d7ea"/>' if upper else ""
    inside = (times >= 0) & (times < length) & np.isfinite(gap)
    lines = []
    for a, b in find_runs(inside):
        points = " ".join(f"{times[i] * scale:.1f},{HEIGHT - gap[i] * HEIGHT:.1f}" for i in range(a, b))
        lines.append(f'<polyline points="{points}" fill="none" stroke="#c0392b" stroke-width="1.6"/>')
    seconds = "".join(
        f'<text x="{second * scale + 3}" y="{HEIGHT - 4}" class="tick">{start + second:.0f} s</text>'
        for second in range(0, math.ceil(length), 2 if length > 4 else 1)
    )
    label = f'<text x="{WIDTH - 6}" y="14" text-anchor="end" class="tick">{name}</text>'
    return _svg(HEIGHT, wave + "".join(lines) + seconds + label)


def _envelope(sound: np.ndarray, step: int) -> np.ndarray:
    """Largest absolute sample in each pixel's `step` samples, relative to the loudest: at most (960,) float32."""
    count = len(sound) // step
    if count == 0:
        return np.zeros(0, np.float32)
    peaks = np.abs(sound[: count * step]).reshape(count, step).max(axis=1)
    return peaks / max(float(peaks.max()), 1e-6)


def _legend(gaps: np.ndarray, clips: int) -> str:
    counts = [(USED, f"used ({int((gaps == Gap.NONE).sum())} frames)")]
    counts += [(COLOURS[r], f"{words} ({int((gaps == r).sum())})") for r, words in REASONS.items() if (gaps == r).any()]
    items = "".join(f'<span><i style="background:{colour}"></i>{escape(words)}</span>' for colour, words in counts)
    more = f"<span>{clips - MOST_BARS} more clips are not drawn</span>" if clips > MOST_BARS else ""
    return f'<p class="legend">{items}{more}</p>'


def _box(x: float, y: float, width: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR_HEIGHT}" fill="{colour}"/>'


def _svg(height: float, content: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" role="img">{content}</svg>'

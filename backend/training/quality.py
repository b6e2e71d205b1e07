"""The data-quality gate: what is wrong with a speaker's videos, in words, before hours of training are spent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from backend.errors import InputError
from backend.training.dataset import Dataset
from backend.training.quality_figures import QualityFigures, measure_dataset

Severity = Literal["severe", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    name: str
    """Short name, the same in every report: "too short", "blur"."""
    severity: Severity
    """"severe" stops a training; a "warning" says what the actor will suffer from."""
    figure: float
    """What was measured, in the unit that the sentence names."""
    sentence: str
    """What is wrong, with the figure and what was expected."""
    advice: str
    """What to do about it."""

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}"


@dataclass(frozen=True)
class Limit:
    """A figure's two thresholds and its words; the figure is bad above them, or below where `low` is set."""

    name: str
    figure: str
    """Field of `QualityFigures`."""
    warning: float
    severe: float
    sentence: str
    """With {value} for the figure and {limit} for what is expected, the threshold of a warning."""
    advice: str
    low: bool = False
    scale: float = 1.0
    """What the figure is multiplied by for people: 100 for a share in per cent."""

    def judge(self, figures: QualityFigures) -> Finding | None:
        """The finding for these figures, or None where they are good or were not measured (NaN)."""
        value = getattr(figures, self.figure)
        steps: tuple[tuple[Severity, float], ...] = (("severe", self.severe), ("warning", self.warning))
        for severity, limit in steps:
            if value < limit if self.low else value > limit:
                words = self.sentence.format(value=value * self.scale, limit=self.warning * self.scale)
                return Finding(self.name, severity, value, words, self.advice)
        return None


NEVER = float("nan")
"""A threshold that no figure passes."""

LIMITS = (
    # Actors of good quality came from 2 to 5 minutes (LipSync3D section 4); 20 s hardly hold every sound twice.
    Limit(
        "too short",
        "seconds",
        120.0,
        20.0,
        "{value:.0f} s show a usable face, at least {limit:.0f} s are expected.",
        "Film 2 to 5 minutes of varied sentences.",
        low=True,
    ),
    # The geometry decoder alone has 150 components; fewer frames than three for each cannot determine them.
    Limit(
        "too few frames",
        "frames",
        1500.0,
        450.0,
        "Only {value:.0f} frames show a usable face, at least {limit:.0f} are expected.",
        "Film longer, or at 25 frames a second or more.",
        low=True,
    ),
    # A plosive's closure lasts 50 to 150 ms: at 20 frames a second it is met by one frame at least, at 12 by luck.
    Limit(
        "low frame rate",
        "rate",
        20.0,
        12.0,
        "The video has {value:.0f} frames a second on average, at least {limit:.0f} are expected; short lip closures "
        "are missed.",
        "Record at 25 to 60 frames a second; webcams need more light for that.",
        low=True,
    ),
    Limit(
        "face lost",
        "lost",
        0.05,
        0.4,
        "No face, or only part of one, is seen in {value:.0f} % of the frames.",
        "Keep the whole face in the picture, free of hands, hair and microphones.",
        scale=100,
    ),
    Limit(
        "second face",
        "rivals",
        0.02,
        0.4,
        "A second face as large as the speaker's is seen in {value:.0f} % of the frames; they are left out.",
        "Film the speaker alone, or cut the other person away.",
        scale=100,
    ),
    Limit(
        "extreme pose",
        "turned",
        0.05,
        0.4,
        "The head is turned more than 35 degrees aside or 30 up or down in {value:.0f} % of the frames; they are left "
        "out.",
        "Film from the front and let the speaker look into the camera.",
        scale=100,
    ),
    # Beyond 20 degrees one cheek takes less than a third of the pixels that the other one takes.
    Limit(
        "camera angle",
        "angle",
        20.0,
        35.0,
        "The head is seen from {value:.0f} degrees aside, above or below on average.",
        "Put the camera in front of the speaker, at eye height.",
    ),
    # The atlas has 106 pixels between the outer eye corners: at half of that lips blur, at a quarter they are guessed.
    Limit(
        "low resolution",
        "interocular",
        50.0,
        25.0,
        "The face is small: {value:.0f} pixels between the outer eye corners, at least {limit:.0f} are expected.",
        "Film closer or at a higher resolution, and do not enlarge a small video.",
        low=True,
    ),
    # Ten speakers in focus read 0.13 to 0.31; blurred by 1 % of the face's width 0.04 to 0.07, by 3 % under 0.013.
    Limit(
        "blur",
        "sharpness",
        0.05,
        0.013,
        "The face is blurred (sharpness {value:.3f}, at least {limit:.3f} is expected).",
        "Focus on the eyes, give more light for shorter exposures, and use a higher bit rate.",
        low=True,
    ),
    # Even light reads 0.05 to 0.11; one side at 60 % of the other 0.2, at 40 % 0.35, at 20 % 0.6.
    Limit(
        "uneven light",
        "asymmetry",
        0.28,
        0.8,
        "One side of the face is much darker than the other (a difference of {value:.0f} % of the mean).",
        "Light the face from the front, or from both sides alike.",
        scale=100,
    ),
    # Under 15 % a camera's noise and eight bits leave the inside of the mouth without shades.
    Limit(
        "darkness",
        "brightness",
        0.15,
        0.06,
        "The face is dark (mean brightness {value:.0f} %, at least {limit:.0f} % is expected).",
        "Give more light, from the front.",
        low=True,
        scale=100,
    ),
    Limit(
        "occlusion",
        "occluded",
        0.05,
        0.4,
        "Something covers the lower face in {value:.0f} % of the frames.",
        "Keep hands, microphones and cups away from the mouth.",
        scale=100,
    ),
    # 0.05 of the interocular distance is 4.5 mm on an adult; speech opens lips by 8 to 15 mm.
    Limit(
        "still mouth",
        "opening",
        0.05,
        0.02,
        "The mouth hardly opens: the lips part by {value:.1f} % of the distance of the eye corners at most.",
        "Make sure that the person in the picture is the one who speaks, and speaks clearly.",
        low=True,
        scale=100,
    ),
    # Over 40 s a foreign voice reaches 0.19 by chance, and 0.47 where it keeps the rhythm of the same sentences (GRID
    # clips swapped); the speaker's own reaches 0.6 to 0.8.
    Limit(
        "lips unrelated to the sound",
        "lip_sound",
        0.5,
        0.25,
        "The lips hardly follow the sound (correlation {value:.2f}, at least {limit:.2f} is expected).",
        "Check that the voice is the speaker's own, not dubbed, not a second out of sync, and that no other voice or "
        "music covers it.",
        low=True,
    ),
    Limit(
        "little speech",
        "speech",
        0.35,
        0.1,
        "Somebody speaks in only {value:.0f} % of the time.",
        "Cut long pauses away, or record more speech.",
        low=True,
        scale=100,
    ),
    # Clean speech reads 0.0002 to 0.001; driven 6 dB over the ceiling 0.005 to 0.008, 12 dB over 0.05.
    Limit(
        "clipping",
        "clipping",
        0.002,
        0.02,
        "The sound is clipped: {value:.2f} % of the samples press against the ceiling, {limit:.2f} % is tolerable.",
        "Record at a lower level; a clipped sound cannot be mended.",
        scale=100,
    ),
    Limit(
        "music",
        "music",
        0.5,
        NEVER,
        "Music or a hum is heard behind the voice.",
        "Record without music; take the voice track alone where there is one.",
    ),
    # Clean speech reads 35 to 67 dB; where 15 are left, pauses can no longer be told from speech.
    Limit(
        "background noise",
        "background_db",
        20.0,
        8.0,
        "The voice is only {value:.0f} dB louder than its background, at least {limit:.0f} dB are expected.",
        "Record in a quiet room with the microphone near the mouth.",
        low=True,
    ),
)


def assess_dataset(dataset: Dataset) -> tuple[QualityFigures, list[Finding]]:
    """The figures of a dataset and what is wrong with it, severe findings first."""
    figures = measure_dataset(dataset)
    return figures, judge_figures(figures)


def judge_figures(figures: QualityFigures) -> list[Finding]:
    """What is wrong, severe findings first; empty where nothing is."""
    findings = [finding for limit in LIMITS if (finding := limit.judge(figures)) is not None]
    return sorted(findings, key=lambda finding: finding.severity != "severe")


def check_quality(dataset: Dataset, accept: bool, say: Callable[[str], None]) -> list[Finding]:
    """The gate of `train`: says and returns every finding, and stops at a severe one unless that is accepted.

    Raises `InputError` with one sentence that lists the severe findings.
    """
    findings = assess_dataset(dataset)[1]
    severe = [finding for finding in findings if finding.severity == "severe"]
    if severe and not accept:
        raise InputError(
            f"These videos are not fit for training: {' '.join(map(str, severe))} "
            f"(`mouthpiece inspect` shows it in pictures{_way_round(severe)}.)"
        )
    for finding in findings:
        say(str(finding))
    return findings


def _way_round(severe: list[Finding]) -> str:
    """What trains nevertheless; nothing does where there is hardly any video."""
    short = any(finding.name == "too short" for finding in severe)
    return "; so little cannot be trained on at all" if short else "; --accept-quality trains nevertheless"


def verdict(findings: list[Finding]) -> str:
    """The findings in half a sentence."""
    severe = sum(finding.severity == "severe" for finding in findings)
    if severe:
        return f"not fit for training: {severe} severe finding{'s' * (severe > 1)}"
    if findings:
        return f"fit for training, with {len(findings)} warning{'s' * (len(findings) > 1)}"
    return "fit for training"

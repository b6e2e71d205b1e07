"""The figures of a dataset that the data-quality gate judges."""

from dataclasses import dataclass

import numpy as np

from backend.audio.condition import SoundCondition, examine_sound
from backend.normalisation.pose import scale_of, yaw_pitch_roll
from backend.normalisation.reference import INTEROCULAR_MM, lip_ratio
from backend.tracking.gaps import Gap
from backend.training.dataset import Dataset
from backend.training.occlusion import covered_frames
from shape_keys.topology import RIGID

WIDE_PERCENTILE = 95.0
"""Of the lip gap: how far the mouth opens, a single bad frame apart."""

MUSIC_TONALITY = 9.4
"""Decibels by which tones stand out of the background from which it is music or a hum: 10 to 14 with chords 10 or 20 dB
under the voice; ten speakers without music read 7.5 to 8.6."""

MUSIC_DISTANCE = 45.0
"""Decibels under the voice beyond which tones do not matter."""


@dataclass(frozen=True)
class QualityFigures:
    """Figures over all clips; NaN where something could not be measured. Shares are 0..1."""

    seconds: float
    """Of usable face."""
    frames: int
    """With a usable face."""
    rate: float
    """Frames a second on average."""
    lost: float
    """Share of the frames that are black, without a face, or with a face that leaves the picture."""
    rivals: float
    """Share of the frames with a second large face."""
    turned: float
    """Share of the frames with a head turned too far."""
    angle: float
    """Degrees between the mean direction of the head and the camera."""
    interocular: float
    """Median distance of the outer eye corners, pixels."""
    sharpness: float
    """Median of the face's sharpness, see `FrameQuality`."""
    asymmetry: float
    """Median difference of brightness between the sides of the face, relative to its mean."""
    brightness: float
    """Median brightness of the face, 0..1."""
    occluded: float
    """Share of the usable frames in which something covers the lower face."""
    jitter: float
    """Median movement of the rigid vertices from frame to frame once the pose is removed, millimetres."""
    opening: float
    """95th percentile of the lip gap, interocular."""
    lip_sound: float
    """Held-out correlation of the lip gap with what the sound predicts; NaN under 30 s of video."""
    offset: float
    """Seconds by which the sound was late and has been moved; NaN where that is not known."""
    speech: float
    """Share of the time in which somebody speaks."""
    clipping: float
    """Share of the samples near the peak."""
    background_db: float
    """Voice over background, decibels."""
    music: float
    """1 where steady tones are heard behind the voice, else 0."""


def measure_dataset(dataset: Dataset) -> QualityFigures:
    """Measure a dataset's picture and sound."""
    valid, gaps = np.asarray(dataset.valid), np.asarray(dataset.gaps)
    quality = np.asarray(dataset.quality)[valid]
    poses = np.asarray(dataset.poses)[valid]
    sound = _sound(dataset)
    angles = yaw_pitch_roll(poses).mean(axis=0)
    sharpness, asymmetry, brightness = quality.T
    return QualityFigures(
        seconds=float(dataset.seconds[valid].sum()),
        frames=int(valid.sum()),
        rate=len(dataset) / max(float(dataset.seconds.sum()), 1e-6),
        lost=float(np.isin(gaps, (Gap.BLACK, Gap.NO_FACE, Gap.OUTSIDE)).mean()),
        rivals=float((gaps == Gap.SECOND_FACE).mean()),
        turned=float((gaps == Gap.TURNED).mean()),
        angle=float(np.hypot(angles[0], angles[1])),
        interocular=float(np.median(1.0 / scale_of(poses))),
        sharpness=float(np.median(sharpness)),
        asymmetry=float(np.median(asymmetry)),
        brightness=float(np.median(brightness)),
        occluded=float(covered_frames(np.asarray(dataset.agreement)[valid]).mean()),
        jitter=rigid_jitter(dataset),
        opening=float(np.percentile(lip_ratio(np.asarray(dataset.vertices)[valid]), WIDE_PERCENTILE)),
        lip_sound=dataset.audio_offset.correlation,
        offset=dataset.audio_offset.seconds,
        speech=sound.speech,
        clipping=sound.clipping,
        background_db=sound.background_db,
        music=float(sound.tonality > MUSIC_TONALITY and sound.background_db < MUSIC_DISTANCE),
    )


def rigid_jitter(dataset: Dataset) -> float:
    """Median distance that RIGID vertices move between neighbouring frames, millimetres; NaN without neighbours.

    The outer eye corners are taken to be 90 mm apart. A tracker without noise on a rigid skull gives 0.
    """
    valid, clip = np.asarray(dataset.valid), np.asarray(dataset.clip)
    neighbours = valid[1:] & valid[:-1] & (np.diff(clip) == 0)
    if not neighbours.any():
        return float("nan")
    steps = np.linalg.norm(np.diff(dataset.vertices[:, RIGID], axis=0), axis=2)[neighbours]
    return float(np.median(steps) * INTEROCULAR_MM)


def _sound(dataset: Dataset) -> SoundCondition:
    """The figures of all clips' sound, one after the other."""
    clips = [np.asarray(dataset.audio(number)) for number in range(len(dataset.description["clips"]))]
    return examine_sound(np.concatenate(clips))

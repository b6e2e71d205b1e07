"""What a training run is asked to do; saved in the actor, so that the run can be repeated."""

from dataclasses import dataclass, field

from backend.errors import UsageError
from backend.inference.style import MOST_SEED

PRESET_NAMES = ("instant", "fast", "default", "paper")


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of the random changes to the sound; a spectrogram of one short video is soon learnt by heart."""

    speed: float = 0.06
    """Largest change of tape speed, as a factor: 0.06 plays at 0.94 to 1.06 (pitch and formants move along)."""
    formant: float = 0.05
    """Largest stretch of the frequency axis, as a factor: other vocal tracts (VTLP, Jaitly and Hinton 2013)."""
    gain_db: float = 6.0
    """Largest change of level."""
    tilt_db: float = 5.0
    """Largest departure of a smooth random equaliser curve: other microphones."""
    noise_probability: float = 0.0
    """Chance that noise is added; the voice model has heard enough of it, and of rooms (docs/experiments.md)."""
    noise_db: tuple[float, float] = (8.0, 40.0)
    """Range of its distance below the speech."""
    reverb_probability: float = 0.0
    """Chance of an artificial room of 0.1 to 0.5 s."""
    frequency_mask: int = 40
    """Most neighbouring bins that are blanked (SpecAugment, Park et al. 2019)."""
    time_mask: int = 12
    """Most neighbouring 10 ms columns that are blanked."""
    silence_probability: float = 0.05
    """Chance that a stretch is replaced by silence or faint noise, with the face at rest as its target."""


@dataclass(frozen=True)
class TrainConfig:
    """One training run; the options of `mouthpiece train` with their defaults."""

    preset: str = "default"
    """Network: `instant` (vertices and weights, solved from the voice model in a minute), `fast` (the same, trained
    on), `default` (a texture too), or `paper` (all, in the published sizes)."""
    epochs: int = 40
    """Most passes over the training video; it ends earlier where the held-out part gets no better."""
    seed: int = 0
    """Of everything random."""
    held_out: float = 0.15
    """Share of the video, from its end, that no network learns from and the figures come from. What is made of the
    whole video before, and shown at rest, knows it: the neutral face, the layout, the mean mouth of the atlas."""
    chunk: int = 64
    """Consecutive frames in one stretch."""
    chunks: int = 4
    """Stretches in a batch (the paper: 128 frames)."""
    texture_frames: int = 128
    """Frames of a batch whose texture is decoded; geometry learns from all of them."""
    face_share: float = 1 / 3
    """Share of the epochs, the first, in which a face that was solved from the voice model is touched up before its
    texture learns; 0 trains both at once, as the paper does."""
    teeth_views: int = 30
    """Times that each frame is seen when the mouth interior is learnt once more at the end (backend/training/teeth.py);
    0 leaves it as it was learnt with the skin."""
    teeth_sharpened: float = 0.2
    """How strong an unsharp mask is put on what these frames show, against the blur that is left; 0 puts none."""
    appearance_share: float = 0.25
    """Share of a code, solved from the voice model, that tells what of the texture the face's shape does not."""
    learning_rate: float = 2e-3
    """Of AdamW at its highest; it falls to zero on a cosine."""
    weight_decay: float = 1e-2
    """Of AdamW."""
    device: str = "auto"
    """Where to train: auto (a GPU where there is one), cpu or cuda."""
    from_scratch: bool = False
    """Start the encoder from random weights instead of from the shipped voice model."""
    voice_rate: float = 0.25
    """Learning rate of what was solved from the voice model (all but the texture), as a share of the texture's."""
    validate_every: int = 3
    """Epochs between two looks at the held-out part."""
    patience: int = 8
    """Looks without a better result after which training ends."""
    geometry_weight: float = 3.0
    """alpha_1 of section 3.2.1."""
    blendshape_weight: float = 0.3
    """alpha_2 of section 3.2.1."""
    l1_weight: float = 0.5
    """Of the l1 term beside SSIM, which alone drifts in colour and says little while the texture is still a mean."""
    lip_weight: float = 10.0
    """Of lip vertices against the others (Neural Voice Puppetry section 5.1)."""
    velocity_weight: float = 1.0
    """Of the error of frame-to-frame motion against the error of position."""
    aperture_weight: float = 200.0
    """Of the squared error of the lip gap in every frame; vertices alone say little about it."""
    closure_weight: float = 20.0
    """Of the squared error of the lip gap where the lips are closed."""
    interior_weight: float = 10.0
    """Of the visible mouth interior against skin in the texture loss."""
    blank_previous: float = 0.2
    """Chance that the previous atlas is all zero (section 3.2.1, appendix G.2)."""
    scheduled_sampling: float = 0.0
    """Chance that the previous atlas is the network's own instead of the true one (Bengio et al. 2015)."""
    average_decay: float = 0.99
    """Per step, of the running average of the weights that becomes the actor."""
    checkpoint_minutes: float = 0.25
    """Least time between two checkpoints; the last epoch is always saved."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        if self.preset not in PRESET_NAMES:
            raise UsageError(f"--preset must be one of {', '.join(PRESET_NAMES)}, got {self.preset!r}.")
        if self.preset == "instant" and self.from_scratch:
            raise UsageError("--preset instant is solved from the voice model, not --from-scratch; use --preset fast.")
        if self.preset == "instant" and self.epochs != TrainConfig.epochs:
            raise UsageError("--preset instant is solved without epochs; leave --epochs out, or use --preset fast.")
        for name in ("epochs", "chunk", "chunks", "texture_frames", "validate_every", "patience"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name.replace('_', '-')} must be at least 1, got {getattr(self, name)}.")
        if not 0 <= self.seed <= MOST_SEED:
            raise UsageError(f"--seed must be from 0 to {MOST_SEED}, got {self.seed}.")
        if self.teeth_views < 0:
            raise UsageError(f"teeth_views must be at least 0, got {self.teeth_views}.")
        if not 0 <= self.teeth_sharpened <= 1:
            raise UsageError(f"teeth_sharpened must be from 0 to 1, got {self.teeth_sharpened}.")
        if not 0 <= self.face_share < 1:
            raise UsageError(f"face_share must be from 0 to below 1, got {self.face_share}.")
        if not 0 <= self.appearance_share < 1:
            raise UsageError(f"appearance_share must be from 0 to below 1, got {self.appearance_share}.")
        if not 0.05 <= self.held_out <= 0.5:
            raise UsageError(f"--held-out must be between 0.05 and 0.5, got {self.held_out}.")

"""The sizes of the networks, and the presets that people choose by name."""

from dataclasses import dataclass, replace

from models.atlas_encoder import CROP, AtlasEncoder
from models.audio_encoder import AudioEncoder, FrequencyLayers, TimeLayers
from models.blendshape_decoder import BlendshapeDecoder
from models.geometry_decoder import GeometryDecoder
from models.mouth_interior import MouthInterior
from models.talking_face import TalkingFace
from models.texture_basis import TextureBasis
from models.texture_decoder import TextureDecoder
from models.voice_encoder import VoiceEncoder


@dataclass(frozen=True)
class ModelConfig:
    """Everything needed to rebuild a network; saved in the actor."""

    voice_width: int = 0
    """Width of the voice encoder (models/voice_encoder.py); 0 uses the paper's audio encoder instead."""
    voice_levels: int = 6
    """Levels of the voice encoder; each doubles the length of its window."""
    voice_phonetic: bool = False
    """Make the code of the phonemes' probabilities too, not of the encoder's last level alone."""
    voice_manner: int = 0
    """Hidden units of the layers that make the code as one speaker moves (models/voice_encoder.py); 0: linear."""
    voice_reach: int = 0
    """Columns of 10 ms before and after a frame at which these layers hear it too; 0: at the frame alone."""
    voice_tracts: tuple[float, ...] = ()
    """Lengths of the vocal tract, relative to the speaker's, as which the voice encoder hears it."""
    use_phase: bool = True
    """Read the complex spectrogram (section 3); otherwise its magnitude alone."""
    frequency_widths: tuple[int, ...] = (72, 108, 162, 243, 256, 256)
    """Channels of the convolutions over frequency (Karras et al. 2017)."""
    time_widths: tuple[int, ...] = (256, 256, 256, 256, 256, 256)
    """Channels of the convolutions over time."""
    code_length: int = 32
    """Ns, the length of the sound's code (appendix F.2)."""
    previous_code_length: int = 2
    """Na, the length of the previous atlas's code (appendix F.1); 0 switches the auto-regression off."""
    geometry_hidden: int = 150
    """Units between the two layers of the geometry decoder (section 3.2)."""
    dropout: float = 0.5
    """Between those layers, in training."""
    texture_widths: tuple[int, ...] = (1024, 512, 256, 128, 64)
    """Channels of the texture decoder before each upsampling (table 4); empty leaves the texture out."""
    texture_components: int = 0
    """Principal components of the texture's linear part (models/texture_basis.py); 0 leaves it out, as the paper."""
    interior: tuple[int, ...] = ()
    """Top, left, rows and columns of the mouth interior in the lip crop, where teeth and tongue are looked up
    (models/mouth_interior.py); each speaker has their own. Empty leaves that out, as the paper."""
    interior_hidden: int = 0
    """Units between the layers that raise the tongue there by what is said; 0 leaves it to the code, linearly."""
    previous_widths: tuple[int, ...] = (128, 256, 512, 1024, 2048)
    """Channels of the previous-atlas encoder (table 5)."""
    previous_kernel: int = 5
    """Kernel of the previous-atlas encoder (table 5)."""
    previous_side: int = 128
    """Size to which the previous crop is reduced before it is encoded."""

    def __post_init__(self) -> None:
        for name in ("frequency_widths", "time_widths"):
            if len(getattr(self, name)) != 6:
                raise ValueError(f"{name} needs 6 numbers, got {len(getattr(self, name))}")
        if self.voice_reach and not self.voice_manner:
            raise ValueError("voice_reach needs the layers that voice_manner asks for")
        if len(self.texture_widths) not in (0, 5):
            raise ValueError(f"texture_widths needs 5 numbers or none, got {len(self.texture_widths)}")
        if self.interior:
            top, left, rows, columns = self.interior
            if min(top, left) < 0 or min(rows, columns) < 1 or top + rows > CROP or left + columns > CROP:
                raise ValueError(f"interior must be a rectangle inside {CROP}x{CROP} pixels, got {self.interior}")


PAPER = ModelConfig()
"""The published tables."""
DEFAULT = replace(
    PAPER,
    voice_width=192,
    voice_phonetic=True,
    voice_manner=128,
    voice_reach=4,
    use_phase=False,
    dropout=0.2,
    texture_widths=(128, 64, 32, 16, 8),
    texture_components=32,
    interior=(40, 32, 40, 64),
    interior_hidden=96,
    previous_widths=(16, 32, 64),
    previous_kernel=3,
    previous_side=32,
)
"""Sized for two processor cores, with the voice encoder in place of the paper's audio encoder."""
FAST = replace(DEFAULT, texture_widths=(), texture_components=0, interior=(), interior_hidden=0)
"""Geometry and blendshapes alone: actors without a texture."""
VOICE = replace(FAST, voice_manner=0, voice_reach=0, voice_tracts=(0.71, 1.0, 1.41))
"""The general voice model: any speaker."""
PRESETS = {"instant": FAST, "fast": FAST, "default": DEFAULT, "paper": PAPER}


def build_model(config: ModelConfig) -> TalkingFace:
    """Compose the network that a config describes, with fresh weights."""
    encoder = _encoder(config)
    previous = texture = interior = None
    if config.texture_widths:
        length = config.code_length + config.previous_code_length
        basis = TextureBasis(length, config.texture_components) if config.texture_components else None
        texture = TextureDecoder(length, config.texture_widths, basis)
        if config.interior:
            interior = MouthInterior(length, *config.interior, said=encoder.said, hidden=config.interior_hidden)
        if config.previous_code_length:
            previous = AtlasEncoder(
                config.previous_code_length, config.previous_widths, config.previous_kernel, config.previous_side
            )
    return TalkingFace(
        encoder,
        GeometryDecoder(config.code_length, config.geometry_hidden, config.dropout),
        BlendshapeDecoder(config.code_length),
        texture,
        previous,
        interior,
    )


def _encoder(config: ModelConfig) -> VoiceEncoder | AudioEncoder:
    if config.voice_width:
        read = config.voice_phonetic and config.texture_widths and config.interior and config.interior_hidden
        return VoiceEncoder(
            config.voice_width,
            config.code_length,
            config.voice_levels,
            phonetic=config.voice_phonetic,
            manner=config.voice_manner,
            reach=config.voice_reach,
            tracts=config.voice_tracts,
            tells=bool(read),
        )
    return AudioEncoder(
        FrequencyLayers(config.frequency_widths, config.use_phase),
        TimeLayers(config.frequency_widths[-1], config.time_widths),
        config.time_widths[-1],
        config.code_length,
    )

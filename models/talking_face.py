"""The joint network: one audio encoder, decoders for geometry, blendshapes and texture (LipSync3D figure 2)."""

import torch
from torch import Tensor, nn

from models.atlas_encoder import AtlasEncoder
from models.audio_encoder import AudioEncoder
from models.blendshape_decoder import BlendshapeDecoder
from models.geometry_decoder import GeometryDecoder
from models.mouth_interior import MouthInterior
from models.texture_decoder import TextureDecoder
from models.voice_encoder import VoiceEncoder


class TalkingFace(nn.Module):
    """Composition of parts that are made elsewhere, so that tests can hand in tiny ones.

    `texture`, `previous` (the previous-atlas encoder) and `interior` may be None: geometry only, or texture without
    memory, or without teeth of their own.
    """

    def __init__(
        self,
        encoder: AudioEncoder | VoiceEncoder,
        geometry: GeometryDecoder,
        blendshapes: BlendshapeDecoder,
        texture: TextureDecoder | None = None,
        previous: AtlasEncoder | None = None,
        interior: MouthInterior | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.geometry = geometry
        self.blendshapes = blendshapes
        self.texture = texture
        self.previous = previous
        self.interior = interior

    @property
    def numbers(self) -> int:
        """How many describe the sound of a frame: a code, Ns, and behind it what is said, where the encoder tells."""
        return self.geometry.hidden.in_features + self.encoder.said

    def decode_texture(self, code: Tensor, previous_atlas: Tensor, offsets: Tensor | None = None) -> Tensor:
        """One step of the auto-regression.

        code: (B, numbers); previous_atlas: (B, 3, 128, 128) in 0..1, all zero where there is none; offsets:
        (B, 468, 3) of the vertices between whose lips teeth are seen, by default those of the code.
        Returns: difference map (B, 3, 128, 128) to be added to the reference crop.
        Raises: ValueError where the network was built without a texture decoder.
        """
        if self.texture is None:
            raise ValueError("this network has no texture decoder")
        whole = code if self.previous is None else self.remember(code, self.previous(previous_atlas))
        difference = self.texture(whole)
        if self.interior is None:
            return difference
        return difference + self.interior(whole, self.geometry(code) if offsets is None else offsets)

    def remember(self, code: Tensor, state: Tensor) -> Tensor:
        """The code of the previous atlas (B, Na) behind that of the sound and before what is said: (B, Ns + Na + ...).

        So that every decoder reads as many of the first numbers as it is made for.
        """
        own = self.geometry.hidden.in_features
        return torch.cat([code[:, :own], state, code[:, own:]], dim=1)

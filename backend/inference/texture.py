"""Codes to lip textures in batches, although every frame depends on the one before it."""

from collections.abc import Generator, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from backend.inference.precision import calibrate
from backend.inference.side_by_side import run_side_by_side
from models.talking_face import TalkingFace

LANES = 4
"""Stretches of a recording that a thread decodes side by side."""
WARM_UP = 20
"""Frames that a stretch starts early, so that its memory is right when its own frames begin: what it started from
fades by a third or more with every frame (docs/decisions/008-fast-paths.md)."""
SHORTEST_LANE = 3 * WARM_UP
"""Frames below which a stretch is not worth its warming up."""
STATE_TOLERANCE = 1e-4
"""Largest difference of a stretch's memory (numbers in -1..1) from the true one at its first frame; it changes a
picture by at most 0.02 of 255 levels. A stretch that differs more is decoded again until it agrees."""
CALIBRATE_FROM = 500
"""Frames from which trying number formats, which takes half a second, can pay."""

Batch = tuple[np.ndarray, np.ndarray]
"""Frame numbers (B,), and their lip crops (B, 128, 128, 3) uint8."""


class TextureEngine:
    """The texture half of a network with the crop it changes, made fast.

    reference_crop: (128, 128, 3) uint8; mask: (128, 128) 0..1, 0 leaves the reference as it is. calibrated: try
    other number formats than float32 (`precision.calibrate`).
    """

    def __init__(
        self, face: TalkingFace, reference_crop: np.ndarray, mask: np.ndarray, calibrated: bool = False
    ) -> None:
        if face.texture is None:
            raise ValueError("this network has no texture decoder")
        self.face, self.previous = face, face.previous
        length = face.texture.spread.in_features
        half = calibrate(face.texture, length).half if calibrated else None
        self.decoder: nn.Module = face.texture if half is None else half
        crop = np.ascontiguousarray(reference_crop.transpose(2, 0, 1))
        self.reference = torch.from_numpy(crop).float()[None] / 255
        self.share = torch.from_numpy(mask)[None, None]

    def decode(self, codes: np.ndarray) -> Generator[Batch, None, None]:
        """Yield the crops of all frames, codes (T, Ns or more), in some order; a frame that comes again replaces
        the first.

        Equal to `predict.decode_textures` to one of 255 levels in float32. As many threads as PyTorch may use each
        decode some stretches with operations of one thread: those of several threads wait for each other tens of
        times a frame, which on a busy machine takes longer than the work.
        """
        sound = torch.from_numpy(codes)
        threads = torch.get_num_threads()
        lanes = max(1, min(threads * LANES, len(sound) // SHORTEST_LANE))
        starts = torch.arange(0, len(sound), -(-len(sound) // lanes))
        states = None if self.previous is None else _States(self._blank(), len(sound), len(starts))
        groups = [torch.arange(len(starts))[thread::threads] for thread in range(min(threads, len(starts)))]
        generators = [self._decode_lanes(sound, starts, group, states) for group in groups]
        yield from run_side_by_side(generators, lambda: torch.set_num_threads(1))
        if states is not None:
            yield from run_side_by_side([self._mend(sound, starts, states)], lambda: torch.set_num_threads(1))

    @torch.inference_mode()
    def _blank(self) -> Tensor:
        """State before the first frame, (1, Na): that of a blank crop."""
        assert self.previous is not None
        return self.previous(torch.zeros_like(self.reference))

    def _pictures(self, sound: Tensor, state: Tensor | None) -> Tensor:
        code = sound if state is None else self.face.remember(sound, state)
        difference = self.decoder(code)
        if self.face.interior is not None:
            difference = difference + self.face.interior(code, self.face.geometry(sound))
        return torch.addcmul(self.reference, self.share, difference).clamp_(0, 1)

    @torch.inference_mode()
    def _decode_lanes(self, sound: Tensor, starts: Tensor, lanes: Tensor, states: "_States | None") -> Iterator[Batch]:
        """Decode the stretches numbered `lanes` in step, each from a blank crop some frames early."""
        length = int(starts[1]) if len(starts) > 1 else len(sound)
        state = None if states is None else states.blank.repeat(len(lanes), 1)
        for step in range(0 if states is None or len(starts) == 1 else -WARM_UP, length):
            if step == 0 and states is not None and state is not None:
                state[lanes == 0] = states.blank  # the recording itself starts from a blank crop
                states.before[lanes] = state
            frames = (starts[lanes] + step).clamp(0, len(sound) - 1)
            pictures = self._pictures(sound[frames], state)
            own = starts[lanes] + step < len(sound)
            if self.previous is not None and states is not None:
                state = self.previous(pictures)
            if step >= 0:  # before, the frames are those of the stretch before
                if states is not None and state is not None:
                    states.after[frames[own]] = state[own]
                yield frames[own].numpy(), _to_pixels(pictures[own])

    @torch.inference_mode()
    def _mend(self, sound: Tensor, starts: Tensor, states: "_States") -> Iterator[Batch]:
        """Decode again where a stretch began with another memory than the one before ended with, until they agree."""
        assert self.previous is not None
        for lane in range(1, len(starts)):
            frame = int(starts[lane])
            wrong = states.after[frame - 1] - states.before[lane]
            while wrong.abs().max() > STATE_TOLERANCE and frame < len(sound):
                pictures = self._pictures(sound[frame : frame + 1], states.after[frame - 1 : frame])
                yield np.array([frame]), _to_pixels(pictures)
                state = self.previous(pictures)[0]
                wrong = state - states.after[frame]
                states.after[frame] = state
                frame += 1


class _States:
    """Codes of the previous crop: `before` the first frame of each stretch, and `after` each frame."""

    def __init__(self, blank: Tensor, frames: int, stretches: int) -> None:
        self.blank = blank
        self.before = blank.repeat(stretches, 1)
        self.after = blank.repeat(frames, 1)


def _to_pixels(pictures: Tensor) -> np.ndarray:
    """(B, 3, H, W) in 0..1 -> (B, H, W, 3) uint8."""
    return (pictures * 255).round_().byte().permute(0, 2, 3, 1).contiguous().numpy()

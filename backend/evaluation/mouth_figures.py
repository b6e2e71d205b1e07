"""Figures of the mouth rendered back into the frames, and a video of truth beside prediction."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backend.actor_file import Actor
from backend.animation_file import new_file
from backend.evaluation.metrics import of_known, weighted_psnr, weighted_ssim
from backend.evaluation.mouth_region import MouthRegion, mouth_region, render
from backend.evaluation.sharpness import cpbd
from backend.normalisation.atlas import unwrap
from backend.normalisation.lighting import estimate_lighting
from backend.normalisation.space import SpeakerSpace
from backend.progress import Progress
from backend.video.decode import iterate_frames

if TYPE_CHECKING:
    from backend.evaluation.evaluate import ClipResult

EVERY = 2
"""One frame in so many is measured."""
ENLARGED = 1.5
"""How much larger frames are in the video than they were."""
WIDEST = 1920
"""Pixels of both frames side by side at most."""


class MouthFigures:
    """Renders every clip's mouth with the predicted and with the mean texture, in the frame's own light."""

    def __init__(self, actor: Actor, space: SpeakerSpace, video_out: Path | None) -> None:
        self.actor, self.space, self.video_out = actor, space, video_out
        self.sums: dict[str, list[float]] = {}

    def measure(self, clips: "list[ClipResult]", progress: Progress) -> dict[str, float]:
        """SSIM, PSNR and sharpness (CPBD) of the mouth; writes the video of the first clip where one was asked for.

        Lips in another place cost more SSIM than any texture gains. So the two are also judged apart: the textures on
        the true lips, and the true texture on the predicted lips: about the most that a texture can reach there.
        """
        total, done = sum(len(clip.times) for clip in clips), 0
        for number, clip in enumerate(clips):
            shown = self.video_out is not None and number == 0
            pairs = self._pairs(clip, shown, lambda n, s=done: progress("render mouth", s + n, total))
            if shown:
                self._write_video(clip, pairs)
            else:
                for _ in pairs:
                    pass
            done += len(clip.times)
        progress("render mouth", total, total)
        means = {name: of_known(np.mean, values) for name, values in self.sums.items()}
        for where in ("", "_on_true_lips"):
            if f"ssim_mouth{where}" in means:
                still = means[f"ssim_mouth_mean_texture{where}"]
                means[f"mouth_skill{where}"] = 1 - (1 - means[f"ssim_mouth{where}"]) / (1 - still)
        return means

    def _pairs(self, clip: "ClipResult", shown: bool, report: Callable[[int], None]) -> Iterator[np.ndarray]:
        """Measure a clip; where it is `shown`, yield truth beside prediction from its first to its last frame."""
        places = {int(frame): number for number, frame in enumerate(clip.frames)}
        for index, (_, frame) in enumerate(iterate_frames(clip.path)):
            if index < clip.frames[0]:
                continue
            number, second = places.get(index), frame
            if number is not None and (shown or number % EVERY == 0):
                report(number)
                second = self._frame(clip, number, frame)
            if shown:
                yield _side_by_side(frame, second)
            if index == clip.frames[-1]:
                return

    def _frame(self, clip: "ClipResult", number: int, frame: np.ndarray) -> np.ndarray:
        """Measure one frame; returns it with the predicted mouth."""
        landmarks, moved = (
            self.space.to_frame(faces[number], clip.poses[number]) for faces in (clip.true, clip.predicted)
        )
        region = mouth_region(landmarks, *frame.shape[:2])
        if region is None:
            return frame
        light = self._light(frame, landmarks)
        mean = light(self.actor.atlas)
        texture = light(self._with_crop(clip.crops[number])) if len(clip.crops) else mean
        made = render(texture, self.space.uv, moved, region, frame)
        if len(clip.crops) and number % EVERY == 0:
            true = light(self._with_crop(clip.true_crops[number]))
            pictures = {
                "": made,
                "_mean_texture": render(mean, self.space.uv, moved, region, frame),
                "_of_true_texture": render(true, self.space.uv, moved, region, frame),
                "_on_true_lips": render(texture, self.space.uv, landmarks, region, frame),
                "_mean_texture_on_true_lips": render(mean, self.space.uv, landmarks, region, frame),
            }
            self._add(region, region.cut(frame), pictures)
        spoken = frame.copy()
        region.cut(spoken)[region.mask] = made[region.mask]
        return spoken

    def _add(self, region: MouthRegion, true: np.ndarray, pictures: dict[str, np.ndarray]) -> None:
        weights = region.mask[None].astype(np.float32)
        row = {
            f"ssim_mouth{name}": weighted_ssim(picture[None], true[None], weights) for name, picture in pictures.items()
        }
        row |= {
            "psnr_mouth": weighted_psnr(pictures[""][None], true[None], weights),
            "cpbd_mouth": cpbd(pictures[""]),
            "cpbd_mouth_of_true_texture": cpbd(pictures["_of_true_texture"]),
            "cpbd_mouth_true": cpbd(true),
        }
        for name, value in row.items():
            self.sums.setdefault(name, []).append(value)

    def _with_crop(self, crop: np.ndarray) -> np.ndarray:
        atlas = self.actor.atlas.copy()
        self.space.crop.cut(atlas)[:] = crop
        return atlas

    def _light(self, frame: np.ndarray, landmarks: np.ndarray):
        """A function that gives an evenly lit atlas (256, 256, 3) uint8 the light of this frame."""
        seen = unwrap(frame, landmarks, self.space.atlas_map).astype(np.float32) / 255
        lighting = estimate_lighting(self.actor.atlas.astype(np.float32) / 255, seen, self.space.skin)
        return lambda atlas: np.round(
            np.clip(lighting.restore(atlas.astype(np.float32) / 255), 0, 1) * 255
        ).astype(np.uint8)  # fmt: skip

    def _write_video(self, clip: "ClipResult", pairs: Iterator[np.ndarray]) -> None:
        from backend.audio.track import write_sound_track
        from backend.trust.provenance import file_sha256, provenance
        from backend.video.encode import encode_video

        assert self.video_out is not None
        count = int(clip.frames[-1] - clip.frames[0]) + 1
        fps = 1 / float(np.median(np.diff(clip.times))) if len(clip.times) > 1 else 25.0
        comment = {"comment": provenance(self.actor.name, self.actor.digest, file_sha256(clip.path))}
        with (
            new_file(self.video_out, overwrite=True) as temporary,
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        ):
            sound = Path(scratch) / "sound.wav"
            write_sound_track(clip.path, sound)
            encode_video(pairs, count, fps, sound, temporary, comment, start=float(clip.times[0]))


def _side_by_side(frame: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Truth and prediction, enlarged where they are small; sides even, as videos want them."""
    import cv2

    both = np.concatenate([frame, second], axis=1)
    height, width = both.shape[:2]
    scale = min(ENLARGED, WIDEST / width)
    size = (max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2))
    return cv2.resize(both, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)

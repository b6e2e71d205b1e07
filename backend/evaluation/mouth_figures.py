"""Figures of the mouth rendered back into the frames, and a video of truth beside prediction."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backend.actor_file import Actor
from backend.evaluation.metrics import weighted_psnr, weighted_ssim
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
ENLARGED = 3
"""How much larger the mouth is in the video than in the frame."""


class MouthFigures:
    """Renders every clip's mouth with the predicted and with the mean texture, in the frame's own light."""

    def __init__(self, actor: Actor, space: SpeakerSpace, video_out: Path | None) -> None:
        self.actor, self.space, self.video_out = actor, space, video_out
        self.sums: dict[str, list[float]] = {}
        self.pairs: list[np.ndarray] = []

    def measure(self, clips: "list[ClipResult]", progress: Progress) -> dict[str, float]:
        """SSIM, PSNR and sharpness (CPBD) of the mouth; writes the video where one was asked for.

        Lips in another place cost more SSIM than any texture gains. So the two are also judged apart: the textures on
        the true lips, and the true texture on the predicted lips: about the most that a texture can reach there.
        """
        total, done = sum(len(clip.times) for clip in clips), 0
        for clip in clips:
            for number, frame in _frames(clip):
                if number % EVERY == 0 or self.video_out:
                    self._frame(clip, number, frame)
                done += 1
                progress("render mouth", done, total)
        means = {name: float(np.nanmean(values)) for name, values in self.sums.items()}
        if self.video_out and self.pairs:
            self._write_video(clips[0])
        for where in ("", "_on_true_lips"):
            if f"ssim_mouth{where}" in means:
                still = means[f"ssim_mouth_mean_texture{where}"]
                means[f"mouth_skill{where}"] = 1 - (1 - means[f"ssim_mouth{where}"]) / (1 - still)
        return means

    def _frame(self, clip: "ClipResult", number: int, frame: np.ndarray) -> None:
        landmarks, moved = (
            self.space.to_frame(faces[number], clip.poses[number]) for faces in (clip.true, clip.predicted)
        )
        region = mouth_region(landmarks, *frame.shape[:2])
        if region is None:
            return
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
        if self.video_out and clip.path == getattr(self, "_first", clip.path):
            self._first = clip.path
            self.pairs.append(_pair(region, frame, made))

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

    def _write_video(self, clip: "ClipResult") -> None:
        from backend.trust.provenance import file_sha256, provenance
        from backend.video.encode import encode_video

        assert self.video_out is not None
        height = max(pair.shape[0] for pair in self.pairs) // 2 * 2
        width = max(pair.shape[1] for pair in self.pairs) // 2 * 2
        fps = 1 / float(np.median(np.diff(clip.times)))
        frames = (_fit(pair, height, width) for pair in self.pairs)
        comment = {"comment": provenance(self.actor.name, self.actor.digest, file_sha256(clip.path))}
        encode_video(frames, len(self.pairs), fps, clip.path, self.video_out, comment)


def _frames(clip: "ClipResult") -> Iterator[tuple[int, np.ndarray]]:
    """The clip's frames with a face, numbered as its arrays are."""
    places = {int(frame): number for number, frame in enumerate(clip.frames)}
    for index, (_, image) in enumerate(iterate_frames(clip.path)):
        if index in places:
            yield places[index], image


def _pair(region: MouthRegion, frame: np.ndarray, made: np.ndarray) -> np.ndarray:
    """Truth and prediction side by side: the whole frame with the rendered mouth, enlarged."""
    import cv2

    second = frame.copy()
    region.cut(second)[region.mask] = made[region.mask]
    both = np.concatenate([frame, second], axis=1)
    return cv2.resize(both, None, fx=ENLARGED / 2, fy=ENLARGED / 2, interpolation=cv2.INTER_CUBIC)


def _fit(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    result = np.zeros((height, width, 3), np.uint8)
    result[: picture.shape[0], : picture.shape[1]] = picture[:height, :width]
    return result

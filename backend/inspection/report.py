"""From videos to a report: the dataset in a temporary folder, its figures, findings and pictures in the report's."""

import json
import re
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from backend.animation_file import check_output, new_folder, places_read
from backend.errors import UsageError
from backend.inspection.curves import draw_clips, draw_lips
from backend.inspection.examples import Example, choose_frames, read_examples
from backend.inspection.page import Row, write_page
from backend.inspection.pictures import contact_sheet, draw_crop, draw_gain, draw_mesh
from backend.progress import Progress, no_progress
from backend.renaming import remove_tree
from backend.training.dataset import Dataset, DatasetConfig, build_dataset
from backend.training.quality import Finding, assess_dataset, verdict
from backend.training.quality_figures import QualityFigures

FORMAT = 1
"""Of report.json."""

PICTURES = (("mesh", "jpg"), ("atlas", "jpg"), ("normalised", "jpg"), ("gain", "png"))
"""Kinds of pictures of an example frame, with the endings of their files."""


REPORT_FILES = re.compile(
    r"report\.(html|json)|reference_atlas\.png|contact_sheet\.jpg"
    + "".join(rf"|{kind}_\d+\.{ending}" for kind, ending in PICTURES)
)
"""What a report's folder holds."""


@dataclass(frozen=True)
class InspectRequest:
    """What `mouthpiece inspect` was asked for."""

    videos: tuple[Path, ...]
    """Videos of one speaker."""
    out: Path
    """Folder for report.html, report.json and their pictures."""
    face_model: Path | None = None
    """A `.task` file for MediaPipe's newer face landmarker."""
    overwrite: bool = False
    """Replace a report that exists."""


@dataclass(frozen=True)
class Inspection:
    """What was found."""

    figures: QualityFigures
    findings: list[Finding]
    left_out: list[Path]
    """Videos that could not be used."""

    @property
    def verdict(self) -> str:
        """In half a sentence."""
        return verdict(self.findings)


def inspect(request: InspectRequest, progress: Progress = no_progress) -> Inspection:
    """Write the report. Raises UsageError, InputError where no face or sound can be used at all, Cancelled."""
    read = places_read([*request.videos, *([] if request.face_model is None else [request.face_model])])
    check_output(request.out, request.overwrite, REPORT_FILES, read)
    if request.face_model is not None and not request.face_model.is_file():
        raise UsageError(f"--face-model {request.face_model} does not exist; download a face_landmarker.task.")
    config = DatasetConfig(face_model=str(request.face_model or ""))
    with new_folder(request.out, REPORT_FILES, request.overwrite) as folder:
        # Beside the report and not among the system's temporary files: it may be gigabytes.
        with (
            tempfile.TemporaryDirectory(prefix=".dataset.", dir=folder, ignore_cleanup_errors=True) as scratch,
            closing(build_dataset(request.videos, Path(scratch) / "dataset", config, progress)) as dataset,
        ):
            for warning in dataset.warnings:
                progress(warning, 0, 0)
            progress("report", 0, 2)
            figures, findings = assess_dataset(dataset)
            inspection = Inspection(figures, findings, dataset.left_out(request.videos))
            rows = write_pictures(dataset, request.videos, folder)
            progress("report", 1, 2)
            write_json(dataset, inspection, folder / "report.json")
            curves = [draw_clips(dataset), *draw_lips(dataset)]
            write_page(folder / "report.html", dataset, inspection.verdict, figures, findings, rows, curves)
        remove_tree(Path(scratch))  # what a virus scanner held until now
        progress("report", 2, 2)
    return inspection


def write_json(dataset: Dataset, inspection: Inspection, path: Path) -> None:
    """The figures and findings for programs."""
    # JSON has no NaN: what could not be measured is null.
    figures = {name: None if value != value else value for name, value in asdict(inspection.figures).items()}
    report = {
        "format": FORMAT,
        "verdict": inspection.verdict,
        "figures": figures,
        "findings": [asdict(finding) for finding in inspection.findings],
        "clips": dataset.description["clips"],
        "left_out": [path.name for path in inspection.left_out],
        "reference_frame": dataset.description["reference_frame"],
        "audio_offset": dataset.description["audio_offset"],
        "warnings": dataset.warnings,
    }
    path.write_text(json.dumps(report, indent=1, allow_nan=False), encoding="utf-8")


def write_pictures(dataset: Dataset, videos: tuple[Path, ...], folder: Path) -> list[Row]:
    """Write all pictures of the report; returns a row of names and captions for each example frame."""
    space = dataset.space
    _save(folder / "reference_atlas.png", draw_crop(dataset.reference_atlas, space.crop))
    _save(folder / "contact_sheet.jpg", contact_sheet(dataset))
    covered = space.atlas_map.covered
    rows = []
    for number, example in enumerate(read_examples(dataset, videos, choose_frames(dataset)), 1):
        names = [f"{kind}_{number}.{ending}" for kind, ending in PICTURES]
        pictures = (
            draw_mesh(example),
            example.atlas,
            example.normalised,
            draw_gain(example.lighting.gain, covered),
        )
        for name, picture in zip(names, pictures, strict=True):
            _save(folder / name, picture)
        rows.append(Row(_caption(example, dataset), tuple(names)))
    return rows


def _caption(example: Example, dataset: Dataset) -> str:
    clip = dataset.description["clips"][int(dataset.clip[example.frame])]["name"]
    return f"{example.why} ({clip} at {float(dataset.times[example.frame]):.2f} s)"


def _save(path: Path, picture: np.ndarray) -> None:
    from PIL import Image

    Image.fromarray(np.ascontiguousarray(picture)).save(path, quality=88)  # PNG has no quality and ignores it

"""The inspection report: a page whose pictures are all there, and figures that programs can read."""

import json
import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from backend.__main__ import main
from backend.animation_file import check_output
from backend.inspection.curves import draw_clips
from backend.inspection.pictures import draw_gain
from backend.inspection.report import REPORT_FILES
from backend.tracking.gaps import Gap


@pytest.fixture(scope="module")
def report(actor_excerpt, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspect") / "report"
    assert main(["inspect", str(actor_excerpt), "--out", str(folder)]) == 0
    return folder


def test_every_picture_of_the_page_lies_beside_it(report):
    page = (report / "report.html").read_text("utf-8")
    pictures = re.findall(r'src="([^"]+)"', page)
    assert len(pictures) >= 4 * 4 + 2
    for name in pictures:
        assert "/" not in name
        with Image.open(report / name) as picture:
            assert np.asarray(picture.convert("L"), float).std() > 5, name
    assert not re.search(r"https?://|<script", page)
    assert {path.name for path in report.iterdir()} == {*pictures, "report.html", "report.json"}


def test_figures_and_findings_are_told(report, capsys):
    data = json.loads((report / "report.json").read_text("utf-8"))
    assert data["figures"]["frames"] == 200
    assert data["figures"]["interocular"] == pytest.approx(113, abs=8)
    assert data["figures"]["lip_sound"] is None  # 8 s are too short for it
    assert data["figures"]["offset"] is None
    assert data["audio_offset"] == {"seconds": None, "correlation": None}
    assert [finding["name"] for finding in data["findings"]] == ["too short", "too few frames"]
    page = (report / "report.html").read_text("utf-8")
    assert "Not fit for training: 2 severe findings." in page
    assert "Film 2 to 5 minutes" in page
    assert page.count("not measured") == 2
    assert "was not checked: that takes 30 s" in page


def test_lip_curve_covers_the_excerpt(report):
    page = (report / "report.html").read_text("utf-8")
    (curve,) = re.findall(r'<polyline points="([^"]+)"', page)
    points = np.array([[float(v) for v in pair.split(",")] for pair in curve.split()])
    assert len(points) == 200
    assert points[-1, 0] == pytest.approx(120 * 7.96, abs=1)  # 960 pixels show 8 s
    assert points[:, 1].min() >= 0
    assert np.ptp(points[:, 1]) > 60


def test_the_normalised_atlas_is_nearer_to_the_reference(report):
    reference = cv2.imread(str(report / "reference_atlas.png")).astype(float)[20:120, 60:196]
    before, after = [], []
    for number in range(2, 5):
        for kind, distances in (("atlas", before), ("normalised", after)):
            atlas = cv2.imread(str(report / f"{kind}_{number}.jpg")).astype(float)[20:120, 60:196]
            distances.append(np.abs(atlas - reference).mean())
    assert np.mean(after) < np.mean(before)


def test_a_report_may_replace_itself(report):
    check_output(report, True, REPORT_FILES)


def test_an_existing_report_is_kept(report, actor_excerpt, capsys):
    assert main(["inspect", str(actor_excerpt), "--out", str(report)]) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_a_video_that_is_left_out_is_named_and_stops_no_other(actor_excerpt, tmp_path, capsys, removed_while_open):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video")
    videos = [str(actor_excerpt), str(tmp_path / "empty.mp4"), str(tmp_path / "text.mp4")]
    assert main(["inspect", *videos, "--out", str(tmp_path / "report")]) == 1
    said = capsys.readouterr()
    assert "mouthpiece: empty.mp4 was left out" in said.err and "mouthpiece: text.mp4 was left out" in said.err
    assert "report.html" in said.out
    assert removed_while_open == []


def test_what_cannot_be_inspected_gets_a_sentence(tmp_path, capsys, write_video):
    blank = write_video("blank.mp4", [np.full((64, 64, 3), 90, np.uint8)] * 30, np.arange(30) / 25, np.zeros(19200))
    dark = write_video("dark.mp4", [np.full((64, 64, 3), 5, np.uint8)] * 30, np.arange(30) / 25, np.zeros(19200))
    cases = {blank: "face from the front", dark: "30 black); give more light", tmp_path / "none.mp4": "no file"}
    for path, words in cases.items():
        assert main(["inspect", str(path), "--out", str(tmp_path / "report")]) in (1, 2)
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1
    assert not (tmp_path / "report").exists()


def test_gain_maps_are_red_where_they_brighten():
    gain = np.array([[2.0, 0.5], [1.0, 3.0]])
    colours = draw_gain(gain, np.array([[True, True], [True, False]]))
    assert colours[0, 0, 0] > colours[0, 0, 2]
    assert colours[0, 1, 2] > colours[0, 1, 0]
    assert (colours[1, 0] == 255).all()
    assert (colours[1, 1] == 90).all()


def test_gaps_are_drawn_with_their_reasons():
    clips = SimpleNamespace(
        description={"clips": [{"name": "a<b.mp4", "seconds": 4.0}]},
        clip=np.zeros(100, int),
        times=np.arange(100) / 25,
        gaps=np.where(np.arange(100) < 10, Gap.NO_FACE, Gap.NONE),
    )
    drawing = draw_clips(clips)
    assert "a&lt;b.mp4" in drawing
    assert "no face (10)" in drawing
    assert "used (90 frames)" in drawing

"""An actor's card tells what its description holds."""

import json
import re
from pathlib import Path

from backend.actor_library import SHIPPED
from backend.evaluation.figures import HELD_OUT
from backend.training.quality import Finding
from backend.training.report import card_text
from backend.training.report_charts import draw_figures
from backend.training.report_page import REPORT, ReportPage


def test_the_shipped_card_is_that_of_its_description():
    folder = SHIPPED / "default"
    assert card_text(json.loads((folder / "actor.json").read_text())) == (folder / "MODEL_CARD.md").read_text("utf-8")


def test_a_card_tells_the_epochs_that_were_run():
    facts = json.loads((SHIPPED / "default/actor.json").read_text()) | {"epochs": 40, "epochs_run": 7}
    assert "| epochs | 7 of at most 40 |" in card_text(facts)


def test_a_card_of_what_was_solved_tells_no_epochs():
    facts = json.loads((SHIPPED / "default/actor.json").read_text()) | {"epochs": 40, "epochs_run": 0, "minutes": 0}
    card = card_text(facts)
    assert "| epochs | solved, without epochs |" in card
    assert "at most" not in card
    assert "time of the epochs" not in card


def test_counts_on_a_card_are_whole():
    facts = json.loads((SHIPPED / "default/actor.json").read_text())
    card = card_text(facts | {"metrics": {"frames": 22500.0, "lip_error_mm": 2.34567, "aperture_r": float("nan")}})
    assert "| `frames` | 22500 |" in card
    assert "| `lip_error_mm` | 2.346 |" in card
    assert "| `aperture_r` | nan |" in card


def test_a_bar_in_a_name_ends_no_cell():
    facts = json.loads((SHIPPED / "default/actor.json").read_text()) | {"data": "a|b.mp4", "command": "train 'a|b.mp4'"}
    card = card_text(facts)
    assert "| data | a\\|b.mp4 |" in card
    assert "`train 'a\\|b.mp4'` |" in card


HISTORY = [
    {"geometry": 1.0, "lip_error_mm": 2.2, "aperture_r": float("nan"), "ssim_atlas": 0.90, "score": 5.0},
    {"geometry": 0.7},
    {"geometry": 0.5, "lip_error_mm": 2.0, "aperture_r": 0.9, "ssim_atlas": 0.91, "score": 4.0},
]


def test_a_training_that_was_not_measured_is_not_praised(tmp_path):
    ReportPage(tmp_path, "anna", 2, measured=False).write([{"geometry": 1.0}, {"geometry": 0.5}])
    page = (tmp_path / REPORT).read_text("utf-8")
    assert "Nothing was measured" in page
    assert "Nothing stands out" not in page


def test_before_the_first_look_nothing_is_judged(tmp_path):
    ReportPage(tmp_path, "anna", 2).write([])
    page = (tmp_path / REPORT).read_text("utf-8")
    assert "epoch 0 of at most 2" in page
    assert "Not measured yet" in page
    assert "next time" not in page
    ReportPage(tmp_path, "anna", 0).write([], {"lip_error_mm": 2.0})
    assert "solved, without epochs" in (tmp_path / REPORT).read_text("utf-8")


def test_every_figure_has_a_chart_of_its_own_that_fills_it():
    charts = draw_figures(HISTORY).split("<figure>")[1:]
    assert [re.search("<b>(.*?)</b>", chart)[1] for chart in charts] == ["lip_error_mm", "aperture_r", "ssim_atlas"]
    for chart, range_ in ((charts[0], ("2", "2.2")), (charts[2], ("0.9", "0.91"))):
        heights = [float(place.split(",")[1]) for place in re.search('points="(.*?)"', chart)[1].split()]
        assert abs(heights[0] - heights[-1]) > 100  # of 130 pixels
        assert all(f">{value}</text>" in chart for value in range_)
    assert "nan" not in "".join(charts)


def test_every_figure_says_what_it_is(tmp_path):
    ReportPage(tmp_path, "anna", 3).write(HISTORY)
    page = (tmp_path / REPORT).read_text("utf-8")
    assert "epoch 3 of at most 3" in page
    assert "largest distance of a lip vertex" in page
    assert ">2 mm</td>" in page
    assert "score" not in page


def test_it_says_why_the_table_is_not_where_the_curves_end(tmp_path):
    page, figures = ReportPage(tmp_path, "anna", 3), {"lip_error_mm": 2.0, "ssim_atlas": 0.9, "interior_skill": 0.2}
    page.write(HISTORY)
    assert "Curves and table are of one frame in 4" in page.path.read_text("utf-8")
    page.write(HISTORY, figures, taught=True)
    assert "learnt once more. They are sharper for it, at a cost" in page.path.read_text("utf-8")
    page.write(HISTORY, figures)
    assert "the table is of all" in page.path.read_text("utf-8")
    assert "once more" not in page.path.read_text("utf-8")


def test_the_guide_has_the_meanings_of_the_report():
    guide = (Path(__file__).parents[3] / "docs/guide/evaluation.md").read_text("utf-8")
    text = " ".join(guide.split())
    assert not [name for name, meaning in HELD_OUT.items() if f"`{name}`" not in text or meaning.sentence not in text]


def test_what_the_gate_found_is_told_for_the_next_recording(tmp_path):
    finding = Finding("darkness", "warning", 0.1, "The face is dark (10 % < 15 %).", "Give more light.")
    ReportPage(tmp_path, "anna", 3, [finding]).write(HISTORY)
    page = (tmp_path / REPORT).read_text("utf-8")
    assert "<li>The face is dark (10 % &lt; 15 %). Give more light.</li>" in page
    assert "Nothing stands out" not in page

"""An actor's card tells what its description holds."""

import json

from backend.actor_library import SHIPPED
from backend.training.report import write_card
from backend.training.report_page import REPORT, write_training_report


def test_the_shipped_card_is_that_of_its_description():
    folder = SHIPPED / "default"
    assert write_card(json.loads((folder / "actor.json").read_text())) == (folder / "MODEL_CARD.md").read_text("utf-8")


def test_a_card_tells_the_epochs_that_were_run():
    facts = json.loads((SHIPPED / "default/actor.json").read_text()) | {"epochs": 40, "epochs_run": 7}
    assert "| epochs | 7 of at most 40 |" in write_card(facts)


def test_a_card_of_what_was_solved_tells_no_epochs():
    facts = json.loads((SHIPPED / "default/actor.json").read_text()) | {"epochs": 40, "epochs_run": 0, "minutes": 0}
    card = write_card(facts)
    assert "| epochs | solved, without epochs |" in card
    assert "at most" not in card
    assert "time of the epochs" not in card


def test_counts_on_a_card_are_whole():
    facts = json.loads((SHIPPED / "default/actor.json").read_text())
    card = write_card(facts | {"metrics": {"frames": 22500.0, "lip_error_mm": 2.34567, "aperture_r": float("nan")}})
    assert "| `frames` | 22500 |" in card
    assert "| `lip_error_mm` | 2.346 |" in card
    assert "| `aperture_r` | nan |" in card


def test_a_bar_in_a_name_ends_no_cell():
    facts = json.loads((SHIPPED / "default/actor.json").read_text()) | {"data": "a|b.mp4", "command": "train 'a|b.mp4'"}
    card = write_card(facts)
    assert "| data | a\\|b.mp4 |" in card
    assert "`train 'a\\|b.mp4'` |" in card


def test_a_training_that_was_not_measured_is_not_praised(tmp_path):
    write_training_report(tmp_path, "anna", [{"geometry": 1.0}, {"geometry": 0.5}], {}, 2)
    page = (tmp_path / REPORT).read_text("utf-8")
    assert "Nothing was measured" in page
    assert "Nothing stands out" not in page

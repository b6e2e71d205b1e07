"""An actor's card tells what its description holds."""

import json

from backend.actor_library import SHIPPED
from backend.training.report import write_card


def test_the_shipped_card_is_that_of_its_description():
    folder = SHIPPED / "default"
    assert write_card(json.loads((folder / "actor.json").read_text())) == (folder / "MODEL_CARD.md").read_text("utf-8")


def test_a_card_tells_the_epochs_that_were_run():
    facts = json.loads((SHIPPED / "default/actor.json").read_text()) | {"epochs": 40, "epochs_run": 7}
    assert "| epochs | 7 of at most 40 |" in write_card(facts)

"""Nobody is trained without consent, and every output says what it is."""

import json
from datetime import date, timedelta

import pytest

from backend.errors import ConsentError
from backend.trust.consent import REQUIRED, read_consent
from backend.trust.provenance import provenance

RECORD = {
    "speaker": "Anna Example",
    "statement": "I agree that a talking head of me is made.",
    "given_by": "Anna Example",
    "date": "2026-01-31",
    "licence": "studio use only",
}


def write(path, record):
    path.write_text(record if isinstance(record, str) else json.dumps(record))
    return path


def test_a_whole_record_is_read(tmp_path):
    assert read_consent(write(tmp_path / "c.json", RECORD)) == RECORD


@pytest.mark.parametrize("name", REQUIRED)
def test_every_field_is_needed(tmp_path, name):
    with pytest.raises(ConsentError, match=f"lacks {name}"):
        read_consent(write(tmp_path / "c.json", {**RECORD, name: "  "}))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("not json", "not JSON"),
        ([1], "JSON object"),
        pytest.param("[" * 100_000 + "]" * 100_000, "JSON object", id="deep"),
        ({**RECORD, "date": "31.1.2026"}, "YYYY-MM-DD"),
        ({**RECORD, "date": "2026-W01-1"}, "YYYY-MM-DD"),
        ({**RECORD, "date": "20260131"}, "YYYY-MM-DD"),
        ({**RECORD, "date": (date.today() + timedelta(days=2)).isoformat()}, "future"),
    ],
)
def test_unusable_records(tmp_path, record, message):
    with pytest.raises(ConsentError, match=message):
        read_consent(write(tmp_path / "c.json", record))


def test_a_missing_record(tmp_path):
    with pytest.raises(ConsentError, match="cannot be read"):
        read_consent(tmp_path / "none.json")


def test_provenance_says_synthetic_and_names_its_sources():
    record = json.loads(provenance("anna", "d1", "d2"))
    assert record["synthetic"] is True
    assert (record["actor"], record["actor_sha256"], record["audio_sha256"]) == ("anna", "d1", "d2")

"""The speaker's consent, without which nobody's likeness is trained."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from backend.errors import ConsentError

REQUIRED = ("speaker", "statement", "given_by", "date", "licence")
"""Fields of the record; `statement` is the sentence the speaker agreed to, `given_by` who vouches for it."""


def read_consent(path: Path) -> dict[str, Any]:
    """Read a consent record: a JSON object with the fields of `REQUIRED`, all non-empty text, `date` as YYYY-MM-DD.

    Raises: ConsentError that says what is missing.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConsentError(f"The consent record {path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise ConsentError(
            f"The consent record {path} is not JSON; see docs/guide/consent.md for an example."
        ) from None
    except RecursionError:  # nested thousands deep
        record = None
    if not isinstance(record, dict):
        raise ConsentError(f"The consent record {path} must be a JSON object with {', '.join(REQUIRED)}.")
    check_consent(record, f"The consent record {path}")
    return record


def check_consent(record: dict[str, Any], name: str = "The consent record") -> None:
    """Raise ConsentError unless a record has all that `read_consent` asks for; name: what the message calls it."""
    missing = [part for part in REQUIRED if not isinstance(record.get(part), str) or not record[part].strip()]
    if missing:
        raise ConsentError(f"{name} lacks {', '.join(missing)}; the speaker must give it.")
    try:
        given = date.fromisoformat(record["date"])
    except ValueError:
        given = None
    if given is None or given.isoformat() != record["date"]:  # Python reads weeks, as in 2026-W01-1, too
        raise ConsentError(f"{name} has the date {record['date']!r}; write YYYY-MM-DD.")
    if given > date.today():
        raise ConsentError(f"{name} is dated in the future ({given}).")

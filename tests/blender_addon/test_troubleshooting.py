"""The troubleshooting page speaks of messages that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/guide/blender_troubleshooting.md"


def messages() -> list[str]:
    """The first column of the page's tables."""
    rows = [line.split("|")[1].strip() for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    return [row for row in rows if row != "it says"]


def sources() -> str:
    """The add-on's text, with sentences joined that lie on two lines."""
    text = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "blender_addon").rglob("*.py")))
    return re.sub(r'"\s*\n\s*f?"', "", text)


@pytest.mark.parametrize("message", messages())
def test_the_add_on_says_so(message: str) -> None:
    said = sources()
    for part in message.split("..."):
        assert part.strip() in said, part


def test_the_page_covers_the_groups() -> None:
    assert len(messages()) > 30

"""The page at /: read once, and served with a policy under which only its own script and style run."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

PAGE = Path(__file__).parent / "page.html"


@cache
def read_page() -> str:
    """The page's HTML."""
    return PAGE.read_text("utf-8")


@cache
def page_headers() -> dict[str, str]:
    """A content security policy that names the page's script and style by their digests."""
    script, style = (_digests(tag) for tag in ("script", "style"))
    policy = (
        f"default-src 'none'; script-src {script}; style-src {style}; img-src blob: data:; media-src blob:; "
        "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    )
    return {"content-security-policy": policy, "cache-control": "no-cache"}


def _digests(tag: str) -> str:
    bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", read_page(), re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies)
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"

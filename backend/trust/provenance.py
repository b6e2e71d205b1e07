"""The mark that every output carries: that it is synthetic, and what made it from what."""

import hashlib
import json
from pathlib import Path

from backend import __version__


def provenance(actor: str, actor_digest: str, audio_sha256: str) -> str:
    """JSON text that names the generator, the actor and the sound. The same inputs give the same text."""
    record = {
        "synthetic": True,
        "note": "This face was animated by a program; nobody was filmed saying this.",
        "generator": f"Mouthpiece {__version__}",
        "actor": actor,
        "actor_sha256": actor_digest,
        "audio_sha256": audio_sha256,
    }
    return json.dumps(record)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

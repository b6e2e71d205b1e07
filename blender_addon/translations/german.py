"""German."""

from .german_labels import LABELS
from .german_sentences import SENTENCES

GERMAN: dict[str, str] = LABELS | SENTENCES
